using System.Text;
using ErrorTracker.Intake.Native;
using ErrorTracker.Log;

namespace ErrorTracker.Tests.Intake.Native;

public sealed class EventBodyTests
{
    [Fact]
    public void a_full_event_is_read_as_sent()
    {
        var error = Accept(
            """{"occurred_at":"2026-01-31T12:34:56.789+02:00","level":"warn","message":"m","stack":{"Frames":"""
            + """[1.50, {"a B":null}]},"tags":{"Key":"v"},"context":{"c": [1.10]},"more":null}""");
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 10, 34, 56, 789, TimeSpan.Zero), error.OccurredAt);
        Assert.Equal("WARNING", error.Level);
        Assert.Equal("m", error.Message);
        Assert.Equal("""{"Frames":[1.50, {"a B":null}]}""", Encoding.UTF8.GetString(error.Stack!.Utf8.Span));
        Assert.Equal("""{"Key":"v"}""", Encoding.UTF8.GetString(error.Tags!.Utf8.Span));
        Assert.Equal("""{"c": [1.10]}""", Encoding.UTF8.GetString(error.Context!.Utf8.Span));
    }

    [Fact]
    public void a_naive_time_is_utc() =>
        Assert.Equal(
            new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero),
            Accept("""{"occurred_at":"2026-01-31T12:00:00","level":"INFO","message":"m"}""").OccurredAt);

    [Fact]
    public void stack_and_tags_may_be_absent_or_null()
    {
        var error = Accept("""{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m","stack":null}""");
        Assert.Null(error.Stack);
        Assert.Null(error.Tags);
        Assert.Null(error.Context);
    }

    [Theory]
    [InlineData("""{}""", "level,message,occurred_at")]
    [InlineData("""{"occurred_at":"yesterday","level":"LOUD","message":""}""", "level,message,occurred_at")]
    [InlineData("""{"occurred_at":1,"level":2,"message":3}""", "level,message,occurred_at")]
    [InlineData("""{"occurred_at":null,"level":null,"message":null}""", "level,message,occurred_at")]
    [InlineData("""{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m","stack":7,"tags":"t"}""", "stack,tags")]
    [InlineData("""{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m","message":null}""", "message")]
    [InlineData("""{"occurred_at":"2026-01-31T12:00:00Z","level":99,"message":"m","tags":[["a","b"]]}""", "level,tags")]
    [InlineData("""{"occurred_at":"2026-02-30T12:00:00Z","level":"INFO","message":"m"}""", "occurred_at")]
    [InlineData(
        """{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m","event_id":" 7d3f1f0e6f3b4f649a550d6f7c1f2a10   "}""",
        "event_id")]
    [InlineData(
        """{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m","event_id":"0x3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10"}""",
        "event_id")]
    [InlineData("""[]""", "body")]
    [InlineData("""{"occurred_at":""", "body")]
    [InlineData("", "body")]
    public void each_wrong_field_is_named(string body, string fields) =>
        Assert.Equal(fields, string.Join(',', Refuse(Encoding.UTF8.GetBytes(body)).Keys.Order()));

    [Fact]
    public void bytes_that_are_not_utf8_are_refused() => Assert.Contains("body", Refuse([(byte)'{', 0xff, (byte)'}']).Keys);

    [Fact]
    public void a_null_character_becomes_a_replacement_character() =>
        Assert.Equal("a\ufffdb", Accept("""{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"a\u0000b"}""").Message);

    /// <summary>Bytes allocated by one thread, which no other test changes.</summary>
    [Fact]
    public void an_event_that_can_be_stored_as_it_was_sent_is_not_written_anew()
    {
        const string Plain =
            """{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m","stack":{"a":1},"tags":{"b":2},"context":{"c":3}}""";
        static long Cost(string json)
        {
            var (body, errors) = (Encoding.UTF8.GetBytes(json), new Dictionary<string, string[]>());
            EventBody.Parse(body, errors);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++) EventBody.Parse(body, errors);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.InRange(Cost(Plain) * 2, 0, Cost(Plain.Replace("}}", "},\"environment\":\"e\"}")));
    }

    private static ErrorOccurred Accept(string body)
    {
        var errors = new Dictionary<string, string[]>();
        var error = EventBody.Parse(Encoding.UTF8.GetBytes(body), errors);
        Assert.Empty(errors);
        return error!.Error;
    }

    private static Dictionary<string, string[]> Refuse(byte[] body)
    {
        var errors = new Dictionary<string, string[]>();
        Assert.Null(EventBody.Parse(body, errors));
        return errors;
    }
}

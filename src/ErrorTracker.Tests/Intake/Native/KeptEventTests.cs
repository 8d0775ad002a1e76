using System.Text;
using System.Text.Json;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;
using ErrorTracker.Log;

namespace ErrorTracker.Tests.Intake.Native;

/// <summary>Native events that cannot be stored just as they were sent.</summary>
public sealed class KeptEventTests
{
    private const string Required = """
        "occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m"
        """;

    [Theory]
    [InlineData(
        """ "environment":"prod","user":{"id":7},"stack_trace":["a","b"],"release":null """,
        """{"environment":"prod","user":{"id":7},"stack_trace":["a","b"]}""")]
    [InlineData(""" "environment":"prod","context":{"order":{"id": 1}} """, """{"order":{"id": 1},"environment":"prod"}""")]
    [InlineData(""" "fingerprint":["a",7,true],"x":1 """, """{"fingerprint":["a","7","true"],"x":1}""")]
    [InlineData(""" "fingerprint":"a" """, """{"fingerprint":["a"]}""")]
    [InlineData(""" "context":"checkout","x":1 """, """{"context":"checkout","x":1}""")]
    [InlineData(""" "environm\u0065nt":"prod","conte\u0078t":{"a":1} """, """{"a":1,"environment":"prod"}""")]
    [InlineData(""" "received_at":"yesterday","id":1 """, """{"received_at":"yesterday","id":1}""")]
    public void what_has_no_place_of_its_own_is_in_the_context(string members, string expected) =>
        Assert.Equal(expected, ContextOf(Keep(members)).GetRawText());

    [Theory]
    [InlineData(""" "user":1,"context":{"user":2} """, """{"user":2}""", "user")]
    [InlineData(
        """ "dropped":1,"undated":true,"context":{"undated":true,"dropped":2,"a":1} """, """{"a":1}""",
        "context.undated", "context.dropped", "dropped", "undated")]
    [InlineData(""" "fingerprint":["a"],"context":{"fingerprint":["b"]} """, """{"fingerprint":["a"]}""", "context.fingerprint")]
    [InlineData(""" "fingerprint":[["a"],null,{}] """, """{}""", "fingerprint")]
    [InlineData(
        """ "stack":{"n":[1e309,2]},"tags":{"t":1e309},"x":{"y":-1e309} """, """{"x":{"y":"-1e309"}}""", "stack.n.0",
        "tags.t", "x.y")]
    public void what_is_not_kept_as_it_was_sent_is_named(string members, string expected, params string[] dropped)
    {
        var context = ContextOf(Keep(members));
        Assert.Equal(expected, Without(context, "dropped"));
        Assert.Equal(dropped, context.GetProperty("dropped").EnumerateObject().Select(note => note.Name));
    }

    [Fact]
    public void a_long_message_is_cut_named_and_whole_in_the_context()
    {
        foreach (var unit in new[] { "m", "💥" })
        {
            var whole = string.Concat(Enumerable.Repeat(unit, EventLimits.LongestMessage + 1));
            Assert.Null(Parse($"{{{Required.Replace("\"m\"", $"\"{whole[unit.Length..]}\"")}}}").Context);
            var error = Parse($"{{{Required.Replace("\"m\"", $"\"{whole}\"")}}}");
            Assert.Equal(whole[unit.Length..], error.Message);
            Assert.Equal(whole, ContextOf(error).GetProperty("message").GetString());
            Assert.Equal("has more than 8,192 characters: cut", ContextOf(error).GetProperty("dropped").GetProperty("message").GetString());
        }
    }

    [Fact]
    public void tags_that_are_too_many_are_in_the_context()
    {
        static string Tags(int count) => $"\"tags\":{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"t{i}\":{i}"))}}}";
        Assert.Null(Keep(Tags(64)).Context);
        var error = Keep(Tags(150));
        Assert.Equal(64, JsonDocument.Parse(error.Tags!.Utf8).RootElement.EnumerateObject().Count());
        var context = ContextOf(error);
        Assert.Equal(Enumerable.Range(64, 86).Select(i => $"t{i}"), context.GetProperty("tags").EnumerateObject().Select(tag => tag.Name));
        Assert.Equal(
            "has more than 64 members: the others are in context.tags",
            context.GetProperty("dropped").GetProperty("tags").GetString());
    }

    [Theory]
    [InlineData(""" "stack":"at \u0041\n at b" """, """ "at \u0041\n at b" """)]
    [InlineData(""" "stack":"at a","x":1 """, """ "at a" """)]
    [InlineData(""" "stack":["at a",{"file":"b"}] """, """{"frames":["at a",{"file":"b"}]}""")]
    public void a_stack_is_an_object_a_text_or_a_list_of_frames(string members, string expected) =>
        Assert.Equal(expected.Trim(), Encoding.UTF8.GetString(Keep(members).Stack!.Utf8.Span));

    [Fact]
    public void a_fingerprint_has_at_most_32_parts_of_1024_characters()
    {
        var error = Keep($"\"fingerprint\":[{string.Join(',', Enumerable.Repeat($"\"{new string('f', 2000)}\"", 40))}]");
        Assert.All(ContextOf(error).GetProperty("fingerprint").EnumerateArray(), part => Assert.Equal(1024, part.GetString()!.Length));
        Assert.Equal(32, ContextOf(error).GetProperty("fingerprint").GetArrayLength());
        Assert.True(ContextOf(error).GetProperty("dropped").TryGetProperty("fingerprint", out _));
    }

    [Fact]
    public void what_is_nested_too_deep_to_be_read_again_is_named()
    {
        static string Deep(int levels) => new StringBuilder().Insert(0, "[", levels).Insert(levels, "]", levels).ToString();
        Assert.Equal($"{{\"x\":{Deep(50)}}}", ContextOf(Keep($"\"x\":{Deep(50)}")).GetRawText());
        foreach (var member in new[] { "x", "stack" })
        {
            var error = Keep($"\"{member}\":{{\"d\":{Deep(60)}}}");
            Assert.StartsWith($"{member}.d.0", Assert.Single(ContextOf(error).GetProperty("dropped").EnumerateObject()).Name);
        }
    }

    /// <summary>The same content is recognised when it is sent again.</summary>
    [Fact]
    public void the_same_event_gives_the_same_error()
    {
        const string Members = """ "x":1e309,"context":{"dropped":1,"a":[1.10]},"fingerprint":[{}],"tags":{"n":1e999} """;
        Assert.Equal(Keep(Members).ToStored(), Keep(Members).ToStored());
    }

    private static ErrorOccurred Keep(string members) => Parse($"{{{Required},{members}}}");

    private static ErrorOccurred Parse(string json)
    {
        var errors = new Dictionary<string, string[]>();
        var parsed = EventBody.Parse(Encoding.UTF8.GetBytes(json), errors);
        Assert.Empty(errors);
        return parsed!.Error;
    }

    private static JsonElement ContextOf(ErrorOccurred error) => JsonDocument.Parse(error.Context!.Utf8).RootElement;

    private static string Without(JsonElement json, string name) =>
        $"{{{string.Join(',', json.EnumerateObject().Where(member => member.Name != name).Select(member => member.ToString()))}}}";
}

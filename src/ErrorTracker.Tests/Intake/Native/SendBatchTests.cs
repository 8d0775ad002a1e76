using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Tests.Intake.Native;

[Collection(nameof(OnAnotherPostgres))]
public sealed class SendBatchTests(SharedApi shared)
{
    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task good_events_are_kept_and_each_refusal_is_named_by_its_index()
    {
        var sender = await _api.RegisterAsync();
        var answer = await BatchAsync(sender, $"[{Event("a")}, {Event("", level: "LOUD")}, 7, {Event("b")}]");
        Assert.Equal((2, 0), (answer.GetProperty("accepted").GetInt32(), answer.GetProperty("duplicates").GetInt32()));
        Assert.Equal(["1: level,message", "2: body"], Rejected(answer));
        Assert.Equal(2, await CountAsync(sender));
    }

    [Fact]
    public async Task lines_are_taken_as_well_and_empty_ones_do_not_count()
    {
        var sender = await _api.RegisterAsync();
        var answer = await BatchAsync(
            sender, $"{Event("a")}\n\n{Event("b")}\r\nnot json\n{Event("c")}",
            type: "application/x-ndjson; charset=utf-8");
        Assert.Equal(3, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(["2: body"], Rejected(answer));
        Assert.Equal(3, await CountAsync(sender));
    }

    [Theory]
    [InlineData("[]", 0)]
    [InlineData("[ {0}, {0}", 1, "1: body")]
    [InlineData("[{0}] and more", 1, "1: body")]
    public async Task what_was_good_before_the_end_is_kept(string body, int accepted, params string[] rejected)
    {
        var sender = await _api.RegisterAsync();
        var answer = await BatchAsync(sender, body.Replace("{0}", Event("m")));
        Assert.Equal(accepted, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(rejected, Rejected(answer));
        Assert.Equal(accepted, await CountAsync(sender));
    }

    [Fact]
    public async Task only_the_first_of_the_reasons_why_it_cannot_be_read_further_is_told()
    {
        var sender = await _api.RegisterAsync();
        var sent = Compress("gzip", Encoding.UTF8.GetBytes($"[{Event("m")}] {new string('x', 500_000)}"));
        sent.AsSpan(^8..).Fill(0xff);
        var answer = await PostAsync(sender, "events/batch", sent, 200, encoding: "gzip");
        Assert.Equal(1, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(["1: body"], Rejected(answer));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("nothing")]
    public async Task what_is_no_array_is_a_400(string body) =>
        Assert.True(
            (await BatchAsync(await _api.RegisterAsync(), body, expected: 400)).GetProperty("errors").TryGetProperty("body", out _));

    /// <summary>Log shippers look at the status only.</summary>
    [Theory]
    [InlineData(
        "application/json", """[{"date":1,"log":"x"},{"date":2,"log":"y"}]""", "0: level,message,occurred_at",
        "1: level,message,occurred_at")]
    [InlineData("application/x-ndjson", "nothing\n7\n", "0: body", "1: body")]
    [InlineData("application/json", "no array", "0: body")]
    public async Task a_batch_of_which_nothing_is_kept_is_a_400_with_the_same_members(string type, string body, params string[] rejected)
    {
        var sender = await _api.RegisterAsync();
        var answer = await BatchAsync(sender, body, expected: 400, type);
        Assert.Equal((0, 0), (answer.GetProperty("accepted").GetInt32(), answer.GetProperty("duplicates").GetInt32()));
        Assert.Equal(rejected, Rejected(answer));
        Assert.Equal(
            rejected[0].Split(": ")[1],
            string.Join(',', answer.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order()));
        Assert.All(answer.GetProperty("rejected").EnumerateArray(), one => Assert.Equal(400, one.GetProperty("status").GetInt32()));
    }

    [Theory]
    [InlineData("[]", "application/json")]
    [InlineData("\n \n", "application/x-ndjson")]
    [InlineData("", "application/x-ndjson")]
    public async Task of_an_empty_batch_nothing_is_lost(string body, string type)
    {
        var answer = await BatchAsync(await _api.RegisterAsync(), body, expected: 200, type);
        Assert.Equal("""{"accepted":0,"duplicates":0,"rejected":[]}""", answer.GetRawText());
    }

    [Fact]
    public async Task a_batch_that_is_known_is_a_200_and_one_whose_ids_are_taken_is_a_400()
    {
        var (sender, id) = (await _api.RegisterAsync(), $",\"event_id\":\"{Guid.NewGuid()}\"");
        await BatchAsync(sender, $"[{Event("m", more: id)}]");
        Assert.Equal(1, (await BatchAsync(sender, $"[{Event("m", more: id)},7]")).GetProperty("duplicates").GetInt32());
        var answer = await BatchAsync(sender, $"[{Event("other", more: id)}]", expected: 400);
        Assert.Equal(["0: event_id"], Rejected(answer));
        Assert.Equal(409, answer.GetProperty("rejected")[0].GetProperty("status").GetInt32());
    }

    /// <summary>A batch is stored while it arrives: an event was received when its own bytes had arrived.</summary>
    [Fact]
    public async Task each_event_is_received_when_its_bytes_have_arrived()
    {
        var sender = await _api.RegisterAsync();
        DateTimeOffset[] times = [
            .. new[] { 10, 20, 15, 30 }.Select(
                second => new DateTimeOffset(2026, 4, 1, 23, 59, second, TimeSpan.Zero))];
        var pieces = new[] { $"[{Event("first")},", $"{Event("second")},", $"{Event("third")},", $"{Event("fourth")}]" };
        var body = new SlowBody([.. pieces.Zip(times, (text, at) => (text, (Action)(() => _api.Clock.Now = at)))]);
        await _api.SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/events/batch", 200, body, (NativeIntake.KeyHeader, sender.Key));
        _api.Clock.Now = null;
        var items = (await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray()
            .ToDictionary(item => item.GetProperty("message").GetString()!, item => item.GetProperty("received_at").GetDateTimeOffset());
        Assert.Equal(
            (times[0], times[1], times[1], times[3]), // the clock was set back once
            (items["first"], items["second"], items["third"], items["fourth"]));
    }

    [Fact]
    public async Task ten_thousand_events_are_taken_and_one_more_is_a_413_that_says_what_is_kept()
    {
        var sender = await _api.RegisterAsync();
        static string Batch(int count) => $"[{string.Join(',', Enumerable.Repeat(Event("m"), count))}]";
        Assert.Equal(SendBatch.MostEvents, (await BatchAsync(sender, Batch(SendBatch.MostEvents))).GetProperty("accepted").GetInt32());
        Assert.Equal(
            SendBatch.MostEvents,
            (await BatchAsync(sender, Batch(SendBatch.MostEvents + 1), expected: 413)).GetProperty("accepted").GetInt32());
        Assert.Equal(2 * SendBatch.MostEvents, await CountAsync(sender));
    }

    [Fact]
    public async Task an_event_over_1_mebibyte_does_not_cost_the_others()
    {
        var sender = await _api.RegisterAsync();
        var answer = await BatchAsync(
            sender,
            $"[{Event("a")}, {Event("b", more: $",\"pad\":\"{new string('p', EventLimits.Largest)}\"")}, {Event("c")}]");
        Assert.Equal(2, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(["1: body"], Rejected(answer));
        Assert.Equal(413, answer.GetProperty("rejected")[0].GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task without_a_key_or_with_another_type_nothing_is_read()
    {
        var sender = await _api.RegisterAsync();
        await BatchAsync(sender with { Key = "" }, "[]", expected: 401);
        await BatchAsync(sender with { Key = "no" }, "[]", expected: 403);
        await BatchAsync(sender, "[]", expected: 415, type: "text/csv");
        await BatchAsync(sender, "[]", expected: 415, encoding: "zstd");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("deflate", true)]
    public async Task compressed_bodies_are_taken_and_limits_hold_for_what_comes_out(string encoding, bool isRaw = false)
    {
        var sender = await _api.RegisterAsync();
        byte[] Pack(byte[] body) => Compress(isRaw ? "" : encoding, body);
        var one = Encoding.UTF8.GetBytes(Event("compressed"));
        await PostAsync(sender, "events", Pack(one), 201, encoding: encoding);
        var packed = Pack([(byte)'[', .. one, (byte)']']);
        var accepted = await PostAsync(sender, "events/batch", packed, 200, encoding: encoding);
        Assert.Equal(1, accepted.GetProperty("accepted").GetInt32());

        var bomb = Pack(new byte[64 * 1024 * 1024]);
        await PostAsync(sender, "events", bomb, 413, encoding: encoding);
        var tooLarge = Pack(Encoding.UTF8.GetBytes('[' + new string(' ', SendBatch.Largest)));
        await PostAsync(sender, "events/batch", tooLarge, 413, encoding: encoding);

        var broken = await PostAsync(sender, "events", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 400, encoding: encoding);
        Assert.True(broken.GetProperty("errors").TryGetProperty("body", out _));
        broken = await PostAsync(sender, "events/batch", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 400, encoding: encoding);
        Assert.True(broken.GetProperty("errors").TryGetProperty("body", out _));
        Assert.Equal(2, await CountAsync(sender));
    }

    [Theory]
    [InlineData("events")]
    [InlineData("events/batch")]
    public async Task a_body_that_needs_a_dictionary_is_refused(string path)
    {
        var refusal = await PostAsync(
            await _api.RegisterAsync(), path, [0x78, 0xbb, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7], 400, encoding: "deflate");
        Assert.True(refusal.GetProperty("errors").TryGetProperty("body", out _));
    }

    private static byte[] Compress(string encoding, byte[] body)
    {
        using var output = new MemoryStream();
        using (Stream stream = encoding switch
        {
            "gzip" => new GZipStream(output, CompressionLevel.Fastest),
            "br" => new BrotliStream(output, CompressionLevel.Fastest),
            "deflate" => new ZLibStream(output, CompressionLevel.Fastest),
            _ => new DeflateStream(output, CompressionLevel.Fastest),
        }) stream.Write(body);
        return output.ToArray();
    }

    private static string Event(string message, string level = "ERROR", string more = "") =>
        $$"""{"occurred_at":"2026-01-31T12:00:00Z","level":"{{level}}","message":"{{message}}"{{more}}}""";

    private static List<string> Rejected(JsonElement answer) =>
        [.. answer.GetProperty("rejected").EnumerateArray().Select(
            r => $"{r.GetProperty("index")}: {string.Join(',', r.GetProperty("errors").EnumerateObject().Select(e => e.Name).Order())}")];

    private Task<long> CountAsync(Sender sender) =>
        _api.ScalarAsync<long>($"select count(*) from errortracker.mt_events where tenant_id = '{sender.Id}'");

    private Task<JsonElement> BatchAsync(
        Sender sender, string body, int expected = 200, string type = "application/json", string encoding = "") =>
        PostAsync(sender, "events/batch", Encoding.UTF8.GetBytes(body), expected, type, encoding);

    private Task<JsonElement> PostAsync(
        Sender sender, string path, byte[] body, int expected, string type = "application/json",
        string encoding = "") =>
        _api.SendAsync(
            HttpMethod.Post, $"/apps/{sender.Id}/{path}", expected, body, (NativeIntake.KeyHeader, sender.Key),
            ("Content-Type", type), ("Content-Encoding", encoding));
}

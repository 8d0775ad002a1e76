using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Tests.Abuse;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Grouping;

public sealed class GroupKeyTests
{
    private static readonly string[] Lines = ["lineno", "colno", "line", "column", "col", "instruction_addr"];

    private static readonly EventPair[]
        Agreed = [.. EventPairs.In("rule-pairs.ndjson")],
        Sent = [.. EventPairs.In("sdk-pairs.ndjson")];

    public static TheoryData<EventPair> RulePairs => [.. Agreed];

    public static TheoryData<EventPair> SdkPairs => [.. Sent];

    [Theory, MemberData(nameof(RulePairs))]
    public void the_pairs_that_the_rule_was_agreed_on_with_hold(EventPair pair) => Judge(pair);

    [Theory, MemberData(nameof(SdkPairs))]
    public void what_sdks_send_is_grouped_as_a_person_would(EventPair pair) => Judge(pair);

    private static void Judge(EventPair pair)
    {
        var (a, b) = (Explain(pair.A), Explain(pair.B));
        var parts = $"{string.Join(" | ", a.Parts)}\n{string.Join(" | ", b.Parts)}";
        Assert.True(pair.Same == (a.Key == b.Key), parts);
        Assert.True(pair.Method == a.Method, $"{a.Method}: {parts}");
        Assert.Matches("^[A-Za-z0-9_-]{22}$", a.Key);
    }

    [Fact]
    public void a_key_is_data_and_never_changes()
    {
        const string Event = """
            {"level":"ERROR","message":"x","stack":{"exceptions":[{"type":"E","frames":[{"module":"M","function":"f"}]}]}}
            """;
        Assert.Equal("-kcqjiUb4nVlWlwpTeo_Mg", KeyOf(Event));
        Assert.Equal("9fPVMhLFHMSomPjo7wIH7w", KeyOf("""{"level":"ERROR","message":"User 42 not found"}"""));
        Assert.Equal("oR_afvyLELYO_ZfUd9IR3A", KeyOf("""{"message":"x","context":{"fingerprint":"payment"}}"""));
    }

    [Fact]
    public void the_order_of_members_and_the_form_of_json_do_not_count()
    {
        foreach (var sent in AllEvents())
        {
            var turned = Turned(JsonNode.Parse(sent));
            Assert.Equal(KeyOf(sent), KeyOf(turned!.ToJsonString(new() { WriteIndented = true })));
        }
        Assert.Equal(
            KeyOf("""{"message":"caf\u00e9 \u0031","context":{"fingerprint":[1e2,"{{ message }}"]}}"""),
            KeyOf("""{"message":"café 1","context":{"fingerprint":[100, "{{ message }}"]}}"""));
    }

    private static JsonNode? Turned(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(
            members.Reverse().Select(member => KeyValuePair.Create(member.Key, Turned(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Turned)]),
        _ => node?.DeepClone(),
    };

    [Fact]
    public void no_line_and_no_column_counts_in_any_member()
    {
        foreach (var sent in AllEvents())
        {
            var moved = JsonNode.Parse(sent)!;
            foreach (var frame in FramesIn(moved))
                foreach (var name in Lines) frame[name] = 4711;
            Assert.Equal(KeyOf(sent), KeyOf(moved.ToJsonString()));
        }
    }

    private static List<JsonObject> FramesIn(JsonNode? node) => node switch
    {
        JsonObject members =>
            [.. members.SelectMany(member => member.Key == "frames" ? Objects(member.Value) : FramesIn(member.Value))],
        JsonArray items => [.. items.SelectMany(FramesIn)],
        _ => [],
    };

    private static IEnumerable<JsonObject> Objects(JsonNode? list) =>
        list is JsonArray items ? items.OfType<JsonObject>() : [];

    [Property]
    public void who_when_and_how_severe_do_not_count(string release, string user, uint level)
    {
        foreach (var sent in Agreed.Where(pair => !pair.Method.Contains("fingerprint") && pair.Method != "nothing"))
        {
            var other = JsonNode.Parse(sent.A)!.AsObject();
            other["level"] = Levels.All[level % Levels.All.Length];
            var context = other["context"] as JsonObject ?? [];
            other["context"] = context.DeepClone();
            foreach (var name in new[] { "release", "environment", "transaction", "server_name" })
                other["context"]![name] = release;
            other["context"]!["user"] = new JsonObject { ["id"] = user };
            Assert.Equal(KeyOf(sent.A), KeyOf(other.ToJsonString()));
        }
    }

    [Property]
    public void fingerprints_are_equal_only_if_their_parts_are(string[] one, string[] other)
    {
        string[] a = [.. one.Select(Literal)], b = [.. other.Select(Literal)];
        Assert.Equal(a.SequenceEqual(b), KeyOf(a) == KeyOf(b));
        var joined = string.Concat(a);
        if (a.Length > 1) Assert.NotEqual(KeyOf(a), KeyOf([joined]));
    }

    /// <summary>No variable and not empty; U+FFFD stands for what is no text in UTF-8 as well.</summary>
    private static string Literal(string? part) =>
        "p" + JsonSerializer.Deserialize<string>(JsonSerializer.Serialize(part ?? ""));

    private static string KeyOf(string[] fingerprint) =>
        KeyOf(JsonSerializer.Serialize(new { message = "x", context = new { fingerprint } }));

    [Fact]
    public void an_event_has_the_key_that_it_has_in_the_log()
    {
        foreach (var sent in AllEvents())
        {
            using var json = JsonDocument.Parse(sent);
            var error = new ErrorOccurred(
                DateTimeOffset.UnixEpoch,
                json.RootElement.GetProperty("level").GetString()!,
                json.RootElement.GetProperty("message").GetString()!,
                Raw(json.RootElement, "stack"),
                Raw(json.RootElement, "tags"),
                Raw(json.RootElement, "context"));
            Assert.Equal(KeyOf(sent), GroupKey.Of(error, GroupingRules.None));
            Assert.Equivalent(Explain(sent), GroupKey.Explain(error, GroupingRules.None));
            Assert.Equal(KeyOf(sent), GroupKey.OfStored(error.ToStored(), GroupingRules.None));
        }
    }

    private static RawJson? Raw(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? new(Encoding.UTF8.GetBytes(value.GetRawText())) : null;

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"message\":7,\"level\":[],\"stack\":true,\"context\":[],\"tags\":1}")]
    [InlineData("{\"stack\":{\"exceptions\":[7,null,\"text\",[],{\"type\":{},\"value\":[]}],\"threads\":{}}}")]
    [InlineData("{\"stack\":{\"exceptions\":[{\"frames\":{\"a\":1}}]}}")]
    [InlineData("{\"stack\":{\"exceptions\":{\"values\":{\"values\":[]}},\"frames\":[[[[]]]]}}")]
    [InlineData("{\"stack\":\"\",\"context\":{\"fingerprint\":[[],{},null,\"\",true]}}")]
    [InlineData("{\"message\":\"\\ud800\",\"stack\":\"\\udc00\\u\"}")]
    public void anything_has_a_key(string stored)
    {
        Assert.Equal(22, KeyOf(stored).Length);
        Assert.NotEmpty(Explain(stored).Title);
    }

    [Fact]
    public void no_bytes_break_it()
    {
        var random = new Random(16);
        var events = AllEvents().Select(Encoding.UTF8.GetBytes).ToArray();
        for (var round = 0; round < 10_000; round++)
        {
            var broken = Mutation.Apply(random, events[round % events.Length]);
            var key = GroupKey.OfStored(broken, GroupingRules.None);
            Assert.Equal(key, GroupKey.ExplainStored(broken, GroupingRules.None).Key);
        }
    }

    [Fact]
    public void deep_long_and_many_are_taken()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"stack\":[", 500));
        Assert.Equal(22, KeyOf(deep).Length);
        var each = Enumerable.Range(0, 10_000).Select(at => $$"""{"module":"M{{at}}","function":"f"}""");
        var frames = string.Join(',', each);
        var text = new string('1', 1_000_000);
        var many = Explain($$$"""{"message":"{{{text}}}","stack":{"type":"E","frames":[{{{frames}}}]}}""");
        var places = Enumerable.Range(0, 5).Select(at => $"place: M{9_999 - at} f");
        Assert.Equal(["type: E", .. places], many.Parts);
    }

    [Fact]
    public void people_see_what_the_key_is_made_of()
    {
        const string Event = """
            {"level":"ERROR","message":"x","stack":{"exceptions":[
              {"type":"TimeoutException","value":"\nOrder 17 timed out\nlater","frames":[
                {"in_app":true,"module":"Shop.Cart","function":"Total"}]},
              {"type":"AggregateException","value":"One or more"}]}}
            """;
        var seen = Explain(Event);
        Assert.Equal("TimeoutException: Order 17 timed out", seen.Title);
        Assert.Equal("Order <n> timed out", seen.Template);
        Assert.Equal(("TimeoutException", "Shop.Cart.Total", "stack"), (seen.Type, seen.Place, seen.Method));
        Assert.Equal(["type: TimeoutException", "place: Shop.Cart Total"], seen.Parts);
        var message = Explain($$"""{"level":"INFO","message":"  \n{{new string('ä', 400)}}"}""");
        Assert.Equal((new string('ä', 300), null, null), (message.Title, message.Type, message.Place));
    }

    private static IEnumerable<string> AllEvents() => Agreed.Concat(Sent).SelectMany(pair => new[] { pair.A, pair.B });

    private static string KeyOf(string stored) => GroupKey.OfStored(Encoding.UTF8.GetBytes(stored), GroupingRules.None);

    private static Explanation Explain(string stored) =>
        GroupKey.ExplainStored(Encoding.UTF8.GetBytes(stored), GroupingRules.None);
}

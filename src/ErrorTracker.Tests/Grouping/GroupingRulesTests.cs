using System.Text;
using System.Text.Json;
using ErrorTracker.Grouping;

namespace ErrorTracker.Tests.Grouping;

public sealed class GroupingRulesTests
{
    private const string Event = """
        {"level":"ERROR","message":"x","tags":{"region":"eu-1"},"context":{"release":"1.2.3","fingerprint":["sdk"]},
         "stack":{"exceptions":[
           {"type":"TimeoutException","value":"Order 17 timed out","frames":[
             {"in_app":false,"module":"System.Net","function":"Send"},{"in_app":true,"module":"Shop.Cart","function":"Total"}]},
           {"type":"Shop.Carrier","value":"v","frames":[{"in_app":true,"module":"Shop.Runner","function":"Wait"}]}]}}
        """;

    private static readonly string Unmarked = Event.Replace(""","fingerprint":["sdk"]""", "");

    [Theory]
    [InlineData("""{"type":"*timeout*"}""")]
    [InlineData("""{"message":"order * timed out","tags.region":"EU-?"}""")]
    [InlineData("""{"module":"Shop.*","function":"Wait","release":"1.*","level":"error"}""")]
    [InlineData("""{"environment":"","logger":""}""")]
    public void the_first_own_rule_that_matches_goes_before_the_sdks_fingerprint(string match)
    {
        const string Rules = """
            {"fingerprints":[{"match":{"type":"Other"},"parts":["no"]},{"match":MATCH,"parts":["{{ type }}","late"]}]}
            """;
        var rules = Parsed(Rules.Replace("MATCH", match));
        var found = Explain(Event, rules);
        Assert.Equal("rule", found.Method);
        Assert.Equal(["fingerprint: Shop.Carrier", "fingerprint: late"], found.Parts);
    }

    [Theory]
    [InlineData("""{"type":"timeout"}""")]
    [InlineData("""{"type":"*timeout*","release":"2.*"}""")]
    [InlineData("""{"tags.zone":"eu"}""")]
    public void a_rule_that_does_not_match_changes_nothing(string match)
    {
        var rules = Parsed($$"""{"fingerprints":[{"match":{{match}},"parts":["late"]}]}""");
        Assert.Equivalent(Explain(Event, GroupingRules.None), Explain(Event, rules));
    }

    [Fact]
    public void a_rule_may_refine_the_built_in_one_or_ask_for_it()
    {
        var refined = Explain(Event, Parsed("""{"fingerprints":[{"match":{"type":"*"},"parts":["{{ default }}","eu"]}]}"""));
        Assert.Equal("rule+stack", refined.Method);
        var plain = Explain(Event, Parsed("""{"fingerprints":[{"match":{"type":"*"},"parts":["{{ default }}"]}]}"""));
        Assert.Equivalent(Explain(Unmarked, GroupingRules.None), plain);
    }

    [Fact]
    public void wrappers_in_app_patterns_and_places_change_the_events_they_touch_and_no_others()
    {
        var plain = Explain(Unmarked, GroupingRules.None);
        Assert.Equal("Shop.Carrier", plain.Type);
        Assert.Equal("TimeoutException", Explain(Unmarked, Parsed("""{"wrappers":["Carrier"]}""")).Type);
        Assert.Equal("TimeoutException", Explain(Unmarked, Parsed("""{"wrappers":["shop.*"]}""")).Type);
        var own = Explain(Unmarked, Parsed("""{"wrappers":["Carrier"],"in_app":["-Shop.*","+System.*"]}"""));
        Assert.Equal("System.Net.Send", own.Place);
        Assert.Equal("Shop.Runner.Wait", Explain(Unmarked, Parsed("""{"in_app":["-Shop.*","+Shop.Runner"]}""")).Place);
        var other = Parsed("""{"wrappers":["Nested"],"in_app":["-Other.*"],"places":7}""");
        Assert.Equal(plain.Key, Explain(Unmarked, other).Key);
    }

    [Fact]
    public void so_many_places_count_as_the_rules_say()
    {
        var each = Enumerable.Range(0, 30).Select(at => $$"""{"in_app":true,"module":"M{{at}}","function":"f"}""");
        var frames = string.Join(',', each);
        var sent = $$$"""{"level":"ERROR","message":"x","stack":{"exceptions":[{"type":"E","frames":[{{{frames}}}]}]}}""";
        foreach (var places in new[] { 1, 5, 20 })
            Assert.Equal(places, Explain(sent, GroupingRules.None with { Places = places }).Parts.Count(IsPlace));
    }

    private static bool IsPlace(string part) => part.StartsWith("place: ", StringComparison.Ordinal);

    [Fact]
    public void rules_are_equal_by_content_and_survive_their_json()
    {
        const string Json = """
            {"fingerprints":[{"match":{"type":"A*","tags.x":"y"},"parts":["a","{{ default }}"]}],
             "wrappers":["W"],"in_app":["+a","-b"],"places":9}
            """;
        var rules = Parsed(Json);
        var again = Parsed(Encoding.UTF8.GetString(rules.ToJson()));
        Assert.Equal(rules, again);
        Assert.Equal(rules.GetHashCode(), again.GetHashCode());
        Assert.NotEqual(rules, again with { Places = 8 });
        Assert.NotEqual(rules, GroupingRules.None);
        Assert.Equal(GroupingRules.None, Parsed("{}"));
    }

    [Theory]
    [InlineData("[]", "body")]
    [InlineData("""{"what":1}""", "what")]
    [InlineData("""{"places":0}""", "places")]
    [InlineData("""{"places":"5"}""", "places")]
    [InlineData("""{"places":21}""", "places")]
    [InlineData("""{"wrappers":"W"}""", "wrappers")]
    [InlineData("""{"wrappers":["a",7]}""", "wrappers[1]")]
    [InlineData("""{"in_app":["a"]}""", "in_app[0]")]
    [InlineData("""{"in_app":["+"]}""", "in_app[0]")]
    [InlineData("""{"fingerprints":[7]}""", "fingerprints[0]")]
    [InlineData("""{"fingerprints":[{"parts":["a"]}]}""", "fingerprints[0].match")]
    [InlineData("""{"fingerprints":[{"match":{},"parts":["a"]}]}""", "fingerprints[0].match")]
    [InlineData("""{"fingerprints":[{"match":{"type":"a"}}]}""", "fingerprints[0].parts")]
    [InlineData("""{"fingerprints":[{"match":{"type":7},"parts":["a"]}]}""", "fingerprints[0].match.type")]
    [InlineData("""{"fingerprints":[{"match":{"kind":"a"},"parts":["a"]}]}""", "fingerprints[0].match.kind")]
    [InlineData("""{"fingerprints":[{"match":{"tags.":"a"},"parts":["a"]}]}""", "fingerprints[0].match.tags.")]
    [InlineData("""{"fingerprints":[{"match":{"type":"a"},"parts":[""],"x":1}]}""", "fingerprints[0].parts[0],fingerprints[0].x")]
    public void what_is_wrong_is_named(string json, string fields)
    {
        var errors = new Dictionary<string, string[]>();
        Assert.Null(Parse(json, errors));
        Assert.Equal(fields, string.Join(',', errors.Keys.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void there_are_limits_to_how_many_and_how_long_they_are()
    {
        Assert.Equal("wrappers", FaultOf($$"""{"wrappers":[{{Many("\"a\"", 101)}}]}"""));
        Assert.Equal("in_app", FaultOf($$"""{"in_app":[{{Many("\"+a\"", 201)}}]}"""));
        const string Rule = """{"match":{"type":"a"},"parts":["a"]}""";
        Assert.Equal("fingerprints", FaultOf($$"""{"fingerprints":[{{Many(Rule, 201)}}]}"""));
        var parts = Rule.Replace("[\"a\"]", $"[{Many("\"a\"", 33)}]");
        Assert.Equal("fingerprints[0].parts", FaultOf($$"""{"fingerprints":[{{parts}}]}"""));
        var tags = string.Join(',', Enumerable.Range(0, 11).Select(tag => $"\"tags.{tag}\":\"a\""));
        Assert.Equal("fingerprints[0].match", FaultOf($$"""{"fingerprints":[{{Rule.Replace("\"type\":\"a\"", tags)}}]}"""));
        Assert.Equal("wrappers[0]", FaultOf($$"""{"wrappers":["{{new string('ä', 513)}}"]}"""));
    }

    private static string Many(string item, int count) => string.Join(',', Enumerable.Repeat(item, count));

    private static string FaultOf(string json)
    {
        var errors = new Dictionary<string, string[]>();
        Assert.Null(Parse(json, errors));
        return Assert.Single(errors).Key;
    }

    private static Explanation Explain(string stored, GroupingRules rules) =>
        GroupKey.ExplainStored(Encoding.UTF8.GetBytes(stored), rules);

    private static GroupingRules Parsed(string json)
    {
        var errors = new Dictionary<string, string[]>();
        var rules = Parse(json, errors);
        Assert.Empty(errors);
        return rules!;
    }

    private static GroupingRules? Parse(string json, Dictionary<string, string[]> errors)
    {
        using var document = JsonDocument.Parse(json);
        return GroupingRules.Parse(document.RootElement, errors);
    }
}

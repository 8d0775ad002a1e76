using System.Text;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

[Collection(nameof(OnAnotherPostgres))]
public sealed class SendSecurityReportTests(SharedApi shared) : SdkRequests(shared)
{
    private const string Csp =
        """
        {"csp-report":{"document-uri":"https://shop.example/cart","violated-directive":"script-src 'self'", "effective-directive":
        """ + """ "script-src","blocked-uri":"https://evil.example/x.js?a=1","disposition":"enforce"}}""";

    [Theory]
    [InlineData("application/csp-report", "security/")]
    [InlineData("application/json", "security")]
    [InlineData("text/plain", "csp-report/")]
    [InlineData("application/reports+json", "nel/")]
    public async Task a_report_becomes_an_event(string type, string endpoint)
    {
        var sender = await Api.RegisterAsync();
        await AcceptedAsync(await PostAsync(sender, Encoding.UTF8.GetBytes(Csp), endpoint, type: type));
        var read = await SingleAsync(sender);
        Assert.Equal(("Blocked 'script-src' from 'https://evil.example'", "WARNING"), (read.Text("message"), read.Text("level")));
        Assert.Equal("""{"blocked-uri":"https://evil.example/x.js?a=1","disposition":"enforce","effective-directive":"script-src"}""",
            read.Raw("tags").Replace(" ", ""));
        var context = read.GetProperty("context");
        Assert.Equal(
            ("csp", "https://shop.example/cart", "script-src 'self'"),
            (context.Text("logger"), context.Text("request", "url"), context.Text("report", "violated-directive")));
    }

    [Theory]
    [InlineData("Blocked 'img-src' from 'data'", """{"csp-report":{"violated-directive":"img-src","blocked-uri":"data"}}""")]
    [InlineData("Blocked 'img-src' from 'blob'", """{"csp-report":{"violated-directive":"img-src 'self'","blocked-uri":"blob:x"}}""")]
    [InlineData("Blocked 'script-src-elem': inline", """{"csp-report":{"effective-directive":"script-src-elem","blocked-uri":"inline"}}""")]
    [InlineData("Blocked 'font-src' from 'self'", """{"csp-report":{"effective-directive":"font-src"}}""")]
    [InlineData(
        "Blocked 'connect-src' from 'wss://h:81'",
        """{"violated-directive":"connect-src","blocked-uri":"wss://u:p@h:81/path#x"}""")]
    [InlineData("Content-Security-Policy was violated", """{"csp-report":{}}""")]
    [InlineData("Content-Security-Policy blocked 'https://h'", """{"csp-report":{"blocked-uri":"https://h/a","violated-directive":7}}""")]
    [InlineData("Expect-CT failed for 'shop.example'", """{"expect-ct-report":{"hostname":"shop.example","port":443,"scts":[]}}""")]
    [InlineData("Expect-Staple failed for 'shop.example'", """{"expect-staple-report":{"hostname":"shop.example"}}""")]
    [InlineData("Public key pinning validation failed for 'shop.example'", """{"hostname":"shop.example","known-pins":["pin"]}""")]
    [InlineData(
        "Blocked 'style-src' from 'https://cdn.example'",
        """{"type":"csp-violation","body":{"effectiveDirective":"style-src","blockedURL":"https://cdn.example/a.css"}}""")]
    [InlineData("Browser report: deprecation: old thing", """[{"type":"deprecation","body":{"id":"x","message":"old thing"}}]""")]
    [InlineData("Browser report: network-error: dns.unreachable", """[{"type":"network-error","body":{"type":"dns.unreachable"}}]""")]
    [InlineData("Browser report: crash: oom", """[{"type":"crash","body":{"reason":"oom"}}]""")]
    [InlineData(
        "Blocked 'a\ufffd' from 'self'",
        """{"csp-report":{"effective-directive":"a\u0000","script-sample":"\ud800","status-code":1e999}}""")]
    public async Task each_kind_has_a_title_that_tells(string title, string body)
    {
        var sender = await Api.RegisterAsync();
        await AcceptedAsync(await PostAsync(sender, body, "security/"));
        var read = await SingleAsync(sender);
        Assert.Equal((title, "WARNING"), (read.Text("message"), read.Text("level")));
    }

    /// <summary>As the Reporting API sends them: what happened some time ago, several at once.</summary>
    [Fact]
    public async Task a_list_makes_an_event_of_each_up_to_a_limit()
    {
        var sender = await Api.RegisterAsync();
        var now = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
        Api.Clock.Now = now;
        const string Report = """{"type":"csp-violation","age":60000,"body":{"effectiveDirective":"img-src"}}""";
        var reports = string.Join(',', Enumerable.Repeat(Report, SecurityReports.Most + 20));
        var answer = await PostAsync(sender, Encoding.UTF8.GetBytes($"[7,{reports}]"), "security/", type: "application/reports+json");
        Api.Clock.Now = null;
        Assert.Matches("^{\"id\":\"[0-9a-f]{32}\"}$", await AcceptedAsync(answer));
        var loss = await LossAsync(sender);
        Assert.Equal("""[{"category":"security","count":22}]""", loss.Raw("not_kept"));
        Assert.Equal((121, 99), (loss.Count("received"), loss.Count("accepted")));
        var newest = (await Api.GetAsync($"/apps/{sender.Id}/events?limit=1")).GetProperty("items")[0];
        Assert.Equal("2026-01-31T11:59:00Z", newest.Text("occurred_at"));
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("no json", 400)]
    [InlineData("{}", 400)]
    [InlineData("[]", 400)]
    [InlineData("[{\"type\":\"csp-violation\"}]", 400)]
    [InlineData("\"csp-report\"", 400)]
    public async Task what_is_no_report_is_refused(string body, int expected)
    {
        var sender = await Api.RegisterAsync();
        await RefusedAsync(await PostAsync(sender, body, "security/"), expected);
        Assert.Equal(1, (await LossAsync(sender)).Count("received"));
    }

    /// <summary>As SDKs and tunnels forward it, beside an event of its own.</summary>
    [Fact]
    public async Task an_item_of_an_envelope_becomes_an_event_too()
    {
        var sender = await Api.RegisterAsync();
        var envelope = $"{{\"event_id\":\"{Id}\"}}\n{{\"type\":\"raw_security\"}}\n{Csp}\n{{\"type\":\"event\"}}\n{Event}\n";
        Assert.Equal($$"""{"id":"{{Id}}"}""", await AcceptedAsync(await PostAsync(sender, envelope)));
        var items = (await Api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray();
        Assert.Equal(["Blocked 'script-src' from 'https://evil.example'", "boom"], items.Select(item => item.Text("message")).Order());
    }

    /// <summary>
    /// A few KB, compressed, would else become a million events, and take memory that nobody has counted.
    /// </summary>
    [Theory]
    [InlineData(3, 1, SecurityReports.Most)]
    [InlineData(100, 1, SecurityReports.Most)]
    [InlineData(1, 90_000, 11)]
    public async Task all_items_of_an_envelope_together_have_one_limit(int reportsOfItem, int lengthOfReport, int expected)
    {
        var sender = await Api.RegisterAsync();
        var report = $$$"""{"type":"deprecation","body":{"message":"{{{new string('x', lengthOfReport)}}}"}}""";
        var item = $"{{\"type\":\"raw_security\"}}\n[{string.Join(',', Enumerable.Repeat(report, reportsOfItem))}]\n";
        await AcceptedAsync(await PostAsync(sender, "{}\n" + string.Concat(Enumerable.Repeat(item, 40))));
        var loss = await LossAsync(sender);
        Assert.Equal(expected, loss.Count("accepted"));
        Assert.Equal("security", loss.GetProperty("not_kept")[0].Text("category"));
    }

    [Fact]
    public async Task release_and_environment_are_in_the_query()
    {
        var sender = await Api.RegisterAsync();
        var query = $"sentry_key={sender.Key}&sentry_release=1.4&sentry_environment=test";
        await Api.SendAsync(HttpMethod.Post, $"/api/{sender.Id}/security/?{query}", 200, Csp, ("User-Agent", "Mozilla"));
        var context = (await SingleAsync(sender)).GetProperty("context");
        Assert.Equal(("1.4", "test"), (context.Text("release"), context.Text("environment")));
        Assert.Equal("Mozilla", context.Text("request", "headers", "User-Agent"));
    }
}

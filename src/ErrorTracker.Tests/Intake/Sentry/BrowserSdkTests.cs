namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>The package @sentry/browser from npm, in a page of another origin that a headless Chromium opens.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class BrowserSdkTests(SdkHost host) : IClassFixture<SdkHost>
{
    private const int Errors = 40;

    [BrowserFact]
    public async Task a_page_reports_from_another_origin()
    {
        var (application, dsn) = await host.RegisterAsync();
        await using var browser = await Browser.OpenAsync(await Browser.BundleAsync("page.mjs"), "dsn=" + Uri.EscapeDataString(dsn));
        var events = await host.EventsAsync(application, expected: 2);
        Assert.Equal(
            ["Error: handled in the page", "TypeError: not handled in the page"],
            events.Select(e => e.GetProperty("message").GetString()!).Order(StringComparer.Ordinal));
        Assert.All(events, e => Assert.Equal("checkout", e.GetProperty("tags").GetProperty("page").GetString()));
        Assert.All(
            events,
            e => Assert.StartsWith(
                browser.Origin, e.GetProperty("context").GetProperty("request").GetProperty("url").GetString()));
    }

    /// <summary>
    /// What is sent with keepalive may be under way up to 64 KiB, and is so in Chromium until its answer is forgotten,
    /// which it is not if it may not be stored.
    /// </summary>
    [BrowserFact]
    public async Task a_page_sends_more_with_keepalive_than_may_be_under_way_and_never_reads_an_answer()
    {
        var (application, dsn) = await host.RegisterAsync();
        var url = new Uri(dsn);
        var endpoint = $"{url.GetLeftPart(UriPartial.Scheme)}{url.Authority}/api/{application}/envelope/?sentry_key={url.UserInfo}";
        await using var browser = await Browser.OpenAsync(
            $$"""
            const to = new URLSearchParams(location.search).get('to'), pad = 'x'.repeat(8000);
            for (let i = 0; i < {{Errors}}; i++) {
              const body = `{}\n{"type":"event"}\n{"message":"error ${i}","extra":{"pad":"${pad}"} }`;
              await fetch(to, { method: 'POST', keepalive: true, body }).catch(() => {});
              await new Promise(next => setTimeout(next, 100));
            }
            """, "to=" + Uri.EscapeDataString(endpoint));
        await AssertAllStoredAsync(application);
    }

    [BrowserFact]
    public async Task the_sdk_loses_none_of_many_errors()
    {
        var (application, dsn) = await host.RegisterAsync();
        var script = await Browser.BundleAsync("keepalive.mjs");
        await using var browser = await Browser.OpenAsync(script, "dsn=" + Uri.EscapeDataString(dsn));
        await AssertAllStoredAsync(application);
    }

    private async Task AssertAllStoredAsync(int application)
    {
        var sent = Enumerable.Range(0, Errors).Select(i => $"error {i}");
        var stored = (await host.EventsAsync(application, Errors)).Select(e => e.GetProperty("message").GetString());
        Assert.Equal(sent.Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
    }
}

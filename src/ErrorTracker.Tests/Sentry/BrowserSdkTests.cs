using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace ErrorTracker.Tests.Sentry;

/// <summary>The package @sentry/browser from npm, in a page of another origin that a headless Chromium opens.</summary>
[Collection(nameof(OnPostgres))]
public sealed class BrowserSdkTests(SdkHost host) : IClassFixture<SdkHost>
{
    [BrowserFact]
    public async Task a_page_reports_from_another_origin()
    {
        var (application, dsn) = await host.RegisterAsync();
        var (exitCode, output) = await NodeSdk.RunAsync(["node_modules/esbuild/bin/esbuild", "page.mjs", "--bundle", "--outfile=page.js"]);
        Assert.True(exitCode == 0, output);

        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var pages = builder.Build();
        pages.MapGet("/", () => Results.Content("<!doctype html><title>page</title><script src=page.js></script>", "text/html"));
        pages.MapGet("/page.js", () => Results.File(NodeSdk.PathOf("page.js"), "text/javascript"));
        await pages.StartAsync();

        var profile = Directory.CreateTempSubdirectory("errortracker-tests-");
        using var browser = Process.Start(new ProcessStartInfo(BrowserFactAttribute.Browser!,
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0", $"--user-data-dir={profile.FullName}", $"{pages.Urls.Single()}/?dsn={Uri.EscapeDataString(dsn)}"])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var events = await host.EventsAsync(application, expected: 2);
            Assert.Equal(["Error: handled in the page", "TypeError: not handled in the page"], events.Select(e => e.GetProperty("message").GetString()!).Order(StringComparer.Ordinal));
            Assert.All(events, e => Assert.Equal("checkout", e.GetProperty("tags").GetProperty("page").GetString()));
            Assert.All(events, e => Assert.StartsWith(pages.Urls.Single(), e.GetProperty("context").GetProperty("request").GetProperty("url").GetString()));
        }
        finally
        {
            browser.Kill(entireProcessTree: true);
            await browser.WaitForExitAsync();
            profile.Delete(recursive: true);
        }
    }
}

/// <summary>A test that needs a browser, which <c>./test --browser</c> sees to.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public static readonly string? Browser = Environment.GetEnvironmentVariable("ERRORTRACKER_TEST_BROWSER");

    public BrowserFactAttribute()
    {
        if (Browser is null) Skip = "Not tested in a browser: ./test --browser does.";
    }
}

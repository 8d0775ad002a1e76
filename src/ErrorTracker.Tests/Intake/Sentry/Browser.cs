using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>A page in a headless Chromium, from an origin of its own, with one script.</summary>
public sealed class Browser : IAsyncDisposable
{
    private readonly WebApplication _pages;
    private readonly DirectoryInfo _profile = Directory.CreateTempSubdirectory("errortracker-tests-");
    private Process? _process;

    private Browser(WebApplication pages) => _pages = pages;

    public string Origin => _pages.Urls.Single();

    /// <param name="script">What the page runs, as one module.</param>
    /// <param name="query">What stands after the page's address.</param>
    public static async Task<Browser> OpenAsync(string script, string query)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var browser = new Browser(builder.Build());
        browser._pages.MapGet(
            "/",
            () => Results.Content(
                "<!doctype html><title>page</title><script type=module src=page.js></script>", "text/html"));
        browser._pages.MapGet("/page.js", () => Results.Content(script, "text/javascript"));
        await browser._pages.StartAsync();
        browser._process = Process.Start(new ProcessStartInfo(BrowserFactAttribute.Browser!,
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--remote-debugging-port=0", $"--user-data-dir={browser._profile.FullName}", $"{browser.Origin}/?{query}",
            ])
        { RedirectStandardOutput = true, RedirectStandardError = true });
        return browser;
    }

    /// <summary>A script with the SDK from npm in it.</summary>
    public static async Task<string> BundleAsync(string module)
    {
        var bundle = Path.ChangeExtension(module, ".bundle.js");
        var (exitCode, output) = await NodeSdk.RunAsync(
            ["node_modules/esbuild/bin/esbuild", module, "--bundle", "--format=esm", $"--outfile={bundle}"]);
        Assert.True(exitCode == 0, output);
        return await File.ReadAllTextAsync(NodeSdk.PathOf(bundle));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        await _pages.DisposeAsync();
        _profile.Delete(recursive: true);
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

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>
/// The package @sentry/node from npm, as applications use it: each report is made by a process of its own.
/// </summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class NodeSdkTests(SdkHost host) : IClassFixture<SdkHost>, IAsyncLifetime
{
    private int _application;
    private string _dsn = "";

    public async Task InitializeAsync()
    {
        if (NodeSdk.Missing is null) (_application, _dsn) = await host.RegisterAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [NodeFact]
    public async Task what_it_reports_is_stored_with_all_that_it_tells()
    {
        await ReportAsync("handled");
        var error = Assert.Single(await host.EventsAsync(_application, expected: 1));
        Assert.Equal(
            ("Error: Payment declined", "ERROR"),
            (error.GetProperty("message").GetString(), error.GetProperty("level").GetString()));
        var exceptions = error.GetProperty("stack").GetProperty("exceptions");
        Assert.Equal("TypeError", exceptions[0].GetProperty("type").GetString());
        Assert.Contains(
            exceptions[1].GetProperty("frames").EnumerateArray(),
            frame => frame.GetProperty("filename").GetString()!.EndsWith("report.mjs", StringComparison.Ordinal));
        Assert.Equal("eu", error.GetProperty("tags").GetProperty("region").GetString());
        var context = error.GetProperty("context");
        Assert.Equal(
            ("42", "shop@1.4.2", "till-7"),
            (context.GetProperty("user").Text("id"), context.Text("release"), context.Text("server_name")));
        Assert.Contains(
            context.GetProperty("breadcrumbs").EnumerateArray(),
            crumb => crumb.GetProperty("message").GetString() == "item added");
        Assert.Equal(["payment", "declined"], context.GetProperty("fingerprint").EnumerateArray().Select(part => part.GetString()!));
        Assert.Equal(3, context.GetProperty("extra").GetProperty("cart").GetProperty("items").GetInt32());
    }

    [NodeFact]
    public async Task messages_of_all_levels_and_a_compressed_event_are_stored()
    {
        await Task.WhenAll(ReportAsync("messages"), ReportAsync("large"));
        var events = await host.EventsAsync(_application, expected: 7);
        Assert.Equal(
            [
                "at debug DEBUG", "at error ERROR", "at fatal CRITICAL", "at info INFO", "at log INFO",
                "at warning WARNING", "large INFO",
            ],
            events.Select(e => $"{e.Text("message")} {e.Text("level")}").Order(StringComparer.Ordinal));
        var large = events.Single(e => e.Text("message") == "large");
        Assert.Equal(new string('ä', 100_000), large.Text("context", "extra", "pad"));
    }

    /// <summary>
    /// Of a burst the SDK sends what its own two queues take, of which the first reports under no category; the sum
    /// shows that nothing is lost unseen.
    /// </summary>
    [NodeFact]
    public async Task what_is_stored_of_a_burst_and_what_the_client_says_it_dropped_are_all_of_it()
    {
        await ReportAsync("burst");
        await Eventually.Async(
            async () =>
            {
                var loss = await host.LossAsync(_application);
                var dropped = loss.GetProperty("client_dropped").EnumerateArray()
                    .Where(lost => lost.Text("category") is "error" or "unknown")
                    .Sum(lost => lost.GetProperty("count").GetInt32());
                return 200 == loss.GetProperty("accepted").GetInt32() + dropped;
            },
            "200 events are stored or reported as dropped");
    }

    [NodeFact]
    public async Task an_exception_that_nobody_catches_is_stored_before_the_process_ends()
    {
        await ReportAsync("unhandled", exitCode: 1);
        var error = Assert.Single(await host.EventsAsync(_application, expected: 1));
        Assert.Equal("RangeError: nobody caught this", error.GetProperty("message").GetString());
        Assert.False(error.GetProperty("stack").GetProperty("exceptions")[0].GetProperty("mechanism").GetProperty("handled").GetBoolean());
    }

    [NodeFact]
    public async Task what_it_could_not_send_while_the_server_was_away_is_told_when_it_is_back()
    {
        using var sender = await NodeSdk.StartAsync(["report.mjs", "lines"], ("SENTRY_DSN", _dsn));
        await SayAsync("before");
        await host.StopAsync();
        await SayAsync("meanwhile");
        await host.StartAsync();
        await SayAsync("after");
        sender.StandardInput.Close();
        await sender.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(
            ["before", "after"],
            (await host.EventsAsync(_application, expected: 2)).Select(e => e.GetProperty("message").GetString()!));
        await Eventually.Async(
            async () =>
            {
                var dropped = (await host.LossAsync(_application)).GetProperty("client_dropped").EnumerateArray();
                return dropped.Any(lost =>
                    (lost.Text("reason"), lost.Text("category"), lost.GetProperty("count").GetInt32())
                    == ("network_error", "error", 1));
            },
            "the client's report has arrived");

        async Task SayAsync(string line)
        {
            await sender.StandardInput.WriteLineAsync(line);
            Assert.Equal($"sent {line}", await sender.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        }
    }

    private async Task ReportAsync(string report, int exitCode = 0)
    {
        var (ended, output) = await NodeSdk.RunAsync(["report.mjs", report], ("SENTRY_DSN", _dsn));
        Assert.True(ended == exitCode, $"It ended with {ended}: {output}");
    }
}

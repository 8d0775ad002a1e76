using Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>The package Sentry from NuGet, as an application uses it.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class DotnetSdkTests(SdkHost host) : IClassFixture<SdkHost>
{
    [Fact]
    public async Task what_it_reports_is_stored_with_all_that_it_tells()
    {
        var (application, dsn) = await host.RegisterAsync();
        using (SentrySdk.Init(options =>
        {
            options.Dsn = dsn;
            options.Release = "shop@1.4.2";
            options.Environment = "test";
            options.TracesSampleRate = 1;
            options.AutoSessionTracking = true;
        }))
        {
            SentrySdk.AddBreadcrumb("item added", "cart");
            SentrySdk.CaptureException(Thrown(), scope =>
            {
                scope.SetTag("region", "eu");
                scope.User = new() { Id = "42" };
                scope.SetFingerprint("payment", "declined");
                scope.AddAttachment([1, 2, 3], "receipt.bin");
            });
            SentrySdk.StartTransaction("checkout", "http").Finish();
            SentrySdk.CaptureMessage("a message", SentryLevel.Fatal);
            for (var i = 0; i < 20; i++) SentrySdk.CaptureMessage($"burst {i}", SentryLevel.Info);
            await SentrySdk.FlushAsync(TimeSpan.FromSeconds(20));
        }

        var events = await host.EventsAsync(application, expected: 22);
        var error = events.Single(e => e.GetProperty("level").GetString() == "ERROR");
        Assert.Equal("System.InvalidOperationException: Payment declined", error.GetProperty("message").GetString());
        Assert.Equal(
            ["System.ArgumentException", "System.InvalidOperationException"],
            error.GetProperty("stack").GetProperty("exceptions").EnumerateArray().Select(e => e.GetProperty("type").GetString()!));
        Assert.Contains(
            error.GetProperty("stack").GetProperty("exceptions")[1].GetProperty("frames").EnumerateArray(),
            frame => frame.GetProperty("function").GetString()!.Contains(nameof(Thrown)));
        Assert.Equal("eu", error.GetProperty("tags").GetProperty("region").GetString());
        var context = error.GetProperty("context");
        Assert.Equal(
            ("42", "shop@1.4.2", "test"),
            (context.GetProperty("user").Text("id"), context.Text("release"), context.Text("environment")));
        Assert.Equal("item added", context.GetProperty("breadcrumbs")[0].GetProperty("message").GetString());
        Assert.Equal(["payment", "declined"], context.GetProperty("fingerprint").EnumerateArray().Select(part => part.GetString()!));
        Assert.Contains(
            events,
            e => (e.GetProperty("message").GetString(), e.GetProperty("level").GetString()) == ("a message", "CRITICAL"));
        Assert.All(events, e => Assert.False(e.GetProperty("context").TryGetProperty("dropped", out _)));

        var loss = await host.LossAsync(application);
        var notKept = loss.At("not_kept").EnumerateArray().ToDictionary(item => item.Text("category")!, item => item.Count("count"));
        Assert.Equal(1, notKept["attachment"]);
        Assert.Equal((22 + notKept.Values.Sum(), 22), (loss.Count("received"), loss.Count("accepted")));
    }

    [Fact]
    public async Task an_aggregate_is_called_what_it_carries()
    {
        var (application, dsn) = await host.RegisterAsync();
        using (SentrySdk.Init(dsn))
        {
            SentrySdk.CaptureException(new AggregateException(Thrown(), new ArgumentException("second")));
            await SentrySdk.FlushAsync(TimeSpan.FromSeconds(20));
        }
        var error = Assert.Single(await host.EventsAsync(application, expected: 1));
        Assert.Equal("System.InvalidOperationException: Payment declined", error.GetProperty("message").GetString());
        var types = error.GetProperty("stack").GetProperty("exceptions").EnumerateArray().Select(e => e.GetProperty("type").GetString());
        Assert.Equal("System.AggregateException", types.Last());
    }

    private static InvalidOperationException Thrown()
    {
        try
        {
            throw new InvalidOperationException("Payment declined", new ArgumentException("card"));
        }
        catch (InvalidOperationException e)
        {
            return e;
        }
    }
}

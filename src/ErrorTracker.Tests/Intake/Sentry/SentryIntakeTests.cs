using System.Net;
using System.Text;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>Limits that the web server holds, over a real socket.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class SentryIntakeTests(SdkHost host) : IClassFixture<SdkHost>
{
    private const string Header = "{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}\n{\"type\":\"attachment\"}\n";

    /// <summary>The framing of chunks counts as well.</summary>
    [Theory]
    [InlineData(0, true, 200)]
    [InlineData(-100_000, false, 200)]
    [InlineData(1, true, 413)]
    [InlineData(1, false, 413)]
    public async Task an_envelope_has_20_mebibytes_and_no_more_whether_it_tells_or_not(int more, bool tells, int expected)
    {
        var (application, dsn) = await host.RegisterAsync();
        byte[] body = [.. Encoding.UTF8.GetBytes(Header), .. new byte[SentryBody.LargestSent - Header.Length + more]];
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"/api/{application}/envelope/?sentry_key={SentryAuth.OfDsn(dsn)!.Value.Key}")
        {
            Content = tells ? new ByteArrayContent(body) : new StreamContent(new Unsized(body)),
            Headers = { ExpectContinue = true },
        };
        var answer = await host.Http.SendAsync(request);
        Assert.Equal((HttpStatusCode)expected, answer.StatusCode);
        Assert.Equal(expected == 413, answer.Headers.Contains(SentryRefusal.ErrorHeader));
        var loss = await host.LossAsync(application);
        Assert.Equal((expected == 200 ? 2 : 1, expected == 200 ? 1 : 0), (loss.Count("received"), loss.Count("accepted")));
    }

    [Fact]
    public async Task an_sdk_that_asks_for_its_address_finds_it_stored()
    {
        var (application, dsn) = await host.RegisterAsync();
        using var answer = await host.Http.PostAsync($"/api/{application}/store/?sentry_key={SentryAuth.OfDsn(dsn)!.Value.Key}",
            new StringContent("""{"message":"m","user":{"ip_address":"{{auto}}"}}"""));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var stored = Assert.Single(await host.EventsAsync(application, 1));
        Assert.Equal("127.0.0.1", stored.GetProperty("context").GetProperty("user").GetProperty("ip_address").GetString());
    }

    /// <summary>Its length is nobody's to know: it is sent in chunks.</summary>
    private sealed class Unsized(byte[] body) : MemoryStream(body)
    {
        public override bool CanSeek => false;
    }
}

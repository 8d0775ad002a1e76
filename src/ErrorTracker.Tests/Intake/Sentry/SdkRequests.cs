using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>Requests as SDKs send them, and what they expect of an answer.</summary>
public abstract class SdkRequests(SharedApi shared)
{
    protected const string
        Id = "7d3f1f0e6f3b4f649a550d6f7c1f2a10",
        Event = """{"timestamp":"2026-01-31T12:00:00Z","level":"error","message":"boom"}""";

    protected TestApi Api => shared.Api;

    protected static string Envelope(string @event = Event, string header = $$"""{"event_id":"{{Id}}"}""") =>
        $"{header}\n{{\"type\":\"event\"}}\n{@event}\n";

    protected async Task<JsonElement> SingleAsync(Sender sender) =>
        Assert.Single((await Api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());

    protected Task<JsonElement> LossAsync(Sender sender) => Api.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01");

    protected Task<HttpResponseMessage> PostAsync(Sender sender, string body, string endpoint = "envelope/") =>
        PostAsync(sender, Encoding.UTF8.GetBytes(body), endpoint);

    protected async Task<HttpResponseMessage> PostAsync(
        Sender sender, byte[] body, string endpoint = "envelope/", string? encoding = null,
        string type = "text/plain;charset=UTF-8")
    {
        var content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
        if (encoding is not null) content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{sender.Id}/{endpoint}?sentry_key={sender.Key}")
        {
            Content = content,
            Headers = { { "Origin", "https://shop.example" } },
        };
        return await Api.Host.Server.CreateClient().SendAsync(request);
    }

    protected static async Task<string> AcceptedAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 200, $"{answer.StatusCode} {text}");
        return text;
    }

    /// <summary>As SDKs show it to a developer.</summary>
    protected static async Task RefusedAsync(HttpResponseMessage answer, int expected)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == expected, $"{answer.StatusCode} {text}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(
            JsonDocument.Parse(text).RootElement.GetProperty("detail").GetString(),
            answer.Headers.GetValues(SentryRefusal.ErrorHeader).Single());
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains(SentryRefusal.ErrorHeader, answer.Headers.GetValues("Access-Control-Expose-Headers").Single());
    }
}

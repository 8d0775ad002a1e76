using System.Globalization;
using System.Text.Json;
using ErrorTracker.Http;
using ErrorTracker.Intake.Native;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ErrorTracker.Tests.Http;

[Collection(nameof(OnAnotherPostgres))]
public sealed class FieldErrorsTests(SharedApi shared)
{
    private const string Window = "since=2026-01-01&until=2026-01-02";

    private static readonly string[] Some =
    [
        "/apps", "/apps/{name}", "/apps/{app_id}/events/batch", "/apps/{app_id}/keys/{key_id}",
        "/apps/{app_id}/loss", "/projections",
    ];

    private readonly TestApi _api = shared.Api;

    /// <summary>Those that are added later, too.</summary>
    [Fact]
    public async Task every_endpoint_but_those_of_sdks_refuses_unknown_parameters_before_it_does_anything()
    {
        var sender = await _api.RegisterAsync();
        var key = (await _api.GetAsync($"/apps/{sender.Id}/keys"))[0].GetProperty("id").GetString();
        var sources = _api.Host.Services.GetServices<EndpointDataSource>();
        var endpoints = sources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();
        var calls =
            (from endpoint in endpoints
             where endpoint.Metadata.GetMetadata<DeclaredQuery>() is not null
             from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
             select (Method: method, Path: endpoint.RoutePattern.RawText!)).ToList();
        Assert.Empty(Some.Except(calls.Select(call => call.Path)));
        foreach (var (method, path) in calls)
        {
            var url = path
                .Replace("{app_id}", $"{sender.Id}")
                .Replace("{key_id}", key)
                .Replace("{id}", $"{Guid.NewGuid()}")
                .Replace("{name}", "never registered");
            var refusal = await _api.SendAsync(
                new(method), $"{url}?sinse=2026-01-01&Level=x", 400, "{}", (NativeIntake.KeyHeader, sender.Key));
            Assert.Empty(new[] { "sinse", "Level" }.Except(Fields(refusal)));
        }
        var registered = (await _api.GetAsync("/apps")).EnumerateArray();
        Assert.DoesNotContain(registered, app => app.GetProperty("name").GetString() == "never registered");
        Assert.Equal(0, (await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").GetArrayLength());
        Assert.Single((await _api.GetAsync($"/apps/{sender.Id}/keys")).EnumerateArray());
    }

    [Theory]
    [InlineData("/apps/{0}/events?limit=0&event_id=x&since=no", "event_id,limit,since")]
    [InlineData("/apps/{0}/events?limit=1&limit=2", "limit")]
    [InlineData("/apps/{0}/events?limit=x&limit=2", "limit")]
    [InlineData("/apps/{0}/events?LIMIT=1&limit=2", "LIMIT")]
    [InlineData("/apps/{0}/events?=1", "query")]
    [InlineData("/apps/zero/events?limit=0&x=1", "app_id,limit,x")]
    [InlineData("/apps/0?x=1", "app_id,x")]
    [InlineData("/apps/0/keys?x", "app_id,x")]
    [InlineData("/apps/-1/stats/by-level?until=x&tz=UTC", "app_id,since,tz,until")]
    [InlineData("/apps/{0}/stats/top-messages?" + Window + "&limit=101&fill=true&%F0%9F%92%A5=1", "fill,limit,\U0001f4a5")]
    [InlineData("/apps/{0}/loss?since=x&interval=DAY", "interval,since,until")]
    [InlineData("/apps?limit=0&page=2", "limit,page")]
    [InlineData("/projections?name=Counters", "name")]
    public async Task what_is_unknown_is_named_together_with_all_else_that_is_wrong(string url, string fields)
    {
        var sender = await _api.RegisterAsync();
        var refusal = await _api.GetAsync(string.Format(CultureInfo.InvariantCulture, url, sender.Id), expected: 400);
        Assert.Equal(fields, string.Join(',', Fields(refusal)));
    }

    [Fact]
    public async Task a_parameter_that_is_given_twice_keeps_that_fault_beside_the_fault_of_its_value()
    {
        var sender = await _api.RegisterAsync();
        var refusal = await _api.GetAsync<Refused>($"/apps/{sender.Id}/events?limit=x&limit=2", expected: 400);
        Assert.Equal(["must be given once", "must be a whole number from 1 to 50"], refusal.Errors!["limit"]);
    }

    [Theory]
    [InlineData("/apps/{0}/events?")]
    [InlineData("/apps/{0}/events?&&")]
    [InlineData("/apps/{0}/events?limit=1&")]
    [InlineData("/docs/index.html?x=1")]
    [InlineData("/health/live?x=1")]
    public async Task what_says_nothing_and_what_is_not_ours_is_let_be(string url)
    {
        var sender = await _api.RegisterAsync();
        await _api.GetAsync(string.Format(CultureInfo.InvariantCulture, url, sender.Id));
    }

    [Fact]
    public async Task what_is_sent_is_refused_with_the_faults_of_its_body()
    {
        var sender = await _api.RegisterAsync();
        var refusal = await _api.SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/events?dry_run=true", 400,
            """{"level":"x","message":"m","occurred_at":"2026-01-31"}""", (NativeIntake.KeyHeader, sender.Key));
        Assert.Equal("dry_run,level", string.Join(',', Fields(refusal)));
        await _api.SendAsync(
            HttpMethod.Post, $"/apps/{sender.Id}/events?dry_run=true", 403, "{}", (NativeIntake.KeyHeader, "wrong"));
        Assert.Equal("name,x", string.Join(',', Fields(await _api.SendAsync(HttpMethod.Post, "/apps/%20?x=1", 400))));
        Assert.Equal("name,x", string.Join(',', Fields(await _api.SendAsync(HttpMethod.Post, "/apps/?x=1", 400))));
        var ofSdk = $"/api/{sender.Id}/store?sentry_key={sender.Key}&sentry_version=7&x=1";
        await _api.SendAsync(HttpMethod.Post, ofSdk, 200, """{"message":"m"}""");
    }

    [Fact]
    public async Task thousands_of_names_are_not_all_repeated()
    {
        var query = string.Join('&', Enumerable.Range(0, 3_000).Select(i => $"p{i}"));
        var fields = Fields(await _api.GetAsync($"/projections?{query}&{new string('n', 2_000)}", expected: 400));
        Assert.Contains("query", fields);
        Assert.InRange(fields.Count, 100, 102);
    }

    private static List<string> Fields(JsonElement refusal) =>
        [.. refusal.GetProperty("errors").EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal)];
}

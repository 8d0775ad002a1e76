using System.Text.Json;

namespace ErrorTracker.Tests.Log;

/// <summary>Events are found by what people have in hand.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class EventIdsTests(SharedApi shared)
{
    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task an_event_is_found_by_the_event_id_of_its_sender_however_it_is_written()
    {
        var (sender, id) = (await _api.RegisterAsync(), Guid.NewGuid());
        var receipt = await _api.PostEventAsync(sender, Native(id), 201);
        await AssertFoundAsync(sender, id, receipt.GetProperty("id").GetString()!);
    }

    [Fact]
    public async Task an_event_of_an_sdk_is_found_by_the_event_id_that_it_returned()
    {
        var (sender, id) = (await _api.RegisterAsync(), Guid.NewGuid());
        var store = $"/api/{sender.Id}/store?sentry_key={sender.Key}";
        var answer = await _api.SendAsync(HttpMethod.Post, store, 200, $$"""{"event_id":"{{id:N}}","message":"m"}""");
        Assert.Equal(id.ToString("N"), answer.GetProperty("id").GetString());
        await AssertFoundAsync(sender, id, (await ListedAsync(sender)).GetProperty("id").GetString()!);
    }

    [Fact]
    public async Task an_event_without_one_shows_null()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender);
        Assert.Equal(JsonValueKind.Null, (await ListedAsync(sender)).GetProperty("event_id").ValueKind);
    }

    /// <summary>They hold no event_id, or that of an SDK in their context only.</summary>
    [Fact]
    public async Task rows_of_former_versions_are_found_and_their_repeats_are_known()
    {
        var (sender, native, sdk) = (await _api.RegisterAsync(), Guid.NewGuid(), Guid.NewGuid());
        await _api.PostEventAsync(sender, Native(native), 201);
        var store = $"/api/{sender.Id}/store?sentry_key={sender.Key}";
        var dated = $$"""{"event_id":"{{sdk:N}}","message":"m"}""";
        await _api.SendAsync(HttpMethod.Post, store, 200, dated);
        Assert.Equal(2, await _api.ScalarAsync<long>(
            $"""
            with former as (
              update errortracker.mt_events set data = data - 'event_id'
              where tenant_id = '{sender.Id}' and data ? 'event_id' returning 1)
            select count(*) from former
            """));

        Assert.Equal(sdk, (await _api.GetAsync($"/apps/{sender.Id}/events/{sdk:N}")).GetProperty("event_id").GetGuid());
        var old = await _api.GetAsync($"/apps/{sender.Id}/events/{native}");
        Assert.Equal(JsonValueKind.Null, old.GetProperty("event_id").ValueKind);
        await _api.PostEventAsync(sender, Native(native), 200);
        await _api.PostEventAsync(sender, Native(native, "other"), 409);
        await _api.SendAsync(HttpMethod.Post, store, 200, dated);
        var loss = await _api.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01");
        Assert.Equal((2, 2), (loss.GetProperty("accepted").GetInt32(), loss.GetProperty("duplicates").GetInt32()));
        Assert.Equal(1, loss.GetProperty("refused")[0].GetProperty("count").GetInt32());
    }

    /// <summary>A context is its sender's, and may say anything.</summary>
    [Fact]
    public async Task an_event_id_in_a_context_that_does_not_make_the_row_s_id_is_none()
    {
        var sender = await _api.RegisterAsync();
        var store = $"/api/{sender.Id}/store?sentry_key={sender.Key}";
        await _api.SendAsync(HttpMethod.Post, store, 200, """{"message":"m"}""");
        await _api.ScalarAsync<string>(
            $$"""
            update errortracker.mt_events
            set data = jsonb_set(data, '{context,event_id}', '"7d3f1f0e6f3b4f649a550d6f7c1f2a10"')
            where tenant_id = '{{sender.Id}}' returning 'done'
            """);
        Assert.Equal(JsonValueKind.Null, (await ListedAsync(sender)).GetProperty("event_id").ValueKind);
    }

    [Theory]
    [InlineData("7d3f1f0e6f3b4f649a550d6f7c1f2a1")]
    [InlineData("{7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10}")]
    [InlineData("7d3f1f0e6-f3b-4f64-9a55-0d6f7c1f2a10")]
    [InlineData("0x3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10")]
    [InlineData("+d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10")]
    public async Task what_is_no_id_is_not_found(string id) =>
        await _api.GetAsync($"/apps/{(await _api.RegisterAsync()).Id}/events/{id}", expected: 404);

    private async Task AssertFoundAsync(Sender sender, Guid eventId, string id)
    {
        var (listed, other) = (await ListedAsync(sender), await _api.RegisterAsync());
        Assert.Equal(eventId, listed.GetProperty("event_id").GetGuid());
        Assert.Equal(
            ["id", "event_id", "application_id"], listed.EnumerateObject().Take(3).Select(member => member.Name));
        string[] forms = [id, id.Replace("-", ""), $"{eventId:N}", $"{eventId:D}"];
        foreach (var form in forms.Concat(forms.Select(form => form.ToUpperInvariant())))
            Assert.Equal(listed.GetRawText(), (await _api.GetAsync($"/apps/{sender.Id}/events/{form}")).GetRawText());
        await _api.GetAsync($"/apps/{other.Id}/events/{eventId}", expected: 404);
    }

    private async Task<JsonElement> ListedAsync(Sender sender) =>
        Assert.Single((await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());

    private static string Native(Guid id, string message = "m") =>
        $$"""{"event_id":"{{id}}","occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"{{message}}"}""";
}

using System.Net.Http.Json;
using System.Text.Json;
using ErrorTracker.Counters;
using ErrorTracker.Issues;
using ErrorTracker.Projections;
using Microsoft.Extensions.DependencyInjection;

namespace ErrorTracker.Tests.Issues;

/// <summary>Rules of one's own: previewed, adopted, withdrawn, while events arrive and after a rebuild.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class GroupingChangesTests(SharedApi shared) : IAsyncLifetime
{
    private static readonly object ByPrefix = new
    {
        fingerprints = new[] { new { match = new Dictionary<string, string> { ["message"] = "alpha*" }, parts = new[] { "alpha" } } },
    };

    private static readonly object ByTag = new
    {
        fingerprints = new[]
        {
            new
            {
                match = new Dictionary<string, string> { ["tags.region"] = "eu" },
                parts = new[] { "{{ default }}", "eu" },
            },
        },
    };

    private TestApi _api = null!;
    private Sender _sender = null!;

    public async Task InitializeAsync()
    {
        _api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        _sender = await _api.RegisterAsync();
        foreach (var message in new[] { "alpha one", "beta", "alpha two", "gamma", "alpha one", "beta" })
            await SendAsync(message, message.Length % 2 == 0 ? "eu" : "us");
        await _api.FoldedAsync();
    }

    public async Task DisposeAsync() => await _api.DisposeAsync();

    [Fact]
    public async Task what_a_preview_tells_comes_true_and_a_withdrawal_is_as_if_nothing_had_been()
    {
        var before = await IssuesAsync();
        Assert.Equal("1:alpha one=2 2:beta=2 3:alpha two=1 4:gamma=1", before);

        var preview = (await PreviewAsync(ByPrefix)).Result!;
        Assert.Equal((6, 1, 2, 1, 0), (preview.Events, preview.Moved, preview.Stay, preview.Merged, preview.Split));
        Assert.Equal([1, 3], preview.Merges.Single().From.Select(part => part.Issue).Order());
        Assert.Equal(before, await IssuesAsync());

        await AdoptAsync(ByPrefix);
        Assert.Equal("1:alpha one=3 2:beta=2 4:gamma=1", await IssuesAsync());
        await AssertProvedAsync();

        await SendAsync("alpha three", "us");
        await SendAsync("delta", "us");
        Assert.Equal("1:alpha three=4 2:beta=2 4:gamma=1 5:delta=1", await IssuesAsync());
        await AssertRebuiltAsync("1:alpha three=4 2:beta=2 4:gamma=1 5:delta=1");

        await WithdrawAsync();
        Assert.Equal("1:alpha one=2 2:beta=2 3:alpha two=1 4:gamma=1 5:delta=1 6:alpha three=1", await IssuesAsync());
        await AssertRebuiltAsync("1:alpha one=2 2:beta=2 3:alpha two=1 4:gamma=1 5:delta=1 6:alpha three=1");
    }

    [Fact]
    public async Task what_splits_keeps_its_number_for_most_and_the_rest_is_new_after_all_others()
    {
        await SendAsync("alpha one", "us");
        await SendAsync("alpha one", "us");
        await SendAsync("alpha one", "eu");
        await _api.FoldedAsync();
        var preview = (await PreviewAsync(ByTag)).Result!;
        Assert.Equal(1, preview.Split);
        Assert.Equal([null, 1], preview.Splits.Single().Parts.Select(part => part.Issue).Order());

        await AdoptAsync(ByTag);
        Assert.Equal("1:alpha one=4 2:beta=2 3:alpha two=1 4:gamma=1 5:alpha one=1", await IssuesAsync());
        await SendAsync("epsilon", "us");
        Assert.EndsWith(" 6:epsilon=1", await IssuesAsync());
        await AssertRebuiltAsync(await IssuesAsync());
        await WithdrawAsync();
        Assert.Equal("1:alpha one=5 2:beta=2 3:alpha two=1 4:gamma=1 6:epsilon=1", await IssuesAsync());
        await AssertProvedAsync();
    }

    /// <summary>What people have merged is about numbers, and so stays whatever the rules are.</summary>
    [Fact]
    public async Task merges_of_people_outlive_rules()
    {
        await PostAsync($"/apps/{_sender.Id}/issues/merge", new { into = 2, issues = new[] { 4 } }, 200);
        await AdoptAsync(ByPrefix);
        Assert.Equal("1:alpha one=3 2:beta=3", await IssuesAsync());
        await WithdrawAsync();
        Assert.Equal("1:alpha one=2 2:beta=3 3:alpha two=1", await IssuesAsync());
    }

    [Fact]
    public async Task a_change_that_was_cut_off_goes_on_and_another_one_is_refused_meanwhile()
    {
        var changes = _api.Host.Services.GetRequiredService<GroupingChanges>();
        var change = new GroupingChange(
            Guid.CreateVersion7(), _sender.Id, GroupingChange.Adoption, JsonSerializer.Serialize(ByPrefix), "ada", default);
        using var cut = new CancellationTokenSource();
        await using (var session = _api.Store.LightweightSession())
        {
            session.Insert(change);
            await session.SaveChangesAsync();
        }
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => changes.CarryOutAsync(change.Id, now =>
        {
            if (now.State == GroupingChange.Building) cut.Cancel();
        }, cut.Token));
        Assert.Equal(
            GroupingChange.Building, (await changes.FindAsync(change.Id, CancellationToken.None))!.State);
        await PutAsync(ByTag, 409);

        await changes.CarryOutAsync(change.Id, _ => { }, CancellationToken.None);
        Assert.Equal("1:alpha one=3 2:beta=2 4:gamma=1", await IssuesAsync());
        await AssertProvedAsync();
    }

    [Fact]
    public async Task faults_are_named_and_there_is_nothing_to_withdraw_at_first()
    {
        var refused = await PutAsync(new { places = 0, wrappers = "x" }, 400);
        Assert.Equal(["places", "wrappers"], refused.GetProperty("errors").EnumerateObject().Select(e => e.Name).Order());
        await PostAsync($"/apps/{_sender.Id}/grouping/preview", new { since = "2026-01-01" }, 400);
        await _api.Host.Scenario(call =>
        {
            call.Delete.Url($"/apps/{_sender.Id}/grouping");
            call.StatusCodeShouldBe(409);
        });
        await _api.GetAsync($"/apps/{_sender.Id}/grouping/changes/{Guid.NewGuid()}", 404);
    }

    /// <summary>Number, title and count of each issue.</summary>
    private async Task<string> IssuesAsync()
    {
        await _api.FoldedAsync();
        var page = await _api.GetAsync<IssuePage>($"/apps/{_sender.Id}/issues?limit=100");
        return string.Join(' ', page.Items.OrderBy(item => item.Number).Select(
            item => $"{item.Number}:{item.Title}={item.Count}"));
    }

    private async Task AssertRebuiltAsync(string issues)
    {
        Assert.True(await new Rebuild(CountersProjection.Definition, _api.Database).RunAsync(_ => { }, default));
        Assert.Equal(issues, await IssuesAsync());
        await AssertProvedAsync();
    }

    private async Task AssertProvedAsync()
    {
        await _api.FoldedAsync();
        var verify = new Verify(_api.Database);
        Assert.Empty((await verify.RunAsync(CountersProjection.Definition, null, null, 10, default)).Differences);
    }

    private async Task<GroupingChangeState> PreviewAsync(object rules)
    {
        var begun = await PostAsync($"/apps/{_sender.Id}/grouping/preview", new { rules }, 202);
        return await DoneAsync(begun);
    }

    private async Task AdoptAsync(object rules) => await DoneAsync(await PutAsync(rules, 202));

    private async Task WithdrawAsync()
    {
        var begun = await _api.Host.Scenario(call =>
        {
            call.Delete.Url($"/apps/{_sender.Id}/grouping");
            call.StatusCodeShouldBe(202);
        });
        await DoneAsync(begun.ReadAsJson<JsonElement>());
    }

    private async Task<GroupingChangeState> DoneAsync(JsonElement begun)
    {
        var id = begun.GetProperty("id").GetGuid();
        await Eventually.Async(async () => (await FindAsync()).State == GroupingChange.Done, "the change is done");
        return await FindAsync();

        Task<GroupingChangeState> FindAsync() =>
            _api.GetAsync<GroupingChangeState>($"/apps/{_sender.Id}/grouping/changes/{id}");
    }

    private Task<JsonElement> PutAsync(object rules, int expected) =>
        SendAsync(HttpMethod.Put, $"/apps/{_sender.Id}/grouping", rules, expected);

    private Task<JsonElement> PostAsync(string path, object body, int expected) =>
        SendAsync(HttpMethod.Post, path, body, expected);

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object body, int expected)
    {
        using var client = _api.Host.Server.CreateClient();
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == expected, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private Task<JsonElement> SendAsync(string message, string region) => _api.PostEventAsync(
        _sender,
        JsonSerializer.Serialize(new
        {
            occurred_at = "2026-01-31T12:00:00Z", level = "ERROR", message, tags = new { region },
        }),
        201);
}

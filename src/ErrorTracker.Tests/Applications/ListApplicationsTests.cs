using System.Text.Json;

namespace ErrorTracker.Tests.Applications;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ListApplicationsTests(SharedApi shared)
{
    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task a_list_is_paged_by_id_and_its_link_goes_on()
    {
        var ids = new List<int>();
        for (var i = 0; i < 5; i++) ids.Add((await _api.RegisterAsync()).Id);
        var (pages, url) = (new List<int[]>(), $"/apps?limit=2&after={ids[0] - 1}");
        while (url is not null)
        {
            using var answer = await _api.Host.Server.CreateClient().GetAsync(url);
            pages.Add(await IdsAsync(answer));
            url = answer.Headers.TryGetValues("Link", out var link) ? NextOf(link.Single()) : null;
        }
        Assert.Equal([[ids[0], ids[1]], [ids[2], ids[3]], [ids[4]]], pages);
    }

    [Fact]
    public async Task without_a_limit_all_are_listed_and_there_is_no_link()
    {
        var last = (await _api.RegisterAsync()).Id;
        using var answer = await _api.Host.Server.CreateClient().GetAsync("/apps");
        Assert.Equal(Enumerable.Range(1, last), await IdsAsync(answer));
        Assert.False(answer.Headers.Contains("Link"));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=", "limit")]
    [InlineData("after=-1", "after")]
    [InlineData("after=2147483648&limit=x", "after,limit")]
    public async Task each_wrong_parameter_is_named(string query, string fields) =>
        Assert.Equal(fields, (await _api.GetAsync<Refused>($"/apps?{query}", expected: 400)).Fields);

    private static async Task<int[]> IdsAsync(HttpResponseMessage answer)
    {
        var listed = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        return [.. listed.EnumerateArray().Select(app => app.GetProperty("id").GetInt32())];
    }

    /// <summary>Relative to the request's own address, so that it stays true behind a proxy.</summary>
    private static string NextOf(string link)
    {
        Assert.Matches("^<\\?[^>]+>; rel=\"next\"$", link);
        return "/apps" + link[1..link.IndexOf('>')];
    }
}

namespace ErrorTracker.Tests.Issues;

/// <summary>An application with issues that nobody has merged yet.</summary>
/// <param name="Sender">Whose they are.</param>
/// <param name="Keys">Of issues 1, 2, 3 …</param>
internal sealed record SomeIssues(Sender Sender, string[] Keys)
{
    private static readonly string[] Messages =
        ["paper jam", "out of ink", "door open", "tray empty", "fuse blown", "belt worn"];

    public int Id => Sender.Id;

    public static async Task<SomeIssues> AddAsync(TestApi api, int count)
    {
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Messages.Take(count).Select(message =>
            TestApi.Event(sender, DateTimeOffset.UtcNow, message: message)));
        await api.FoldedAsync();
        var keys = await api.ScalarAsync<string[]>(
            $"""
            select array_agg(g.group_key::text order by g.number) from errortracker.groups_v5 as g
            where g.tenant_id = '{sender.Id}'
            """);
        Assert.Equal(count, keys.Length);
        return new(sender, keys);
    }

    public string Key(int number) => Keys[number - 1];
}

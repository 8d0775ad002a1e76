using System.Text.Json;
using ErrorTracker.Hosting;
using Npgsql;

namespace ErrorTracker.Tests.Hosting;

/// <summary>Hosts that own their PostgreSQL: started, killed and started again.</summary>
public sealed class PrivateClusterTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task a_second_owner_of_a_data_folder_is_refused_with_a_clear_message()
    {
        await using var first = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
        var refusal = await Assert.ThrowsAsync<StartupException>(() => PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None));
        Assert.Contains(_folder, refusal.Message);

        var (exitCode, output) = await HostProcess.RunAsync(["--urls", "http://127.0.0.1:0"], ("ErrorTracker__DataFolder", _folder));
        Assert.Equal(1, exitCode);
        Assert.Equal(refusal.Message, output.Trim());
    }

    [Fact]
    public async Task it_listens_on_its_own_socket_only()
    {
        await using var cluster = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
        await using var command = source.CreateCommand("select current_setting('listen_addresses') || '|' || current_setting('unix_socket_permissions')");
        Assert.Equal("|0700", await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task it_starts_again_with_its_rows()
    {
        await using (var first = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None))
            await ExecuteAsync(first, "create table kept (n int); insert into kept values (7)");
        await using var second = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
        Assert.Equal(7, await ExecuteAsync(second, "select n from kept"));
    }

    [Theory]
    [InlineData(HostProcess.Kill)]
    [InlineData(HostProcess.Terminate)]
    public async Task what_was_answered_201_outlives_the_end_of_the_host_under_load(int signal)
    {
        Sender sender;
        int sent;
        List<string> acknowledged;
        await using (var host = await StartAsync())
        {
            sender = await host.RegisterAsync();
            Task<int>? end = null;
            (sent, acknowledged) = await host.LoadAsync(sender, connections: 16, acknowledged: count =>
            {
                if (count >= 500) LazyInitializer.EnsureInitialized(ref end, () => host.EndAsync(signal));
            });
            var exitCode = await end!;
            if (signal == HostProcess.Terminate) Assert.Equal(0, exitCode);
        }

        await using var again = await StartAsync();
        var stored = await StoredAsync(again, sender);
        Assert.Empty(acknowledged.Except(stored));
        Assert.Equal(stored.Count, stored.Distinct().Count());
        Assert.InRange(stored.Count, acknowledged.Count, signal == HostProcess.Terminate ? acknowledged.Count : sent);

        var counted = await GetAsync(again, $"/apps/{sender.Id}/stats/by-level?since=2020-01-01&until=2100-01-01");
        Assert.Equal(stored.Count, counted.GetProperty("items")[0].GetProperty("count").GetInt32());
        await Eventually.Async(async () => (await again.Http.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");
    }

    private Task<HostProcess> StartAsync() => HostProcess.StartAsync(("ErrorTracker__DataFolder", _folder));

    private static async Task<List<string>> StoredAsync(HostProcess host, Sender sender)
    {
        var stored = new List<string>();
        for (int? offset = 0; offset is not null;)
        {
            var page = await GetAsync(host, $"/apps/{sender.Id}/events?limit=50&offset={offset}");
            stored.AddRange(page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("message").GetString()!));
            offset = page.GetProperty("next_offset").Deserialize<int?>();
        }
        return stored;
    }

    private static async Task<JsonElement> GetAsync(HostProcess host, string url) => JsonDocument.Parse(await host.Http.GetStringAsync(url)).RootElement;

    private static async Task<object?> ExecuteAsync(PrivateCluster cluster, string sql)
    {
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}

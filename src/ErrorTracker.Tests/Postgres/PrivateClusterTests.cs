using System.Globalization;
using System.Net;
using System.Text.Json;
using ErrorTracker.Configuration;
using ErrorTracker.Postgres;
using ErrorTracker.Tests.Hosting;
using Npgsql;

namespace ErrorTracker.Tests.Postgres;

/// <summary>Hosts that own their PostgreSQL: started, killed and started again.</summary>
public sealed class PrivateClusterTests : IDisposable
{
    private readonly string _folder =
        Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Its programs are PostgreSQL's own behind a script that refuses what such a one refuses.</summary>
    [Fact]
    public async Task one_that_is_built_without_lz4_starts()
    {
        var (folder, real) = (_folder + "-lz4", PostgresPrograms.FindBinaries());
        Directory.CreateDirectory(folder);
        try
        {
            await WriteAsync("initdb", $"exec {real}/initdb \"$@\"");
            const string refuse = "case \"$*\" in *lz4*) echo 'FATAL: invalid value: \"lz4\"' >&2; exit 1;; esac";
            await WriteAsync("postgres", $"{refuse}; exec {real}/postgres \"$@\"");
            await using var cluster = await PrivateCluster.StartAsync(_folder, folder, CancellationToken.None);
            await using var database = NpgsqlDataSource.Create(cluster.ConnectionString);
            await using var command = database.CreateCommand("show wal_compression");
            Assert.Equal("off", await command.ExecuteScalarAsync());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task WriteAsync(string name, string line)
        {
            var path = Path.Combine(folder, name);
            await File.WriteAllTextAsync(path, "#!/bin/sh\n" + line + "\n");
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        }
    }

    [Fact]
    public async Task a_second_owner_of_a_data_folder_is_refused_with_a_clear_message()
    {
        await using var first = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
        var refusal = await Assert.ThrowsAsync<StartupException>(() =>
            PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None));
        Assert.Contains(_folder, refusal.Message);

        var (exitCode, output) = await HostProcess.RunAsync(
            ["--urls", "http://127.0.0.1:0"], ("ErrorTracker__DataFolder", _folder));
        Assert.Equal(1, exitCode);
        Assert.Equal(refusal.Message, output.Trim());
    }

    [Fact]
    public async Task it_listens_on_its_own_socket_only()
    {
        await using var cluster = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
        await using var command = source.CreateCommand(
            "select current_setting('listen_addresses') || '|' || current_setting('unix_socket_permissions')");
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

    /// <summary>
    /// A superuser of the database, or a function in it, could otherwise read what this process was told in confidence.
    /// </summary>
    [Fact]
    public async Task the_server_of_a_host_learns_no_secret_logs_for_its_owner_only_and_runs_as_the_same_user()
    {
        await using var host = await HostProcess.StartAsync(
            ("ErrorTracker__DataFolder", _folder),
            ("ERRORTRACKER_READ_TOKEN", "a-secret"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=a-secret"),
            ("LC_TIME", "C"));
        var server = int.Parse(
            File.ReadLines(Path.Combine(_folder, "data", "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        var environment = await File.ReadAllTextAsync($"/proc/{server}/environ");
        var variables = environment.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var names = variables.Select(variable => variable.Split('=')[0]);
        Assert.All(names, name => Assert.Matches("^(PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|HOME)$", name));
        Assert.DoesNotContain("a-secret", environment);
        await using var source = NpgsqlDataSource.Create((await PrivateCluster.FindRunningAsync(_folder))!);
        await using var spy = source.CreateCommand($"select pg_read_binary_file('/proc/{host.Id}/environ')");
        var refusal = await Assert.ThrowsAsync<PostgresException>(spy.ExecuteScalarAsync);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);

        var mode = File.GetUnixFileMode(Path.Combine(_folder, "postgres.log"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode);
        var isOutOfReach = host.Output.Contains("The API runs as root: the user postgres cannot read");
        if (!isOutOfReach) Assert.Equal(UserOf(server), UserOf(host.Id));
        Assert.Equal(0, await host.EndAsync(HostProcess.Terminate));

        static string UserOf(int process) =>
            File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("Uid:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task a_data_folder_that_holds_other_things_does_not_change_its_owner()
    {
        Directory.CreateDirectory(_folder);
        await File.WriteAllTextAsync(Path.Combine(_folder, "diary.txt"), "Dear diary");
        await using var host = await StartAsync();
        Assert.Equal(Environment.IsPrivilegedProcess, host.Output.Contains("The API runs as root: "));
        Assert.Equal(HttpStatusCode.OK, (await host.Http.GetAsync("/health/live")).StatusCode);
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
        await Eventually.Async(
            async () => (await again.Http.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");
    }

    private Task<HostProcess> StartAsync() => HostProcess.StartAsync(("ErrorTracker__DataFolder", _folder));

    private static async Task<List<string>> StoredAsync(HostProcess host, Sender sender)
    {
        var stored = new List<string>();
        for (int? offset = 0; offset is not null;)
        {
            var page = await GetAsync(host, $"/apps/{sender.Id}/events?limit=50&offset={offset}");
            var items = page.GetProperty("items").EnumerateArray();
            stored.AddRange(items.Select(item => item.GetProperty("message").GetString()!));
            offset = page.GetProperty("next_offset").Deserialize<int?>();
        }
        return stored;
    }

    private static async Task<JsonElement> GetAsync(HostProcess host, string url) =>
        JsonDocument.Parse(await host.Http.GetStringAsync(url)).RootElement;

    private static async Task<object?> ExecuteAsync(PrivateCluster cluster, string sql)
    {
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}

using System.Net;
using System.Net.Sockets;
using ErrorTracker.Configuration;
using ErrorTracker.Postgres;
using Npgsql;

namespace ErrorTracker.Tests.Hosting;

/// <summary>
/// What keeps a host from starting is said in one line, without a stack trace and without a secret, and the exit code
/// is 1.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class StartFailureTests(SharedApi shared) : IDisposable
{
    private readonly string _folder =
        Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task a_port_that_is_taken()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        Assert.Equal(
            $"Failed to bind to address {url}: address already in use.",
            await FailureAsync(["--urls", url], await DatabaseAsync()));
    }

    /// <summary>203.0.113.0/24 is for documentation: no machine has such an address.</summary>
    [Fact]
    public async Task an_address_that_is_not_this_machines() =>
        Assert.StartsWith(
            "Cannot listen on http://203.0.113.1:8000: ",
            await FailureAsync(["--urls", "http://203.0.113.1:8000"], await DatabaseAsync()));

    [Fact]
    public async Task https_without_a_certificate() =>
        Assert.StartsWith(
            "Unable to configure HTTPS endpoint.",
            await FailureAsync(["--urls", "https://127.0.0.1:0"], await DatabaseAsync(), ("HOME", "/nonexistent")));

    [Fact]
    public async Task an_address_of_the_web_servers_own_settings_that_is_none() =>
        Assert.StartsWith(
            "The settings of Kestrel cannot be used: ",
            await FailureAsync([], await DatabaseAsync(), ("Kestrel__Endpoints__Http__Url", "nonsense")));

    /// <summary>
    /// Users of services often have none: here it is the root folder, and PostgreSQL's user may not write to it.
    /// </summary>
    [Fact]
    public async Task a_home_that_cannot_be_written_to()
    {
        var said = (await Assert.ThrowsAsync<StartupException>(RunAsync)).Message;
        Assert.StartsWith("dotnet failed: The default data folder cannot be used: ", said);
        Assert.Single(said.Split('\n'));

        static Task RunAsync() =>
            PostgresPrograms.RunAsync("dotnet", [HostProcess.Program], Environment.IsPrivilegedProcess, default);
    }

    [Fact]
    public async Task a_data_folder_that_cannot_be_made()
    {
        await File.WriteAllTextAsync(_folder + ".file", "");
        try
        {
            Assert.StartsWith(
                $"The data folder {_folder}.file/data cannot be used: ",
                await FailureAsync([], ("ErrorTracker__DataFolder", _folder + ".file/data")));
        }
        finally
        {
            File.Delete(_folder + ".file");
        }
    }

    [Fact]
    public async Task no_postgresql_where_it_should_be() =>
        Assert.Equal(
            "ErrorTracker__PostgresBin: there are no postgres and initdb in this folder.",
            await FailureAsync([], ("ErrorTracker__DataFolder", _folder), ("ErrorTracker__PostgresBin", "/tmp")));

    [Fact]
    public async Task a_database_that_does_not_exist()
    {
        var database = new NpgsqlConnectionStringBuilder((await DatabaseAsync()).Value) { Database = "nowhere" };
        Assert.Equal(
            "PostgreSQL refuses: database \"nowhere\" does not exist",
            await FailureAsync([], ("ConnectionStrings__ErrorTracker", database.ConnectionString)));
        Assert.Equal(
            "PostgreSQL refuses: database \"nowhere\" does not exist",
            await FailureAsync(["demo", "--events", "1"], ("ConnectionStrings__ErrorTracker", database.ConnectionString)));
    }

    [Fact]
    public async Task a_database_that_is_not_utf_8()
    {
        var name = "latin_" + Guid.NewGuid().ToString("N");
        await shared.Api.ScalarAsync<string>("select 'no transaction'");
        await using var create = shared.Api.Database.CreateCommand(
            $"create database {name} encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'");
        await create.ExecuteNonQueryAsync();
        var database = new NpgsqlConnectionStringBuilder((await DatabaseAsync()).Value) { Database = name };
        Assert.StartsWith(
            $"The database {name} is encoded as LATIN1, which cannot hold every text. ",
            await FailureAsync([], ("ConnectionStrings__ErrorTracker", database.ConnectionString)));
    }

    [Fact]
    public async Task a_password_that_postgresql_refuses()
    {
        await using var cluster = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
        var rules = Path.Combine(_folder, "data", "pg_hba.conf");
        await File.WriteAllTextAsync(rules, "local all guest scram-sha-256\n" + await File.ReadAllTextAsync(rules));
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
        foreach (var sql in new[] { "create role guest login password 'right'", "select pg_reload_conf()" })
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
        var said = await FailureAsync(
            [],
            ("ErrorTracker__Database__Host", _folder + "/socket"),
            ("ErrorTracker__Database__Name", "postgres"),
            ("ErrorTracker__Database__Username", "guest"),
            ("ErrorTracker__Database__Password", "a;'s3cr3t\""));
        Assert.Equal("PostgreSQL refuses: password authentication failed for user \"guest\"", said);
    }

    [Theory]
    [InlineData(
        "ConnectionStrings__ErrorTracker",
        "Host=127.0.0.1;Port=1;Username=u;Password=a;s3cr3t;Database=d",
        "ConnectionStrings__ErrorTracker is not a connection string that can be read. ")]
    [InlineData(
        "ConnectionStrings__ErrorTracker",
        "postgresql://u:s3cr3t@127.0.0.1:1/d",
        "PostgreSQL does not answer: Failed to connect to 127.0.0.1:1")]
    [InlineData("ERRORTRACKER_READ_TOKEN", "", "ERRORTRACKER_READ_TOKEN is empty.")]
    [InlineData("ErrorTracker__PublicUrl", "s3cr3t", "ErrorTracker__PublicUrl must be a URL")]
    [InlineData("ErrorTracker__Datafoldr", "s3cr3t", "ErrorTracker__Datafoldr is not a setting.")]
    [InlineData(
        "Logging__LogLevel__Default",
        "loud",
        "The configuration cannot be used: Configuration value 'loud' is not supported.")]
    public async Task settings_that_cannot_be_used(string name, string value, string line)
    {
        var said = await FailureAsync(
            [], ("ErrorTracker__DatabasePatience", "0"), ("ErrorTracker__DataFolder", _folder), (name, value));
        Assert.StartsWith(line, said);
        Assert.DoesNotContain("s3cr3t", said);
    }

    private async Task<(string Key, string Value)> DatabaseAsync() =>
        ("ConnectionStrings__ErrorTracker", await shared.Server.NewEmptyDatabaseAsync());

    /// <summary>The one line that is written.</summary>
    private static async Task<string> FailureAsync(string[] arguments, params (string Key, string Value)[] environment)
    {
        var given = arguments is [] ? ["--urls", "http://127.0.0.1:0"] : arguments;
        var (exitCode, output) = await HostProcess.RunAsync(given, environment);
        Assert.True(exitCode == 1, $"{exitCode}: {output}");
        return Assert.Single(output.TrimEnd().Split('\n'));
    }
}

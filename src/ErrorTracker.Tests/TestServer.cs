using System.Runtime.Versioning;
using DotNet.Testcontainers.Builders;
using ErrorTracker.Postgres;
using Npgsql;
using Testcontainers.PostgreSql;

[assembly: SupportedOSPlatform("linux")]

namespace ErrorTracker.Tests;

/// <summary>
/// The PostgreSQL of this test run: a container where a Docker engine answers, else a private cluster in a temporary
/// folder.
/// </summary>
public sealed class TestServer : IAsyncLifetime
{
    private readonly string _folder =
        Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);

    private readonly Lazy<Task<string>> _template;
    private IAsyncDisposable? _server;
    private string _connectionString = "";

    public TestServer() => _template = new(MakeTemplateAsync);

    public async Task InitializeAsync()
    {
        try
        {
            var container = new PostgreSqlBuilder("postgres:17").Build();
            _server = container;
            await container.StartAsync();
            _connectionString = container.GetConnectionString();
            Console.WriteLine("The tests use PostgreSQL in a container.");
        }
        catch (DockerUnavailableException)
        {
            var cluster = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
            _server = cluster;
            _connectionString = cluster.ConnectionString;
            Console.WriteLine("The tests use a private PostgreSQL cluster: no Docker engine answers.");
        }
    }

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_server is not null) await _server.DisposeAsync();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A connection string to a new database with the schema and without data.</summary>
    public async Task<string> NewDatabaseAsync() => await CreateDatabaseAsync(await _template.Value);

    /// <summary>A connection string to a new database without the schema.</summary>
    public Task<string> NewEmptyDatabaseAsync() => CreateDatabaseAsync("template1");

    /// <summary>Copying a database takes a fraction of the time in which a host makes the schema.</summary>
    private async Task<string> MakeTemplateAsync()
    {
        var connectionString = await NewEmptyDatabaseAsync();
        var host = await TestApi.StartAsync(connectionString);
        await host.DisposeAsync();
        return new NpgsqlConnectionStringBuilder(connectionString).Database!;
    }

    private async Task<string> CreateDatabaseAsync(string template)
    {
        var name = "test_" + Guid.NewGuid().ToString("N");
        await using var source = NpgsqlDataSource.Create(_connectionString);
        await using var command = source.CreateCommand($"create database {name} template {template}");
        await command.ExecuteNonQueryAsync();
        var created = new NpgsqlConnectionStringBuilder(_connectionString) { Database = name, MaxPoolSize = 20 };
        return created.ConnectionString;
    }
}

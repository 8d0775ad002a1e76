using Npgsql;

namespace ErrorTracker.Log;

/// <summary>
/// The database that the log lives in, with a pool of connections for each kind of work, so that no kind can keep
/// another one waiting: however many readers there are, events are committed, keys are looked up, counters are folded
/// and the node shows that it lives.
/// </summary>
/// <param name="settings">Of its connections; those of the pools are set here.</param>
/// <param name="nodeName">What this node calls itself on its connections.</param>
public sealed class LogDatabase(NpgsqlConnectionStringBuilder settings, NodeName nodeName, TimeProvider clock)
    : IAsyncDisposable
{
    /// <summary>Connections that nobody has used for so long may have died with their server.</summary>
    private static readonly TimeSpan LongestUntested = TimeSpan.FromSeconds(1);

    private long _readAt;

    /// <summary>
    /// Connections of each pool. Together they leave room for some nodes in PostgreSQL's own limit of 100.
    /// </summary>
    public const int MostLanes = 4, MostReserved = 12, MostReaders = 16;

    /// <summary>For the append of events. They give up soon, as commits are tried again.</summary>
    public NpgsqlDataSource Lanes { get; } = Create(settings, nodeName, x =>
    {
        x.MaxPoolSize = MostLanes;
        x.Timeout = 3;
        x.CommandTimeout = 10;
        x.CancellationTimeout = 1000;
        x.MaxAutoPrepare = 10;
        x.AutoPrepareMinUsages = 2;
    });

    /// <summary>
    /// For what must never wait: keys, readiness, folds, and Marten and Wolverine with the node's heartbeat.
    /// </summary>
    public NpgsqlDataSource Reserved { get; } =
        Create(settings, nodeName, x => x.MaxPoolSize = MostReserved, hasNoTimeouts: true);

    /// <summary>For statistics and lists, and nothing else.</summary>
    public NpgsqlDataSource Readers { get; } = Create(settings, nodeName, x =>
    {
        x.MaxPoolSize = MostReaders;
        x.CommandTimeout = 20;
    });

    /// <summary>Readers that are at work or wait for their turn.</summary>
    internal ReaderTurns Turns { get; } = new(MostReaders);

    /// <summary>A connection to read with, when it is this application's turn.</summary>
    /// <param name="application">For whom; 0 for what belongs to none.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="TooManyReadersException">No turn came soon.</exception>
    internal async ValueTask<Reader> OpenReaderAsync(int application, CancellationToken stop)
    {
        var turn = await Turns.TakeAsync(application, stop);
        try
        {
            return new(await OpenAliveAsync(stop), turn);
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A reader that comes after a pause finds out whether its connection lives, and gets another one if not.
    /// </summary>
    private async Task<NpgsqlConnection> OpenAliveAsync(CancellationToken stop)
    {
        if (clock.GetElapsedTime(Volatile.Read(ref _readAt)) < LongestUntested)
            return await Readers.OpenConnectionAsync(stop);
        var untested = await Readers.OpenConnectionAsync(stop);
        try
        {
            await using var question = new NpgsqlCommand("select 1", untested);
            await question.ExecuteScalarAsync(stop);
            Volatile.Write(ref _readAt, clock.GetTimestamp());
            return untested;
        }
        catch (Exception e)
        {
            await untested.DisposeAsync(); // with it go all that were opened before it
            if (e is not NpgsqlException { IsTransient: true }) throw;
        }
        return await Readers.OpenConnectionAsync(stop);
    }

    public async ValueTask DisposeAsync()
    {
        await Lanes.DisposeAsync();
        await Readers.DisposeAsync();
        await Reserved.DisposeAsync();
    }

    /// <summary>
    /// Limits that a server or a role sets for all. A rebuild, a long fold or an index takes longer, and would begin
    /// anew for ever.
    /// </summary>
    private const string NoLimits =
        "set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0";

    private static NpgsqlDataSource Create(
        NpgsqlConnectionStringBuilder settings, NodeName nodeName, Action<NpgsqlConnectionStringBuilder> pool,
        bool hasNoTimeouts = false)
    {
        var own = new NpgsqlConnectionStringBuilder(settings.ConnectionString)
        {
            ApplicationName = nodeName.Text,
            // Settings are local to a transaction, and whoever takes a lock of a session gives it back.
            NoResetOnClose = true,
        };
        pool(own);
        var builder = new NpgsqlDataSourceBuilder(own.ConnectionString);
        if (hasNoTimeouts) builder.UsePhysicalConnectionInitializer(LiftLimits, LiftLimitsAsync);
        return builder.Build();
    }

    private static void LiftLimits(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(NoLimits, connection);
        command.ExecuteNonQuery();
    }

    private static async Task LiftLimitsAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(NoLimits, connection);
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>A connection of one who reads, and whose turn ends with it.</summary>
internal sealed class Reader(NpgsqlConnection connection, IDisposable turn) : IAsyncDisposable
{
    public NpgsqlConnection Connection => connection;

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        turn.Dispose();
    }
}

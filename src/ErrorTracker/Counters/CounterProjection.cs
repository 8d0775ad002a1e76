using System.Diagnostics.CodeAnalysis;
using JasperFx.Descriptors;
using JasperFx.Events;
using JasperFx.Events.Daemon;
using JasperFx.Events.Descriptors;
using JasperFx.Events.Projections;
using JasperFx.Events.Subscriptions;
using Marten;
using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>
/// Runs the current <see cref="CounterShard"/> under Marten's daemon, which finds out how far the log may be read and which node folds it. Its event
/// filter names a type that is never stored, so that the daemon loads no events.
/// </summary>
public sealed class CounterProjection : ProjectionBase, IProjectionSource<IDocumentOperations, IQuerySession>,
    ISubscriptionFactory<IDocumentOperations, IQuerySession>, IJasperFxProjection<IDocumentOperations>
{
    private sealed record NeverStored;

    private readonly NpgsqlDataSource _database;

    public CounterProjection(NpgsqlDataSource database)
    {
        _database = database;
        Name = "Counters";
        Version = CounterTables.Version;
        IncludeType<NeverStored>();
    }

    /// <summary>The row of <c>mt_event_progression</c> that says how far the counters have folded.</summary>
    public static string ShardIdentity => ShardName.Compose("Counters", version: CounterTables.Version).Identity;

    public SubscriptionType Type => SubscriptionType.EventProjection;
    public Type ImplementationType => typeof(CounterProjection);
    public ShardName[] ShardNames() => [ShardName.Compose(Name, version: Version)];
    public SubscriptionDescriptor Describe(IEventStore store) => new(this, store);

    public IReadOnlyList<AsyncShard<IDocumentOperations, IQuerySession>> Shards() =>
        [new(Options, ShardRole.Projection, ShardName.Compose(Name, version: Version), this, this)];

    public ISubscriptionExecution BuildExecution(IEventStore<IDocumentOperations, IQuerySession> store, IEventDatabase database, ILoggerFactory loggers, ShardName shard) =>
        BuildExecution(store, database, loggers.CreateLogger<CounterProjection>(), shard);

    public ISubscriptionExecution BuildExecution(IEventStore<IDocumentOperations, IQuerySession> store, IEventDatabase database, ILogger logger, ShardName shard) =>
        new Execution(shard, Options, store, database, this, logger);

    public bool TryBuildReplayExecutor(IEventStore<IDocumentOperations, IQuerySession> store, IEventDatabase database, [NotNullWhen(true)] out IReplayExecutor? executor)
    {
        executor = null;
        return false;
    }

    public IInlineProjection<IDocumentOperations> BuildForInline() => throw new NotSupportedException("The counters are an asynchronous projection.");

    public Task ApplyAsync(IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken stop) =>
        throw new NotSupportedException("The counters fold ranges, not loaded events.");

    private sealed class Execution(ShardName shard, AsyncOptions options, IEventStore<IDocumentOperations, IQuerySession> store, IEventDatabase database,
        CounterProjection projection, ILogger logger)
        : ProjectionExecution<IDocumentOperations, IQuerySession>(shard, options, store, database, projection, logger)
    {
        /// <summary>
        /// Folds the range, chunk by chunk, and goes on trying whatever happens: the daemon would stop a shard that fails, for good. After a failure
        /// it goes on from the progress that is recorded, which tells what became of a commit that was cut off. Tables that are filled from the
        /// start of a long log are filled as a rebuild does.
        /// </summary>
        protected override async Task<IProjectionBatch> buildBatchAsync(EventRange range)
        {
            var stop = _cancellation.Token;
            var (done, failures, certain) = (range.SequenceFloor, 0, true);
            while (done < range.SequenceCeiling)
                try
                {
                    if (!certain) done = await ReadProgressAsync(stop);
                    if (done == 0 && range.SequenceCeiling > Rebuild.Worthwhile && await new Rebuild(projection._database).RunAsync(_ => { }, stop)) done = await ReadProgressAsync(stop);
                    var next = Math.Min(done + CounterShard.Chunk, range.SequenceCeiling);
                    if (done >= next) break;
                    certain = await CounterShard.Current.FoldAsync(projection._database, done, next, stop);
                    if (!certain) continue;
                    (done, failures) = (next, 0);
                    if (done < range.SequenceCeiling) await range.Agent.MarkSuccessAsync(done);
                }
                catch (Exception e) when (!stop.IsCancellationRequested)
                {
                    certain = false;
                    await RecoverAsync(e, failures++, stop);
                }
            return new NothingLeft();
        }

        private async Task<long> ReadProgressAsync(CancellationToken stop)
        {
            await using var connection = await projection._database.OpenConnectionAsync(stop);
            return await CounterShard.Current.ReadProgressAsync(connection, stop);
        }

        private async Task RecoverAsync(Exception failure, int failures, CancellationToken stop)
        {
            if (failures == 0) _logger.LogError("The counters could not be folded, which is tried again: {Reason}", failure.Message);
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(failures, 10), 2_000)), stop);
            try
            {
                await CounterShard.Current.NoteFailureAsync(projection._database, failure.Message, stop);
                if (failure is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable }) await CounterShard.Current.RestoreAsync(projection._database, stop);
            }
            catch (NpgsqlException)
            {
                // The database is away; the next try will tell.
            }
        }
    }

    /// <summary>All has been executed when the daemon asks for it, and none but folds come this way.</summary>
    private sealed class NothingLeft : IProjectionBatch
    {
        public Task ExecuteAsync(CancellationToken stop) => Task.CompletedTask;
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        public ValueTask RecordProgress(EventRange range) => throw new NotSupportedException();
        public Task PublishMessageAsync(object message, string tenantId) => throw new NotSupportedException();
        public void QuickAppendEvents(StreamAction action) => throw new NotSupportedException();
        public void QuickAppendEventWithVersion(StreamAction action, IEvent @event) => throw new NotSupportedException();
        public void UpdateStreamVersion(StreamAction action) => throw new NotSupportedException();
    }
}

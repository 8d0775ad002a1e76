using System.Diagnostics.CodeAnalysis;
using ErrorTracker.Counters;
using JasperFx.Descriptors;
using JasperFx.Events;
using JasperFx.Events.Daemon;
using JasperFx.Events.Descriptors;
using JasperFx.Events.Projections;
using JasperFx.Events.Subscriptions;
using Marten;
using Npgsql;

namespace ErrorTracker.Projections;

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
        private readonly PersistentFold _fold = new(projection._database, logger);

        /// <summary>Chunks before the last one are progress that the daemon is told of.</summary>
        protected override async Task<IProjectionBatch> buildBatchAsync(EventRange range)
        {
            await _fold.UpToAsync(range.SequenceCeiling, async done =>
            {
                if (done < range.SequenceCeiling) await range.Agent.MarkSuccessAsync(done);
            }, _cancellation.Token);
            return new NothingLeft();
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

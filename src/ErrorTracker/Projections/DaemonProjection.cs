using System.Diagnostics.CodeAnalysis;
using JasperFx.Events;
using JasperFx.Events.Daemon;
using JasperFx.Events.Descriptors;
using JasperFx.Events.Projections;
using JasperFx.Events.Subscriptions;
using Marten;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// Runs a <see cref="Projection"/> under Marten's daemon, which finds out how far the log may be read and which node
/// folds it. Its event filter names a type that is never stored, so that the daemon loads no events.
/// </summary>
internal sealed class DaemonProjection : ProjectionBase, IProjectionSource<IDocumentOperations, IQuerySession>,
    ISubscriptionFactory<IDocumentOperations, IQuerySession>, IJasperFxProjection<IDocumentOperations>
{
    private sealed record NeverStored;

    private readonly Projection _projection;
    private readonly NpgsqlDataSource _database;

    public DaemonProjection(Projection projection, NpgsqlDataSource database)
    {
        _projection = projection;
        _database = database;
        Name = projection.Name;
        Version = projection.Version;
        IncludeType<NeverStored>();
    }

    public SubscriptionType Type => SubscriptionType.EventProjection;

    public Type ImplementationType => typeof(DaemonProjection);

    public ShardName[] ShardNames() => [ShardName.Compose(Name, version: Version)];

    public SubscriptionDescriptor Describe(IEventStore store) => new(this, store);

    public IReadOnlyList<AsyncShard<IDocumentOperations, IQuerySession>> Shards() =>
        [new(Options, ShardRole.Projection, ShardName.Compose(Name, version: Version), this, this)];

    public ISubscriptionExecution BuildExecution(IEventStore<IDocumentOperations, IQuerySession> store,
        IEventDatabase database, ILoggerFactory loggers, ShardName shard) =>
        BuildExecution(store, database, loggers.CreateLogger<DaemonProjection>(), shard);

    public ISubscriptionExecution BuildExecution(IEventStore<IDocumentOperations, IQuerySession> store,
        IEventDatabase database, ILogger logger, ShardName shard) =>
        new Execution(shard, store, database, this, logger);

    public bool TryBuildReplayExecutor(IEventStore<IDocumentOperations, IQuerySession> store, IEventDatabase database,
        [NotNullWhen(true)] out IReplayExecutor? executor)
    {
        executor = null;
        return false;
    }

    public IInlineProjection<IDocumentOperations> BuildForInline() =>
        throw new NotSupportedException("It is an asynchronous projection.");

    public Task ApplyAsync(IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken stop) =>
        throw new NotSupportedException("It folds ranges of the log, not events that are loaded.");

    private sealed class Execution(ShardName shard, IEventStore<IDocumentOperations, IQuerySession> store,
        IEventDatabase database, DaemonProjection projection, ILogger logger)
        : ProjectionExecution<IDocumentOperations, IQuerySession>(
            shard, projection.Options, store, database, projection, logger)
    {
        private readonly PersistentFold _fold = new(projection._projection, projection._database, logger);

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
        public void QuickAppendEventWithVersion(StreamAction action, IEvent e) => throw new NotSupportedException();
        public void UpdateStreamVersion(StreamAction action) => throw new NotSupportedException();
    }
}

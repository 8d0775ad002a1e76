using System.Diagnostics.CodeAnalysis;
using JasperFx.Descriptors;
using JasperFx.Events;
using JasperFx.Events.Daemon;
using JasperFx.Events.Descriptors;
using JasperFx.Events.Projections;
using JasperFx.Events.Subscriptions;
using Marten;

namespace ErrorTracker.Counters;

/// <summary>
/// Runs <see cref="CounterFold"/> under Marten's daemon. The daemon supplies the ranges and records the progress in the transaction of each fold;
/// its event filter names a type that is never stored, so that it loads no events.
/// </summary>
public sealed class CounterProjection : ProjectionBase, IProjectionSource<IDocumentOperations, IQuerySession>,
    ISubscriptionFactory<IDocumentOperations, IQuerySession>, IJasperFxProjection<IDocumentOperations>
{
    private sealed record NeverStored;

    /// <summary>Events folded in one transaction: large enough to be fast, small enough to show progress and to lose little to a kill.</summary>
    public const int Chunk = 100_000;

    public CounterProjection()
    {
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
        IJasperFxProjection<IDocumentOperations> projection, ILogger logger)
        : ProjectionExecution<IDocumentOperations, IQuerySession>(shard, options, store, database, projection, logger)
    {
        private static readonly string Fold = CounterFold.Into(CounterTables.Current);

        /// <summary>A long way to catch up is gone in chunks, each its own transaction with its progress; the last is left to the daemon.</summary>
        protected override async Task<IProjectionBatch> buildBatchAsync(EventRange range)
        {
            var floor = range.SequenceFloor;
            for (; range.SequenceCeiling - floor > Chunk; floor += Chunk)
            {
                _cancellation.Token.ThrowIfCancellationRequested();
                await using var chunk = await BuildAsync(new EventRange(range.Agent, floor, floor + Chunk) { Events = [] });
                await chunk.ExecuteAsync(_cancellation.Token);
                await range.Agent.MarkSuccessAsync(floor + Chunk);
            }
            return await BuildAsync(floor == range.SequenceFloor ? range : new EventRange(range.Agent, floor, range.SequenceCeiling) { Events = [] });
        }

        private async Task<IProjectionBatch> BuildAsync(EventRange range)
        {
            var batch = await _store.StartProjectionBatchAsync(range, _database, Mode, _options, _cancellation.Token);
            var operations = batch.SessionForTenant(JasperFx.StorageConstants.DefaultTenantId);
            operations.QueueSqlCommand(CounterFold.Placeholder, CounterFold.Settings);
            operations.QueueSqlCommand(CounterFold.Placeholder, Fold, range.SequenceFloor, range.SequenceCeiling);
            return batch;
        }
    }
}

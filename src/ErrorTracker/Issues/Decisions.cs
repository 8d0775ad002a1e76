using ErrorTracker.Http;
using ErrorTracker.Log;
using JasperFx;
using JasperFx.Events;
using Marten;
using Npgsql;

namespace ErrorTracker.Issues;

/// <summary>
/// Makes the decisions of people: it reads the stream of the application, lets a pure function decide, and appends the
/// event together with the rows that follow of it, in one transaction. It costs as much however many events the issues
/// have. Of two that decide at the same moment, one is refused.
/// </summary>
public sealed class Decisions(IDocumentStore store, TimeProvider clock) : IDisposable
{
    /// <summary>The connections that decisions are made with are those that must never all be taken.</summary>
    private const int MostAtOnce = 2;

    private readonly SemaphoreSlim _turns = new(MostAtOnce);

    /// <summary>Who gives a command, and that it is now.</summary>
    public Stamp Stamp(HttpContext http, Guid? command, long? seenThrough) =>
        new(Actor.Of(http.User), Instant.Now(clock), command, seenThrough);

    /// <param name="application">Whose issues they are.</param>
    /// <param name="command">The sender's id; null if it gave none.</param>
    /// <param name="decide">Pure: what the command comes to.</param>
    /// <param name="isSame">Whether a decision is what the same command came to before.</param>
    /// <param name="stop">Cuts it off.</param>
    internal async Task<Decision<T>> MakeAsync<T>(
        int application, Guid? command, Func<IssueMerges, Decision<T>> decide, Func<T, bool> isSame,
        CancellationToken stop)
        where T : class, IDecision
    {
        await _turns.WaitAsync(stop);
        try
        {
            return await TryMakeAsync(application, command, decide, isSame, stop)
                ?? await FindAsync(application, command, isSame, stop)
                ?? DecisionRefusal.Outrun;
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Null if somebody else was faster.</summary>
    private async Task<Decision<T>?> TryMakeAsync<T>(
        int application, Guid? command, Func<IssueMerges, Decision<T>> decide, Func<T, bool> isSame,
        CancellationToken stop)
        where T : class, IDecision
    {
        if (await FindAsync(application, command, isSame, stop) is { } made) return made;
        await using var session = store.LightweightSession(TenantId.Of(application));
        var stream = await session.Events.FetchForWriting<IssueMerges>(DecisionStream.Of(application), stop);
        var merges = stream.Aggregate ?? IssueMerges.None;
        var decision = decide(merges);
        if (decision.Event is not { IsVoid: false } decided)
            // The same command may have been done meanwhile, at another node: then it has itself in its way.
            return await FindAsync(application, command, isSame, stop) ?? decision;

        stream.AppendOne(new Event<T>(decided) { Id = EventId(application, command), Timestamp = decided.At });
        MemberRows.Write(session, merges.After(decided), merges.TouchedBy(decided));
        try
        {
            await session.SaveChangesAsync(stop);
            return decision;
        }
        catch (Exception e) when (IsLostRace(e))
        {
            return null;
        }
    }

    /// <summary>What the command came to when it was sent before; null if it never was.</summary>
    private async Task<Decision<T>?> FindAsync<T>(
        int application, Guid? command, Func<T, bool> isSame, CancellationToken stop)
        where T : class, IDecision
    {
        if (command is not { } id) return null;
        await using var session = store.QuerySession(TenantId.Of(application));
        var stored = await session.Events.LoadAsync(DecisionStream.EventOf(application, id), stop);
        if (stored is null) return null;
        return stored.Data is T made && isSame(made) ? made : DecisionRefusal.OtherCommand;
    }

    private static Guid EventId(int application, Guid? command) =>
        command is { } id ? DecisionStream.EventOf(application, id) : Guid.CreateVersion7();

    private static bool IsLostRace(Exception failure) =>
        failure is ConcurrencyException or Marten.Exceptions.ExistingStreamIdCollisionException
            || failure.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    public void Dispose() => _turns.Dispose();
}

using System.Collections.Concurrent;
using ErrorTracker.Background;
using ErrorTracker.Http;
using Marten;
using Npgsql;

namespace ErrorTracker.Applications;

/// <summary>
/// Which keys open which application. Keys that were looked up are kept, so that a request costs no trip to the
/// database; a key that is not among them is looked up, so that a new one opens at once on every node. Each second the
/// database is asked which of the kept keys are still valid. What it has not confirmed for two seconds, because it is
/// away or because this node was paused, is looked up again before it opens.
/// </summary>
public sealed class KeyRing(IDocumentStore store, TimeProvider clock, ILogger<KeyRing> log) : EachSecond(log)
{
    private const int LookUpsAtOnce = 2, SecondsBetweenWrites = 10;

    /// <summary>So long a key opens without being confirmed.</summary>
    private static readonly TimeSpan Trust = TimeSpan.FromSeconds(2);

    /// <summary>Keys that were not used for so long are forgotten: they need not be confirmed.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(1);

    /// <summary>So long the look-up of a key that opened before is tried again while the database is away.</summary>
    private static readonly TimeSpan LookUpTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<int, KnownKeys> _known = new();
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _uses = new();
    private readonly SemaphoreSlim _lookUps = new(LookUpsAtOnce);
    private long _confirmedAt = clock.GetTimestamp();

    /// <param name="Keys">That open an application.</param>
    /// <param name="LookedUpAt">On the clock's timestamps.</param>
    private sealed record KnownKeys(KeyInUse[] Keys, long LookedUpAt);

    /// <summary>An unknown application and a wrong key cost the same.</summary>
    public ValueTask<bool> OpensAsync(int application, string key, CancellationToken stop)
    {
        var found = Find(application, key, out var isTrusted);
        if (found is not null && isTrusted) return new(Use(found));
        return LookUpAsync(application, key, wasKnown: found is not null, stop);
    }

    public void Close(int application, Guid key)
    {
        if (!_known.TryGetValue(application, out var known)) return;
        NoteUses(known.Keys);
        var others = known with { Keys = [.. known.Keys.Where(open => open.Id != key)] };
        _known.TryUpdate(application, others, known);
    }

    private KeyInUse? Find(int application, string key, out bool isTrusted)
    {
        isTrusted = false;
        if (!_known.TryGetValue(application, out var known)) return null;
        var asOf = Math.Max(Volatile.Read(ref _confirmedAt), known.LookedUpAt);
        isTrusted = clock.GetElapsedTime(asOf) < Trust;
        return KeySecret.Find(key, known.Keys);
    }

    private void NoteUses(IEnumerable<KeyInUse> keys)
    {
        foreach (var key in keys)
            if (key.TakeUse() is { } at) _uses[key.Id] = at;
    }

    private bool Use(KeyInUse? key)
    {
        key?.Use(Instant.Now(clock));
        return key is not null;
    }

    private async ValueTask<bool> LookUpAsync(int application, string key, bool wasKnown, CancellationToken stop)
    {
        var started = clock.GetTimestamp();
        if (!await _lookUps.WaitAsync(LookUpTimeout, stop)) throw new NpgsqlException("Keys could not be looked up in time.");
        try
        {
            while (true)
                try
                {
                    if (Find(application, key, out var isTrusted) is { } found && isTrusted) return Use(found);
                    return Use(KeySecret.Find(key, await LookUpAsync(application, stop)));
                }
                catch (NpgsqlException e) when (wasKnown && e.IsTransient && clock.GetElapsedTime(started) < LookUpTimeout)
                {
                    await Task.Delay(RetryPause, stop); // what opened a moment ago waits for the database, as its event would
                }
        }
        finally
        {
            _lookUps.Release();
        }
    }

    private async Task<KeyInUse[]> LookUpAsync(int application, CancellationToken stop)
    {
        var started = clock.GetTimestamp();
        await using var session = store.QuerySession();
        var found = await session.Query<IngestKey>()
            .Where(key => key.ApplicationId == application && key.RevokedAt == null)
            .ToListAsync(stop);
        KeyInUse[] keys = [.. found.Select(key => new KeyInUse(key.Id, key.Hash))];
        if (_known.TryGetValue(application, out var former)) NoteUses(former.Keys);
        if (keys.Length > 0) _known[application] = new(keys, started);
        else _known.TryRemove(application, out _);
        return keys;
    }

    protected override async Task DoAsync(long second, CancellationToken stop)
    {
        ForgetIdle();
        await ConfirmAsync(stop);
        if (second % SecondsBetweenWrites == 0) await WriteUsesAsync(stop);
    }

    protected override Task FinishAsync(CancellationToken stop) => WriteUsesAsync(stop);

    private void ForgetIdle()
    {
        var idleSince = Instant.Now(clock) - Idle;
        foreach (var (application, known) in _known)
            if (known.Keys.All(key => key.UsedAt < idleSince) && clock.GetElapsedTime(known.LookedUpAt) > Idle)
            {
                NoteUses(known.Keys);
                _known.TryRemove(new(application, known));
            }
    }

    /// <summary>Closes those of the kept keys that are valid no more.</summary>
    private async Task ConfirmAsync(CancellationToken stop)
    {
        var started = clock.GetTimestamp();
        var owners = new Dictionary<Guid, int>();
        foreach (var (application, known) in _known)
            foreach (var key in known.Keys) owners[key.Id] = application;
        if (owners.Count > 0)
        {
            var valid = await ValidAsync([.. owners.Keys], stop);
            foreach (var key in owners.Keys.Except(valid)) Close(owners[key], key);
        }
        Volatile.Write(ref _confirmedAt, started);
    }

    private async Task<IReadOnlyList<Guid>> ValidAsync(Guid[] keys, CancellationToken stop)
    {
        await using var session = store.QuerySession();
        return await session.Query<IngestKey>()
            .Where(key => key.Id.IsOneOf(keys) && key.RevokedAt == null)
            .Select(key => key.Id)
            .ToListAsync(stop);
    }

    /// <summary>A use that another node has noted stays if it is later.</summary>
    private async Task WriteUsesAsync(CancellationToken stop)
    {
        NoteUses(_known.Values.SelectMany(known => known.Keys));
        var uses = _uses.ToArray();
        if (uses.Length == 0) return;

        await using var session = store.LightweightSession();
        // Wolverine listens to commits, and is gone when a host that stops writes its last uses.
        session.Listeners.Clear();
        var noted = (await session.LoadManyAsync<IngestKeyUse>(stop, uses.Select(use => use.Key)))
            .ToDictionary(use => use.Id, use => use.LastUsedAt);
        session.Store(uses
            .Where(use => use.Value > noted.GetValueOrDefault(use.Key))
            .Select(use => new IngestKeyUse(use.Key, use.Value)));
        await session.SaveChangesAsync(stop);
        foreach (var use in uses) _uses.TryRemove(use);
    }
}

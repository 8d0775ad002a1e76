using System.Collections.Concurrent;
using ErrorTracker.Background;
using ErrorTracker.Http;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Applications;

/// <summary>
/// Which keys open which application. Keys that were looked up are kept, so that a request costs no trip to the
/// database; a key that is not among them is looked up, so that a new one opens at once on every node. Each second the
/// database is asked which of the kept keys are still valid. What it has not confirmed for two seconds, because it is
/// away or because this node was paused, is looked up again before it opens.
/// </summary>
public sealed class KeyRing : EachSecond
{
    private const int LookUpsAtOnce = 2, SecondsBetweenWrites = 10;

    /// <summary>So long a key opens without being confirmed.</summary>
    private static readonly TimeSpan Trust = TimeSpan.FromSeconds(2);

    /// <summary>Keys that were not used for so long are forgotten: they need not be confirmed.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(1);

    /// <summary>So long the look-up of a key that opened before is tried again while the database is away.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), Pause = TimeSpan.FromMilliseconds(100);

    private readonly NpgsqlDataSource _database;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<int, KnownKeys> _known = new();
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _uses = new();
    private readonly SemaphoreSlim _lookUps = new(LookUpsAtOnce);
    private long _confirmedAt;

    /// <param name="Keys">That open an application.</param>
    /// <param name="LookedUpAt">On the clock's timestamps.</param>
    private sealed record KnownKeys(IngestKeyInUse[] Keys, long LookedUpAt);

    public KeyRing(LogDatabases databases, TimeProvider clock, ILogger<KeyRing> log) : base(log)
    {
        (_database, _clock) = (databases.Main.Reserved, clock);
        _confirmedAt = clock.GetTimestamp();
    }

    /// <summary>An unknown application and a wrong key cost the same.</summary>
    public ValueTask<bool> OpensAsync(int application, string key, CancellationToken stop)
    {
        var found = Find(application, key, out var isTrusted);
        return found is not null && isTrusted ? new(Use(found)) : LookUpAsync(application, key, wasKnown: found is not null, stop);
    }

    public void Close(int application, Guid key)
    {
        if (!_known.TryGetValue(application, out var known)) return;
        NoteUses(known.Keys);
        _known.TryUpdate(application, known with { Keys = [.. known.Keys.Where(open => open.Id != key)] }, known);
    }

    private IngestKeyInUse? Find(int application, string key, out bool isTrusted)
    {
        isTrusted = _known.TryGetValue(application, out var known)
            && _clock.GetElapsedTime(Math.Max(Volatile.Read(ref _confirmedAt), known.LookedUpAt)) < Trust;
        return known is null ? null : IngestKey.Find(key, known.Keys);
    }

    private void NoteUses(IEnumerable<IngestKeyInUse> keys)
    {
        foreach (var key in keys)
            if (key.TakeUse() is { } at) _uses[key.Id] = at;
    }

    private bool Use(IngestKeyInUse? key)
    {
        key?.Use(Instant.Now(_clock));
        return key is not null;
    }

    private async ValueTask<bool> LookUpAsync(int application, string key, bool wasKnown, CancellationToken stop)
    {
        var started = _clock.GetTimestamp();
        if (!await _lookUps.WaitAsync(Patience, stop)) throw new NpgsqlException("Keys could not be looked up in time.");
        try
        {
            while (true)
                try
                {
                    if (Find(application, key, out var isTrusted) is { } found && isTrusted) return Use(found);
                    return Use(IngestKey.Find(key, await LookUpAsync(application, stop)));
                }
                catch (NpgsqlException e) when (wasKnown && e.IsTransient && _clock.GetElapsedTime(started) < Patience)
                {
                    await Task.Delay(Pause, stop); // what opened a moment ago waits for the database, as its event would
                }
        }
        finally
        {
            _lookUps.Release();
        }
    }

    private async Task<IngestKeyInUse[]> LookUpAsync(int application, CancellationToken stop)
    {
        var started = _clock.GetTimestamp();
        await using var command = _database.CreateCommand(
            $"select k.id, k.hash from {KeyTable.Name} as k where k.application_id = $1 and k.revoked_at is null");
        command.Parameters.Add(new() { Value = application });
        await using var reader = await command.ExecuteReaderAsync(stop);
        var keys = new List<IngestKeyInUse>();
        while (await reader.ReadAsync(stop)) keys.Add(new(reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)));
        if (_known.TryGetValue(application, out var former)) NoteUses(former.Keys);
        if (keys.Count > 0) _known[application] = new([.. keys], started);
        else _known.TryRemove(application, out _);
        return [.. keys];
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
        var idleSince = Instant.Now(_clock) - Idle;
        foreach (var (application, known) in _known)
            if (known.Keys.All(key => key.UsedAt < idleSince) && _clock.GetElapsedTime(known.LookedUpAt) > Idle)
            {
                NoteUses(known.Keys);
                _known.TryRemove(new(application, known));
            }
    }

    /// <summary>Closes those of the kept keys that are valid no more.</summary>
    private async Task ConfirmAsync(CancellationToken stop)
    {
        var (started, owners) = (_clock.GetTimestamp(), new Dictionary<Guid, int>());
        foreach (var (application, known) in _known)
            foreach (var key in known.Keys) owners[key.Id] = application;
        if (owners.Count > 0)
        {
            await using var command = _database.CreateCommand(
                $"""
                select known.id from unnest($1) as known(id)
                where not exists (select from {KeyTable.Name} as k where k.id = known.id and k.revoked_at is null)
                """);
            command.Parameters.Add(new() { Value = owners.Keys.ToArray() });
            await using var reader = await command.ExecuteReaderAsync(stop);
            while (await reader.ReadAsync(stop)) Close(owners[reader.GetGuid(0)], reader.GetGuid(0));
        }
        Volatile.Write(ref _confirmedAt, started);
    }

    private async Task WriteUsesAsync(CancellationToken stop)
    {
        NoteUses(_known.Values.SelectMany(known => known.Keys));
        var uses = _uses.ToArray();
        if (uses.Length == 0) return;
        await using var command = _database.CreateCommand(
            $"""
            update {KeyTable.Name} as kept set last_used_at = greatest(kept.last_used_at, used.at)
            from unnest($1, $2) as used(id, at) where kept.id = used.id
            """);
        command.Parameters.Add(new() { Value = uses.Select(use => use.Key).ToArray() });
        command.Parameters.Add(new() { Value = uses.Select(use => use.Value).ToArray() });
        await command.ExecuteNonQueryAsync(stop);
        foreach (var use in uses) _uses.TryRemove(use);
    }
}

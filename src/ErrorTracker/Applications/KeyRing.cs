using System.Collections.Concurrent;
using ErrorTracker.Http;
using Npgsql;

namespace ErrorTracker.Applications;

/// <summary>
/// Which keys open which application. Those that were found once are kept, so that a request costs no trip to the database; a key that is not among
/// them is looked up, so that a new one opens at once on every node. One that is deleted is closed at once on this node, and on the others when they
/// next look: within a second or two.
/// </summary>
public sealed class KeyRing(NpgsqlDataSource database, TimeProvider clock, ILogger<KeyRing> log) : EachSecond(log)
{
    private const int LookUpsAtOnce = 2, SecondsBetweenWrites = 10;

    private readonly ConcurrentDictionary<int, IngestKeyInUse[]> _known = new();
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _uses = new();
    private readonly SemaphoreSlim _lookUps = new(LookUpsAtOnce);

    /// <summary>An unknown application and a wrong key cost the same.</summary>
    public ValueTask<bool> OpensAsync(int application, string key, CancellationToken stop) =>
        _known.TryGetValue(application, out var keys) && Uses(key, keys) ? new(true) : LookUpAsync(application, key, stop);

    public void Close(int application, Guid key)
    {
        if (!_known.TryGetValue(application, out var keys)) return;
        NoteUses(keys);
        _known.TryUpdate(application, [.. keys.Where(open => open.Id != key)], keys);
    }

    private void NoteUses(IEnumerable<IngestKeyInUse> keys)
    {
        foreach (var key in keys)
            if (key.TakeUse() is { } at) _uses[key.Id] = at;
    }

    private bool Uses(string key, IngestKeyInUse[] keys)
    {
        var found = IngestKey.Find(key, keys);
        found?.Use(Instant.Now(clock));
        return found is not null;
    }

    private async ValueTask<bool> LookUpAsync(int application, string key, CancellationToken stop)
    {
        await _lookUps.WaitAsync(stop);
        try
        {
            await using var command = database.CreateCommand($"select id, hash from {KeyTable.Name} where application_id = $1 and revoked_at is null");
            command.Parameters.Add(new() { Value = application });
            await using var reader = await command.ExecuteReaderAsync(stop);
            var keys = new List<IngestKeyInUse>();
            while (await reader.ReadAsync(stop)) keys.Add(new(reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)));
            if (keys.Count > 0) _known[application] = [.. keys];
            return Uses(key, [.. keys]);
        }
        finally
        {
            _lookUps.Release();
        }
    }

    protected override async Task DoAsync(long second, CancellationToken stop)
    {
        await CloseRevokedAsync(stop);
        if (second % SecondsBetweenWrites == 0) await WriteUsesAsync(stop);
    }

    protected override Task FinishAsync(CancellationToken stop) => WriteUsesAsync(stop);

    /// <summary>Looks back further than to the last look: a change is seen only when it is committed, and a key may have been looked up just before.</summary>
    private async Task CloseRevokedAsync(CancellationToken stop)
    {
        await using var command = database.CreateCommand($"select application_id, id from {KeyTable.Name} where revoked_at > now() - interval '15 seconds'");
        await using var reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop)) Close(reader.GetInt32(0), reader.GetGuid(1));
    }

    private async Task WriteUsesAsync(CancellationToken stop)
    {
        NoteUses(_known.Values.SelectMany(keys => keys));
        var uses = _uses.ToArray();
        if (uses.Length == 0) return;
        await using var command = database.CreateCommand(
            $"update {KeyTable.Name} as kept set last_used_at = greatest(last_used_at, used.at) from unnest($1, $2) as used(id, at) where kept.id = used.id");
        command.Parameters.Add(new() { Value = uses.Select(use => use.Key).ToArray() });
        command.Parameters.Add(new() { Value = uses.Select(use => use.Value).ToArray() });
        await command.ExecuteNonQueryAsync(stop);
        foreach (var use in uses) _uses.TryRemove(use);
    }
}

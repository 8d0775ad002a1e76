using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>
/// The group keys of all events of a range, made again from the events: a temporary table <c>recounted_keys</c> for the
/// proof. None is taken from what is stored.
/// </summary>
internal static class RecountedKeys
{
    private const int AtOnce = 5_000;

    private const string Open =
        $"""
        create temporary table recounted_keys (seq_id bigint, grouping integer, group_key text)
        on commit drop;
        declare recounted no scroll cursor for
          select e.seq_id, e.tenant_id, e.data::text
          from {LogSchema.Name}.mt_events as e
          where e.seq_id <= $1 and e.type = 'error_occurred'
            and e.timestamp >= '0001-01-01 00:00Z' and e.timestamp < '9999-12-01 00:00Z'
            and ($2 is null or e.timestamp >= $2) and ($3 is null or e.timestamp < $3)
        """;

    public static async Task MakeAsync(NpgsqlConnection connection, RecountedRange range, CancellationToken stop)
    {
        var rules = await AdoptedRules.ReadAsync(connection, stop);
        await OpenAsync(connection, range, stop);
        while (true)
        {
            var (sequences, groupings, keys) = (new List<long>(), new List<int>(), new List<string>());
            await using (var fetch = new NpgsqlCommand($"fetch {AtOnce} from recounted", connection))
            await using (var row = await fetch.ExecuteReaderAsync(stop))
                while (await row.ReadAsync(stop))
                {
                    var own = rules.GetValueOrDefault(TenantId.Parse(row.GetString(1)), RuleSet.BuiltIn);
                    sequences.Add(row.GetInt64(0));
                    groupings.Add(own.Grouping);
                    keys.Add(GroupKey.OfStored(row.GetFieldValue<byte[]>(2), own.Rules));
                }
            if (sequences.Count == 0) break;
            await using var insert = new NpgsqlCommand(
                "insert into recounted_keys select * from unnest($1, $2, $3)", connection)
            {
                Parameters =
                {
                    new() { Value = sequences.ToArray() },
                    new() { Value = groupings.ToArray() },
                    new() { Value = keys.ToArray() },
                },
            };
            await insert.ExecuteNonQueryAsync(stop);
        }
        await using var close = new NpgsqlCommand("close recounted; analyze recounted_keys", connection);
        await close.ExecuteNonQueryAsync(stop);
    }

    /// <summary>A cursor takes no parameters.</summary>
    private static async Task OpenAsync(NpgsqlConnection connection, RecountedRange range, CancellationToken stop)
    {
        var sql = Open.Replace("$1", $"{range.Folded}").Replace("$2", Literal(range.Since))
            .Replace("$3", Literal(range.Until));
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(stop);
    }

    private static string Literal(DateTimeOffset? time) =>
        time is { } given ? $"timestamptz '{given.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}Z'" : "null::timestamptz";
}

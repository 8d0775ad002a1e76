using System.Text.RegularExpressions;
using ErrorTracker.Grouping;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>
/// The keys, by some rules, of what events' keys are made of: most events of a log have it in common with others, so one
/// of them is read and the others are told by its mark, 64 bits that PostgreSQL makes of it in a fraction of the time in
/// which it writes an event as text. Marks have a secret seed, so no sender can make two meet.
/// </summary>
internal sealed partial class KeySources
{
    /// <summary>Marks that are known at once; beyond, all are learnt anew.</summary>
    private const int Most = 500_000;

    /// <summary>Events that are read in one trip.</summary>
    private const int ReadAtOnce = 500;

    private static readonly string[]
        Always = ["stack", "message", "level", "context,fingerprint", "context,platform", "context,logentry"],
        Others = ["context,release", "context,environment", "context,logger", "context,transaction"];

    private readonly GroupingRules _rules;
    private readonly Dictionary<long, string> _keys = [];
    private readonly long _seed = Random.Shared.NextInt64();
    private readonly string[][] _asked;

    public KeySources(GroupingRules rules)
    {
        _rules = rules;
        var named = rules.Fingerprints.SelectMany(rule =>
            rule.Match.Keys.Concat(rule.Parts.SelectMany(part => Variable().Matches(part).Select(it => it.Groups[1].Value))));
        _asked = [.. named.Distinct().Select(PathOf).OfType<string[]>()];
    }

    /// <summary>
    /// SQL: the mark of an event. What only an SDK's own fingerprint may ask for is part of it where there is one.
    /// </summary>
    /// <param name="data">As SQL.</param>
    public string MarkOf(string data)
    {
        var asked = Enumerable.Range(0, _asked.Length).Select(i => $", {data} #> @asked_{i}");
        return
            $"""
            hash_record_extended(row({string.Join(", ", Always.Select(path => $"{data} #> '{{{path}}}'"))}
              {string.Concat(asked)},
              case when {data} #> '{"{context,fingerprint}"}' is not null then jsonb_build_array({data} -> 'tags',
                {string.Join(", ", Others.Select(path => $"{data} #> '{{{path}}}'"))}) end), @seed)
            """;
    }

    public void AddTo(NpgsqlParameterCollection parameters)
    {
        parameters.AddWithValue("seed", _seed);
        for (var i = 0; i < _asked.Length; i++) parameters.AddWithValue($"asked_{i}", _asked[i]);
    }

    public string KeyOf(long mark)
    {
        lock (_keys) return _keys[mark];
    }

    /// <summary>Between two ranges: memory is bounded, however different all events are.</summary>
    public void Trim()
    {
        if (_keys.Count > Most) _keys.Clear();
    }

    /// <summary>Reads an event of each mark that is not known.</summary>
    /// <param name="connection">To read with.</param>
    /// <param name="found">Marks, and the sequence number of an event that has each.</param>
    /// <param name="stop">Cuts it off.</param>
    public async Task LearnAsync(
        NpgsqlConnection connection, List<(long Mark, long Sequence)> found, CancellationToken stop)
    {
        List<(long Mark, long Sequence)> unknown;
        lock (_keys)
            unknown = [.. found.Where(source => !_keys.ContainsKey(source.Mark)).DistinctBy(source => source.Mark)];
        foreach (var part in unknown.Chunk(ReadAtOnce))
        {
            var marks = part.ToDictionary(source => source.Sequence, source => source.Mark);
            await using var command = new NpgsqlCommand(
                $"select e.seq_id, e.data::text from {LogSchema.Name}.mt_events as e where e.seq_id = any($1)", connection)
            {
                CommandTimeout = 0,
                Parameters = { new() { Value = marks.Keys.ToArray() } },
            };
            await using var row = await command.ExecuteReaderAsync(stop);
            while (await row.ReadAsync(stop))
            {
                var key = GroupKey.OfStored(row.GetFieldValue<byte[]>(1), _rules);
                lock (_keys) _keys[marks[row.GetInt64(0)]] = key;
            }
        }
    }

    /// <summary>Where an event has what a rule names; null for what is always part of a mark.</summary>
    private static string[]? PathOf(string name) => name switch
    {
        "release" or "environment" or "logger" or "transaction" => ["context", name],
        _ when name.StartsWith("tags.", StringComparison.Ordinal) => ["tags", name["tags.".Length..]],
        _ => null,
    };

    [GeneratedRegex(@"\{\{\s*([^{}\s]+)\s*\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex Variable();
}

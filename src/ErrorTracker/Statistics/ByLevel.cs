using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>How many events of each level a window holds, the most frequent first. Levels without events are left out.</summary>
/// <param name="Since" example="2026-01-01T00:00:00Z">Start of the window, part of it.</param>
/// <param name="Until" example="2026-02-01T00:00:00Z">End of the window, not part of it.</param>
public sealed record LevelCounts(DateTimeOffset Since, DateTimeOffset Until, IReadOnlyList<LevelCount> Items);

/// <summary>A level and its events.</summary>
/// <param name="Level" example="ERROR">DEBUG, INFO, WARNING, ERROR or CRITICAL.</param>
/// <param name="Count" example="40">Events.</param>
public sealed record LevelCount(string Level, long Count);

public static class ByLevel
{
    internal static readonly string Sql =
        $"""
        select level, sum(n)::bigint from (
          select level, n from {Snapshot.Counted("level, count as n", CounterTables.Current.Levels)}
          union all
          select level, 1 from {Snapshot.Loose($"{LogRow.Level} as level")}) as parts
        group by level order by 2 desc, 1
        """;

    /// <summary>Events of a window by level.</summary>
    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    [WolverineGet("/apps/{app_id}/stats/by-level", OperationId = "CountByLevel")]
    [ProducesResponseType<LevelCounts>(200), Refuses(400, 404)]
    public static async Task<IResult> Get(string app_id, string? since, string? until, FieldErrors errors,
        ApplicationDirectory applications, Snapshot snapshot, CancellationToken stop)
    {
        var window = Window.Parse(since, until, errors);
        if (errors.Count > 0) return Refusal.Invalid(errors);
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;

        var items = await snapshot.QueryAsync(Sql, new Question(application!.Id, window, Step.OfLevels),
            row => new LevelCount(row.GetString(0), row.GetInt64(1)), stop);
        return Results.Ok(new LevelCounts(window.Since, window.Until, items));
    }
}

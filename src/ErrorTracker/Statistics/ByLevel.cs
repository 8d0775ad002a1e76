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

/// <summary>
/// Statistics answer how many events lie in a window. Each question has one file: its answer, its SQL, and the endpoint as
/// Validate, Load and Get; pages, alerts and reports ask <c>CountAsync</c> of a snapshot. The room may use Windows and
/// those below it. This is its simplest file: begin here.
/// </summary>
public static class ByLevel
{
    internal static readonly string Sql = SqlOf(CounterTables.Current.Levels, Scope.All);

    private static readonly string SqlOfIssue = SqlOf(CounterTables.Current.GroupCounts, Scope.OneIssue);

    private static string SqlOf(string table, Scope scope) =>
        $"""
        select parts.level, sum(parts.n)::bigint from (
          select level, n from {WindowSql.Counted("level, count as n", table, scope)}
          union all
          select level, 1 from {WindowSql.Loose($"{LogRow.Level} as level", scope)}) as parts
        group by parts.level order by 2 desc, 1
        """;

    /// <param name="Window">Half-open.</param>
    /// <param name="Issue">Only events of this issue; null: of all.</param>
    public sealed record Request(Window Window, int? Issue);

    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    /// <param name="issue">Only events of the issue of this number.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(
        string? since, string? until, string? issue, FieldErrors errors)
    {
        var request = new Request(Window.Parse(since, until, errors), IssueNumber.Optional(issue, errors));
        return (request, errors.OrNone());
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>Events of a window by level.</summary>
    [WolverineGet("/apps/{app_id}/stats/by-level", OperationId = "GetLevelCounts")]
    [ProducesResponseType<LevelCounts>(200), Refuses(400, 404)]
    public static async Task<LevelCounts> Get(
        Application application, Request request, Snapshots snapshots, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        var issue = await view.FindIssueAsync(request.Issue, stop);
        var window = request.Window;
        return new(window.Since, window.Until, await CountAsync(view, application.Id, window, issue, stop));
    }

    internal static Task<List<LevelCount>> CountAsync(
        Snapshot view, int applicationId, Window window, IssueGroups? issue, CancellationToken stop)
    {
        var question = new Question(applicationId, window, issue is null ? Step.OfLevels : Step.OfGroups)
        {
            Issue = issue,
        };
        return view.QueryAsync(
            issue is null ? Sql : SqlOfIssue, question,
            row => new LevelCount(row.GetString(0), row.GetInt64(1)), stop);
    }
}

using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>The releases that events name, the newest first.</summary>
/// <param name="Limit" example="20">As asked for.</param>
public sealed record SeenReleases(int Limit, IReadOnlyList<SeenRelease> Items);

/// <summary>A release and its events.</summary>
/// <param name="Release" example="2.4.1">As events name it.</param>
/// <param name="FirstSeen" example="2026-01-30T08:00:01.5Z">The earliest received_at of its events.</param>
/// <param name="LastSeen" example="2026-01-31T12:34:57.012345Z">The latest received_at of its events.</param>
/// <param name="Count" example="4711">Its events.</param>
public sealed record SeenRelease(string Release, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, long Count);

public static class ListReleases
{
    private const int Most = 100;

    /// <summary>Releases of closed minutes, of open ones, and of the tail.</summary>
    private static readonly string Sql =
        $"""
        select parts.release, min(parts.first_seen), max(parts.last_seen), sum(parts.n)::bigint
        from (
          select r.release, r.first_seen, r.last_seen, r.count as n from {CounterTables.Current.Releases} as r
          where r.tenant_id = @tenant and @folded > 0
          union all
          select m.release, m.first_seen, m.last_seen, m.count
          from {CounterTables.Current.OpenBuckets} as b
          join {CounterTables.Current.OpenMinutes} as m on m.bucket = b.bucket
          where m.tenant_id = @tenant and @folded > 0
          union all
          select {Scope.ReleaseOfLog}, log.timestamp, log.timestamp, 1 from {LogSchema.Name}.mt_events as log
          where log.seq_id > @folded and log.tenant_id = @tenant and {LogRow.IsError}) as parts
        where parts.release <> ''
        group by parts.release
        order by 2 desc, 1 desc
        limit @limit
        """;

    /// <param name="Limit">So many at most.</param>
    public sealed record Request(int Limit);

    /// <param name="limit">1 to 100; 20 if absent.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(string? limit, FieldErrors errors) =>
        (new(Number.Optional("limit", limit, otherwise: 20, least: 1, Most, errors)), errors.OrNone());

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>The releases that an application's events name, the newest first.</summary>
    [WolverineGet("/apps/{app_id}/releases", OperationId = "ListReleases")]
    [ProducesResponseType<SeenReleases>(200), Refuses(400, 404)]
    public static async Task<SeenReleases> Get(
        Application application, Request request, Snapshots snapshots, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        await view.ReadWholeTailAsync(stop);
        var question = new Question(
            application.Id, Window.Everything, ladder: [], level: null, ("limit", request.Limit));
        var items = await view.QueryAsync(Sql, question, row => new SeenRelease(
            row.GetString(0), row.GetFieldValue<DateTimeOffset>(1), row.GetFieldValue<DateTimeOffset>(2),
            row.GetInt64(3)), stop);
        return new(request.Limit, items);
    }
}

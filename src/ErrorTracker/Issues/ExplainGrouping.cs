using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Grouping;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Issues;

/// <summary>Why an event belongs to its issue.</summary>
/// <param name="Issue" example="7">The issue's number; null for a moment, until nothing before its first event is still
/// being written.</param>
/// <param name="Key" example="x2Vd1nq9SmyQk0l3bJ7w5A">Events with the same key are the same error.</param>
/// <param name="Version" example="g1">The rule that made the key; with the application's own rules `g1.` and how often
/// they were changed.</param>
/// <param name="Method" example="stack">What of the event was decisive.</param>
/// <param name="Parts">What the key was made of, in order.</param>
/// <param name="Template" example="Order &lt;n&gt; failed">The text without what varies; null if it has none.</param>
public sealed record GroupingExplained(
    int? Issue, string Key, string Version, string Method, IReadOnlyList<string> Parts, string? Template);

public static class ExplainGrouping
{
    private static readonly string
        EventSql =
            $"""
            select log.data::text from {LogSchema.Name}.mt_events as log
            where log.tenant_id = @tenant and {LogRow.IsError} and log.id in (@id, @named)
            order by log.id = @id desc limit 1
            """,
        IssueSql =
            $"""
            select {IssueMembers.IssueOf("@tenant", "found.number")}
            from (select {IssueGroups.NumberOf("@key")} as number) as found
            where found.number is not null
            """;

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>Why an event belongs to its issue. The event is found by its id or by its sender's event_id.</summary>
    [WolverineGet("/apps/{app_id}/events/{id}/grouping", OperationId = "GetEventGrouping")]
    [ProducesResponseType<GroupingExplained>(200), Refuses(400, 404)]
    public static async Task<IResult> Get(
        Application application, string id, Snapshots snapshots, CancellationToken stop)
    {
        if (EventIds.Parse(id) is not { } parsed) return NoSuchEvent;
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        await view.ReadWholeTailAsync(stop);
        var ids = Ask(application.Id, ("id", parsed), ("named", PendingEvent.IdOf(application.Id, parsed)));
        var found = await view.QueryAsync(EventSql, ids, row => row.GetFieldValue<byte[]>(0), stop);
        if (found is not [var stored]) return NoSuchEvent;

        var why = GroupKey.ExplainStored(stored, view.Rules.Rules);
        var key = Ask(application.Id, ("key", why.Key));
        var issue = await view.QueryAsync(IssueSql, key, row => row.GetInt32(0), stop);
        return Results.Ok(new GroupingExplained(
            issue is [var number] ? number : null, why.Key, view.Rules.Label, why.Method, why.Parts, why.Template));
    }

    private static IResult NoSuchEvent => Refusal.NotFound("There is no such event.");

    private static Question Ask(int applicationId, params (string Name, object Value)[] more) =>
        new(applicationId, Window.Everything, ladder: [], level: null, more);
}

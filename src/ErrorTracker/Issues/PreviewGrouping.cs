using ErrorTracker.Applications;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Issues;

public static class PreviewGrouping
{
    private const string Example =
        """
        {"rules": {"fingerprints": [{"match": {"message": "*timeout*"}, "parts": ["timeout", "{{ default }}"]}]}}
        """;

    /// <param name="http">Whose body it is.</param>
    /// <param name="errors">Gets each fault.</param>
    /// <param name="stop">Cuts it off.</param>
    public static Task<(SentGrouping?, ProblemDetails)> ValidateAsync(
        HttpContext http, FieldErrors errors, CancellationToken stop) =>
        SentGrouping.ReadAsync(http, hasWindow: true, errors, stop);

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// Counts the log, or a window of it, by other rules beside those that serve, and tells what would become of which
    /// issues. Nothing changes. It takes some time: ask for it by its id.
    /// </summary>
    [WolverinePost("/apps/{app_id}/grouping/preview", OperationId = "PreviewGrouping")]
    [ProducesResponseType<GroupingChangeState>(202), Refuses(400, 404, 413, 415)]
    [Takes(Example, Type = typeof(PreviewRequest))]
    public static async Task<IResult> Post([NotBody] Application application, [NotBody] SentGrouping sent,
        HttpContext http, [FromServices] GroupingChanges changes, [FromServices] TimeProvider clock,
        CancellationToken stop)
    {
        var (since, until) = (sent.Window.Since, sent.Window.Until);
        var change = new GroupingChange(
            Guid.CreateVersion7(), application.Id, GroupingChange.Preview, sent.Json, Actor.Of(http.User),
            Instant.Now(clock))
        {
            Since = since > DateTimeOffset.MinValue ? since : null,
            Until = until < DateTimeOffset.MaxValue ? until : null,
        };
        await changes.BeginAsync(change, stop);
        return Results.Accepted(
            $"{http.Request.PathBase}/apps/{application.Id}/grouping/changes/{change.Id}", GroupingChangeState.Of(change));
    }
}

public static class ReadGroupingChange
{
    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>How far a preview, an adoption or a withdrawal is, and what a preview has found.</summary>
    [WolverineGet("/apps/{app_id}/grouping/changes/{id}", OperationId = "GetGroupingChange")]
    [ProducesResponseType<GroupingChangeState>(200), Refuses(400, 404)]
    public static async Task<IResult> Get(
        Application application, string id, [FromServices] GroupingChanges changes, CancellationToken stop)
    {
        var change = Guid.TryParse(id, out var parsed) ? await changes.FindAsync(parsed, stop) : null;
        if (change?.ApplicationId != application.Id) return Refusal.NotFound("There is no such change.");
        if (change is not { Kind: GroupingChange.Preview, State: GroupingChange.Done })
            return Results.Ok(GroupingChangeState.Of(change));
        return Results.Ok(GroupingChangeState.Of(change, await changes.ResultAsync(change, stop)));
    }
}

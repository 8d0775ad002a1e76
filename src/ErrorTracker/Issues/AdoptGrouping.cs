using ErrorTracker.Applications;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Issues;

public static class ReadGrouping
{
    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>By which rules the errors of an application are grouped.</summary>
    [WolverineGet("/apps/{app_id}/grouping", OperationId = "GetGrouping")]
    [ProducesResponseType<GroupingState>(200), Refuses(400, 404)]
    public static async Task<GroupingState> Get(
        Application application, Snapshots snapshots, [FromServices] GroupingChanges changes, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        await view.ReadRulesAsync(stop);
        var open = await changes.OpenAsync(application.Id, stop);
        return new(
            view.Rules.Label, new RawJson(view.Rules.Rules.ToJson()), open is null ? null : GroupingChangeState.Of(open));
    }
}

public static class AdoptGrouping
{
    private const string Example =
        """{"fingerprints": [{"match": {"message": "*timeout*"}, "parts": ["timeout", "{{ default }}"]}]}""";

    /// <param name="http">Whose body it is.</param>
    /// <param name="errors">Gets each fault.</param>
    /// <param name="stop">Cuts it off.</param>
    public static Task<(SentGrouping?, ProblemDetails)> ValidateAsync(
        HttpContext http, FieldErrors errors, CancellationToken stop) =>
        SentGrouping.ReadAsync(http, hasWindow: false, errors, stop);

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// Lets other rules serve: the log is counted by them beside, then they take the place of the others at once. What is
    /// merged and split by it a preview tells. A withdrawal lets the former rules serve again.
    /// </summary>
    [WolverinePut("/apps/{app_id}/grouping", OperationId = "AdoptGrouping")]
    [ProducesResponseType<GroupingChangeState>(202), Refuses(400, 404, 409, 413, 415)]
    [Takes(Example, Type = typeof(SentRules))]
    public static async Task<IResult> Put([NotBody] Application application, [NotBody] SentGrouping sent,
        HttpContext http, [FromServices] GroupingChanges changes, [FromServices] TimeProvider clock,
        CancellationToken stop)
    {
        var change = new GroupingChange(
            Guid.CreateVersion7(), application.Id, GroupingChange.Adoption, sent.Json, Actor.Of(http.User),
            Instant.Now(clock));
        return await changes.BeginAsync(change, stop) ? Accepted(http, change) : UnderWay;
    }

    internal static IResult UnderWay =>
        Refusal.Of(StatusCodes.Status409Conflict, "Other rules are just about to serve: GET …/grouping tells how far.");

    internal static IResult Accepted(HttpContext http, GroupingChange change) => Results.Accepted(
        $"{http.Request.PathBase}/apps/{change.ApplicationId}/grouping/changes/{change.Id}",
        GroupingChangeState.Of(change));
}

public static class WithdrawGrouping
{
    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// Lets the rules serve again that served before the last adoption, with the numbers that issues had then.
    /// </summary>
    [WolverineDelete("/apps/{app_id}/grouping", OperationId = "WithdrawGrouping")]
    [ProducesResponseType<GroupingChangeState>(202), Refuses(400, 404, 409)]
    public static async Task<IResult> Delete([NotBody] Application application, HttpContext http,
        [FromServices] GroupingChanges changes, [FromServices] TimeProvider clock, CancellationToken stop)
    {
        if (await changes.FormerRulesAsync(application.Id, stop) is not { } former)
            return Refusal.Of(StatusCodes.Status409Conflict, "No rules were adopted, so there are none to withdraw.");
        var change = new GroupingChange(
            Guid.CreateVersion7(), application.Id, GroupingChange.Withdrawal, former, Actor.Of(http.User),
            Instant.Now(clock));
        return await changes.BeginAsync(change, stop) ? AdoptGrouping.Accepted(http, change) : AdoptGrouping.UnderWay;
    }
}

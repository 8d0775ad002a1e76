using ErrorTracker.Applications;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Issues;

/// <summary>Which issues become parts of which other one.</summary>
/// <param name="Into" example="1">The issue that goes on.</param>
/// <param name="Issues">1 to 1,000 others, by number.</param>
/// <param name="Id" example="3f0c5a0e-58f6-4c1b-9f53-0d4a5a0b7c11">
/// The sender's own name for this command, by which it may be sent again and is done once.
/// </param>
/// <param name="SeenThrough" example="1204">
/// The `seen_through` of the list that was decided from; it is recorded.
/// </param>
public sealed record MergeRequest(int Into, IReadOnlyList<int> Issues, Guid? Id = null, long? SeenThrough = null);

/// <summary>What a merge has come to.</summary>
/// <param name="Issue" example="1">The issue that goes on.</param>
/// <param name="Merged">Those that are parts of it by this command.</param>
/// <param name="Already">Those that were parts of it before.</param>
public sealed record MergedIssues(int Issue, IReadOnlyList<int> Merged, IReadOnlyList<int> Already);

public static class MergeIssues
{
    internal const int MostIssues = 1_000;

    private const string Example = """{"into": 1, "issues": [3, 4], "id": "3f0c5a0e-58f6-4c1b-9f53-0d4a5a0b7c11"}""";

    /// <param name="http">Whose body it is.</param>
    /// <param name="errors">Gets each fault.</param>
    /// <param name="stop">Cuts it off.</param>
    public static async Task<(MergeRequest?, ProblemDetails)> ValidateAsync(
        HttpContext http, FieldErrors errors, CancellationToken stop)
    {
        var (body, problem) = await SentBody.ReadAsync(http, errors, stop);
        if (body is null) return (null, problem);
        var request = new MergeRequest(
            body.Number("into"), body.Numbers("issues", MostIssues), body.Id("id"), body.Position("seen_through"));
        if (request.Issues.Contains(request.Into)) errors.AddFault("issues", "must not hold the issue itself");
        return (request, body.Finish());
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) =>
        applications.LoadAsync(app_id, stop);

    /// <summary>
    /// Makes issues parts of another one, at once, whatever they have counted: it counts all events of theirs, those to
    /// come too. A split gives them back.
    /// </summary>
    [WolverinePost("/apps/{app_id}/issues/merge", OperationId = "MergeIssues")]
    [ProducesResponseType<MergedIssues>(200), Refuses(400, 404, 409, 413, 415)]
    [Takes(Example, Type = typeof(MergeRequest))]
    public static async Task<IResult> Post([NotBody] Application application, [NotBody] MergeRequest request,
        HttpContext http, [FromServices] Decisions decisions, [FromServices] IssueNumbers numbers,
        CancellationToken stop)
    {
        var known = await numbers.ExistingAsync(application.Id, [request.Into, .. request.Issues], stop);
        if (FaultsOf(request, known) is { Count: > 0 } faults) return Refusal.Invalid(faults);

        var stamp = decisions.Stamp(http, request.Id, request.SeenThrough);
        var command = new MergeCommand(request.Into, request.Issues, stamp);
        var decision = await decisions.MakeAsync(
            application.Id, request.Id, merges => merges.Decide(command), made => IsSame(made, command), stop);
        return decision.Answer(made => new MergedIssues(made.Into, made.Issues, made.Already));
    }

    private static Dictionary<string, string[]> FaultsOf(MergeRequest request, HashSet<int> known)
    {
        var faults = new Dictionary<string, string[]>();
        if (!known.Contains(request.Into)) faults.AddFault("into", $"must be an issue: there is no {request.Into}");
        foreach (var unknown in request.Issues.Where(issue => !known.Contains(issue)))
            faults.AddFault("issues", $"must be issues: there is no {unknown}");
        return faults;
    }

    private static bool IsSame(IssuesMerged made, MergeCommand command) =>
        made.Into == command.Into && made.Issues.Concat(made.Already).ToHashSet().SetEquals(command.Issues);
}

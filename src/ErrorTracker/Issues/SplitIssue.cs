using ErrorTracker.Applications;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Issues;

/// <summary>Which groups leave an issue.</summary>
/// <param name="Keys">1 to 1,000 of the issue's keys, but not all of them.</param>
/// <param name="Id" example="3f0c5a0e-58f6-4c1b-9f53-0d4a5a0b7c11">
/// The sender's own name for this command, by which it may be sent again and is done once.
/// </param>
/// <param name="SeenThrough" example="1204">
/// The `seen_through` of the list that was decided from; it is recorded.
/// </param>
public sealed record SplitRequest(IReadOnlyList<string> Keys, Guid? Id = null, long? SeenThrough = null);

/// <summary>What a split has come to.</summary>
/// <param name="Issue" example="1">
/// The issue that keeps the rest: another one than was asked for if the key of its own number has left.
/// </param>
/// <param name="Split">What is an issue again.</param>
public sealed record SplitIssues(int Issue, IReadOnlyList<SplitOff> Split);

/// <summary>An issue that was split off.</summary>
/// <param name="Issue" example="3">Its number, as before the merge.</param>
/// <param name="Keys">That it has.</param>
public sealed record SplitOff(int Issue, IReadOnlyList<string> Keys);

public static class SplitIssue
{
    internal const int MostKeys = 1_000;

    private const string Example =
        """{"keys": ["x2Vd1nq9SmyQk0l3bJ7w5A"], "id": "3f0c5a0e-58f6-4c1b-9f53-0d4a5a0b7c11"}""";

    /// <param name="number">Of the issue.</param>
    /// <param name="http">Whose body it is.</param>
    /// <param name="errors">Gets each fault.</param>
    /// <param name="stop">Cuts it off.</param>
    public static async Task<(SplitRequest?, ProblemDetails)> ValidateAsync(
        string number, HttpContext http, FieldErrors errors, CancellationToken stop)
    {
        if (!Number.IsId(number)) errors.AddFault("number", Number.ExpectedId);
        var (body, problem) = await SentBody.ReadAsync(http, errors, stop);
        if (body is null) return (null, problem);
        var request = new SplitRequest(body.Texts("keys", MostKeys), body.Id("id"), body.Position("seen_through"));
        return (request, body.Finish());
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) =>
        applications.LoadAsync(app_id, stop);

    /// <summary>
    /// Lets some of an issue's keys leave it, at once. What leaves falls into the issues that it was merged of, under
    /// their former numbers; what stays remains one issue.
    /// </summary>
    [WolverinePost("/apps/{app_id}/issues/{number}/split", OperationId = "SplitIssue")]
    [ProducesResponseType<SplitIssues>(200), Refuses(400, 404, 409, 413, 415)]
    [Takes(Example, Type = typeof(SplitRequest))]
    public static async Task<IResult> Post([NotBody] Application application, string number,
        [NotBody] SplitRequest request, HttpContext http, [FromServices] Decisions decisions,
        [FromServices] IssueNumbers numbers, CancellationToken stop)
    {
        var issue = Number.OfPath(number);
        var known = await numbers.ExistingAsync(application.Id, [issue], stop);
        if (known.Count == 0) return Refusal.NotFound("There is no such issue.");
        var leaving = await numbers.OfKeysAsync(application.Id, request.Keys, stop);
        var unknown = request.Keys.FirstOrDefault(key => !leaving.ContainsKey(key));
        if (unknown is not null) return DecisionRefusal.OfKey(unknown, issue).ToResult();

        var command = new SplitCommand(issue, leaving, decisions.Stamp(http, request.Id, request.SeenThrough));
        var decision = await decisions.MakeAsync(
            application.Id, request.Id, merges => merges.Decide(command), made => IsSame(made, command), stop);
        return decision.Answer(made =>
            new SplitIssues(made.Rest, [.. made.Parts.Select(part => new SplitOff(part.Issue, part.Keys))]));
    }

    private static bool IsSame(IssueSplit made, SplitCommand command) =>
        made.Issue == command.Issue
        && made.Parts.SelectMany(part => part.Numbers).ToHashSet().SetEquals(command.Leaving.Values);
}

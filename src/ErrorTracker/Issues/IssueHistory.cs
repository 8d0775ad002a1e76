using ErrorTracker.Applications;
using ErrorTracker.Http;
using ErrorTracker.Log;
using Marten;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Issues;

/// <summary>What was decided about an issue, the newest first.</summary>
/// <param name="Issue" example="1">
/// The issue: another one than was asked for if that is a part of it by now.
/// </param>
/// <param name="Items">At most the newest 1,000.</param>
public sealed record DecisionList(int Issue, IReadOnlyList<DecisionItem> Items);

/// <summary>A decision.</summary>
/// <param name="Type" example="merged">What was decided.</param>
/// <param name="At" example="2026-01-31T12:34:56.789Z">When.</param>
/// <param name="By" example="admin">Who: `admin` with a token that has no name, `anonymous` without a token.</param>
/// <param name="Issue" example="1">The issue that went on.</param>
/// <param name="Issues">Those that became parts of it, or were split off.</param>
public sealed record DecisionItem(
    string Type, DateTimeOffset At, string By, int Issue, IReadOnlyList<int> Issues)
{
    internal const string Merged = "merged", Split = "split";

    internal static DecisionItem Of(IDecision decision) => decision switch
    {
        IssuesMerged merged => new(Merged, merged.At, merged.By, merged.Into, merged.Issues),
        IssueSplit split => new(Split, split.At, split.By, split.Rest, [.. split.Parts.Select(part => part.Issue)]),
        _ => throw new ArgumentOutOfRangeException(nameof(decision), decision.GetType().Name),
    };
}

public static class IssueHistory
{
    private const int Most = 1_000;

    /// <param name="number">Of the issue.</param>
    /// <param name="errors">Gets each fault.</param>
    public static ProblemDetails Validate(string number, FieldErrors errors)
    {
        if (!Number.IsId(number)) errors.AddFault("number", Number.ExpectedId);
        return errors.OrNone();
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) =>
        applications.LoadAsync(app_id, stop);

    /// <summary>
    /// Who has decided what about an issue, and when, the newest first. A number that was merged answers the issue that
    /// it is part of.
    /// </summary>
    [WolverineGet("/apps/{app_id}/issues/{number}/history", OperationId = "ListDecisions")]
    [ProducesResponseType<DecisionList>(200), Refuses(400, 404)]
    public static async Task<IResult> Get(
        Application application, string number, IDocumentStore store, LogDatabases databases,
        [FromServices] IssueNumbers numbers, CancellationToken stop)
    {
        var asked = Number.OfPath(number);
        var known = await numbers.ExistingAsync(application.Id, [asked], stop);
        if (known.Count == 0) return Refusal.NotFound("There is no such issue.");
        await using var reader = await databases.Of(application.Id).OpenReaderAsync(application.Id, stop);
        return Results.Ok(await ReadAsync(application.Id, asked, store, reader.Connection, stop));
    }

    /// <param name="application">Whose issues they are.</param>
    /// <param name="number">Of the issue, or of one that was merged into it.</param>
    /// <param name="store">Whose events decisions are.</param>
    /// <param name="connection">Which they are read by.</param>
    /// <param name="stop">Cuts it off.</param>
    internal static async Task<DecisionList> ReadAsync(
        int application, int number, IDocumentStore store, NpgsqlConnection connection, CancellationToken stop)
    {
        var decisions = await ReadAllAsync(application, store, connection, stop);
        var merges = decisions.Aggregate(IssueMerges.None, (before, decision) => before.After(decision));
        var issue = merges.IssueOf(number);
        var members = merges.NumbersOf(issue);
        var items = decisions.Where(decision => members.Any(decision.Concerns)).Reverse().Take(Most);
        return new(issue, [.. items.Select(DecisionItem.Of)]);
    }

    private const string IsDecidedSql =
        $"select exists (select from {LogSchema.Name}.mt_streams as s where s.tenant_id = $1 and s.id = $2)";

    /// <summary>All decisions about the issues of an application, the oldest first.</summary>
    private static async Task<List<IDecision>> ReadAllAsync(
        int application, IDocumentStore store, NpgsqlConnection connection, CancellationToken stop)
    {
        // Of most applications nobody has decided anything, and a session costs more than this question.
        await using var isDecided = new NpgsqlCommand(IsDecidedSql, connection)
        {
            Parameters =
            {
                new() { Value = TenantId.Of(application) },
                new() { Value = DecisionStream.Of(application) },
            },
        };
        if (!(bool)(await isDecided.ExecuteScalarAsync(stop))!) return [];

        var options = Marten.Services.SessionOptions.ForConnection(connection);
        options.TenantId = TenantId.Of(application);
        await using var session = store.QuerySession(options);
        var events = await session.Events.FetchStreamAsync(DecisionStream.Of(application), token: stop);
        return [.. events.Select(stored => stored.Data).OfType<IDecision>()];
    }
}

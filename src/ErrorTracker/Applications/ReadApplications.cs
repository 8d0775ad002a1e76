using ErrorTracker.Http;
using ErrorTracker.Log;
using Marten;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Applications;

/// <summary>A registered application.</summary>
/// <param name="Id" example="1">1, 2, 3 …</param>
/// <param name="Name" example="my-app">As registered.</param>
/// <param name="CreatedAt" example="2026-01-31T12:34:56.789Z">UTC.</param>
public sealed record ApplicationSummary(int Id, string Name, DateTimeOffset CreatedAt)
{
    internal static ApplicationSummary Of(Application application) => new(application.Id, application.Name, application.CreatedAt);
}

public static class ReadApplications
{
    private const int LongestPage = 1_000, MostAtOnce = 10_000;

    /// <summary>
    /// Applications, by id: 10,000 at most, or `limit`. Where there are more the header `Link` (RFC 8288) says how to
    /// go on: `rel="next"`.
    /// </summary>
    /// <param name="limit">1 to 1,000.</param>
    /// <param name="after">Only those with a larger id.</param>
    [WolverineGet("/apps", OperationId = "ListApplications")]
    [ProducesResponseType<ApplicationSummary[]>(200), Refuses(400)]
    public static async Task<IResult> List(string? limit, string? after, HttpContext http, FieldErrors errors,
        [FromServices] IDocumentStore store, [FromServices] LogDatabases databases, CancellationToken stop)
    {
        var most = Number.Optional("limit", limit, MostAtOnce, 1, LongestPage, errors);
        var last = Number.Optional("after", after, 0, 0, int.MaxValue, errors);
        if (errors.Count > 0) return Refusal.Invalid(errors);

        await using var reader = await databases.Main.OpenReaderAsync(application: 0, stop);
        await using var session = store.QuerySession(Marten.Services.SessionOptions.ForConnection(reader.Connection));
        var found = await session.Query<Application>().Where(a => a.Id > last).OrderBy(a => a.Id).Take(most + 1).ToListAsync(stop);
        if (found.Count > most)
            http.Response.Headers.Link = $"<?limit={Math.Min(most, LongestPage)}&after={found[most - 1].Id}>; rel=\"next\"";
        return Results.Ok(found.Take(most).Select(ApplicationSummary.Of));
    }

    /// <summary>One application.</summary>
    [WolverineGet("/apps/{app_id}", OperationId = "GetApplication")]
    [ProducesResponseType<ApplicationSummary>(200), Refuses(400, 404)]
    public static async Task<IResult> One(string app_id, ApplicationDirectory applications, CancellationToken stop)
    {
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        return refusal ?? Results.Ok(ApplicationSummary.Of(application!));
    }
}

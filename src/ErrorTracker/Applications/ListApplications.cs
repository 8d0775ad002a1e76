using ErrorTracker.Http;
using ErrorTracker.Log;
using Marten;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Applications;

public static class ListApplications
{
    private const int LongestPage = 1_000, MostAtOnce = 10_000;

    /// <param name="Most">So many at most.</param>
    /// <param name="After">Only those with a larger id.</param>
    public sealed record Request(int Most, int After);

    /// <param name="limit">1 to 1,000.</param>
    /// <param name="after">Only those with a larger id.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(string? limit, string? after, FieldErrors errors)
    {
        var request = new Request(
            Number.Optional("limit", limit, otherwise: MostAtOnce, least: 1, LongestPage, errors),
            Number.Optional("after", after, otherwise: 0, least: 0, int.MaxValue, errors));
        return (request, errors.OrNone());
    }

    /// <summary>
    /// Applications, by id: 10,000 at most, or `limit`. Where there are more the header `Link` (RFC 8288) says how to
    /// go on: `rel="next"`.
    /// </summary>
    [WolverineGet("/apps", OperationId = "ListApplications")]
    [ProducesResponseType<ApplicationSummary[]>(200), Refuses(400)]
    public static async Task<IEnumerable<ApplicationSummary>> Get(
        Request request, HttpContext http, IDocumentStore store, LogDatabases databases, CancellationToken stop)
    {
        await using var reader = await databases.Main.OpenReaderAsync(ReaderTurns.Nobody, stop);
        await using var session = store.QuerySession(Marten.Services.SessionOptions.ForConnection(reader.Connection));

        // One more than is answered tells whether there are more.
        var found = await session.Query<Application>()
            .Where(application => application.Id > request.After)
            .OrderBy(application => application.Id)
            .Take(request.Most + 1)
            .ToListAsync(stop);
        if (found.Count > request.Most) http.Response.Headers.Link = NextPage(request.Most, found[request.Most - 1].Id);
        return found.Take(request.Most).Select(ApplicationSummary.Of);
    }

    /// <summary>Relative to the request's own address, so that it stays true behind a proxy.</summary>
    private static string NextPage(int most, int last) => $"<?limit={Math.Min(most, LongestPage)}&after={last}>; rel=\"next\"";
}

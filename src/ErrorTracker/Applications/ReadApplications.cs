using ErrorTracker.Http;
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
    /// <summary>All applications, by id.</summary>
    [WolverineGet("/apps")]
    [ProducesResponseType<ApplicationSummary[]>(200)]
    public static async Task<IEnumerable<ApplicationSummary>> List(IQuerySession session, CancellationToken stop) =>
        (await session.Query<Application>().OrderBy(a => a.Id).ToListAsync(stop)).Select(ApplicationSummary.Of);

    /// <summary>One application.</summary>
    [WolverineGet("/apps/{app_id}")]
    [ProducesResponseType<ApplicationSummary>(200), Refuses(400, 404)]
    public static async Task<IResult> One(string app_id, ApplicationDirectory applications, CancellationToken stop)
    {
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        return refusal ?? Results.Ok(ApplicationSummary.Of(application!));
    }
}

using ErrorTracker.Http;
using Marten;
using Wolverine.Http;

namespace ErrorTracker.Applications;

/// <summary>A registered application.</summary>
public sealed record ApplicationSummary(int Id, string Name, DateTimeOffset CreatedAt)
{
    internal static ApplicationSummary Of(Application application) => new(application.Id, application.Name, application.CreatedAt);
}

public static class ReadApplications
{
    /// <summary>All applications, by id.</summary>
    [WolverineGet("/apps")]
    public static async Task<IEnumerable<ApplicationSummary>> List(IQuerySession session, CancellationToken stop) =>
        (await session.Query<Application>().OrderBy(a => a.Id).ToListAsync(stop)).Select(ApplicationSummary.Of);

    /// <summary>One application.</summary>
    [WolverineGet("/apps/{app_id}")]
    public static async Task<IResult> One(string app_id, ApplicationDirectory applications, CancellationToken stop)
    {
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        return refusal ?? Results.Ok(ApplicationSummary.Of(application!));
    }
}

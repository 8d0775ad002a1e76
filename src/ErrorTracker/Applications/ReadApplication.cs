using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Applications;

/// <summary>A registered application.</summary>
/// <param name="Id" example="1">1, 2, 3 …</param>
/// <param name="Name" example="my-app">As registered.</param>
/// <param name="CreatedAt" example="2026-01-31T12:34:56.789Z">UTC.</param>
public sealed record ApplicationSummary(int Id, string Name, DateTimeOffset CreatedAt)
{
    internal static ApplicationSummary Of(Application application) =>
        new(application.Id, application.Name, application.CreatedAt);
}

public static class ReadApplication
{
    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>One application.</summary>
    [WolverineGet("/apps/{app_id}", OperationId = "GetApplication")]
    [ProducesResponseType<ApplicationSummary>(200), Refuses(400, 404)]
    public static ApplicationSummary Get(Application application) => ApplicationSummary.Of(application);
}

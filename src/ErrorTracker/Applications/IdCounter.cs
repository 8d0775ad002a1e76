using Marten;

namespace ErrorTracker.Applications;

/// <summary>
/// The last id that an application was given, whether it still exists or not: a document, written with the application
/// itself. So ids are 1, 2, 3 … without gaps, whatever fails, and none is used again. Of two nodes that take the same
/// number one fails, by the document's version, and tries again.
/// </summary>
/// <param name="Id">There is one.</param>
/// <param name="Last">0 before the first.</param>
public sealed record IdCounter(string Id, int Last)
{
    private const string OfApplications = "applications";

    internal static async Task<int> TakeAsync(IDocumentSession session, CancellationToken stop)
    {
        var counter = await session.LoadAsync<IdCounter>(OfApplications, stop);
        var next = new IdCounter(OfApplications, Math.Max(counter?.Last ?? 0, await LargestIdAsync(session, stop)) + 1);
        if (counter is null) session.Insert(next);
        else session.Update(next);
        return next.Last;
    }

    /// <summary>Version 0.1.0 registers without a counter: it may have made the database, and may run beside.</summary>
    private static Task<int> LargestIdAsync(IDocumentSession session, CancellationToken stop) =>
        session.Query<Application>()
            .OrderByDescending(application => application.Id)
            .Select(application => application.Id)
            .FirstOrDefaultAsync(stop);
}

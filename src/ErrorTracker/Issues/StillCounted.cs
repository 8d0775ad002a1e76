using ErrorTracker.Http;

namespace ErrorTracker.Issues;

/// <summary>While a long log is counted for the first time, nobody knows yet which issues there are.</summary>
internal static class StillCounted
{
    public static IResult Answer(HttpContext http) => Refusal.TryLater(
        "Issues are being counted for the first time: GET /projections tells how far that is.", http.Response);
}

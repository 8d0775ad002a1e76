using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake;

/// <summary>Who may send what: decided before a body is read.</summary>
internal static class Door
{
    public const string KeyHeader = "X-INGEST-KEY", Json = "application/json", Lines = "application/x-ndjson";

    /// <summary>The application that the request may send events to, or the answer that refuses it.</summary>
    public static async ValueTask<(int Application, IResult? Refusal)> OpenAsync(
        string app_id, HttpContext http, KeyRing keys, bool takesLines = false)
    {
        if (!ApplicationDirectory.TryParseId(app_id, out var id)) return (0, Refusal.Invalid(new FieldErrors(http)));
        if (await RefuseSenderAsync(id, http, keys) is { } refusal) return (0, refusal);
        Open(http, id);
        if (!http.Request.HasJsonContentType() && !(takesLines && SendsLines(http.Request)))
            return (0, Refusal.Of(415, takesLines ? $"The body must be {Json} or {Lines}." : $"The body must be {Json}."));
        return RequestBody.CanDecode(http.Request) ? (id, null) : (0, Refusal.Of(415, "Content-Encoding must be gzip, br or deflate."));
    }

    /// <summary>From now on what is refused of this request is counted there.</summary>
    public static void Open(HttpContext http, int application) => http.Items[typeof(Account)] = application;

    /// <summary>The endpoint has counted the events of this request one by one.</summary>
    public static void Close(HttpContext http) => http.Items[typeof(Account)] = null;

    public static bool IsClosed(HttpContext http) => http.Items.TryGetValue(typeof(Account), out var application) && application is null;

    /// <summary>Null as long as nobody knows whose request it is, and once it is closed.</summary>
    public static int? ApplicationOf(HttpContext http) => http.Items[typeof(Account)] as int?;

    /// <summary>The request is refused because a limit is reached, which its status alone does not tell.</summary>
    public static void Refuse(HttpContext http, ReachedLimit limit) => http.Items[typeof(ReachedLimit)] = limit;

    /// <summary>Why a request that was refused was not stored.</summary>
    public static string ReasonOf(HttpContext http) =>
        (http.Items[typeof(ReachedLimit)] as ReachedLimit)?.Reason ?? IngestMetrics.ReasonOf(http.Response.StatusCode);

    public static bool SendsLines(HttpRequest request) => request.ContentType?.Split(';')[0].Trim().Equals(Lines, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>A wrong key and an unknown application are answered alike, so that nobody can probe for applications.</summary>
    private static async ValueTask<IResult?> RefuseSenderAsync(int id, HttpContext http, KeyRing keys)
    {
        var key = http.Request.Headers[KeyHeader].ToString();
        if (key.Length == 0) return Refusal.Of(401, $"The header {KeyHeader} is required.");
        return await keys.OpensAsync(id, key, http.RequestAborted) ? null : Refusal.Of(403, "The key does not open this application.");
    }
}

using ErrorTracker.Applications;
using ErrorTracker.Http;

namespace ErrorTracker.Ingestion;

/// <summary>Who may send what: decided before a body is read.</summary>
internal static class Door
{
    public const string KeyHeader = "X-INGEST-KEY", Json = "application/json", Lines = "application/x-ndjson";

    /// <summary>The application that the request may send events to, or the answer that refuses it.</summary>
    public static async ValueTask<(int Application, IResult? Refusal)> OpenAsync(string app_id, HttpContext http, KeyRing keys, DateTimeOffset receivedAt, bool takesLines = false)
    {
        if (!ApplicationDirectory.TryParseId(app_id, out var id)) return (0, Refusal.Invalid(new FieldErrors(http)));
        if (await RefuseSenderAsync(id, http, keys) is { } refusal) return (0, refusal);
        Open(http, new(id, receivedAt));
        if (!http.Request.HasJsonContentType() && !(takesLines && SendsLines(http.Request)))
            return (0, Refusal.Of(415, takesLines ? $"The body must be {Json} or {Lines}." : $"The body must be {Json}."));
        return RequestBody.CanDecode(http.Request) ? (id, null) : (0, Refusal.Of(415, "Content-Encoding must be gzip, br or deflate."));
    }

    /// <summary>From now on what is refused of this request is counted there.</summary>
    public static void Open(HttpContext http, Account account) => http.Items[typeof(Account)] = account;

    /// <summary>The endpoint has counted the events of this request one by one.</summary>
    public static void Close(HttpContext http) => http.Items.Remove(typeof(Account));

    /// <summary>Null as long as nobody knows whose request it is, and once it is closed.</summary>
    public static Account? AccountOf(HttpContext http) => http.Items[typeof(Account)] as Account;

    public static bool SendsLines(HttpRequest request) => request.ContentType?.Split(';')[0].Trim().Equals(Lines, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>A wrong key and an unknown application are answered alike, so that nobody can probe for applications.</summary>
    private static async ValueTask<IResult?> RefuseSenderAsync(int id, HttpContext http, KeyRing keys)
    {
        var key = http.Request.Headers[KeyHeader].ToString();
        if (key.Length == 0) return Refusal.Of(401, $"The header {KeyHeader} is required.");
        return await keys.OpensAsync(id, key, http.RequestAborted) ? null : Refusal.Of(403, "The key does not open this application.");
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Sentry;

/// <summary>What a request tells of reports besides their content.</summary>
/// <param name="Release">Of the query's <c>sentry_release</c>.</param>
/// <param name="Environment">Of the query's <c>sentry_environment</c>.</param>
/// <param name="UserAgent">Of the browser.</param>
internal sealed record ReportOrigin(string? Release, string? Environment, string? UserAgent)
{
    public static ReportOrigin Of(HttpRequest request) =>
        new(request.Query["sentry_release"], request.Query["sentry_environment"], request.Headers.UserAgent);
}

/// <summary>
/// Makes events of the reports that browsers send by themselves: Content-Security-Policy as <c>{"csp-report":…}</c> or
/// in the Reporting API's form <c>[{"type":"csp-violation","body":…}]</c>, Expect-CT, Expect-Staple and HPKP. Pure. The
/// events are written as SDKs write them, so that they are kept by the same rules: level WARNING, a title that groups
/// by directive and origin, the report as it was sent in <c>context.report</c>.
/// </summary>
internal static class SecurityReports
{
    /// <summary>Of a request; browsers send a few at once.</summary>
    public const int Most = 100;

    private const int LongestTag = 200;

    /// <summary>The members that hold a report of an older kind, and its kind.</summary>
    private static readonly (string Member, string Kind)[] Wrapped =
        [("csp-report", Csp), ("expect-ct-report", "expect-ct"), ("expect-staple-report", "expect-staple")];

    private static readonly string[]
        OfCsp = ["violated-directive", "effective-directive", "blocked-uri"],
        OfHpkp = ["known-pins", "noted-hostname"];

    private const string Csp = "csp", Hpkp = "hpkp";

    /// <summary>Escapes that name no text are replaced in the body's bytes.</summary>
    /// <param name="body">JSON: a report, or a list of reports.</param>
    /// <param name="origin">What the request tells of them.</param>
    /// <param name="receivedAt">From which the age of a report is counted.</param>
    /// <param name="most">So many are read.</param>
    /// <returns>
    /// The events in JSON, and how many of the list were too many or no reports; null if there is no report.
    /// </returns>
    public static (List<byte[]> Events, int Others)? Read(
        Memory<byte> body, ReportOrigin origin, DateTimeOffset receivedAt, int most = Most)
    {
        if (!Utf8.IsValid(body.Span)) return null;
        StorableText.Repair(body.Span);
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            JsonElement[] sent = root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : [root];
            var reports = sent.Take(most).Select(Recognise).OfType<SecurityReport>().ToList();
            if (reports.Count == 0) return null;
            return (reports.ConvertAll(report => Write(report, origin, receivedAt)), sent.Length - reports.Count);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Null if it is no report.</summary>
    private static SecurityReport? Recognise(JsonElement sent)
    {
        if (sent.ValueKind != JsonValueKind.Object) return null;
        foreach (var (member, kind) in Wrapped)
            if (sent.TryGetProperty(member, out var report) && report.ValueKind == JsonValueKind.Object)
                return new(kind, report, sent);
        if (sent.TryGetProperty("body", out var body) && body.ValueKind == JsonValueKind.Object
            && sent.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String)
            return new(type.ValueEquals("csp-violation") ? Csp : type.GetString()!, body, sent);
        if (OfCsp.Any(member => sent.TryGetProperty(member, out _))) return new(Csp, sent, sent);
        return OfHpkp.Any(member => sent.TryGetProperty(member, out _)) ? new(Hpkp, sent, sent) : null;
    }

    private static byte[] Write(SecurityReport report, ReportOrigin origin, DateTimeOffset receivedAt) =>
        KeptJson.Write(json => Write(json, report, origin, receivedAt)).Utf8.ToArray();

    private static void Write(
        Utf8JsonWriter json, SecurityReport report, ReportOrigin origin, DateTimeOffset receivedAt)
    {
        json.WriteString("message", report.Title);
        json.WriteString("level", "warning");
        json.WriteString("logger", report.Kind);
        if (report.Age is { } age)
            json.WriteString("timestamp", (receivedAt - age).ToString("O", CultureInfo.InvariantCulture));
        if (origin.Release is not null) json.WriteString("release", origin.Release);
        if (origin.Environment is not null) json.WriteString("environment", origin.Environment);
        json.WriteStartObject("tags");
        foreach (var (name, value) in report.Tags)
            if (value is { Length: > 0 }) json.WriteString(name, CodePoints.Truncate(value, LongestTag));
        json.WriteEndObject();
        json.WriteStartObject("request");
        if (report.DocumentUri is { } uri) json.WriteString("url", uri);
        if ((origin.UserAgent ?? report.UserAgent) is { } agent)
        {
            json.WriteStartObject("headers");
            json.WriteString("User-Agent", agent);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WritePropertyName("report");
        report.Content.WriteTo(json);
    }
}

using System.Text.Json;

namespace ErrorTracker.Intake.Sentry;

/// <summary>One report of a browser, in any of the forms that browsers use. Pure.</summary>
/// <param name="Kind">csp, expect-ct, expect-staple, hpkp, or what the Reporting API calls it.</param>
/// <param name="Content">What happened: an object.</param>
/// <param name="Sent">The object around it, which of the Reporting API tells more.</param>
internal sealed record SecurityReport(string Kind, JsonElement Content, JsonElement Sent)
{
    private const int LongestUri = 2_000;

    private static readonly TimeSpan Oldest = TimeSpan.FromDays(30);

    /// <summary>What it is about, the same for all reports of one cause.</summary>
    public string Title => Kind switch
    {
        "csp" => CspTitle(),
        "expect-ct" => $"Expect-CT failed for '{Host}'",
        "expect-staple" => $"Expect-Staple failed for '{Host}'",
        "hpkp" => $"Public key pinning validation failed for '{Host}'",
        _ => $"Browser report: {Kind}" + (Text("message", "reason", "id", "type") is { } told ? $": {told}" : ""),
    };

    public IEnumerable<(string Name, string? Value)> Tags => Kind == "csp"
        ? [("effective-directive", Directive), ("blocked-uri", BlockedUri), ("disposition", Text("disposition"))]
        : [("report-type", Kind), ("hostname", Text("hostname"))];

    public string? DocumentUri => Text("document-uri", "documentURL") ?? TextOf(Sent, "url");

    public string? UserAgent => TextOf(Sent, "user_agent");

    /// <summary>How long the browser has held it, by the Reporting API.</summary>
    public TimeSpan? Age
    {
        get
        {
            if (!Sent.TryGetProperty("age", out var age) || age.ValueKind != JsonValueKind.Number) return null;
            if (!age.TryGetDouble(out var milliseconds)) return null;
            var isPlausible = milliseconds >= 0 && milliseconds < Oldest.TotalMilliseconds;
            return isPlausible ? TimeSpan.FromMilliseconds(milliseconds) : null;
        }
    }

    private string Host => Text("hostname") ?? "unknown";

    /// <summary>Firefox does not send the effective one, and the violated one may have its sources behind it.</summary>
    private string? Directive =>
        Text("effective-directive", "effectiveDirective", "violated-directive", "violatedDirective")
            ?.Trim().Split(' ', 2)[0];

    private string? BlockedUri => Text("blocked-uri", "blockedURL");

    private string CspTitle() => (Directive, BlockedUri) switch
    {
        (null, null) => "Content-Security-Policy was violated",
        (null, { } blocked) => $"Content-Security-Policy blocked '{OriginOf(blocked)}'",
        ({ } directive, "inline" or "eval" or "wasm-eval" or "trusted-types-policy" or "trusted-types-sink") =>
            $"Blocked '{directive}': {BlockedUri}",
        ({ } directive, var blocked) => $"Blocked '{directive}' from '{OriginOf(blocked ?? "self")}'",
    };

    /// <summary>
    /// Without the path, which may differ each time; the scheme alone for those that have no host, such as data and
    /// blob.
    /// </summary>
    private static string OriginOf(string uri)
    {
        if (!uri.Contains(':')) return uri;
        if (!Uri.TryCreate(CodePoints.Truncate(uri, LongestUri), UriKind.Absolute, out var parsed)) return uri;
        return parsed.Host.Length > 0
            ? parsed.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)
            : parsed.Scheme;
    }

    private string? Text(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (TextOf(Content, name) is { } text) return text;
        return null;
    }

    private static string? TextOf(JsonElement value, string name) =>
        value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
            && member.GetString() is { Length: > 0 } text ? text : null;
}

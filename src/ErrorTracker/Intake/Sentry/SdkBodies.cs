using System.Text.Json.Serialization;

namespace ErrorTracker.Intake.Sentry;

// For the documentation: what SDKs, browsers and crash reporters send is read by others, member by member, and loosely.

/// <summary>
/// An event of a Sentry SDK (https://develop.sentry.dev/sdk/data-model/event-payloads/). No member is required; those
/// that are not named here are kept as well.
/// </summary>
/// <param name="EventId" example="7d3f1f0e6f3b4f649a550d6f7c1f2a10">32 hexadecimal digits.</param>
/// <param name="Timestamp">RFC 3339, or seconds since 1970.</param>
/// <param name="Level" example="error">fatal, error, warning, info or debug.</param>
/// <param name="Message">A text, or an object with one.</param>
/// <param name="Exception">An object with `values`, or a list: the exceptions, the outermost last.</param>
/// <param name="Tags">An object, or a list of pairs.</param>
/// <param name="Release" example="shop@1.4.2">Of the application.</param>
/// <param name="Environment" example="production">Where it runs.</param>
internal sealed record SdkEvent(
    string? EventId,
    object? Timestamp,
    string? Level,
    object? Message,
    object? Exception,
    object? Tags,
    string? Release,
    string? Environment);

/// <summary>A crash of a native program. Other fields are kept as they are, other files are passed over.</summary>
/// <param name="UploadFileMinidump">The minidump.</param>
/// <param name="Sentry">An event as JSON, which tells more of the crash.</param>
internal sealed record MinidumpForm(IFormFile UploadFileMinidump, string? Sentry);

/// <summary>What browsers send to a page's `report-uri`.</summary>
/// <param name="Report">What was blocked.</param>
internal sealed record CspReport([property: JsonPropertyName("csp-report")] IDictionary<string, object?> Report);

/// <summary>What browsers send of certificates that are not in a public log.</summary>
/// <param name="Report">Of which host.</param>
internal sealed record ExpectCtReport(
    [property: JsonPropertyName("expect-ct-report")] IDictionary<string, object?> Report);

/// <summary>A report of the Reporting API (https://www.w3.org/TR/reporting-1/).</summary>
/// <param name="Type" example="csp-violation">Of the report.</param>
/// <param name="Body">What it says.</param>
/// <param name="Url" example="https://shop.example/">Of the page.</param>
/// <param name="UserAgent" example="Mozilla/5.0">Of the browser.</param>
/// <param name="Age" example="10">Milliseconds since it happened.</param>
internal sealed record BrowserReport(
    string Type, IDictionary<string, object?> Body, string? Url, string? UserAgent, double? Age);

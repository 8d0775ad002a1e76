using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Sentry;

public static class SendSecurityReport
{
    private const string
        Blocked = """ "https://evil.example/x.js" """,
        Example = $$$"""{"csp-report":{"violated-directive":"script-src","blocked-uri":{{{Blocked}}}}}""",
        List = $$$"""[{"type":"csp-violation","body":{"effectiveDirective":"script-src","blockedURL":{{{Blocked}}}}}]""",
        Transparency = """{"expect-ct-report":{"hostname":"shop.example"}}""",
        Failures = """[{"type":"network-error","url":"https://shop.example/","body":{"type":"tcp.timed_out"}}]""";

    /// <summary>
    /// Takes security reports, as browsers send them by themselves to what <c>report-uri</c> or <c>report-to</c> names:
    /// each becomes an event of level WARNING, at most 100 of a request. <c>sentry_release</c> and
    /// <c>sentry_environment</c> in the query are kept with it. Answered 200 only after they are committed.
    /// </summary>
    [WolverinePost("/api/{app_id}/security", OperationId = "SendSecurityReport")]
    [ProducesResponseType<SentryReceipt>(200)]
    [Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json)]
    [Ingests("application/csp-report", Example, Type = typeof(CspReport))]
    [Ingests("application/reports+json", List, Type = typeof(BrowserReport[]))]
    [Ingests("application/expect-ct-report+json", Transparency, Type = typeof(ExpectCtReport))]
    [Ingests(MediaType.Json, Example, Type = typeof(CspReport))]
    public static Task<IResult> Post(string app_id, HttpContext http, [FromServices] IntakeServices services) =>
        new ReportIntake(app_id, http, services).RunAsync();

    /// <summary>The same, by the name that older pages use.</summary>
    [WolverinePost("/api/{app_id}/csp-report", OperationId = "SendCspReport")]
    [ProducesResponseType<SentryReceipt>(200), Ingests("application/csp-report", Example, Type = typeof(CspReport))]
    [Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json)]
    public static Task<IResult> PostCsp(string app_id, HttpContext http, [FromServices] IntakeServices services) =>
        Post(app_id, http, services);

    /// <summary>The same for what browsers report of requests that failed (Network Error Logging).</summary>
    [WolverinePost("/api/{app_id}/nel", OperationId = "SendNetworkErrorReport")]
    [ProducesResponseType<SentryReceipt>(200)]
    [Ingests("application/reports+json", Failures, Type = typeof(BrowserReport[]))]
    [Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json)]
    public static Task<IResult> PostNel(string app_id, HttpContext http, [FromServices] IntakeServices services) =>
        Post(app_id, http, services);

    private sealed class ReportIntake(string app_id, HttpContext http, IntakeServices services)
        : WholeBodyIntake(app_id, http, services)
    {
        protected override IntakeRefusal? Take(Memory<byte> body) =>
            Items.TryKeepReports(body) ? null : SentryRefusal.BadReport;
    }
}

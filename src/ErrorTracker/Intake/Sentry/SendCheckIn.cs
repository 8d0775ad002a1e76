using System.Diagnostics.CodeAnalysis;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Sentry;

[SuppressMessage("Style", "IDE0060", Justification = "A part of a path is in the document if it is a parameter.")]
public static class SendCheckIn
{
    /// <summary>
    /// Takes a check-in of a scheduled job, as <c>curl</c> in a crontab sends it. It is not kept, and counted in
    /// <c>loss</c> under <c>monitor</c>.
    /// </summary>
    [WolverineGet("/api/{app_id}/cron/{monitor}/{key}", OperationId = "SendCheckInWithKeyByGet")]
    [ProducesResponseType(202), Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json), Ingests]
    public static Task<IResult> Get(
        string app_id, string monitor, string key, HttpContext http, [FromServices] IntakeServices services) =>
        CountAsync(app_id, key, http, services);

    /// <summary>
    /// Takes a check-in of a scheduled job. It is not kept, and counted in <c>loss</c> under <c>monitor</c>; its body
    /// is not read.
    /// </summary>
    [WolverinePost("/api/{app_id}/cron/{monitor}/{key}", OperationId = "SendCheckInWithKey")]
    [ProducesResponseType(202), Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json), Ingests]
    public static Task<IResult> Post(
        string app_id, string monitor, string key, HttpContext http, [FromServices] IntakeServices services) =>
        CountAsync(app_id, key, http, services);

    /// <summary>
    /// Takes a check-in whose key is in the query. It is not kept, and counted in <c>loss</c> under <c>monitor</c>.
    /// </summary>
    [WolverineGet("/api/{app_id}/cron/{monitor}", OperationId = "SendCheckInByGet")]
    [ProducesResponseType(202), Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json), Ingests]
    public static Task<IResult> GetByQuery(
        string app_id, string monitor, HttpContext http, [FromServices] IntakeServices services) =>
        CountAsync(app_id, null, http, services);

    /// <summary>
    /// Takes a check-in whose key is in the query or a header. It is not kept, and counted in <c>loss</c> under
    /// <c>monitor</c>; its body is not read.
    /// </summary>
    [WolverinePost("/api/{app_id}/cron/{monitor}", OperationId = "SendCheckIn")]
    [ProducesResponseType(202), Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json), Ingests]
    public static Task<IResult> PostByQuery(
        string app_id, string monitor, HttpContext http, [FromServices] IntakeServices services) =>
        CountAsync(app_id, null, http, services);

    private static Task<IResult> CountAsync(string app_id, string? key, HttpContext http, IntakeServices services) =>
        new CheckInIntake(app_id, key, http, services).RunAsync();

    private sealed class CheckInIntake(string app_id, string? key, HttpContext http, IntakeServices services)
        : SentryIntake(app_id, http, services)
    {
        protected override IEnumerable<string> KeysShown => key is null ? base.KeysShown : base.KeysShown.Append(key);

        protected override int Held => 0;

        protected override ValueTask<IntakeRefusal?> ReadAsync(
            SentryBody body, Memory<byte> buffer, CancellationToken stop)
        {
            Items.PassOver(Unkept.CheckIn);
            return default;
        }

        protected override IResult Answer(Guid? id) => Results.StatusCode(StatusCodes.Status202Accepted);
    }
}

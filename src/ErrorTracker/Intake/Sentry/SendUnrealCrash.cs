using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Sentry;

public static class SendUnrealCrash
{
    /// <summary>
    /// Takes the crash of a game, as the Unreal Engine's crash reporter sends it: it becomes an event of level
    /// CRITICAL. The report is passed over and named in <c>context.dropped</c>. Answered 200 with the event's id as
    /// text, only after it is committed.
    /// </summary>
    [WolverinePost("/api/{app_id}/unreal/{key}", OperationId = "SendUnrealCrash")]
    [ProducesResponseType<string>(200, "text/plain"), Ingests("application/octet-stream", "CR1…")]
    [Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json)]
    public static Task<IResult> Post(
        string app_id, string key, HttpContext http, [FromServices] IntakeServices services) =>
        new UnrealIntake(app_id, key, http, services).RunAsync();

    private sealed class UnrealIntake(string app_id, string key, HttpContext http, IntakeServices services)
        : SentryIntake(app_id, http, services)
    {
        protected override IEnumerable<string> KeysShown => base.KeysShown.Append(key);

        protected override int Held => 0;

        protected override async ValueTask<IntakeRefusal?> ReadAsync(
            SentryBody body, Memory<byte> buffer, CancellationToken stop)
        {
            var report = new DumpStart();
            if (await ReadEachAsync(body, buffer, report.TakeAsync, stop) is { } refusal) return refusal;
            if (report.Size == 0) return SentryRefusal.Empty;
            Items.KeepDump(new(CrashDump.UnrealReport, null, report.Size));
            return null;
        }

        protected override IResult Answer(Guid? id) => Results.Text($"{id}");
    }
}

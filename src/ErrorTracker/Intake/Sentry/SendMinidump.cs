using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Wolverine.Http;

namespace ErrorTracker.Intake.Sentry;

public static class SendMinidump
{
    private const string Example =
        """
        --b
        Content-Disposition: form-data; name="sentry"

        {"release":"shop@1.4.2"}
        --b
        Content-Disposition: form-data; name="upload_file_minidump"; filename="crash.dmp"

        MDMP…
        --b--

        """;

    /// <summary>
    /// Takes the crash of a native program, as Crashpad, Breakpad and Electron send it: a form with a minidump, or the
    /// minidump itself. The crash becomes an event of level CRITICAL with what the form tells; the dump is passed over,
    /// however large it is, and named in <c>context.dropped</c>. Answered 200 with the event's id as text, only after
    /// it is committed.
    /// </summary>
    [WolverinePost("/api/{app_id}/minidump", OperationId = "SendMinidump")]
    [ProducesResponseType<string>(200, "text/plain")]
    [Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json)]
    [Ingests("multipart/form-data", Example, Type = typeof(MinidumpForm)), Ingests("application/x-dmp", "MDMP…")]
    public static Task<IResult> Post(string app_id, HttpContext http, [FromServices] IntakeServices services) =>
        new MinidumpIntake(app_id, http, services).RunAsync();

    private sealed class MinidumpIntake(string app_id, HttpContext http, IntakeServices services)
        : SentryIntake(app_id, http, services)
    {
        private readonly CrashForm _form = new();

        protected override int Held => _form.Held;

        protected override ValueTask<IntakeRefusal?> ReadAsync(
            SentryBody body, Memory<byte> buffer, CancellationToken stop) =>
            BoundaryOf(Http.Request) is { } boundary
                ? ReadFormAsync(boundary, body, buffer, stop)
                : ReadDumpAsync(body, buffer, stop);

        protected override (Memory<byte> Event, string? HeaderId) DescribeCrash() => (_form.ToEvent(), null);

        protected override IResult Answer(Guid? id) => Results.Text($"{id}");

        /// <summary>Null if the body is no form.</summary>
        private static string? BoundaryOf(HttpRequest request) =>
            MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
                && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
                ? HeaderUtilities.RemoveQuotes(type.Boundary).ToString()
                : null;

        /// <summary>The dump itself is the body.</summary>
        private async ValueTask<IntakeRefusal?> ReadDumpAsync(
            SentryBody body, Memory<byte> buffer, CancellationToken stop)
        {
            var start = new DumpStart();
            if (await ReadEachAsync(body, buffer, start.TakeAsync, stop) is { } refusal) return refusal;
            if (!start.IsDump) return SentryRefusal.NoDump;
            Items.KeepDump(new(CrashDump.Minidump, null, start.Size));
            return null;
        }

        private async ValueTask<IntakeRefusal?> ReadFormAsync(
            string boundary, SentryBody body, Memory<byte> buffer, CancellationToken stop)
        {
            await using var form = new FormBody(body);
            try
            {
                var parts = new MultipartReader(boundary, form);
                while (await parts.ReadNextSectionAsync(stop) is { } part)
                    if (await TakeAsync(part, buffer, stop) is { } refusal) return refusal;
            }
            catch (Exception e) when (e is IOException or InvalidDataException or ArgumentException)
            {
                return form.Refusal ?? SentryRefusal.BrokenForm;
            }
            return form.Refusal ?? (_form.HasDump ? null : SentryRefusal.NoDump);
        }

        /// <summary>Files are passed over; the text of fields is held.</summary>
        private async ValueTask<IntakeRefusal?> TakeAsync(
            MultipartSection part, Memory<byte> buffer, CancellationToken stop)
        {
            var field = _form.Begin(part.ContentDisposition);
            if (field is null) return SentryRefusal.LargeForm;
            int read;
            do
            {
                read = await part.Body.ReadAsync(buffer, stop);
                if (!_form.TryAdd(field, buffer.Span[..read])) return SentryRefusal.LargeForm;
                if (!TryTakeMemoryForHeld()) return IntakeRefusal.NoRoom;
            }
            while (read > 0);
            if (field.Dump is { } dump) Items.KeepDump(dump);
            else if (field.IsFile) Items.PassOver(Unkept.Attachment);
            return null;
        }
    }
}

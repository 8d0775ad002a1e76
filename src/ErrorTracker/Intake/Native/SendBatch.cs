using System.Text.Json.Serialization;
using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Outcomes;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Native;

/// <summary>What became of a batch: each of its events is accepted, a duplicate, or rejected.</summary>
/// <param name="Accepted" example="98">Committed.</param>
/// <param name="Duplicates" example="1">Sent and committed before, by their event_id.</param>
/// <param name="Rejected">The others.</param>
public sealed record BatchReceipt(int Accepted, int Duplicates, IReadOnlyList<Rejection> Rejected);

/// <summary>An event that was not stored.</summary>
/// <param name="Index" example="3">Its place in the batch, from 0; empty lines do not count.</param>
/// <param name="Status" example="400">With which it would be refused alone: 400, 409, 413, 429 or 503. After the last two it may be sent again.</param>
/// <param name="Errors">What is wrong, by field; body where the event as a whole is, or what follows it.</param>
public sealed record Rejection(int Index, int Status, IDictionary<string, string[]> Errors)
{
    /// <summary>Under which it is counted.</summary>
    [JsonIgnore]
    internal string Reason { get; init; } = IngestMetrics.ReasonOf(Status);
}

public static class SendBatch
{
    public const int MostEvents = 10_000, Largest = 16 * 1024 * 1024;

    /// <summary>Of one request's events at most so many wait for a commit: what it costs in memory does not grow with its body.</summary>
    private const int MostInFlight = 2_000, BytesInFlight = 4 * 1024 * 1024;

    internal const string
        Example = $"[{EventBody.Example}]",
        LinesExample = """{"occurred_at":"2026-01-31T12:34:56.789Z","level":"ERROR","message":"Payment declined"}""";

    /// <summary>
    /// Stores many errors: a JSON array, or a line for each. Answered after all are committed; good ones are kept although
    /// others are rejected. Where none is kept, and none was sent before, the answer is a 400 with the members of the 200,
    /// a 429 with them if a limit was reached, or a 503 if an event could not be committed. The received_at of an event is
    /// when its bytes had arrived.
    /// </summary>
    [WolverinePost("/apps/{app_id}/events/batch", OperationId = "SendBatch")]
    [ProducesResponseType<BatchReceipt>(200), Refuses(400, 401, 403, 413, 415, 429, 503, Type = typeof(BatchProblem))]
    [Ingests(Door.Json, Example, Type = typeof(SentEvent[])), Ingests(Door.Lines, LinesExample)]
    public static async Task<IResult> Post(string app_id, HttpContext http, FieldErrors errors, [FromServices] KeyRing keys,
        [FromServices] IngestLimits limits, [FromServices] IntakeMemory memory,
        [FromServices] WriteQueue queue, [FromServices] IngestMetrics metrics,
        [FromServices] OutcomeTally tally, [FromServices] TimeProvider clock, [FromServices] IHostApplicationLifetime host)
    {
        var (application, refusal) = await Door.OpenAsync(app_id, http, keys, takesLines: true);
        if (refusal is not null) return refusal;
        if (errors.Count > 0) return Refusal.Invalid(errors);
        if (http.Request.ContentLength > Largest) return TooLarge(new(0, 0, []));

        using var room = memory.RoomFor(application);
        if (!room.TryTake(Batch.ReadBuffer)) return Refusal.Busy(http.Response);
        var batch = new Batch(application, queue, room, limits, clock);
        var isWhole = await batch.ReadAsync(http.Request, host.ApplicationStopping);
        var receipt = await batch.SettleAsync();
        Count(receipt, new(application, Instant.Now(clock)), metrics, tally);
        if (!isWhole) return TooLarge(receipt);
        Door.Close(http);
        if (receipt.Accepted + receipt.Duplicates > 0 || receipt.Rejected.Count == 0) return Results.Ok(receipt);
        return NothingKept(receipt, batch.Limit, http.Response);
    }

    private static void Count(BatchReceipt receipt, Account account, IngestMetrics metrics, OutcomeTally tally)
    {
        tally.Add(account, OutcomeTally.Duplicate, receipt.Duplicates);
        foreach (var refused in receipt.Rejected.CountBy(rejection => rejection.Reason))
        {
            metrics.Refused(refused.Key, refused.Value);
            tally.Add(account, refused.Key, refused.Value);
        }
    }

    private static IResult TooLarge(BatchReceipt kept) => Results.Problem(new ProblemDetails
    {
        Status = 413,
        Detail = "A batch has at most 10,000 events and 16 MiB. What is counted here is kept.",
        Extensions = MembersOf(kept),
    });

    /// <summary>Senders that look at the status only must see that all was lost, and whether it helps to send it again.</summary>
    private static IResult NothingKept(BatchReceipt receipt, ReachedLimit? limit, HttpResponse response)
    {
        if (receipt.Rejected.Any(rejection => rejection.Status == StatusCodes.Status503ServiceUnavailable))
            return Refusal.TryLater("No event of the batch could be committed.", response, MembersOf(receipt));
        if (limit is not null) return Refusal.TooMany(limit.Detail, limit.RetryAfter, response, MembersOf(receipt));
        return Results.ValidationProblem(FirstOfEach(receipt.Rejected), "No event of the batch was kept.", extensions: MembersOf(receipt));
    }

    private static Dictionary<string, object?> MembersOf(BatchReceipt receipt) =>
        new() { ["accepted"] = receipt.Accepted, ["duplicates"] = receipt.Duplicates, ["rejected"] = receipt.Rejected };

    /// <summary>Of each field that is wrong somewhere, what is wrong with it in the first event where it is.</summary>
    private static Dictionary<string, string[]> FirstOfEach(IEnumerable<Rejection> rejected)
    {
        var first = new Dictionary<string, string[]>();
        foreach (var rejection in rejected)
            foreach (var (field, errors) in rejection.Errors) first.TryAdd(field, errors);
        return first;
    }

    /// <summary>A batch while it is read and stored: its events wait for their commits while others arrive.</summary>
    private sealed class Batch(int application, WriteQueue queue, Room room, IngestLimits limits, TimeProvider clock)
    {
        public const int ReadBuffer = 64 * 1024;

        /// <summary>An event costs as much as so many bytes at least: one that is nothing but a comma does.</summary>
        private const int BytesOfEvent = 512;

        private const string NoRoom = "was not read further: there is no room for it now";

        /// <summary>So long an event waits for room in the queue. Then the rest of the batch is refused: the database is away, or the application sends more than it takes.</summary>
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), Pause = TimeSpan.FromMilliseconds(20);

        private readonly Queue<(int Index, PendingEvent Event)> _inFlight = [];
        private readonly List<Rejection> _rejected = [];
        private int _accepted, _duplicates, _bytes;
        private bool _isFull;
        private DateTimeOffset _receivedAt;
        private long _read;

        private int Events { get; set; }

        /// <summary>What parsing has cost so far, in bytes of a plain body.</summary>
        private long Work => Math.Max(_read, (long)Events * BytesOfEvent);

        /// <summary>Reading ended before the body did.</summary>
        private bool IsBroken { get; set; }

        /// <summary>The last limit that refused an event.</summary>
        public ReachedLimit? Limit { get; private set; }

        /// <summary>False if the batch is larger than it may be.</summary>
        public async Task<bool> ReadAsync(HttpRequest request, CancellationToken stopping)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(request.HttpContext.RequestAborted, stopping);
            var splitter = new BatchSplitter(Door.SendsLines(request), EventBody.Largest);
            var (buffer, held) = (new byte[ReadBuffer], 0);
            try
            {
                if (await RequestBody.OpenAsync(request, room, stop.Token) is not { } body) return BreakOff(NoRoom);
                await using (body)
                    for (int read; (read = await body.ReadAsync(buffer, Work, stop.Token)) > 0;)
                    {
                        if ((_read += read) > Largest) return false;
                        Arrive();
                        if (!await ParseAsync(splitter, buffer.AsMemory(0, read), stop.Token)) return false;
                        if (splitter.Capacity > held && !room.TryTake(splitter.Capacity - held)) return BreakOff(NoRoom);
                        held = splitter.Capacity;
                    }
                Arrive();
                return await ParseAsync(splitter, default, stop.Token, isEnd: true);
            }
            catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
            {
                return false;
            }
            catch (Exception e) when (RequestBody.FaultOf(e) is { } fault)
            {
                Break(fault);
                return true;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return BreakOff("was not read further: the host is stopping");
            }
            finally
            {
                room.LeaveTurn();
            }
        }

        /// <summary>
        /// It is not the sender's fault: a batch of which nothing was read must not be called invalid.
        /// </summary>
        private bool BreakOff(string reason)
        {
            Break(reason, StatusCodes.Status503ServiceUnavailable);
            return true;
        }

        /// <summary>
        /// The events that are complete with these bytes, or at the end of the body; in the request's turn.
        /// </summary>
        private async ValueTask<bool> ParseAsync(
            BatchSplitter splitter, Memory<byte> bytes, CancellationToken stop, bool isEnd = false)
        {
            await room.TakeTurnAsync(Work, stop);
            while (Next(splitter, ref bytes) is { } part)
            {
                if (!await TakeAsync(part)) return false;
                await room.TakeTurnAsync(Work, stop);
            }
            return !isEnd || !splitter.TryFinish(out var last) || await TakeAsync(last);
        }

        /// <summary>While the batch waits, others of its application may parse.</summary>
        private async ValueTask AwaitAsync(Task what)
        {
            if (!what.IsCompleted) room.LeaveTurn();
            await what.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private static BatchPart? Next(BatchSplitter splitter, ref Memory<byte> rest)
        {
            ReadOnlySpan<byte> input = rest.Span;
            var found = splitter.TryRead(ref input, out var part);
            rest = rest[(rest.Length - input.Length)..];
            return found ? part : null;
        }

        /// <summary>What is complete now has arrived now; never before what was complete earlier, though the clock be set back.</summary>
        private void Arrive()
        {
            var now = Instant.Now(clock);
            if (now > _receivedAt) _receivedAt = now;
        }

        /// <summary>What follows the first fault tells its sender nothing.</summary>
        private void Break(string reason, int status = StatusCodes.Status400BadRequest)
        {
            if (IsBroken) return;
            IsBroken = true;
            Reject(Events, status, "body", reason);
        }

        private void Reject(int index, int status, string field, string error) =>
            _rejected.Add(new(index, status, new Dictionary<string, string[]> { [field] = [error] }));

        private async ValueTask<bool> TakeAsync(BatchPart part)
        {
            if (part.IsEnd)
            {
                Break(part.Error!);
                return true;
            }
            if (Events == MostEvents) return false;

            var (index, errors) = (Events++, new Dictionary<string, string[]>());
            if (limits.Take(application, part.Event.Length) is { } limit) Refuse(index, limit);
            else if (part.Error is not null) Reject(index, StatusCodes.Status413PayloadTooLarge, "body", part.Error);
            else if (EventBody.Parse(part.Event, errors) is { } incoming)
                await SendAsync(index, PendingEvent.Of(application, incoming, _receivedAt));
            else _rejected.Add(new(index, StatusCodes.Status400BadRequest, errors));
            return true;
        }

        private void Refuse(int index, ReachedLimit limit)
        {
            Limit = limit;
            var errors = new Dictionary<string, string[]> { ["body"] = [$"{limit.Detail} Send it again later."] };
            _rejected.Add(new(index, StatusCodes.Status429TooManyRequests, errors) { Reason = limit.Reason });
        }

        private async ValueTask SendAsync(int index, PendingEvent pending)
        {
            while (_inFlight.Count >= MostInFlight || _bytes >= BytesInFlight) await SettleOneAsync();
            _isFull = _isFull || !await TrySendAsync(pending);
            if (_isFull)
            {
                Fail(index);
                return;
            }
            _inFlight.Enqueue((index, pending));
            _bytes += pending.Size;
        }

        /// <summary>Where there is no room, this request's own events are waited for first.</summary>
        private async ValueTask<bool> TrySendAsync(PendingEvent pending)
        {
            for (var waited = TimeSpan.Zero; ;)
            {
                if (room.TryTake(pending.Size))
                {
                    if (queue.TryEnqueue(pending)) return true;
                    room.Return(pending.Size);
                }
                if (_inFlight.Count > 0) await SettleOneAsync();
                else if (waited < Patience)
                {
                    await AwaitAsync(Task.Delay(Pause));
                    waited += Pause;
                }
                else return false;
            }
        }

        public async Task<BatchReceipt> SettleAsync()
        {
            while (_inFlight.Count > 0) await SettleOneAsync();
            _rejected.Sort((a, b) => a.Index.CompareTo(b.Index));
            return new(_accepted, _duplicates, _rejected);
        }

        private async ValueTask SettleOneAsync()
        {
            var (index, pending) = _inFlight.Dequeue();
            await AwaitAsync(pending.Settled.Task);
            _bytes -= pending.Size;
            room.Return(pending.Size);
            try
            {
                switch ((await pending.Settled.Task).Fate)
                {
                    case Fate.Stored: _accepted++; break;
                    case Fate.Repeated: _duplicates++; break;
                    default: Reject(index, StatusCodes.Status409Conflict, "event_id", EventBody.Conflicting); break;
                }
            }
            catch (Exception) // who settled the event with it has logged it
            {
                Fail(index);
            }
        }

        private void Fail(int index) =>
            Reject(index, StatusCodes.Status503ServiceUnavailable, "body", "could not be stored now: send it again");
    }
}

using ErrorTracker.Applications;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Ingestion;

/// <summary>What became of a batch: each of its events is accepted, a duplicate, or rejected.</summary>
/// <param name="Accepted" example="98">Committed.</param>
/// <param name="Duplicates" example="1">Sent and committed before, by their event_id.</param>
/// <param name="Rejected">The others.</param>
public sealed record BatchReceipt(int Accepted, int Duplicates, IReadOnlyList<Rejection> Rejected);

/// <summary>An event that was not stored.</summary>
/// <param name="Index" example="3">Its place in the batch, from 0; empty lines do not count.</param>
/// <param name="Errors">What is wrong, by field; body where the event as a whole is, or what follows it.</param>
public sealed record Rejection(int Index, IDictionary<string, string[]> Errors);

public static class SendBatch
{
    public const int MostEvents = 10_000, Largest = 16 * 1024 * 1024;

    /// <summary>Of one request's events at most so many wait for a commit: what it costs in memory does not grow with its body.</summary>
    private const int MostInFlight = 2_000, BytesInFlight = 4 * 1024 * 1024;

    internal const string Example = $"[{EventBody.Example}]", LinesExample = """{"occurred_at":"2026-01-31T12:34:56.789Z","level":"ERROR","message":"Payment declined"}""";

    /// <summary>Stores many errors: a JSON array, or a line for each. Answered after all are committed; good ones are kept although others are rejected.</summary>
    [WolverinePost("/apps/{app_id}/events/batch")]
    [ProducesResponseType<BatchReceipt>(200), Refuses(400, 401, 403, 413, 415, 503), Ingests(Door.Json, Example), Ingests(Door.Lines, LinesExample)]
    public static async Task<IResult> Post(string app_id, HttpContext http, [FromServices] KeyRing keys,
        [FromServices] WriteQueue queue, [FromServices] IngestMetrics metrics, [FromServices] OutcomeTally tally, [FromServices] TimeProvider clock, [FromServices] IHostApplicationLifetime host)
    {
        var receivedAt = Instant.Now(clock);
        var (application, refusal) = await Door.OpenAsync(app_id, http, keys, receivedAt, takesLines: true);
        if (refusal is not null) return refusal;
        if (http.Request.ContentLength > Largest) return TooLarge(new(0, 0, []));

        using var room = queue.RoomFor(application);
        if (!room.TryTake(Batch.ReadBuffer)) return Refusal.Busy(http.Response);
        var batch = new Batch(application, receivedAt, queue, room);
        var isWhole = await batch.ReadAsync(http.Request, host.ApplicationStopping);
        var receipt = await batch.SettleAsync();
        var account = Door.AccountOf(http)!;
        tally.Add(account, OutcomeTally.Duplicate, receipt.Duplicates);
        foreach (var (status, events) in new[] { (503, batch.Failed), (409, batch.Conflicting), (400, receipt.Rejected.Count - batch.Failed - batch.Conflicting) })
        {
            metrics.Refused(status, events);
            tally.Add(account, IngestMetrics.ReasonOf(status), events);
        }
        if (!isWhole) return TooLarge(receipt);
        Door.Close(http);
        if (receipt.Accepted + receipt.Duplicates > 0 || batch.Events == 0 && batch.Broken is null) return Results.Ok(receipt);
        if (batch.Failed > 0) return Refusal.TryLater("No event of the batch could be committed.", http.Response);
        return batch is { Events: 0, Broken: { } broken } ? Refusal.Invalid("body", broken) : Results.Ok(receipt);
    }

    private static IResult TooLarge(BatchReceipt kept) => Results.Problem(new ProblemDetails
    {
        Status = 413,
        Detail = "A batch has at most 10,000 events and 16 MiB. What is counted here is kept.",
        Extensions = { ["accepted"] = kept.Accepted, ["duplicates"] = kept.Duplicates, ["rejected"] = kept.Rejected },
    });

    private sealed class Batch(int application, DateTimeOffset receivedAt, WriteQueue queue, Room room)
    {
        public const int ReadBuffer = 64 * 1024;

        /// <summary>So long an event waits for room in the queue. Then the rest of the batch is refused: the database is away, or the application sends more than it takes.</summary>
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), Pause = TimeSpan.FromMilliseconds(20);

        private readonly Queue<(int Index, PendingEvent Event)> _inFlight = [];
        private readonly List<Rejection> _rejected = [];
        private int _accepted, _duplicates, _bytes;
        private bool _isFull;

        public int Events { get; private set; }

        public int Failed { get; private set; }

        public int Conflicting { get; private set; }

        /// <summary>Why reading ended before the body did.</summary>
        public string? Broken { get; private set; }

        /// <summary>False if the batch is larger than it may be.</summary>
        public async Task<bool> ReadAsync(HttpRequest request, CancellationToken stopping)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(request.HttpContext.RequestAborted, stopping);
            var splitter = new BatchSplitter(Door.SendsLines(request), EventBody.Largest);
            var (body, buffer, total) = (request.Body, new byte[ReadBuffer], 0L);
            try
            {
                body = await RequestBody.OpenAsync(request, stop.Token);
                for (int read; (read = await body.ReadAsync(buffer, stop.Token)) > 0;)
                {
                    if ((total += read) > Largest) return false;
                    for (var rest = buffer.AsMemory(0, read); Next(splitter, ref rest) is { } part;)
                        if (!await TakeAsync(part)) return false;
                }
                return !splitter.TryFinish(out var last) || await TakeAsync(last);
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
                if (Break("was not read further: the host is stopping")) Failed++; // or a batch of which nothing was read would be called invalid
                return true;
            }
            finally
            {
                if (body != request.Body) await body.DisposeAsync();
            }
        }

        private static BatchPart? Next(BatchSplitter splitter, ref Memory<byte> rest)
        {
            ReadOnlySpan<byte> input = rest.Span;
            var found = splitter.TryRead(ref input, out var part);
            rest = rest[(rest.Length - input.Length)..];
            return found ? part : null;
        }

        /// <summary>False if it was broken before: what follows the first fault tells its sender nothing.</summary>
        private bool Break(string reason)
        {
            if (Broken is not null) return false;
            Broken = reason;
            _rejected.Add(new(Events, new Dictionary<string, string[]> { ["body"] = [reason] }));
            return true;
        }

        private async ValueTask<bool> TakeAsync(BatchPart part)
        {
            if (part.IsEnd)
            {
                Break(part.Error!);
                return true;
            }
            if (Events == MostEvents) return false;

            var (index, errors) = (Events++, new Dictionary<string, string[]>());
            if (part.Error is not null) errors["body"] = [part.Error];
            else if (EventBody.Parse(part.Event, errors) is { } incoming)
            {
                await SendAsync(index, PendingEvent.Of(application, incoming, receivedAt));
                return true;
            }
            _rejected.Add(new(index, errors));
            return true;
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
                    await Task.Delay(Pause);
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
            _bytes -= pending.Size;
            room.Return(pending.Size);
            try
            {
                switch ((await pending.Settled.Task).Fate)
                {
                    case Fate.Stored: _accepted++; break;
                    case Fate.Repeated: _duplicates++; break;
                    default:
                        Conflicting++;
                        _rejected.Add(new(index, new Dictionary<string, string[]> { ["event_id"] = [EventBody.Conflicting] }));
                        break;
                }
            }
            catch (Exception) // who settled the event with it has logged it
            {
                Fail(index);
            }
        }

        private void Fail(int index)
        {
            Failed++;
            _rejected.Add(new(index, new Dictionary<string, string[]> { ["body"] = ["could not be stored now: send it again"] }));
        }
    }
}

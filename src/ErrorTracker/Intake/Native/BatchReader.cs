using ErrorTracker.Commit;

namespace ErrorTracker.Intake.Native;

/// <summary>Reads a batch: makes an event of each of its parts as they arrive, and sends it to be committed.</summary>
internal sealed class BatchReader(
    int application, RequestBudget budget, UnsettledEvents unsettled, BatchOutcome outcome, IntakeServices its)
{
    public const int BufferSize = 64 * 1024;

    /// <summary>What parsing an event costs at least, in bytes: a batch may be nothing but commas.</summary>
    private const int LeastCost = 512;

    private int _events;
    private long _bytes;
    private bool _isBroken;
    private DateTimeOffset _receivedAt;

    /// <summary>What parsing has cost so far, in bytes of a plain body.</summary>
    private long Cost => Math.Max(_bytes, (long)_events * LeastCost);

    /// <summary>False if the batch is larger than it may be.</summary>
    public async ValueTask<bool> ReadAsync(HttpRequest request)
    {
        var gone = request.HttpContext.RequestAborted;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(gone, its.Stopping);
        try
        {
            return await ReadAsync(request, stop.Token);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return false;
        }
        catch (Exception e) when (RequestBody.FaultOf(e) is { } fault)
        {
            Break(IntakeRefusal.Invalid, fault);
            return true;
        }
        catch (OperationCanceledException) when (its.Stopping.IsCancellationRequested)
        {
            Break(IntakeRefusal.Stopping, "was not read further: the host is stopping");
            return true;
        }
        finally
        {
            budget.LeaveTurn();
        }
    }

    private async ValueTask<bool> ReadAsync(HttpRequest request, CancellationToken stop)
    {
        var splitter = new BatchSplitter(MediaType.IsLines(request), EventLimits.Largest);
        var buffer = new byte[BufferSize];
        var held = 0;
        if (await RequestBody.OpenAsync(request, budget, stop) is not { } body) return BreakForMemory();
        await using (body)
            while (true)
            {
                var read = await body.ReadAsync(buffer, Cost, stop);
                if (read == 0) break;
                _bytes += read;
                if (_bytes > SendBatch.Largest) return false;
                NoteArrival();
                if (!await ParseAsync(splitter, buffer.AsMemory(0, read), stop)) return false;
                if (splitter.Capacity > held && !budget.TryTake(splitter.Capacity - held)) return BreakForMemory();
                held = splitter.Capacity;
            }
        NoteArrival();
        return await FinishAsync(splitter, stop);
    }

    /// <summary>Takes the events that are complete with these bytes, in the request's turn.</summary>
    private async ValueTask<bool> ParseAsync(BatchSplitter splitter, Memory<byte> bytes, CancellationToken stop)
    {
        await budget.TakeTurnAsync(Cost, stop);
        while (Next(splitter, ref bytes) is { } part)
        {
            if (!await TakeAsync(part)) return false;
            await budget.TakeTurnAsync(Cost, stop);
        }
        return true;
    }

    /// <summary>Takes the event that ends with the body.</summary>
    private async ValueTask<bool> FinishAsync(BatchSplitter splitter, CancellationToken stop)
    {
        await budget.TakeTurnAsync(Cost, stop);
        return !splitter.TryFinish(out var last) || await TakeAsync(last);
    }

    private static BatchPart? Next(BatchSplitter splitter, ref Memory<byte> rest)
    {
        ReadOnlySpan<byte> input = rest.Span;
        var found = splitter.TryRead(ref input, out var part);
        rest = rest[(rest.Length - input.Length)..];
        return found ? part : null;
    }

    /// <summary>
    /// Events that are complete now were received now; never before earlier ones, though the clock be set back.
    /// </summary>
    private void NoteArrival()
    {
        var now = its.Now;
        if (now > _receivedAt) _receivedAt = now;
    }

    /// <summary>It is not the sender's fault: a batch of which nothing was read must not be called invalid.</summary>
    private bool BreakForMemory()
    {
        Break(IntakeRefusal.NoRoom, "was not read further: there is no room for it now");
        return true;
    }

    /// <summary>The batch cannot be read further. Only the first fault tells its sender something.</summary>
    private void Break(IntakeRefusal refusal, string fault)
    {
        if (_isBroken) return;
        _isBroken = true;
        outcome.Reject(_events, refusal, "body", fault);
    }

    /// <summary>False if the batch has more events than it may.</summary>
    private async ValueTask<bool> TakeAsync(BatchPart part)
    {
        if (part.IsEnd)
        {
            Break(IntakeRefusal.Invalid, part.Error!);
            return true;
        }
        if (_events == SendBatch.MostEvents) return false;
        var index = _events;
        _events++;
        await TakeAsync(index, part);
        return true;
    }

    private ValueTask TakeAsync(int index, BatchPart part)
    {
        var errors = new Dictionary<string, string[]>();
        if (its.Limits.Take(application, part.Event.Length) is { } limit) Refuse(index, limit);
        else if (part.Error is not null) outcome.Reject(index, IntakeRefusal.TooLarge, "body", part.Error);
        else if (EventBody.Parse(part.Event, errors) is { } incoming)
            return SendAsync(index, incoming);
        else outcome.Reject(Rejection.Of(index, IntakeRefusal.Invalid, errors));
        return default;
    }

    private ValueTask SendAsync(int index, IncomingEvent incoming) =>
        unsettled.SendAsync(index, PendingEvent.Of(application, incoming, _receivedAt, its.Rules.Of(application)));

    private void Refuse(int index, ReachedLimit limit)
    {
        outcome.Limit = limit;
        outcome.Reject(index, IntakeRefusal.Of(limit), "body", $"{limit.Detail} Send it again later.");
    }
}

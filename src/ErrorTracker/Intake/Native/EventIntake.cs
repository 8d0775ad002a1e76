using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake.Native;

/// <summary>A request with one event.</summary>
internal sealed class EventIntake(string app_id, HttpContext http, FieldErrors errors, IntakeServices its)
    : NativeIntake(app_id, http, errors, its)
{
    private PendingEvent? _event;
    private Settlement _outcome;

    protected override IntakeRefusal? AdmitBody() => AdmitBody(Http.Request.HasJsonContentType(), MediaType.Json);

    /// <summary>
    /// The body's buffer is free again once the event is made of it. A host that stops reads no further.
    /// </summary>
    protected override async ValueTask<IntakeRefusal?> ReadAsync()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Http.RequestAborted, Its.Stopping);
        try
        {
            var (body, refusal) = await PooledBody.ReadAsync(Http.Request, EventLimits.Largest, Budget, stop.Token);
            if (body is null) return refusal;
            using (body)
            {
                var receivedAt = Its.Now;
                if (Its.Limits.Take(Application, body.Length) is { } limit) return IntakeRefusal.Of(limit);
                await Budget.TakeTurnAsync(body.Length, stop.Token);
                if (EventBody.Parse(body.Bytes, Errors) is not { } incoming) return IntakeRefusal.InvalidFields(Errors);
                _event = PendingEvent.Of(Application, incoming, receivedAt, Its.Rules.Of(Application));
                return null;
            }
        }
        catch (OperationCanceledException) when (Its.Stopping.IsCancellationRequested)
        {
            return IntakeRefusal.Stopping;
        }
        finally
        {
            Budget.LeaveTurn();
        }
    }

    protected override IntakeRefusal? Enqueue() => Its.Queue.TryEnqueue(_event!) ? null : IntakeRefusal.NoRoom;

    protected override ValueTask CommitsAsync() => new(_event!.Settled.Task);

    protected override IntakeRefusal? JudgeCommits()
    {
        _outcome = _event!.Settled.Task.Result;
        return _outcome.Fate switch
        {
            Fate.Conflicting => IntakeRefusal.Conflicting,
            Fate.NotCommitted => IntakeRefusal.NotCommitted,
            _ => null,
        };
    }

    protected override void CountOutcome(IntakeRefusal? refusal)
    {
        base.CountOutcome(refusal);
        if (_outcome.Fate == Fate.Repeated) Its.Tally.Add(new(Application, Its.Now), Reason.Duplicate);
    }

    protected override IResult Accept()
    {
        var receipt = new EventReceipt(_event!.Id, Application, _outcome.ReceivedAt);
        return _outcome.Fate == Fate.Repeated
            ? Results.Ok(receipt)
            : Results.Created($"{Http.Request.PathBase}/apps/{Application}/events/{_event.Id}", receipt);
    }
}

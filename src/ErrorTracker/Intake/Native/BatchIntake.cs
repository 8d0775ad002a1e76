using ErrorTracker.Http;
using ErrorTracker.Outcomes;
using Microsoft.AspNetCore.Mvc;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// A request with many events. They are put on the write queue and settled while others arrive; events that are good
/// are kept although others are rejected.
/// </summary>
internal sealed class BatchIntake(string app_id, HttpContext http, FieldErrors errors, IntakeServices its)
    : NativeIntake(app_id, http, errors, its)
{
    private static readonly IntakeRefusal TooLarge = IntakeRefusal.TooLarge.Saying(
        "A batch has at most 10,000 events and 16 MiB. What is counted here is kept.");

    private readonly BatchOutcome _outcome = new();
    private BatchReceipt _receipt = new(0, 0, []);
    private UnsettledEvents? _unsettled;
    private bool _isWhole;

    protected override IntakeRefusal? AdmitBody()
    {
        var isKnownType = Http.Request.HasJsonContentType() || MediaType.IsLines(Http.Request);
        if (AdmitBody(isKnownType, $"{MediaType.Json} or {MediaType.Lines}") is { } refusal) return refusal;
        if (Errors.Count > 0) return IntakeRefusal.InvalidFields(Errors);
        if (Http.Request.ContentLength > SendBatch.Largest) return TooLarge;
        return Budget.TryTake(BatchReader.BufferSize) ? null : IntakeRefusal.NoRoom;
    }

    protected override async ValueTask<IntakeRefusal?> ReadAsync()
    {
        _unsettled = new(Its.Queue, Budget, _outcome);
        _isWhole = await new BatchReader(Application, Budget, _unsettled, _outcome, Its).ReadAsync(Http.Request);
        return null;
    }

    /// <summary>Reading did that, as only some events of the batch wait at once.</summary>
    protected override IntakeRefusal? Enqueue() => null;

    protected override ValueTask CommitsAsync() => _unsettled!.SettleAllAsync();

    protected override IntakeRefusal? JudgeCommits()
    {
        _receipt = _outcome.ToReceipt();
        return _isWhole ? null : TooLarge;
    }

    protected override void CountOutcome(IntakeRefusal? refusal)
    {
        base.CountOutcome(refusal);
        var arrival = new Arrival(Application, Its.Now);
        Its.Tally.Add(arrival, Reason.Duplicate, _receipt.Duplicates);
        foreach (var (reason, events) in _receipt.Rejected.CountBy(rejection => rejection.Reason))
            CountRefused(arrival, reason, events);
    }

    protected override IResult Accept()
    {
        var isKept = _receipt.Accepted + _receipt.Duplicates > 0;
        return isKept || _receipt.Rejected.Count == 0 ? Results.Ok(_receipt) : RefuseAll();
    }

    protected override IResult Refuse(IntakeRefusal refusal) => refusal == TooLarge
        ? Results.Problem(new ProblemDetails
        {
            Status = refusal.Status,
            Detail = refusal.Text,
            Extensions = _receipt.ToMembers(),
        })
        : base.Refuse(refusal);

    /// <summary>
    /// Senders that look at the status only must see that all was lost, and whether it helps to send it again. Each
    /// event was counted for itself.
    /// </summary>
    private IResult RefuseAll()
    {
        var members = _receipt.ToMembers();
        if (_receipt.Rejected.Any(rejection => rejection.Status == StatusCodes.Status503ServiceUnavailable))
            return Refusal.TryLater("No event of the batch could be committed.", Http.Response, members);
        if (_outcome.Limit is { } limit) return Refusal.TooMany(limit.Detail, limit.RetryAfter, Http.Response, members);
        return Results.ValidationProblem(FirstOfEachField(), "No event of the batch was kept.", extensions: members);
    }

    /// <summary>For each field that is wrong somewhere: what is wrong with it in the first event where it is.</summary>
    private Dictionary<string, string[]> FirstOfEachField()
    {
        var first = new Dictionary<string, string[]>();
        foreach (var rejection in _receipt.Rejected)
            foreach (var (field, errors) in rejection.Errors) first.TryAdd(field, errors);
        return first;
    }
}

using ErrorTracker.Applications;
using ErrorTracker.Outcomes;
using Npgsql;

namespace ErrorTracker.Intake;

/// <summary>
/// One request on its way to become events: a list of steps for all protocols, each of which may refuse it. The
/// protocols fill in what differs, and say which order of their own checks a step has.
/// </summary>
/// <param name="app_id">As the path has it.</param>
internal abstract class RequestIntake(string app_id, HttpContext http, IntakeServices its) : IDisposable
{
    private int _application;

    protected HttpContext Http => http;

    protected IntakeServices Its => its;

    /// <summary>Whose events these are, if the key opens it.</summary>
    protected int Application => _application;

    /// <summary>With which the application was opened; null as long as it was not.</summary>
    protected string? Key { get; private set; }

    protected RequestBudget Budget { get; } = its.Memory.BudgetFor(RequestBudget.Nobody);

    /// <summary>Runs the steps. The first that refuses ends them, but for accounting. To be called once.</summary>
    public async Task<IResult> RunAsync()
    {
        using (this)
        {
            var refusal = FindApplication()
                ?? await OpenByKeyAsync()
                ?? AdmitBody()
                ?? await ReadAsync()
                ?? Enqueue();
            if (refusal is null)
            {
                await CommitsAsync();
                refusal = JudgeCommits();
            }
            CountOutcome(refusal);
            return refusal is null ? Accept() : Refuse(refusal);
        }
    }

    private IntakeRefusal? FindApplication() =>
        ApplicationDirectory.TryParseId(app_id, out _application) ? null : IntakeRefusal.BadApplication;

    private ValueTask<IntakeRefusal?> OpenByKeyAsync()
    {
        var (key, refusal) = FindKey();
        return key is null ? new(refusal) : OpenAsync(key);
    }

    /// <summary>
    /// The key that is shown outside of the body. Neither a key nor a refusal: it may be in the body.
    /// </summary>
    protected abstract (string? Key, IntakeRefusal? Refusal) FindKey();

    protected async ValueTask<IntakeRefusal?> OpenAsync(string key)
    {
        try
        {
            if (!await its.Keys.OpensAsync(_application, key, http.RequestAborted)) return IntakeRefusal.WrongKey;
        }
        catch (NpgsqlException failure)
        {
            its.Log.LogWarning(failure, "A key could not be looked up.");
            return IntakeRefusal.DatabaseAway;
        }
        Key = key;
        return Budget.TryMoveTo(_application) ? Opened() : IntakeRefusal.NoRoom;
    }

    /// <summary>The application is known now, and its share of the memory can be used.</summary>
    protected virtual IntakeRefusal? Opened() => null;

    /// <summary>Judges the body by the request's headers, before any of it is read.</summary>
    protected abstract IntakeRefusal? AdmitBody();

    /// <summary>Reads the body and makes events of it.</summary>
    protected abstract ValueTask<IntakeRefusal?> ReadAsync();

    /// <summary>Puts the events on the write queue.</summary>
    protected abstract IntakeRefusal? Enqueue();

    /// <summary>Completes when each event that was put on the queue is committed, or cannot be.</summary>
    protected abstract ValueTask CommitsAsync();

    /// <summary>A request of several events is refused only if none of them is kept.</summary>
    protected abstract IntakeRefusal? JudgeCommits();

    /// <summary>
    /// Counts what was not stored: a request that is refused as a whole is one. What is stored is counted by the log.
    /// </summary>
    protected virtual void CountOutcome(IntakeRefusal? refusal)
    {
        if (refusal is null) return;
        its.Metrics.Refused(refusal.Reason.Stored);
        if (Key is not null) its.Tally.Add(new(_application, its.Now), refusal.Reason);
    }

    /// <summary>Counts events of a request that is not refused as a whole.</summary>
    protected void CountRefused(Arrival arrival, Reason reason, int events = 1)
    {
        its.Metrics.Refused(reason.Stored, events);
        its.Tally.Add(arrival, reason, events);
    }

    /// <summary>The answer after the commit.</summary>
    protected abstract IResult Accept();

    /// <summary>The answer that refuses the request, in the protocol's form.</summary>
    protected abstract IResult Refuse(IntakeRefusal refusal);

    public virtual void Dispose() => Budget.Dispose();
}

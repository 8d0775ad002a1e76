using System.Text.Json.Serialization;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake.Native;

/// <summary>What became of a batch: each of its events is accepted, a duplicate, or rejected.</summary>
/// <param name="Accepted" example="98">Committed.</param>
/// <param name="Duplicates" example="1">Sent and committed before, by their event_id.</param>
/// <param name="Rejected">The others.</param>
public sealed record BatchReceipt(int Accepted, int Duplicates, IReadOnlyList<Rejection> Rejected)
{
    internal Dictionary<string, object?> ToMembers() =>
        new() { ["accepted"] = Accepted, ["duplicates"] = Duplicates, ["rejected"] = Rejected };
}

/// <summary>An event that was not stored.</summary>
/// <param name="Index" example="3">Its place in the batch, from 0; empty lines do not count.</param>
/// <param name="Status" example="400">
/// With which it would be refused alone: 400, 409, 413, 429 or 503. After the last two it may be sent again.
/// </param>
/// <param name="Errors">What is wrong, by field; body where the event as a whole is, or what follows it.</param>
public sealed record Rejection(int Index, int Status, IDictionary<string, string[]> Errors)
{
    /// <summary>Under which it is counted.</summary>
    [JsonIgnore]
    internal Reason Reason { get; private init; } = Reason.Other;

    internal static Rejection Of(int index, IntakeRefusal refusal, IDictionary<string, string[]> errors) =>
        new(index, refusal.Status, errors) { Reason = refusal.Reason };

    internal static Rejection Of(int index, IntakeRefusal refusal, string field, string error) =>
        Of(index, refusal, new Dictionary<string, string[]> { [field] = [error] });
}

/// <summary>What has become of a batch so far.</summary>
internal sealed class BatchOutcome
{
    private readonly List<Rejection> _rejected = [];

    public int Accepted { get; set; }

    public int Duplicates { get; set; }

    /// <summary>The last limit that refused an event.</summary>
    public ReachedLimit? Limit { get; set; }

    public void Reject(Rejection rejection) => _rejected.Add(rejection);

    public void Reject(int index, IntakeRefusal refusal, string field, string error) =>
        _rejected.Add(Rejection.Of(index, refusal, field, error));

    public BatchReceipt ToReceipt()
    {
        _rejected.Sort((a, b) => a.Index.CompareTo(b.Index));
        return new(Accepted, Duplicates, _rejected);
    }
}

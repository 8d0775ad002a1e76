namespace ErrorTracker.Crash;

/// <summary>An event that was sent, once or more, and what its sender was told of it.</summary>
/// <param name="trace">Its own number, which is stored with it.</param>
/// <param name="eventId">Its sender's name for it.</param>
/// <param name="flaw">What makes it invalid: members that stand in place of a valid level.</param>
internal sealed class Sent(long trace, int application, Guid? eventId, string level, string message, string? flaw)
{
    private string _answers = "";

    public long Trace => trace;

    public Guid? EventId => eventId;

    public bool IsValid => flaw is null;

    /// <summary>It was answered at least once that it is stored.</summary>
    public bool IsAcknowledged { get; private set; }

    /// <summary>An answer to it was lost: nobody knows what became of it.</summary>
    public bool IsUnknown { get; private set; }

    /// <summary>What the log calls it, if that was answered.</summary>
    public Guid? StoredAs { get; private set; }

    public string Json
    {
        get
        {
            string[] members =
            [
                "\"occurred_at\":\"2026-01-31T12:34:56.789Z\"",
                flaw ?? $"\"level\":\"{level}\"",
                $"\"message\":\"{message}\"",
                $$"""
                "tags":{"trace":"{{trace}}"}
                """,
                $$"""
                "stack":{"frames":[{"file":"Checkout.cs","line":{{trace % 900}}}]}
                """,
                .. eventId is null ? (string[])[] : [$"\"event_id\":\"{eventId}\""],
            ];
            return $"{{{string.Join(',', members)}}}";
        }
    }

    public void Acknowledge(string answer, Guid? storedAs = null)
    {
        Note(answer);
        IsAcknowledged = true;
        StoredAs = storedAs ?? StoredAs;
    }

    public void Refuse(string answer) => Note(answer);

    public void Lose(string how)
    {
        IsUnknown = true;
        Note(how);
    }

    public override string ToString()
    {
        var name = eventId is null ? "" : $" with event_id {eventId}";
        return $"event {trace} of application {application}{name}:{_answers}";
    }

    private void Note(string answer) => _answers += $" {DateTime.UtcNow:HH:mm:ss.fff} {answer};";
}

namespace ErrorTracker.Tests.Abuse;

/// <summary>What an application must find stored, by the oracle and the answers it got.</summary>
internal sealed class Ledger(Sender sender)
{
    private readonly Dictionary<string, string> _named = [];

    public Sender Sender => sender;

    /// <summary>The content of each event that must be stored once, and the input that sent it.</summary>
    public List<(string Content, int Input)> Stored { get; } = [];

    /// <summary>Those whose sender left before the answer: stored or not.</summary>
    public List<(string Content, int Input)> Uncertain { get; } = [];

    /// <summary>
    /// What an event's answer is now: 201, 200 for a repetition, 409 for an id that is taken, or 400.
    /// </summary>
    public int StatusOf(Verdict verdict) =>
        verdict.Content is null
            ? 400
            : verdict.Id is null || !_named.TryGetValue(verdict.Id, out var known)
            ? 201
            : known == verdict.Content
            ? 200
            : 409;

    public void Add(Verdict verdict, int input)
    {
        if (StatusOf(verdict) != 201) return;
        Stored.Add((verdict.Content!, input));
        if (verdict.Id is not null) _named[verdict.Id] = verdict.Content!;
    }
}

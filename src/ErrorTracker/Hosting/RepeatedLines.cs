namespace ErrorTracker.Hosting;

/// <summary>What makes a line of the log the same fault as another.</summary>
/// <param name="Category">Of the logger.</param>
/// <param name="Template">The message without its values.</param>
/// <param name="Kind">Of its exception, and its reason.</param>
internal readonly record struct LineKind(string Category, LogLevel Level, string Template, string Kind);

/// <summary>
/// Which lines of a fault that lasts are written: its first at once, one a minute with how many there were, and one
/// when none has come for a minute. At most 200 faults are told apart at a time; those beyond are one for each
/// category.
/// </summary>
/// <param name="write">Writes a line: the category, the level and the text.</param>
internal sealed class RepeatedLines(TimeProvider clock, Action<string, LogLevel, string> write)
{
    private const int MostFaults = 200;

    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1), Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock _turn = new();
    private readonly Dictionary<LineKind, Fault> _faults = [];

    /// <summary>Whether the line is the first of its fault, and so to be written now.</summary>
    /// <param name="text">Of the line; is asked for only if it is the first.</param>
    public bool IsFirst(LineKind kind, Func<string> text)
    {
        lock (_turn)
        {
            if (_faults.Count >= MostFaults && !_faults.ContainsKey(kind))
                kind = new(kind.Category, kind.Level, "", "");
            var now = clock.GetUtcNow();
            if (!_faults.TryGetValue(kind, out var fault))
            {
                _faults[kind] = new() { Text = text(), First = now, Last = now, ToldAt = now };
                return true;
            }
            fault.Count++;
            fault.Last = now;
            return false;
        }
    }

    /// <summary>A category says itself that its fault is over.</summary>
    public void End(string category)
    {
        lock (_turn)
            foreach (var kind in _faults.Keys.Where(kind => kind.Category == category).ToList()) _faults.Remove(kind);
    }

    /// <summary>Writes what is due. To be called each second or so.</summary>
    /// <returns>False if no fault lasts.</returns>
    public bool Sweep()
    {
        lock (_turn)
        {
            var now = clock.GetUtcNow();
            foreach (var (kind, fault) in _faults.ToList())
                if (now - fault.Last >= Quiet)
                {
                    _faults.Remove(kind);
                    if (fault.Count > 1) TellEnd(kind, fault);
                }
                else if (fault.Count > fault.Told && now - fault.ToldAt >= Again) Tell(kind, fault, now);
            return _faults.Count > 0;
        }
    }

    /// <summary>Writes what has not been told: the log ends.</summary>
    public void Finish()
    {
        lock (_turn)
        {
            foreach (var (kind, fault) in _faults)
                if (fault.Count > fault.Told) Tell(kind, fault, clock.GetUtcNow());
            _faults.Clear();
        }
    }

    private void Tell(LineKind kind, Fault fault, DateTimeOffset now)
    {
        var news = $"{fault.Count - fault.Told:N0} times more, the last at {Time(fault.Last)}";
        write(kind.Category, kind.Level, $"Again: {fault.Text} ({news})");
        fault.Told = fault.Count;
        fault.ToldAt = now;
    }

    private void TellEnd(LineKind kind, Fault fault)
    {
        var all = $"{fault.Count:N0} times from {Time(fault.First)} to {Time(fault.Last)}";
        write(kind.Category, LogLevel.Information, $"Over: {fault.Text} ({all})");
    }

    private static string Time(DateTimeOffset time) => $"{time.UtcDateTime:HH:mm:ss}Z";

    private sealed class Fault
    {
        /// <summary>Of its first line.</summary>
        public required string Text { get; init; }

        public required DateTimeOffset First { get; init; }

        public DateTimeOffset Last { get; set; }

        public long Count { get; set; } = 1;

        /// <summary>How many of them have been written of, and when.</summary>
        public long Told { get; set; } = 1;

        public DateTimeOffset ToldAt { get; set; }
    }
}

namespace ErrorTracker.Configuration;

/// <summary>Tells a name that somebody has mistyped from one that is none of ours.</summary>
internal static class Misspelling
{
    private const int MostEdits = 2;

    /// <summary>
    /// True if at most two letters are missing, added or others, whatever the case and the separators
    /// (<c>_</c>, <c>__</c>, <c>:</c>).
    /// </summary>
    public static bool Is(string name, string meant)
    {
        var (typed, right) = (LettersOf(name), LettersOf(meant));
        return Math.Abs(typed.Length - right.Length) <= MostEdits && Distance(typed, right) <= MostEdits;
    }

    private static string LettersOf(string name) => name.Replace("_", "").Replace(":", "").ToUpperInvariant();

    /// <summary>Levenshtein's: how many letters must be added, removed or replaced.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 0; i < a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 0; j < b.Length; j++)
            {
                var replaced = diagonal + (a[i] == b[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(replaced, 1 + Math.Min(row[j], diagonal));
            }
        }
        return row[b.Length];
    }
}

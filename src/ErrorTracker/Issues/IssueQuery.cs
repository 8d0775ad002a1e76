using ErrorTracker.Http;

namespace ErrorTracker.Issues;

/// <summary>
/// What a list of issues is searched for: words that title, type or place contain, in any case, and
/// <c>release:…</c> and <c>environment:…</c>, which some event must name exactly. All must hold.
/// </summary>
public sealed record IssueQuery(string[] Words, string[] Releases, string[] Environments)
{
    /// <summary>In characters.</summary>
    internal const int Longest = 500;

    private const int MostTerms = 20;

    private const string Release = "release:", Environment = "environment:";

    public static readonly IssueQuery None = new([], [], []);

    /// <summary>None if absent; what is too long is named in <paramref name="errors"/>.</summary>
    public static IssueQuery Optional(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return None;
        var terms = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (text.Length > Longest || terms.Length > MostTerms || text.Contains('\0'))
        {
            errors.AddFault("query", $"must be at most {Longest} characters and {MostTerms} words, without zero bytes");
            return None;
        }
        return new(
            [.. terms.Where(term => !IsOf(term, Release) && !IsOf(term, Environment)).Select(term => term.ToLowerInvariant())],
            ValuesOf(terms, Release), ValuesOf(terms, Environment));
    }

    private static string[] ValuesOf(string[] terms, string name) =>
        [.. terms.Where(term => IsOf(term, name)).Select(term => term[name.Length..])];

    private static bool IsOf(string term, string name) => term.StartsWith(name, StringComparison.Ordinal);
}

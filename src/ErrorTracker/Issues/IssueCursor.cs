using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ErrorTracker.Http;

namespace ErrorTracker.Issues;

/// <summary>
/// Where a list of issues goes on, for its reader to hand back. Its later pages are in the order that the first one saw,
/// so an issue that gets events meanwhile is neither left out nor shown twice.
/// </summary>
/// <param name="Sort">The order that it is of.</param>
/// <param name="SeenThrough">The place of the log that the first page included.</param>
/// <param name="Unseen">Places before it whose events the first page did not include: they were being written.</param>
/// <param name="SeenAt">The latest received_at up to that place.</param>
/// <param name="Value">Of the last issue shown: a count, or ticks in UTC.</param>
/// <param name="Number">Of the last issue shown.</param>
public sealed record IssueCursor(
    IssueSort Sort, long SeenThrough, IReadOnlyList<long> Unseen, DateTimeOffset SeenAt, long Value, int Number)
{
    /// <summary>So many events at most are looked for that were being written.</summary>
    public const int MostUnseen = 1_000;

    /// <summary>In so many runs, as a query has its limits: those of the least numbers are left out.</summary>
    private const int MostRuns = 300;

    private const int Longest = 6_000;

    public string ToText()
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{Sort.Name}|{SeenThrough}|{SeenAt.UtcTicks}|{Value}|{Number}|{Ranges()}");
        return Base64Url.EncodeToString(Encoding.ASCII.GetBytes(text));
    }

    /// <summary>Null if absent; what is no cursor of this order is named in <paramref name="errors"/>.</summary>
    public static IssueCursor? Optional(string? text, IssueSort sort, Dictionary<string, string[]> errors)
    {
        if (text is null) return null;
        if (Parse(text) is { } cursor && cursor.Sort == sort) return cursor;
        errors.AddFault("cursor", "must be next_cursor of an answer before, with the same sort");
        return null;
    }

    private static IssueCursor? Parse(string text)
    {
        if (text.Length > Longest || !Base64Url.IsValid(text)) return null;
        var parts = Encoding.ASCII.GetString(Base64Url.DecodeFromChars(text)).Split('|');
        if (parts.Length != 6 || Array.Find(IssueSort.All, known => known.Name == parts[0]) is not { } sort) return null;
        if (!Long(parts[1], out var seenThrough) || !Long(parts[2], out var ticks)) return null;
        if (!Long(parts[3], out var value) || !Long(parts[4], out var number)) return null;
        if (ticks > DateTimeOffset.MaxValue.UtcTicks || value > DateTimeOffset.MaxValue.UtcTicks) return null;
        if (number > int.MaxValue || UnseenIn(parts[5], seenThrough) is not { } unseen) return null;
        return new(sort, seenThrough, unseen, new(ticks, TimeSpan.Zero), value, (int)number);
    }

    /// <summary>Runs of unseen places: how far before <see cref="SeenThrough"/> each ends, and how many it has.</summary>
    private string Ranges()
    {
        var runs = new List<string>();
        for (int start = 0, next = 1; next <= Unseen.Count; next++)
        {
            if (next < Unseen.Count && Unseen[next] == Unseen[next - 1] + 1) continue;
            runs.Add(string.Create(CultureInfo.InvariantCulture, $"{SeenThrough - Unseen[next - 1]}.{next - start}"));
            start = next;
        }
        return string.Join(',', runs.TakeLast(MostRuns));
    }

    private static List<long>? UnseenIn(string ranges, long seenThrough)
    {
        var unseen = new List<long>();
        foreach (var run in ranges.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (run.Split('.') is not [var before, var many]) return null;
            if (!Long(before, out var distance) || !Long(many, out var count)) return null;
            if (distance > seenThrough || count > MostUnseen - unseen.Count) return null;
            for (var place = seenThrough - distance - count + 1; count > 0; place++, count--) unseen.Add(place);
        }
        return unseen;
    }

    private static bool Long(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

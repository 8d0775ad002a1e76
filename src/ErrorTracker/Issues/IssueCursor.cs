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
/// <param name="SeenAt">The latest received_at up to that place.</param>
/// <param name="Value">Of the last issue shown: a count, or ticks in UTC.</param>
/// <param name="Number">Of the last issue shown.</param>
public sealed record IssueCursor(IssueSort Sort, long SeenThrough, DateTimeOffset SeenAt, long Value, int Number)
{
    private const int Longest = 200;

    public string ToText()
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{Sort.Name}|{SeenThrough}|{SeenAt.UtcTicks}|{Value}|{Number}");
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
        if (parts.Length != 5 || Array.Find(IssueSort.All, known => known.Name == parts[0]) is not { } sort) return null;
        if (!Long(parts[1], out var seenThrough) || !Long(parts[2], out var ticks)) return null;
        if (!Long(parts[3], out var value) || !Long(parts[4], out var number)) return null;
        if (ticks > DateTimeOffset.MaxValue.UtcTicks || value > DateTimeOffset.MaxValue.UtcTicks) return null;
        return number > int.MaxValue ? null : new(sort, seenThrough, new(ticks, TimeSpan.Zero), value, (int)number);
    }

    private static bool Long(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

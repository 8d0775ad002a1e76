using ErrorTracker.Counters;

namespace ErrorTracker.Issues;

/// <summary>What other rules would do to the issues of an application, counted event by event.</summary>
/// <param name="Events" example="1000000">That were counted.</param>
/// <param name="Moved" example="1200">Of them, those that would be in another issue.</param>
/// <param name="Stay" example="940">Issues that would keep all of their events and get none of others.</param>
/// <param name="Merged" example="12">Issues that would get events of others; the first 1,000 are listed.</param>
/// <param name="Split" example="3">Issues of which events would leave; the first 1,000 are listed.</param>
/// <param name="Conflicts" example="0">Of both, those that people have merged otherwise.</param>
/// <param name="Merges">By the number of the issue that they would be, the most events first.</param>
/// <param name="Splits">By the issue that they are now, the most events first.</param>
public sealed record GroupingPreview(
    long Events, long Moved, int Stay, int Merged, int Split, int Conflicts, IReadOnlyList<PreviewedMerge> Merges,
    IReadOnlyList<PreviewedSplit> Splits)
{
    private const int Most = 1_000;

    /// <param name="pairs">How events would move.</param>
    /// <param name="merges">What people have merged.</param>
    internal static GroupingPreview Of(IReadOnlyList<KeyPair> pairs, IssueMerges merges)
    {
        var heirs = Inheritance.Of(pairs);
        var moves = pairs.Select(pair => new Move(
            merges.IssueOf(pair.Number),
            heirs.TryGetValue(pair.Key, out var number) ? merges.IssueOf(number) : null,
            pair.Key,
            pair.Events)).ToList();

        var merged = moves.GroupBy(move => move.Target).Select(target => MergeOf([.. target], merges))
            .OfType<PreviewedMerge>().OrderByDescending(merge => merge.Events).ToList();
        var split = moves.GroupBy(move => move.From).Select(from => SplitOf([.. from], merges))
            .OfType<PreviewedSplit>().OrderByDescending(parted => parted.Events).ToList();
        var touched = merged.SelectMany(merge => merge.From.Select(part => part.Issue))
            .Concat(merged.Select(merge => merge.Issue ?? 0)).Concat(split.Select(parted => parted.Issue)).ToHashSet();
        return new(
            moves.Sum(move => move.Events),
            moves.Where(move => move.To != move.From).Sum(move => move.Events),
            moves.Select(move => move.From).Distinct().Count(from => !touched.Contains(from)),
            merged.Count, split.Count,
            merged.Count(merge => merge.IsConflict) + split.Count(parted => parted.IsConflict),
            [.. merged.Take(Most)], [.. split.Take(Most)]);
    }

    /// <param name="To">Null: a new issue, of this key alone.</param>
    private sealed record Move(int From, int? To, string Key, long Events)
    {
        /// <summary>New issues are apart.</summary>
        public (int?, string?) Target => To is null ? (null, Key) : (To, null);
    }

    private static PreviewedMerge? MergeOf(List<Move> target, IssueMerges merges)
    {
        var parts = PartsOf(target, move => move.From);
        if (parts.Count < 2) return null;
        var isConflict = parts.Any(part => merges.NumbersOf(part.Issue).Count > 1);
        return new(target[0].To, target.Sum(move => move.Events), parts, isConflict);
    }

    private static PreviewedSplit? SplitOf(List<Move> from, IssueMerges merges)
    {
        var parts = from.GroupBy(move => move.Target)
            .Select(part => new PreviewedPart(
                part.First().To, [.. part.Select(move => move.Key).Distinct().Order(StringComparer.Ordinal)],
                part.Sum(move => move.Events)))
            .OrderByDescending(part => part.Events).ToList();
        if (parts.Count < 2) return null;
        var issue = from[0].From;
        return new(issue, from.Sum(move => move.Events), parts, merges.NumbersOf(issue).Count > 1);
    }

    private static List<PreviewedSource> PartsOf(List<Move> moves, Func<Move, int> issue) =>
    [
        .. moves.GroupBy(issue).Select(part => new PreviewedSource(part.Key, part.Sum(move => move.Events)))
            .OrderByDescending(part => part.Events),
    ];
}

/// <summary>Events of several issues that would be one.</summary>
/// <param name="Issue" example="7">What it would be called; null: by a new number.</param>
/// <param name="Events" example="1200">That it would have, of those that were counted.</param>
/// <param name="From">Where they come from.</param>
/// <param name="IsConflict">One of these issues was merged by people.</param>
public sealed record PreviewedMerge(int? Issue, long Events, IReadOnlyList<PreviewedSource> From, bool IsConflict);

/// <summary>An issue, and how many of its events are meant.</summary>
/// <param name="Issue" example="3">Its number.</param>
/// <param name="Events" example="40">Of it.</param>
public sealed record PreviewedSource(int Issue, long Events);

/// <summary>An issue whose events would be several.</summary>
/// <param name="Issue" example="3">Its number.</param>
/// <param name="Events" example="40">That it has, of those that were counted.</param>
/// <param name="Parts">What becomes of them.</param>
/// <param name="IsConflict">It was merged by people.</param>
public sealed record PreviewedSplit(int Issue, long Events, IReadOnlyList<PreviewedPart> Parts, bool IsConflict);

/// <summary>Events of an issue that would stay together.</summary>
/// <param name="Issue" example="3">The issue that they would belong to; null: a new one.</param>
/// <param name="Keys">Of their groups by the other rules.</param>
/// <param name="Events" example="40">How many.</param>
public sealed record PreviewedPart(int? Issue, IReadOnlyList<string> Keys, long Events);

using ErrorTracker.Issues;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Issues;

/// <summary>Which numbers are one issue, without a database.</summary>
public sealed class IssueMergesTests
{
    private const int Most = 9;

    private static readonly Stamp Now = new(Actor.Anonymous, DateTimeOffset.UnixEpoch);

    /// <summary>4 was merged into 3, and 3 into 1.</summary>
    private static readonly IssueMerges Nested = Merge(Merge(IssueMerges.None, 3, 4), 1, 3);

    [Fact]
    public void what_was_merged_before_is_merged_along()
    {
        Assert.Equal("1,3,4", Shown(Nested));
        Assert.Equal([3, 4], Nested.Former.Order());
        Assert.Equal([1, 1, 1], new[] { 1, 3, 4 }.Select(Nested.IssueOf));
        Assert.Equal((2, "2"), (Nested.IssueOf(2), string.Join(',', Nested.NumbersOf(2))));
    }

    [Theory]
    [InlineData("3,4", "1 3,4", 1)] // a former issue is as it was
    [InlineData("4", "1,3 4", 1)]
    [InlineData("3", "1,4 3", 1)] // what was part of it stays where it is
    [InlineData("1", "1 3,4", 3)] // the rest is called as the oldest of what is left
    [InlineData("1,3", "1,3 4", 4)]
    [InlineData("1,4", "1,4 3", 3)]
    public void a_split_gives_back_what_was_merged(string leaving, string issues, int rest)
    {
        var split = Split(Nested, 1, [.. leaving.Split(',').Select(int.Parse)]);
        var after = Nested.After(split);
        var found = new[] { 1, 3, 4 }.GroupBy(after.IssueOf);
        Assert.Equal(issues, string.Join(' ', found.Select(issue => string.Join(',', issue))));
        Assert.Equal(rest, split.Rest);
        Assert.All(split.Parts, part => Assert.Equal(part.Numbers, after.NumbersOf(part.Issue)));
        Assert.All(split.Parts, part => Assert.Equal(part.Numbers.Select(Key), part.Keys));
    }

    /// <summary>An issue of three that were merged each by itself, of which the one that names it leaves.</summary>
    [Fact]
    public void what_is_left_stays_together_and_what_leaves_falls_into_former_issues()
    {
        var flat = Merge(IssueMerges.None, 2, 5, 7, 3);
        var own = Split(flat, 2, 2);
        Assert.Equal((3, "2"), (own.Rest, Shown(own)));
        Assert.Equal("3,5,7", Shown(flat.After(own)));
        Assert.Equal("3 7", Shown(Split(flat, 2, 7, 3)));
    }

    [Fact]
    public void decisions_are_about_issues_that_there_are()
    {
        Assert.Contains("part of issue 1", Nested.Decide(new MergeCommand(2, [4], Now)).Refusal!.Reason);
        Assert.Contains("part of issue 1", Nested.Decide(new MergeCommand(3, [2], Now)).Refusal!.Reason);
        Assert.Contains("part of issue 1", Refused(Nested, 3, 4).Reason);
        var again = Nested.Decide(new MergeCommand(1, [4, 2], Now)).Event!;
        Assert.Equal(("2", "4"), (string.Join(',', again.Issues), string.Join(',', again.Already)));
        Assert.True(Nested.Decide(new MergeCommand(1, [4], Now)).Event!.IsVoid);
    }

    [Fact]
    public void one_key_at_least_stays()
    {
        Assert.Equal(DecisionRefusal.AllKeys, Refused(Nested, 1, 1, 3, 4));
        Assert.Equal(DecisionRefusal.OneKey, Refused(Nested, 2, 2));
        Assert.Equal(DecisionRefusal.OfKey(Key(2), 1), Refused(Nested, 1, 3, 2));
    }

    [Property(MaxTest = 500)]
    public Property any_decisions_give_what_a_plain_model_gives() => Prop.ForAll(Choices(), choices =>
    {
        var (groups, model) = (IssueMerges.None, new Model(Most));
        foreach (var choice in choices) (groups, _) = Apply(groups, model, choice);
        return Enumerable.Range(1, Most).All(number =>
        {
            var issue = groups.IssueOf(number);
            var numbers = groups.NumbersOf(issue);
            return numbers.Contains(number) && numbers.Contains(issue) && model.Has(issue, numbers)
                && groups.Former.Contains(number) == (number != issue);
        });
    });

    [Property(MaxTest = 500)]
    public Property a_split_of_what_was_merged_undoes_the_merge() => Prop.ForAll(Choices(), choices =>
    {
        var (groups, model) = (IssueMerges.None, new Model(Most));
        foreach (var choice in choices) (groups, _) = Apply(groups, model, choice);
        var issues = Enumerable.Range(1, Most).Where(number => groups.IssueOf(number) == number).ToArray();
        var before = issues.ToDictionary(issue => issue, issue => string.Join(',', groups.NumbersOf(issue)));
        var merged = Merge(groups, issues[0], issues[1..]);
        var leaving = issues[1..].SelectMany(groups.NumbersOf).ToArray();
        var after = leaving.Length == 0 ? merged : merged.After(Split(merged, issues[0], leaving));
        return issues.All(issue => string.Join(',', after.NumbersOf(issue)) == before[issue]);
    });

    /// <summary>Lists of a target and of numbers, which make one merge or one split each.</summary>
    private static Arbitrary<(bool IsMerge, int At, int[] Numbers)[]> Choices()
    {
        var number = Gen.Choose(1, Most);
        var choice =
            from isMerge in Gen.Elements(true, true, false)
            from at in number
            from numbers in number.NonEmptyListOf()
            select (isMerge, at, numbers.Distinct().Take(4).ToArray());
        return choice.ArrayOf().ToArbitrary();
    }

    private static (IssueMerges Groups, IDecision? Decision) Apply(
        IssueMerges groups, Model model, (bool IsMerge, int At, int[] Numbers) choice)
    {
        var (isMerge, at, numbers) = choice;
        IDecision? decision = isMerge
            ? groups.Decide(new MergeCommand(at, [.. numbers.Where(number => number != at)], Now)).Event
            : groups.Decide(SplitOf(at, numbers)).Event;
        if (decision is IssuesMerged merged) model.Merge(at, merged.Issues);
        if (decision is IssueSplit) model.Split(at, numbers);
        return decision is null ? (groups, null) : (groups.After(decision), decision);
    }

    private static IssueMerges Merge(IssueMerges groups, int into, params int[] issues) =>
        groups.After(groups.Decide(new MergeCommand(into, issues, Now)).Event!);

    private static IssueSplit Split(IssueMerges groups, int issue, params int[] numbers) =>
        groups.Decide(SplitOf(issue, numbers)).Event!;

    private static DecisionRefusal Refused(IssueMerges groups, int issue, params int[] numbers) =>
        groups.Decide(SplitOf(issue, numbers)).Refusal!;

    private static SplitCommand SplitOf(int issue, int[] numbers) =>
        new(issue, numbers.ToDictionary(Key, number => number), Now);

    private static string Key(int number) => $"key {number}";

    /// <summary>Issues of more than one number.</summary>
    private static string Shown(IssueMerges merges)
    {
        var issues = merges.Former.Select(merges.IssueOf).Distinct().Order();
        return string.Join(' ', issues.Select(issue => string.Join(',', merges.NumbersOf(issue))));
    }

    private static string Shown(IssueSplit split) =>
        string.Join(' ', split.Parts.Select(part => string.Join(',', part.Numbers)));

    /// <summary>
    /// The same by other means: each issue holds, whole, what was merged into it. Leaving is to pull numbers out of it.
    /// </summary>
    private sealed class Model(int most)
    {
        private sealed record Node(int Number, List<Node> Parts);

        private readonly List<Node> _issues = [.. Enumerable.Range(1, most).Select(number => new Node(number, []))];

        public bool Has(int issue, IReadOnlyList<int> numbers) =>
            _issues.Any(node => node.Number == issue && Flat(node).Order().SequenceEqual(numbers));

        public void Merge(int into, IReadOnlyList<int> issues)
        {
            var merged = _issues.Where(node => issues.Contains(node.Number)).ToList();
            _issues.RemoveAll(merged.Contains);
            _issues.Single(node => node.Number == into).Parts.AddRange(merged);
        }

        public void Split(int issue, IReadOnlyCollection<int> leaving)
        {
            var node = _issues.Single(node => node.Number == issue);
            _issues.Remove(node);
            _issues.AddRange(Only(node, leaving.Contains));
            var left = Only(node, number => !leaving.Contains(number)).OrderBy(part => part.Number).ToList();
            left[0].Parts.AddRange(left[1..]);
            _issues.Add(left[0]);
        }

        /// <summary>What is left with these numbers only: one tree, or, if its own is not among them, several.</summary>
        private static List<Node> Only(Node node, Predicate<int> isKept)
        {
            var parts = node.Parts.SelectMany(part => Only(part, isKept)).ToList();
            return isKept(node.Number) ? [new(node.Number, parts)] : parts;
        }

        private static IEnumerable<int> Flat(Node node) => node.Parts.SelectMany(Flat).Prepend(node.Number);
    }
}

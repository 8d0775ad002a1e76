using System.Globalization;
using System.Text.RegularExpressions;
using ErrorTracker.Configuration;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Sentry;
using ErrorTracker.Outcomes;
using ErrorTracker.Tests.Configuration;

namespace ErrorTracker.Tests;

/// <summary>
/// Documents hold what they promise: links lead somewhere, figures were measured, settings, metrics and files exist.
/// </summary>
public sealed partial class DocumentsTests
{
    private const int LongestReadme = 150;

    private static readonly string Root = SourceTree.Root;

    private static readonly List<string> Files = [.. FilesOf(Root)];

    private static readonly List<Document> Documents =
        [.. Files.Where(file => file.EndsWith(".md", StringComparison.Ordinal)).Select(Document.Read)];

    [Fact]
    public void the_readme_is_short() => Assert.InRange(Named("README.md").Lines.Length, 1, LongestReadme);

    [Fact]
    public void each_link_leads_to_a_file_and_to_a_heading_in_it() =>
        Assert.Empty(
            from document in Documents
            from target in document.Targets
            where !IsExternal(target) && !Leads(document, target)
            select $"{document.Path}: {target}");

    /// <summary>
    /// A table whose first column is called "measured" quotes docs/measurements.md: each of its rows is called as one
    /// row there begins, and all its numbers are in that row.
    /// </summary>
    [Fact]
    public void each_figure_that_is_quoted_was_measured()
    {
        var measured = Named("docs/measurements.md").Tables.SelectMany(table => table.Rows).ToList();
        var tables = Documents.SelectMany(document => document.Tables);
        var quoted = tables.Where(table => table.Header[0] == "measured").ToList();
        Assert.NotEmpty(quoted);
        foreach (var row in quoted.SelectMany(table => table.Rows))
        {
            var source = Assert.Single(measured, other => other[0].StartsWith(row[0], StringComparison.Ordinal));
            Assert.Empty(NumbersOf(row).Except(NumbersOf(source)).Select(number => $"{row[0]}: {number}"));
        }
    }

    [Fact]
    public void operations_describes_each_setting_and_no_other()
    {
        var refusal = Assert.Throws<InvalidSettingsException>(() => SettingsTests.Read(("ErrorTracker:Unknown", "1")));
        var read = Setting().Matches(refusal.Message.Split("These are:")[1]).Select(name => name.Value).ToHashSet();
        var described = Setting().Matches(Named("docs/operations.md").Text).Select(name => name.Value).ToHashSet();
        Assert.Equal(read.Order(), described.Order());

        string[] composed =
            [File.ReadAllText(Path.Combine(Root, ".env")), File.ReadAllText(Path.Combine(Root, "docker-compose.yml"))];
        var elsewhere = composed.Concat(Documents.Select(document => document.Text));
        Assert.Empty(elsewhere.SelectMany(text => Setting().Matches(text)).Select(name => name.Value).Except(read));
    }

    [Fact]
    public void operations_describes_each_metric_and_no_other()
    {
        var made = Files.Where(IsOfTheProduct).SelectMany(file => MetricInCode().Matches(File.ReadAllText(file)));
        var described = MetricInList().Matches(Named("docs/operations.md").Text);
        Assert.Equal(
            made.Select(metric => metric.Groups[1].Value).Distinct().Order(),
            described.Select(metric => metric.Groups[1].Value).Distinct().Order());
    }

    [Fact]
    public void the_page_of_sdks_has_each_refusal_in_its_words()
    {
        var refusals = typeof(SentryRefusal).GetFields().Select(field => field.GetValue(null)).OfType<IntakeRefusal>();
        var page = Named("docs/sentry.md").Text;
        Assert.All(refusals, refusal => Assert.Contains($"| {refusal.Status} | {refusal.Text} |", page));
    }

    [Fact]
    public void each_reason_has_an_advice_for_operators()
    {
        var reasons = typeof(Reason).GetFields().Select(field => field.GetValue(null)).OfType<Reason>();
        var page = Named("docs/operations.md").Text;
        Assert.All(reasons.Except([Reason.Duplicate]), reason => Assert.Contains($"`{reason.Stored}`", page));
    }

    [Fact]
    public void each_file_of_code_that_is_named_exists() =>
        Assert.Empty(
            from document in Documents
            from Match named in CodeFile().Matches(document.Prose)
            let file = named.Groups["file"].Success ? named.Groups["file"].Value : named.Groups["tests"].Value + ".cs"
            where !Files.Exists(path => path.EndsWith("/" + file, StringComparison.Ordinal))
            select $"{document.Path}: {file}");

    [Fact]
    public void the_index_of_decisions_has_each_by_its_title()
    {
        var index = Named("docs/decisions/README.md").Text;
        var decisions = Documents.FindAll(document => Decision().IsMatch(document.Path));
        Assert.All(decisions, decision => Assert.Contains(RowOf(decision), index));
        Assert.Equal(Enumerable.Range(1, decisions.Count), decisions.Select(NumberOf).Order());

        static int NumberOf(Document decision) => int.Parse(decision.Title[..4], CultureInfo.InvariantCulture);

        static string RowOf(Document decision) =>
            $"| [{decision.Title[..4]}]({Path.GetFileName(decision.Path)}) | {decision.Title[6..]} |";
    }

    private static Document Named(string path) => Assert.Single(Documents, document => document.Path == path);

    private static bool IsExternal(string target) => target.Contains("://");

    private static bool Leads(Document from, string target)
    {
        var (file, anchor) = target.Split('#', 2) is [var before, var after] ? (before, after) : (target, null);
        var folder = Path.GetDirectoryName(Path.Combine(Root, from.Path))!;
        var path = file.Length == 0 ? Path.Combine(Root, from.Path) : Path.GetFullPath(Path.Combine(folder, file));
        if (anchor is null) return File.Exists(path) || Directory.Exists(path);
        var document = Documents.Find(other => Path.Combine(Root, other.Path) == path);
        return document is not null && document.Anchors.Contains(anchor);
    }

    private static HashSet<string> NumbersOf(IEnumerable<string> cells) =>
        [.. cells.SelectMany(cell => Number().Matches(cell)).Select(number => number.Value)];

    private static bool IsOfTheProduct(string file) =>
        file.EndsWith(".cs", StringComparison.Ordinal)
        && file.StartsWith(Path.Combine(Root, "src", "ErrorTracker", ""), StringComparison.Ordinal);

    /// <summary>Without what is built or fetched.</summary>
    private static IEnumerable<string> FilesOf(string folder)
    {
        foreach (var inner in Directory.EnumerateDirectories(folder))
            if (Path.GetFileName(inner) is not ("bin" or "obj" or "node_modules" or ".git"))
                foreach (var file in FilesOf(inner)) yield return file;
        foreach (var file in Directory.EnumerateFiles(folder)) yield return file;
    }

    [GeneratedRegex(@"ErrorTracker__\w+")]
    private static partial Regex Setting();

    [GeneratedRegex(@"""(errortracker\.[a-z]+\.[a-z]+)""")]
    private static partial Regex MetricInCode();

    [GeneratedRegex(@"^- `(errortracker\.[a-z.]+)`", RegexOptions.Multiline)]
    private static partial Regex MetricInList();

    [GeneratedRegex(@"`(?:(?<file>[\w./-]+\.(?:cs|csproj|props|sh))|(?<tests>\w+Tests))`")]
    private static partial Regex CodeFile();

    [GeneratedRegex(@"^docs/decisions/\d{4}-")]
    private static partial Regex Decision();

    [GeneratedRegex(@"\d+(?:,\d{3})*(?:\.\d+)?")]
    private static partial Regex Number();

    private sealed record Table(string[] Header, List<string[]> Rows);

    /// <param name="Path">From the root.</param>
    /// <param name="Prose">Without blocks of code.</param>
    private sealed partial record Document(string Path, string Text, string Prose)
    {
        public string[] Lines => Text.TrimEnd('\n').Split('\n');

        public string Title => Lines[0].TrimStart('#', ' ');

        /// <summary>What links point to.</summary>
        public IEnumerable<string> Targets =>
            Link().Matches(CodeSpan().Replace(Prose, "")).Select(link => link.Groups[1].Value);

        /// <summary>Headings as links name them.</summary>
        public HashSet<string> Anchors =>
            [.. Heading().Matches(Prose).Select(heading => AnchorOf(heading.Groups[1].Value))];

        public List<Table> Tables
        {
            get
            {
                var tables = new List<Table>();
                var isWithin = false;
                foreach (var line in Prose.Split('\n'))
                {
                    var isRow = line.StartsWith('|');
                    var isRule = line.StartsWith("|-", StringComparison.Ordinal);
                    if (isRow && !isWithin) tables.Add(new(CellsOf(line), []));
                    else if (isRow && !isRule) tables[^1].Rows.Add(CellsOf(line));
                    isWithin = isRow;
                }
                return tables;
            }
        }

        public static Document Read(string file)
        {
            var text = File.ReadAllText(file);
            return new(System.IO.Path.GetRelativePath(Root, file), text, CodeBlock().Replace(text, ""));
        }

        public override string ToString() => Path;

        private static string AnchorOf(string heading) =>
            NoAnchor().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

        private static string[] CellsOf(string line) =>
            [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())];

        [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
        private static partial Regex CodeBlock();

        [GeneratedRegex("`[^`]*`")]
        private static partial Regex CodeSpan();

        [GeneratedRegex(@"\[[^\]]*\]\(([^)\s]+)\)")]
        private static partial Regex Link();

        [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
        private static partial Regex Heading();

        [GeneratedRegex(@"[^\w\- ]")]
        private static partial Regex NoAnchor();
    }
}

using System.Text.RegularExpressions;

namespace ErrorTracker.Tests;

/// <summary>
/// The rooms of src/ErrorTracker may use those below them only. The order is that of docs/architecture.md.
/// </summary>
public sealed partial class RoomsTests
{
    /// <summary>From the top. A protocol sees what all protocols share, and no other protocol.</summary>
    private static readonly string[] Order =
    [
        "Hosting", "Commands", "Transfer", "Issues", "Statistics", "Events", "Windows", "Counters", "Projections",
        "Intake.Sentry", "Intake.Native", "Intake", "Outcomes", "Commit", "Applications", "Grouping", "Log", "Postgres",
        "Background", "Limits", "Configuration", "Http",
    ];

    private static readonly string Source = Path.Combine(SourceTree.Root, "src", "ErrorTracker");

    [Fact]
    public void rooms_use_only_those_below_them()
    {
        var upward =
            from file in SourceFiles()
            let room = RoomOf(file)
            where room != ""
            from use in Uses(file)
            where !MaySee(room, use)
            select $"{Path.GetRelativePath(Source, file)} uses {use}";
        Assert.Empty(upward);
    }

    [Fact]
    public void every_folder_is_a_room_that_has_a_place_in_the_order() =>
        Assert.Equal([], SourceFiles().Select(RoomOf).Where(room => room != "").Distinct().Except(Order));

    [Fact]
    public void the_order_is_the_one_that_the_architecture_prints()
    {
        var text = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "architecture.md"));
        var rows = TableRow().Matches(text).Select(row => row.Groups[1].Value.Replace('/', '.'));
        var printed = rows.Where(Order.Contains);
        Assert.Equal(Order, printed);
    }

    [Theory]
    [InlineData("using ErrorTracker.Log;", "Log")]
    [InlineData("global using ErrorTracker.Http;", "Http")]
    [InlineData("using static ErrorTracker.Intake.Native.SendEvent;", "Intake.Native")]
    [InlineData("using Items = System.Collections.Generic.List<ErrorTracker.Events.EventItem>;", "Events")]
    [InlineData("using ErrorTracker.Unknown;", "Unknown")]
    public void each_form_of_using_is_read(string line, string room) => Assert.Equal([room], UsesIn(line));

    private static bool MaySee(string room, string use) =>
        Array.IndexOf(Order, use) >= Array.IndexOf(Order, room) && (room, use) != ("Intake.Sentry", "Intake.Native");

    private static IEnumerable<string> Uses(string file) => UsesIn(File.ReadAllText(file));

    private static IEnumerable<string> UsesIn(string code) =>
        from use in Using().Matches(code)
        from name in OwnName().Matches(use.Value)
        select RoomNamed(name.Groups[1].Value);

    /// <summary>The innermost room that a namespace or a type is in; the name itself if there is none.</summary>
    private static string RoomNamed(string name) =>
        Order.Where(room => $"{name}.".StartsWith($"{room}.", StringComparison.Ordinal)).MaxBy(room => room.Length)
            ?? name;

    private static IEnumerable<string> SourceFiles() =>
        Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
            .Where(file => Path.GetRelativePath(Source, file).Split('/') is not ["obj" or "bin", ..]);

    private static string RoomOf(string file) => Path.GetRelativePath(Source, Path.GetDirectoryName(file)!) switch
    {
        "." => "",
        var folder => folder.Replace('/', '.'),
    };

    /// <summary>Of a namespace, a static class or an alias, global or not.</summary>
    [GeneratedRegex(@"^(?:global )?using [^;(]+;", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(@"\bErrorTracker\.([\w.]+)")]
    private static partial Regex OwnName();

    [GeneratedRegex(@"^\| `([A-Z][\w/]*?)/` \|", RegexOptions.Multiline)]
    private static partial Regex TableRow();
}

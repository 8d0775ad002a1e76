namespace ErrorTracker.Tests;

/// <summary>What holds for every file that people read.</summary>
public sealed class SourceTreeTests
{
    private const int WidestLine = 140;

    private static readonly string[] Extensions =
        [".cs", ".md", ".sh", ".csproj", ".props", ".targets", ".yml", ".mjs", ".editorconfig"];

    private static readonly string[] NotOurs = [".git", "bin", "obj", "node_modules", "TestResults"];

    /// <summary>A program writes it, and a row of a table cannot be broken.</summary>
    private static readonly string Measurements = Path.Combine("docs", "measurements.md");

    [Fact]
    public void no_line_is_wider_than_140_columns()
    {
        var wide =
            from path in Files(SourceTree.Root)
            let file = Path.GetRelativePath(SourceTree.Root, path)
            where file != Measurements
            from line in File.ReadLines(path).Index()
            where line.Item.Length > WidestLine
            select $"{file}:{line.Index + 1}:{line.Item.Length}";
        var list = string.Join('\n', wide);
        Assert.True(list.Length == 0, $"Wider than {WidestLine} columns:\n{list}");
    }

    private static IEnumerable<string> Files(string folder)
    {
        var here = Directory.EnumerateFiles(folder).Where(IsText);
        var below = Directory.EnumerateDirectories(folder).Where(path => !NotOurs.Contains(Path.GetFileName(path)));
        return here.Concat(below.SelectMany(Files));
    }

    /// <summary>One of the kinds, or a script that has no extension.</summary>
    private static bool IsText(string path) => Path.GetExtension(path) switch
    {
        "" => Path.GetFileName(path) == "Dockerfile" || File.ReadLines(path).FirstOrDefault() is ['#', '!', ..],
        var extension => Extensions.Contains(extension),
    };
}

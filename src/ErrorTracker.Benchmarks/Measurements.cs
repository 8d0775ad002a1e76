namespace ErrorTracker.Benchmarks;

/// <summary>The document that holds all figures: one section for each question, in alphabetical order.</summary>
internal static class Measurements
{
    public const string Path = "docs/measurements.md";

    private const string Title = "# Measured by ./bench", Heading = "\n## ";

    /// <summary>A run replaces the sections of its questions; what it did not measure stays as it is.</summary>
    public static async Task ReplaceAsync(string question, string text)
    {
        var sections = File.Exists(Path) ? Read(await File.ReadAllTextAsync(Path)) : [];
        sections[question] = text;
        var written = sections.Select(section => $"{Heading}{section.Key}\n\n{section.Value}\n");
        await File.WriteAllTextAsync(Path, $"{Title}\n{string.Concat(written)}");
    }

    private static SortedDictionary<string, string> Read(string document)
    {
        var sections = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var section in document.Split(Heading).Skip(1))
        {
            var headingEnd = section.IndexOf('\n');
            sections[section[..headingEnd]] = section[headingEnd..].Trim();
        }
        return sections;
    }
}

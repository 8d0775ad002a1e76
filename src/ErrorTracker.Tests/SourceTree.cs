namespace ErrorTracker.Tests;

/// <summary>The folder that these tests were built from.</summary>
internal static class SourceTree
{
    public static readonly string Root = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ErrorTracker.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}

using System.Text;
using System.Text.Json;

namespace ErrorTracker.Tests.Grouping;

/// <summary>Two events as the log stores them, whether they are the same error, and by what the first is grouped.</summary>
public sealed record EventPair(string Name, bool Same, string Method, string A, string B)
{
    public ReadOnlyMemory<byte> StoredA => Encoding.UTF8.GetBytes(A);

    public ReadOnlyMemory<byte> StoredB => Encoding.UTF8.GetBytes(B);

    /// <summary>Shown by the test's runner.</summary>
    public override string ToString() => Name;
}

/// <summary>
/// Pairs in files beside this one, a line each: <c>rule-pairs</c> are those that the rule was agreed on with,
/// <c>sdk-pairs</c> are of what SDKs send.
/// </summary>
public static class EventPairs
{
    public static IEnumerable<EventPair> In(string file) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Grouping", file)).Select(Read);

    private static EventPair Read(string line)
    {
        using var json = JsonDocument.Parse(line);
        var pair = json.RootElement;
        return new(
            pair.GetProperty("name").GetString()!,
            pair.GetProperty("same").GetBoolean(),
            pair.GetProperty("method").GetString()!,
            pair.GetProperty("a").GetRawText(),
            pair.GetProperty("b").GetRawText());
    }
}

using System.Text;

namespace ErrorTracker.Grouping;

/// <summary>The type of an exception without what a build adds to its name. Pure.</summary>
internal static class TypeName
{
    private const string Anonymous = "@anonymous";

    private const int Longest = 300;

    /// <summary>Null if there is none.</summary>
    public static string? Of(string? raw)
    {
        if (string.IsNullOrWhiteSpace(raw)) return null;
        var type = raw.Trim();
        var anonymous = type.IndexOf(Anonymous, StringComparison.Ordinal);
        if (anonymous > 0) type = type[..(anonymous + Anonymous.Length)];
        if (type.Contains("[[", StringComparison.Ordinal)) type = WithoutAssemblies(type);
        return type.Length > Longest ? type[..Longest] : type;
    }

    /// <summary><c>Fault`1[[Detail, Shop, Version=1.2.3.4]]</c> is <c>Fault`1[[Detail]]</c>.</summary>
    private static string WithoutAssemblies(string type)
    {
        var kept = new StringBuilder();
        var isAssembly = false;
        foreach (var c in type)
        {
            if (c is '[' or ']') isAssembly = false;
            else if (c == ',' && kept.Length > 0 && kept[^1] != ']') isAssembly = true;
            if (!isAssembly) kept.Append(c);
        }
        return kept.ToString();
    }
}

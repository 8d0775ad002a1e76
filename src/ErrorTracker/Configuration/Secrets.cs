using System.Text.RegularExpressions;

namespace ErrorTracker.Configuration;

/// <summary>
/// Which settings hold secrets, ours and those of whatever else is in the environment: a command that shows the
/// configuration shows them to whoever reads its output.
/// </summary>
internal static partial class Secrets
{
    private const string Hidden = "(hidden)";

    /// <summary>Replaces them. What needs them must have read them before.</summary>
    public static void Hide(IConfiguration configuration)
    {
        foreach (var (key, value) in configuration.AsEnumerable().ToList())
            if (!string.IsNullOrEmpty(value) && (Name().IsMatch(key) || UserOfUrl().IsMatch(value)))
                configuration[key] = Hidden;
    }

    [GeneratedRegex("^ConnectionStrings:|PASS|PWD|TOKEN|SECRET|KEY|CREDENTIAL|HEADERS|AUTH", RegexOptions.IgnoreCase)]
    private static partial Regex Name();

    /// <summary>As in <c>https://user:password@host</c>.</summary>
    [GeneratedRegex("://[^/]*@")]
    private static partial Regex UserOfUrl();
}

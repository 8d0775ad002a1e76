using System.Collections.Frozen;
using System.Text.Json;

namespace ErrorTracker.Log;

/// <summary>
/// The severities of an error, and the one list of names under which all endpoints and filters understand them: those
/// of syslog (RFC 5424), of the usual loggers, and the numbers of Python's logging. Names are understood in any case.
/// </summary>
public static class Levels
{
    /// <summary>In their canonical spelling, from the least severe on.</summary>
    public static readonly string[] All = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

    public const string Expected =
        "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, another name that loggers or syslog have for one of "
        + "them (trace, verbose, notice, warn, err, severe, fatal, alert, emerg, panic …), in any case, or a number of "
        + "Python's logging from 10 to 50";

    private static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> Names = LookupOf(
        ("DEBUG", ["debug", "trace", "verbose", "fine", "finer", "finest"]),
        ("INFO", ["info", "information", "informational", "notice", "log", "config"]),
        ("WARNING", ["warning", "warn"]),
        ("ERROR", ["error", "err"]),
        ("CRITICAL", ["critical", "crit", "severe", "fatal", "alert", "emergency", "emerg", "panic"]));

    /// <summary>The canonical spelling of a name or number; null if it is no level.</summary>
    public static string? Parse(ReadOnlySpan<char> text) =>
        Names.TryGetValue(text, out var level) ? level : OfNumber(text);

    /// <summary>The level that a JSON string or number says; null if it is no level.</summary>
    public static string? Parse(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Parse(value.GetString()),
        JsonValueKind.Number => Parse(value.GetRawText()),
        _ => null,
    };

    /// <summary>A level to filter by: null if absent; what is no level is named in <paramref name="errors"/>.</summary>
    public static string? Optional(string? text, Dictionary<string, string[]> errors)
    {
        var level = Parse(text);
        if (text is not null && level is null) errors["level"] = [Expected];
        return level;
    }

    /// <summary>
    /// Python's levels are ranges, whose starts are 10, 20, 30, 40 and 50: 25 is more than INFO and less than WARNING.
    /// 40.0 is 40.
    /// </summary>
    private static string? OfNumber(ReadOnlySpan<char> text)
    {
        if (text.Length > 3 && text[2] == '.' && !text[3..].ContainsAnyExcept('0')) text = text[..2];
        if (text is not [>= '1' and <= '5', >= '0' and <= '9']) return null;
        return text is ['5', not '0'] ? null : All[text[0] - '1'];
    }

    private static FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> LookupOf(
        params (string Level, string[] Names)[] levels) =>
        levels.SelectMany(level => level.Names.Select(name => KeyValuePair.Create(name, level.Level)))
            .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase)
            .GetAlternateLookup<ReadOnlySpan<char>>();
}

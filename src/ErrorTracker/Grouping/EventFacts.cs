using System.Buffers;
using System.Text;
using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Grouping;

/// <summary>
/// What is stored beside an event, in Marten's headers, so that folds need not read the event: its group key, by which
/// rules that was made, and the release and environment that it names. It is a cache: <see cref="Of"/> makes it again
/// from the event, and a fold does where it is missing or made by other rules.
/// </summary>
/// <param name="Key">22 characters of base64url.</param>
/// <param name="Release">At most 200 characters; empty: none.</param>
/// <param name="Environment">At most 64 characters; empty: none.</param>
public sealed record EventFacts(string Key, string Release, string Environment)
{
    /// <summary>Members of the headers; data, never changed.</summary>
    public const string KeyMember = "key", RulesMember = "rules", ReleaseMember = "release",
        EnvironmentMember = "environment";

    private const int LongestRelease = 200, LongestEnvironment = 64;

    /// <summary>Pure.</summary>
    public static EventFacts Of(ErrorOccurred error, GroupingRules rules)
    {
        var (release, environment) = (TextIn(error.Context, "release"u8), TextIn(error.Context, "environment"u8));
        return new(
            GroupKey.Of(error, rules),
            Cut(release ?? TextIn(error.Tags, "release"u8), LongestRelease),
            Cut(environment ?? TextIn(error.Tags, "environment"u8), LongestEnvironment));
    }

    /// <param name="stored">The event as the log has it: JSON in UTF-8.</param>
    /// <param name="rules">By which it is grouped.</param>
    public static EventFacts OfStored(byte[] stored, GroupingRules rules) =>
        Of(StoredError.Read(stored), rules);

    /// <summary>The headers' JSON in UTF-8.</summary>
    public byte[] ToHeaders(RuleSet rules)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString(KeyMember, Key);
            json.WriteString(RulesMember, rules.Label);
            if (Release.Length > 0) json.WriteString(ReleaseMember, Release);
            if (Environment.Length > 0) json.WriteString(EnvironmentMember, Environment);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A member of an object, if it is text and not empty. Of several of one name the last, as in JSONB.</summary>
    private static string? TextIn(RawJson? json, ReadOnlySpan<byte> name)
    {
        if (json is null) return null;
        var reader = new Utf8JsonReader(json.Utf8.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
        string? text = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(name);
            reader.Read();
            if (isIt) text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            reader.Skip();
        }
        return text is "" ? null : text;
    }

    private static string Cut(string? text, int most)
    {
        if (text is null || text.Length <= most) return text ?? "";
        var kept = new StringBuilder();
        foreach (var rune in text.EnumerateRunes().Take(most)) kept.Append(rune);
        return kept.ToString();
    }
}

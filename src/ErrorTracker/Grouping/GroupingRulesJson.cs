using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ErrorTracker.Grouping;

/// <summary>Own rules as JSON. Pure.</summary>
internal sealed class GroupingRulesJson(Dictionary<string, string[]> errors)
{
    private const int
        MostFingerprints = 200, MostMatchers = 10, MostParts = 32, MostWrappers = 100, MostInApp = 200, MostPlaces = 20,
        LongestText = 1024, MostFaults = 100;

    private const string
        FingerprintsMember = "fingerprints", MatchMember = "match", PartsMember = "parts", WrappersMember = "wrappers",
        InAppMember = "in_app", PlacesMember = "places", Tags = "tags.";

    private static readonly string[]
        Members = [FingerprintsMember, WrappersMember, InAppMember, PlacesMember],
        RuleMembers = [MatchMember, PartsMember],
        Names = ["type", "message", "module", "function", "level", "release", "environment", "logger", "transaction"];

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static GroupingRules? Parse(JsonElement json, Dictionary<string, string[]> errors)
    {
        var faults = errors.Count;
        var rules = new GroupingRulesJson(errors).Read(json);
        return errors.Count == faults ? rules : null;
    }

    private GroupingRules Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            Fault("body", "must be a JSON object");
            return GroupingRules.None;
        }
        Only(json, Members, "");
        var fingerprints = new List<FingerprintRule>();
        foreach (var (rule, path) in Items(json, FingerprintsMember, MostFingerprints))
            fingerprints.Add(Fingerprint(rule, path));
        var wrappers = new List<string>();
        foreach (var (wrapper, path) in Items(json, WrappersMember, MostWrappers)) wrappers.Add(Text(wrapper, path));
        var inApp = new List<string>();
        foreach (var (pattern, path) in Items(json, InAppMember, MostInApp)) inApp.Add(Signed(pattern, path));
        return new(fingerprints, wrappers, inApp, Places(json));
    }

    private int Places(JsonElement json)
    {
        if (!json.TryGetProperty(PlacesMember, out var value)) return GroupingRules.UsualPlaces;
        if (value.ValueKind == JsonValueKind.Null) return GroupingRules.UsualPlaces;
        var isNumber = value.ValueKind == JsonValueKind.Number;
        if (isNumber && value.TryGetInt32(out var places) && places is >= 1 and <= MostPlaces) return places;
        Fault(PlacesMember, $"must be a whole number from 1 to {MostPlaces}");
        return GroupingRules.UsualPlaces;
    }

    private FingerprintRule Fingerprint(JsonElement json, string path)
    {
        var match = new Dictionary<string, string>(StringComparer.Ordinal);
        var parts = new List<string>();
        if (json.ValueKind != JsonValueKind.Object)
        {
            Fault(path, $"must be an object of {MatchMember} and {PartsMember}");
            return new(match, parts);
        }
        Only(json, RuleMembers, path);
        Match(json, $"{path}.{MatchMember}", match);
        var list = $"{path}.{PartsMember}";
        foreach (var (part, place) in Items(json, PartsMember, MostParts, list)) parts.Add(Text(part, place));
        if (parts.Count == 0 && !errors.ContainsKey(list)) Fault(list, "must hold at least one part");
        return new(match, parts);
    }

    private void Match(JsonElement json, string path, Dictionary<string, string> match)
    {
        if (!json.TryGetProperty(MatchMember, out var matchers) || matchers.ValueKind != JsonValueKind.Object)
        {
            Fault(path, "must be an object of patterns by name");
            return;
        }
        foreach (var matcher in matchers.EnumerateObject())
        {
            var name = matcher.Name;
            var place = $"{path}.{Shown(name)}";
            if (IsTag(name) || Names.Contains(name)) match[name] = Pattern(matcher.Value, place);
            else Fault(place, $"must be one of {string.Join(", ", Names)}, tags.NAME");
        }
        if (match.Count > MostMatchers) Fault(path, $"must have at most {MostMatchers} patterns");
        else if (match.Count == 0 && !matchers.EnumerateObject().Any()) Fault(path, "must have at least one pattern");
    }

    /// <summary>An empty one matches what an event does not have.</summary>
    private string Pattern(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.String && value.ValueEquals("") ? "" : Text(value, path);

    private static bool IsTag(string name) =>
        name.StartsWith(Tags, StringComparison.Ordinal) && name.Length > Tags.Length && name.Length <= LongestText;

    private string Signed(JsonElement value, string path)
    {
        if (value.ValueKind == JsonValueKind.String && value.GetString() is ['+' or '-', _, ..]) return Text(value, path);
        Fault(path, "must be a pattern behind + or -");
        return "";
    }

    private string Text(JsonElement value, string path)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        if (text.Length == 0) Fault(path, "must be a text that is not empty");
        if (Encoding.UTF8.GetByteCount(text) > LongestText) Fault(path, "must have at most 1,024 bytes");
        return text;
    }

    private List<(JsonElement Item, string Path)> Items(JsonElement json, string name, int most, string? path = null)
    {
        path ??= name;
        var items = new List<(JsonElement, string)>();
        if (!json.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null) return items;
        if (list.ValueKind != JsonValueKind.Array) Fault(path, "must be a list");
        else if (list.GetArrayLength() > most) Fault(path, $"must have at most {most} items");
        else
            foreach (var item in list.EnumerateArray())
                items.Add((item, string.Create(CultureInfo.InvariantCulture, $"{path}[{items.Count}]")));
        return items;
    }

    private void Only(JsonElement json, string[] members, string path)
    {
        foreach (var member in json.EnumerateObject())
        {
            if (members.Contains(member.Name)) continue;
            var name = Shown(member.Name);
            Fault(path.Length == 0 ? name : $"{path}.{name}", $"is none of {string.Join(", ", members)}");
        }
    }

    private static string Shown(string name) => name.Length > 100 ? name[..100] + "…" : name;

    private void Fault(string path, string fault)
    {
        if (errors.Count < MostFaults) errors.TryAdd(path, [fault]);
    }

    public static byte[] Write(GroupingRules rules)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Plain)) Write(rules, json);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(GroupingRules rules, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray(FingerprintsMember);
        foreach (var rule in rules.Fingerprints)
        {
            json.WriteStartObject();
            json.WriteStartObject(MatchMember);
            foreach (var (name, pattern) in rule.Match) json.WriteString(name, pattern);
            json.WriteEndObject();
            Write(rule.Parts, PartsMember, json);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Write(rules.Wrappers, WrappersMember, json);
        Write(rules.InApp, InAppMember, json);
        json.WriteNumber(PlacesMember, rules.Places);
        json.WriteEndObject();
    }

    private static void Write(IReadOnlyList<string> texts, string name, Utf8JsonWriter json)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}

using System.Globalization;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// What must be stored of a valid event: all of it, but for what is cut or changed because the log cannot hold it.
/// </summary>
internal sealed class KeptOracle
{
    public const string Dropped = "dropped";

    private const int LongestMessage = 8192, MostTags = 64, MostParts = 32, LongestPart = 1024;

    private const int Deepest = 50, LongestNumber = 400, LargestExponent = 308;

    private static readonly string[] Placed = ["occurred_at", "level", "message", "stack", "tags", "context", "fingerprint", "event_id"];

    private readonly List<(string Name, PlainJson Value)> _context = [];
    private readonly HashSet<string> _taken = [Dropped, "undated"];
    private bool _isChanged;
    private long _written;

    private KeptOracle(PlainJson sent)
    {
        Message = Cut(sent["message"]!.Text, LongestMessage);
        Stack = StackOf(sent["stack"]);
        var tags = (IEnumerable<(string Name, PlainJson Value)>?)sent["tags"]?.Members ?? [];
        var names = tags.Select(tag => tag.Name).Distinct().Take(MostTags).ToHashSet();
        Tags = sent["tags"] is { Kind: '{' } ? Object(tags.Where(tag => names.Contains(tag.Name))) : null;

        if (Message != sent["message"]!.Text) Add("message", sent["message"]!);
        if (sent["fingerprint"] is { Kind: not 'n' } fingerprint)
            AddFingerprint(fingerprint.Kind == '[' ? [.. fingerprint.Members.Select(part => part.Value)] : [fingerprint]);
        if (tags.Any(tag => !names.Contains(tag.Name))) Add("tags", Object(tags.Where(tag => !names.Contains(tag.Name))));
        if (sent["context"] is { Kind: '{' } context)
        {
            AddFree(context.Members);
            _taken.UnionWith(context.Members.Select(member => member.Name));
        }
        else if (sent["context"] is { Kind: not 'n' } other) _context.Add(("context", Keep(other, Deepest)));
        AddFree(sent.Members.Where(member => !Placed.Contains(member.Name) && member.Value.Kind != 'n'));
        if (_isChanged) _context.Add((Dropped, new('{', "", [])));
    }

    public string Message { get; }

    public PlainJson? Stack { get; }

    public PlainJson? Tags { get; }

    public PlainJson Context => new('{', "", _context);

    public static KeptOracle Of(PlainJson sent) => new(sent);

    private PlainJson? StackOf(PlainJson? sent) => sent switch
    {
        { Kind: '[' } => new('{', "", [("frames", Keep(sent, Deepest))]),
        { Kind: '{' } => Object(sent.Members),
        _ => sent,
    };

    private void Add(string name, PlainJson value)
    {
        (_isChanged, _) = (true, _taken.Add(name));
        _context.Add((name, value));
    }

    private void AddFingerprint(List<PlainJson> parts)
    {
        var read = parts.Take(MostParts).Where(part => part.Kind is not ('{' or '[' or 'n')).ToList();
        var texts = read.ConvertAll(part => new PlainJson('"', Cut(part.Text, LongestPart), []));
        if (read.Count < parts.Count || !texts.Select(text => text.Text).SequenceEqual(read.Select(part => part.Text))) _isChanged = true;
        if (texts.Count == 0) return;
        _taken.Add("fingerprint");
        _context.Add(("fingerprint", new('[', "", [.. texts.Select(text => ("", text))])));
    }

    private void AddFree(IEnumerable<(string Name, PlainJson Value)> members)
    {
        foreach (var (name, value) in members)
            if (_taken.Contains(name)) _isChanged = true;
            else _context.Add((name, Keep(value, Deepest)));
    }

    private PlainJson Object(IEnumerable<(string Name, PlainJson Value)> members) =>
        new('{', "", [.. members.Select(member => (member.Name, Keep(member.Value, Deepest)))]);

    /// <summary>Numbers out of range become text, and what is nested too deep null.</summary>
    private PlainJson Keep(PlainJson value, int depth)
    {
        if (value.Kind == '0' && !Fits(value.Text)) return Changed(value with { Kind = '"' });
        if (value.Kind is not ('{' or '[')) return value;
        if (depth == 0) return Changed(new('n', "null", []));
        return value with { Members = [.. value.Members.Select(member => (member.Name, Keep(member.Value, depth - 1)))] };
    }

    private PlainJson Changed(PlainJson value)
    {
        _isChanged = true;
        return value;
    }

    /// <summary>All numbers of an event share a mebibyte, in which their exponents are written out.</summary>
    private bool Fits(string number)
    {
        var (written, exponent) = (number.Length, 0);
        if (number.Length > LongestNumber) return false;
        if (number.IndexOfAny(['e', 'E']) is > 0 and var at
            && !int.TryParse(number[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)) return false;
        if (Math.Abs(exponent) > LargestExponent || _written + written + Math.Abs(exponent) > EventOracle.Largest) return false;
        _written += written + Math.Abs(exponent);
        return true;
    }

    private static string Cut(string text, int most) => string.Concat(text.EnumerateRunes().Take(most));
}

namespace ErrorTracker.Grouping;

/// <summary>
/// What the built-in rule finds in an event: the exception that counts, its code, its root and its places. Pure.
/// </summary>
internal sealed class GroupedError
{
    private const int LongestTitle = 300;

    /// <summary>What the intake writes for an event that says nothing.</summary>
    private const string NoMessage = "(no message)";

    private readonly SeenError _seen;
    private readonly bool _isTypeCounted = true;
    private readonly string? _code, _root, _stackLine;
    private readonly bool _isException;

    /// <summary>Of the exception that counts; null if it has none.</summary>
    public string? Type { get; }

    /// <summary>Of the exception that counts, or the message.</summary>
    public string Text { get; }

    /// <summary>The innermost first.</summary>
    public List<Place> Places { get; }

    public GroupedError(SeenError seen, GroupingRules rules)
    {
        _seen = seen;
        Text = seen.Message;
        if (!seen.StackText.IsNone)
        {
            _stackLine = TextStack.LineOf(seen.StackText, seen.Stack);
            _isException = _stackLine is not null;
            Places = [];
            return;
        }
        var choice = new FrameChoice(seen, rules);
        var chain = ChainOf(seen, rules);
        var subject = SubjectOf(chain);
        if (subject < 0)
        {
            Places = Own(choice);
            return;
        }
        var exception = seen.Exceptions[subject];
        Type = TypeName.Of(exception.Link.Type);
        _isTypeCounted = !exception.IsSynthetic;
        var value = exception.Value.In(seen.Stack);
        _isException = Type is not null || value is not null;
        Text = value ?? (seen.Message == exception.Link.Type ? "" : seen.Message);
        _code = Code();
        _root = RootOf(chain, subject);
        Places = PlacesOf(choice, chain, subject);
    }

    private static ExceptionChain ChainOf(SeenError seen, GroupingRules rules)
    {
        var links = new ChainLink[seen.Exceptions.Count];
        for (var at = 0; at < links.Length; at++) links[at] = seen.Exceptions[at].Link;
        return new(links, rules);
    }

    /// <summary>An exception that says nothing may have frames.</summary>
    private int SubjectOf(ExceptionChain chain) =>
        chain.Subject() is var titled and >= 0
            ? titled
            : _seen.Exceptions.FindLastIndex(exception => exception.AllFrames.Count > 0);

    private string? RootOf(ExceptionChain chain, int subject)
    {
        var root = chain.Root();
        if (root < 0 || root == subject || _seen.Exceptions[root].IsSynthetic) return null;
        var type = TypeName.Of(_seen.Exceptions[root].Link.Type);
        return type == Type ? null : type;
    }

    /// <summary>The first from the innermost on.</summary>
    private string? Code()
    {
        foreach (var exception in _seen.Exceptions)
            if (SystemCode.SqlState(exception.Value.In(_seen.Stack, LongestTitle)) is { } code) return code;
        return null;
    }

    private List<Place> PlacesOf(in FrameChoice choice, ExceptionChain chain, int subject)
    {
        if (choice.Of(_seen.Exceptions[subject].AllFrames) is { Count: > 0 } own) return own;
        var asked = new HashSet<int> { subject };
        for (var at = chain.InnerOf(subject); at >= 0 && asked.Add(at); at = chain.InnerOf(at))
            if (choice.Of(_seen.Exceptions[at].AllFrames) is { Count: > 0 } places) return places;
        for (var at = subject + 1; at < _seen.Exceptions.Count; at++)
            if (choice.Of(_seen.Exceptions[at].AllFrames) is { Count: > 0 } places) return places;
        return Own(choice);
    }

    private List<Place> Own(in FrameChoice choice) =>
        choice.Of(_seen.OwnFrames) is { Count: > 0 } own ? own : choice.Of(_seen.ThreadFrames);

    /// <summary>The event's text without what changes; empty if it has none.</summary>
    public string Template => field ??= Grouping.Template.Of(_stackLine ?? (Text == NoMessage ? "" : Text));

    public string Title()
    {
        var line = Grouping.Template.FirstLine(Text).ToString();
        var title = Type is null ? line : line.Length == 0 || line == Type ? Type : $"{Type}: {line}";
        if (title.Length == 0) title = NoMessage;
        if (title.Length <= LongestTitle) return title;
        return title[..(char.IsHighSurrogate(title[LongestTitle - 1]) ? LongestTitle - 1 : LongestTitle)];
    }

    /// <summary>What the built-in rule makes the key of.</summary>
    public string AddParts(List<string> parts)
    {
        var isStrong = Places.Count > 0 && Places[0].IsStrong;
        if (!isStrong && !_isException) return AddMessage(parts);
        if (Type is not null && _isTypeCounted) parts.Add("type: " + Type);
        if (_code is not null) parts.Add("code: " + _code);
        if (_root is not null) parts.Add("root: " + _root);
        AddPlaces(parts);
        if (isStrong) return "stack";
        AddTemplates(parts);
        return Places.Count > 0 ? "weak stack + type + template" : "type + template";
    }

    private string AddMessage(List<string> parts)
    {
        if (SentTemplate() is { } template)
        {
            parts.Add("SDK template: " + template);
            AddPlaces(parts);
            return "SDK template";
        }
        if (Template.Length == 0 && Places.Count == 0)
        {
            parts.Add("level: " + _seen.Level);
            return "nothing";
        }
        parts.Add("message: " + Template);
        AddPlaces(parts);
        return "message template";
    }

    private void AddPlaces(List<string> parts)
    {
        foreach (var place in Places) parts.Add("place: " + place.Key);
    }

    private void AddTemplates(List<string> parts)
    {
        if (Template.Length > 0) parts.Add("template: " + Template);
        if (_stackLine is null || !TextStack.IsPlace(_stackLine)) return;
        if (Grouping.Template.Of(Text) is { Length: > 0 } message) parts.Add("message: " + message);
    }

    /// <summary>What an SDK sent with parameters, or with the text that it made of it; null if it has no words.</summary>
    private string? SentTemplate()
    {
        if (_seen.Template.In(_seen.Context) is not { } template) return null;
        if (!_seen.HasParameters && (_seen.Formatted.In(_seen.Context) ?? template) == template) return null;
        return SdkTemplate.HasWords(template) ? template : null;
    }
}

using System.Text;
using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Grouping;

/// <summary>Frames that follow each other in <see cref="SeenError.Frames"/>, the innermost last.</summary>
internal readonly record struct FrameRange(int Start, int Count);

/// <summary>What of a frame can count; lines and columns are never read.</summary>
internal struct SeenFrame
{
    public TextAt Function, Module, File, Path, Package, Source, Platform;
    public bool? InApp;
}

/// <summary>What of an exception can count.</summary>
internal struct SeenException
{
    public TextAt Type, Value;
    public FrameRange Frames, TraceFrames;
    public bool IsSynthetic;
    public ChainLink Link;

    /// <summary>Frames that are a member of the exception go before those of its stacktrace.</summary>
    public readonly FrameRange AllFrames => Frames.Count > 0 ? Frames : TraceFrames;
}

/// <summary>
/// What of an event can count for its group, found in one pass over its JSON. Of two members of the same name the last
/// counts, as in the log; what has a wrong type is absent.
/// </summary>
internal sealed class SeenError
{
    [ThreadStatic]
    private static SeenError? _spare;

    /// <summary>Lists that grew longer are not kept for the next event.</summary>
    private const int MostKept = 1000;

    private const int MostFingerprintParts = 32;

    private const int MostTypeCharacters = 1024;

    private ReadOnlyMemory<byte> _stack, _tags, _context;

    public string Level { get; private set; } = "";

    public string Message { get; private set; } = "";

    public List<SeenException> Exceptions { get; } = [];

    public List<SeenFrame> Frames { get; } = [];

    /// <summary>Of the event, beside its exceptions.</summary>
    public FrameRange OwnFrames { get; private set; }

    /// <summary>Of the thread that crashed, else of the only one.</summary>
    public FrameRange ThreadFrames { get; private set; }

    /// <summary>A stack that is text; none if it is none.</summary>
    public TextAt StackText { get; private set; }

    public List<TextAt> Fingerprint { get; } = [];

    /// <summary>Null if the event tells none.</summary>
    public string? PlatformText { get; private set; }

    public TextAt Release, Environment, Transaction, Logger;

    /// <summary>What the SDK sent as its message: before, and after, its parameters took their places.</summary>
    public TextAt Template, Formatted;

    /// <summary>The SDK sent parameters.</summary>
    public bool HasParameters { get; private set; }

    public ReadOnlySpan<byte> Stack => _stack.Span;

    public ReadOnlySpan<byte> Context => _context.Span;

    private SeenError()
    {
    }

    /// <summary>To be returned after use.</summary>
    public static SeenError Of(ErrorOccurred error)
    {
        var seen = Take();
        seen.Level = error.Level ?? "";
        seen.Message = error.Message ?? "";
        seen.Read(error.Stack?.Utf8 ?? default, error.Tags?.Utf8 ?? default, error.Context?.Utf8 ?? default);
        return seen;
    }

    /// <param name="stored">An event as the log stores it: JSON in UTF-8. To be returned after use.</param>
    public static SeenError OfStored(ReadOnlyMemory<byte> stored)
    {
        var seen = Take();
        ReadOnlyMemory<byte> stack = default, tags = default, context = default;
        try
        {
            seen.ReadMembers(stored, ref stack, ref tags, ref context);
        }
        catch (JsonException)
        {
            // It is no event; what was found before its fault stands for it.
        }
        seen.Read(stack, tags, context);
        return seen;
    }

    private void ReadMembers(
        ReadOnlyMemory<byte> stored, ref ReadOnlyMemory<byte> stack, ref ReadOnlyMemory<byte> tags,
        ref ReadOnlyMemory<byte> context)
    {
        var json = new JsonCursor(stored.Span);
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
        {
            if (name.SequenceEqual("level"u8)) Level = json.ReadString().In(stored.Span) ?? "";
            else if (name.SequenceEqual("message"u8)) Message = json.ReadString().In(stored.Span) ?? "";
            else if (name.SequenceEqual("stack"u8)) stack = Value(ref json, stored);
            else if (name.SequenceEqual("tags"u8)) tags = Value(ref json, stored);
            else if (name.SequenceEqual("context"u8)) context = Value(ref json, stored);
            else json.Skip();
        }
    }

    private static ReadOnlyMemory<byte> Value(ref JsonCursor json, ReadOnlyMemory<byte> whole)
    {
        var start = json.Start;
        json.Skip();
        return whole[start..json.End];
    }

    private static SeenError Take()
    {
        var seen = _spare ?? new SeenError();
        _spare = null;
        return seen;
    }

    /// <summary>Its lists serve the next event of the same thread.</summary>
    public void Return()
    {
        if (Frames.Capacity > MostKept || Exceptions.Capacity > MostKept) return;
        Clear();
        _spare = this;
    }

    private void Clear()
    {
        _stack = _tags = _context = default;
        Level = Message = "";
        Exceptions.Clear();
        Frames.Clear();
        Fingerprint.Clear();
        OwnFrames = ThreadFrames = default;
        StackText = Release = Environment = Transaction = Logger = Template = Formatted = default;
        HasParameters = false;
        PlatformText = null;
    }

    /// <summary>The text of a tag; null if there is none.</summary>
    public string? Tag(string name)
    {
        var wanted = Encoding.UTF8.GetBytes(name);
        var found = default(TextAt);
        try
        {
            var json = new JsonCursor(_tags.Span);
            for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var tag);)
                if (tag.SequenceEqual(wanted)) found = json.ReadText();
                else json.Skip();
        }
        catch (JsonException)
        {
            // As for the stack.
        }
        return found.In(_tags.Span);
    }

    private void Read(ReadOnlyMemory<byte> stack, ReadOnlyMemory<byte> tags, ReadOnlyMemory<byte> context)
    {
        (_stack, _tags, _context) = (stack, tags, context);
        try
        {
            ReadContext(new JsonCursor(context.Span));
            ReadStack(new JsonCursor(stack.Span));
        }
        catch (JsonException)
        {
            // It is no JSON, which the log cannot hold; what was found before its fault counts.
        }
    }

    private void ReadStack(JsonCursor json)
    {
        if (json.IsString) StackText = json.ReadString();
        else if (json.IsList) OwnFrames = ReadFrames(ref json);
        else ReadStackObject(ref json);
    }

    private void ReadStackObject(ref JsonCursor json)
    {
        var own = default(SeenException);
        var trace = default(FrameRange);
        TextAt message = default;
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
        {
            if (name.SequenceEqual("exceptions"u8)) ReadExceptions(ref json);
            else if (name.SequenceEqual("threads"u8)) ReadThreads(ref json);
            else if (name.SequenceEqual("stacktrace"u8)) trace = ReadTrace(ref json);
            else if (name.SequenceEqual("frames"u8)) own.Frames = ReadFrames(ref json);
            else if (name.SequenceEqual("type"u8)) own.Type = json.ReadText();
            else if (name.SequenceEqual("value"u8)) own.Value = json.ReadText();
            else if (name.SequenceEqual("message"u8)) message = json.ReadText();
            else json.Skip();
        }
        own.TraceFrames = trace;
        if (own.Value.IsNone) own.Value = message;
        OwnFrames = own.AllFrames;
        if (Exceptions.Count > 0 || own.Type.IsNone && own.Value.IsNone) return;
        own.Link = new(TypeOf(own), IsTitled: true);
        Exceptions.Add(own);
    }

    private void ReadExceptions(ref JsonCursor json)
    {
        Exceptions.Clear();
        if (json.IsObject) ReadValues(ref json);
        else
            for (var inside = json.TryEnterList(); inside && json.TryNextItem();)
                Exceptions.Add(ReadException(ref json));
    }

    /// <summary>A list as the member <c>values</c> of an object.</summary>
    private void ReadValues(ref JsonCursor json)
    {
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
            if (name.SequenceEqual("values"u8) && json.IsList) ReadExceptions(ref json);
            else json.Skip();
    }

    private SeenException ReadException(ref JsonCursor json)
    {
        var exception = default(SeenException);
        if (!json.IsObject)
        {
            exception.Value = json.ReadText();
            exception.Link = new(null, !exception.Value.IsNone);
            return exception;
        }
        var mechanism = default(ChainLink);
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
        {
            if (name.SequenceEqual("type"u8)) exception.Type = json.ReadText();
            else if (name.SequenceEqual("value"u8)) exception.Value = json.ReadText();
            else if (name.SequenceEqual("frames"u8)) exception.Frames = ReadFrames(ref json);
            else if (name.SequenceEqual("stacktrace"u8)) exception.TraceFrames = ReadTrace(ref json);
            else if (name.SequenceEqual("mechanism"u8)) mechanism = ReadMechanism(ref json, out exception.IsSynthetic);
            else json.Skip();
        }
        var isTitled = !exception.Type.IsNone || !exception.Value.IsNone;
        exception.Link = mechanism with { Type = TypeOf(exception), IsTitled = isTitled };
        return exception;
    }

    private string? TypeOf(in SeenException exception) => exception.Type.In(_stack.Span, MostTypeCharacters);

    private ChainLink ReadMechanism(ref JsonCursor json, out bool isSynthetic)
    {
        isSynthetic = false;
        var link = default(ChainLink);
        TextAt type = default, source = default;
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
        {
            if (name.SequenceEqual("synthetic"u8)) isSynthetic = json.ReadFlag() == true;
            else if (name.SequenceEqual("is_exception_group"u8)) link = link with { IsGroup = json.ReadFlag() == true };
            else if (name.SequenceEqual("exception_id"u8)) link = link with { Id = json.ReadInteger() };
            else if (name.SequenceEqual("parent_id"u8)) link = link with { Parent = json.ReadInteger() };
            else if (name.SequenceEqual("type"u8)) type = json.ReadString();
            else if (name.SequenceEqual("source"u8)) source = json.ReadString();
            else json.Skip();
        }
        return link with { Kinship = ChainLink.KinshipOf(type.In(_stack.Span), source.In(_stack.Span)) };
    }

    private void ReadThreads(ref JsonCursor json)
    {
        ThreadFrames = default;
        FrameRange crashed = default, only = default;
        var withFrames = 0;
        if (json.IsObject)
        {
            json.Skip();
            return;
        }
        for (var inside = json.TryEnterList(); inside && json.TryNextItem();)
        {
            var frames = ReadThread(ref json, out var isCrashed);
            if (frames.Count == 0) continue;
            withFrames++;
            only = frames;
            if (isCrashed && crashed.Count == 0) crashed = frames;
        }
        ThreadFrames = crashed.Count > 0 ? crashed : withFrames == 1 ? only : default;
    }

    private FrameRange ReadThread(ref JsonCursor json, out bool isCrashed)
    {
        isCrashed = false;
        var thread = default(SeenException);
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
        {
            if (name.SequenceEqual("crashed"u8)) isCrashed = json.ReadFlag() == true;
            else if (name.SequenceEqual("frames"u8)) thread.Frames = ReadFrames(ref json);
            else if (name.SequenceEqual("stacktrace"u8)) thread.TraceFrames = ReadTrace(ref json);
            else json.Skip();
        }
        return thread.AllFrames;
    }

    private FrameRange ReadTrace(ref JsonCursor json)
    {
        var frames = default(FrameRange);
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
            if (name.SequenceEqual("frames"u8)) frames = ReadFrames(ref json);
            else json.Skip();
        return frames;
    }

    private FrameRange ReadFrames(ref JsonCursor json)
    {
        var start = Frames.Count;
        for (var inside = json.TryEnterList(); inside && json.TryNextItem();)
            if (json.IsObject) Frames.Add(ReadFrame(ref json));
            else json.Skip();
        return new(start, Frames.Count - start);
    }

    private static SeenFrame ReadFrame(ref JsonCursor json)
    {
        var frame = default(SeenFrame);
        TextAt file = default;
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
        {
            if (name.SequenceEqual("function"u8)) frame.Function = json.ReadString();
            else if (name.SequenceEqual("module"u8)) frame.Module = json.ReadString();
            else if (name.SequenceEqual("filename"u8)) frame.File = json.ReadString();
            else if (name.SequenceEqual("file"u8)) file = json.ReadString();
            else if (name.SequenceEqual("abs_path"u8)) frame.Path = json.ReadString();
            else if (name.SequenceEqual("package"u8)) frame.Package = json.ReadString();
            else if (name.SequenceEqual("context_line"u8)) frame.Source = json.ReadString();
            else if (name.SequenceEqual("platform"u8)) frame.Platform = json.ReadString();
            else if (name.SequenceEqual("in_app"u8)) frame.InApp = json.ReadFlag();
            else json.Skip();
        }
        if (frame.File.IsNone) frame.File = file;
        return frame;
    }

    private void ReadContext(JsonCursor json)
    {
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
        {
            if (name.SequenceEqual("fingerprint"u8)) ReadFingerprint(ref json);
            else if (name.SequenceEqual("logentry"u8)) ReadEntry(ref json);
            else if (name.SequenceEqual("sentry.interfaces.Message"u8)) ReadEntry(ref json);
            else if (name.SequenceEqual("message"u8)) ReadEntry(ref json);
            else if (name.SequenceEqual("platform"u8)) PlatformText = json.ReadString().In(_context.Span);
            else if (name.SequenceEqual("release"u8)) Release = json.ReadText();
            else if (name.SequenceEqual("environment"u8)) Environment = json.ReadText();
            else if (name.SequenceEqual("transaction"u8)) Transaction = json.ReadText();
            else if (name.SequenceEqual("logger"u8)) Logger = json.ReadText();
            else json.Skip();
        }
    }

    /// <summary>A list, or one part.</summary>
    private void ReadFingerprint(ref JsonCursor json)
    {
        Fingerprint.Clear();
        if (!json.IsList)
        {
            Fingerprint.Add(json.ReadText());
            return;
        }
        var parts = 0;
        for (var inside = json.TryEnterList(); inside && json.TryNextItem();)
            if (parts++ < MostFingerprintParts) Fingerprint.Add(json.ReadText());
            else json.Skip();
    }

    private void ReadEntry(ref JsonCursor json)
    {
        TextAt template = default, formatted = default;
        var hasParameters = false;
        for (var inside = json.TryEnterObject(); inside && json.TryNextMember(out var name);)
        {
            if (name.SequenceEqual("message"u8)) template = json.ReadString();
            else if (name.SequenceEqual("formatted"u8)) formatted = json.ReadString();
            else if (name.SequenceEqual("params"u8)) hasParameters = json.ReadHasContent();
            else json.Skip();
        }
        if (template.IsNone) return;
        (Template, Formatted, HasParameters) = (template, formatted, hasParameters);
    }
}

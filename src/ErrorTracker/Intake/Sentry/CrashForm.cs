using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Net.Http.Headers;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The form that a crash handler sends: a dump, which is passed over, and fields that tell of the crash, which are
/// held. <c>sentry</c> is an event in JSON that may lack any member, also cut into <c>sentry__1</c>, <c>sentry__2</c>
/// …; <c>sentry[user][id]</c> is one member of it; <c>__sentry-event</c> and <c>__sentry-breadcrumb1</c> are files of
/// sentry-native in MessagePack; all other fields are <c>extra</c>. Pure.
/// </summary>
internal sealed partial class CrashForm
{
    public const int MostFields = 1_000, MostText = EventLimits.Largest;

    private const string DumpField = "upload_file_minidump";

    private const string Event = "sentry", Chunk = "sentry__";

    private const string EventFile = "__sentry-event", BreadcrumbFile = "__sentry-breadcrumb";

    private readonly List<CrashField> _fields = [];

    /// <summary>Bytes of memory that the fields take, with their names.</summary>
    public int Held { get; private set; }

    public bool HasDump { get; private set; }

    /// <summary>Null if there are too many.</summary>
    /// <param name="contentDisposition">Of the part.</param>
    public CrashField? Begin(string? contentDisposition)
    {
        if (_fields.Count == MostFields) return null;
        _ = ContentDispositionHeaderValue.TryParse(contentDisposition, out var told); // null if it cannot be read
        var (name, file) = (Plain(told?.Name) ?? "", Plain(told?.FileNameStar) ?? Plain(told?.FileName));
        var isHeld = name != DumpField && (file is null || name == EventFile || IsBreadcrumbs(name));
        var field = new CrashField(name, file, name == DumpField, isHeld);
        Held += sizeof(char) * (name.Length + (file?.Length ?? 0));
        _fields.Add(field);
        return field;
    }

    /// <summary>
    /// False if the fields have more text than may be held. Ends the field if there are no more bytes.
    /// </summary>
    public bool TryAdd(CrashField field, ReadOnlySpan<byte> bytes)
    {
        field.Add(bytes);
        HasDump |= field.Dump is not null;
        if (field.IsHeld) Held += bytes.Length;
        return Held <= MostText;
    }

    /// <summary>What the form tells of the crash, as SDKs write events: JSON in UTF-8.</summary>
    public byte[] ToEvent()
    {
        var told = new CrashTree();
        foreach (var field in _fields.Where(field => field.Name == EventFile))
            if (MessagePackJson.Read(field.Bytes) is [var payload]) told.Merge(payload);
        var files = _fields.Where(field => IsBreadcrumbs(field.Name));
        var breadcrumbs = files.SelectMany(field => MessagePackJson.Read(field.Bytes));
        var inOrder = breadcrumbs.OrderBy(TimeOf, StringComparer.Ordinal).ToList();
        if (inOrder.Count > 0) told.Set("breadcrumbs", inOrder);
        AddFields(told);
        return told.ToJson();
    }

    private void AddFields(CrashTree told)
    {
        var chunks = new SortedDictionary<int, string>();
        foreach (var field in _fields.Where(field => field.IsHeld && field.FileName is null))
            if (ChunkOf(field.Name) is { } number) chunks[number] = field.Text;
            else if (PathOf(field.Name) is { } path) told.Set(path, field.Text);
            else if (field.Name != Event || !told.TryMerge(field.Text)) told.Set(["extra", field.Name], field.Text);
        if (chunks.Count == 0) return;
        var whole = string.Concat(chunks.Values);
        if (!told.TryMerge(whole)) told.Set(["extra", Event], whole);
    }

    /// <summary>The number of a part of the event; null if it is none.</summary>
    private static int? ChunkOf(string name)
    {
        if (!name.StartsWith(Chunk, StringComparison.Ordinal)) return null;
        var digits = name.AsSpan(Chunk.Length);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>The names of a member of the event, from the outside in; null if it is none.</summary>
    private static string[]? PathOf(string name) =>
        Nested().Match(name) is { Success: true } nested
            ? [.. nested.Groups["key"].Captures.Select(key => key.Value)]
            : null;

    private static bool IsBreadcrumbs(string name) => name.StartsWith(BreadcrumbFile, StringComparison.Ordinal);

    private static string TimeOf(JsonElement breadcrumb) =>
        breadcrumb.ValueKind == JsonValueKind.Object && breadcrumb.TryGetProperty("timestamp", out var time)
            ? JsonText.Of(time)
            : "";

    private static string? Plain(Microsoft.Extensions.Primitives.StringSegment? text) =>
        HeaderUtilities.RemoveQuotes(text ?? default) is { Length: > 0 } plain
            ? plain.ToString().Replace('\0', '\ufffd')
            : null;

    [GeneratedRegex(@"^sentry(?:\[(?<key>[^\[\]]{1,100})\]){1,10}$", RegexOptions.CultureInvariant)]
    private static partial Regex Nested();
}

/// <summary>A field of a form while it arrives.</summary>
/// <param name="Name">Empty if it has none.</param>
/// <param name="FileName">Null if it is no file.</param>
/// <param name="IsNamedDump">By its name, whatever it holds.</param>
/// <param name="IsHeld">Or only its size is known afterwards.</param>
internal sealed record CrashField(string Name, string? FileName, bool IsNamedDump, bool IsHeld)
{
    private readonly DumpStart _start = new();
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public bool IsFile => FileName is not null && !IsHeld;

    /// <summary>Null if it is no dump.</summary>
    public CrashDump? Dump =>
        IsNamedDump || IsFile && _start.IsDump ? new(CrashDump.Minidump, FileName, _start.Size) : null;

    public ReadOnlyMemory<byte> Bytes => _bytes.WrittenMemory;

    public string Text => Encoding.UTF8.GetString(Bytes.Span);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        _start.Add(bytes);
        if (IsHeld) _bytes.Write(bytes);
    }
}

/// <summary>
/// What is known of a file that is passed over: its size, and its first bytes, by which a minidump is recognised,
/// compressed or not.
/// </summary>
internal sealed class DumpStart
{
    /// <summary>Of a dump in either byte order, and of gzip, xz, bzip2 and zstd.</summary>
    private static readonly byte[][] Magics =
    [
        [.. "MDMP"u8], [.. "PMDM"u8],
        [0x1f, 0x8b], [0xfd, 0x37, 0x7a, 0x58, 0x5a], [.. "BZh"u8], [0x28, 0xb5, 0x2f, 0xfd],
    ];

    private readonly byte[] _bytes = new byte[5];
    private int _length;

    /// <summary>In bytes.</summary>
    public long Size { get; private set; }

    public bool IsDump => Magics.Any(magic => _bytes.AsSpan(0, _length).StartsWith(magic));

    public ValueTask<IntakeRefusal?> TakeAsync(Memory<byte> bytes)
    {
        Add(bytes.Span);
        return default;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Size += bytes.Length;
        var taken = Math.Min(bytes.Length, _bytes.Length - _length);
        bytes[..taken].CopyTo(_bytes.AsSpan(_length));
        _length += taken;
    }
}

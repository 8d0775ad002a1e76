using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Grouping;

/// <summary>
/// Reads an event as the log has it. A row that another program has written may hold anything: what is missing or of
/// another kind is read as nothing, since no row may stop a fold.
/// </summary>
internal static class StoredError
{
    public static ErrorOccurred Read(byte[] stored)
    {
        using var document = JsonDocument.Parse(stored, new JsonDocumentOptions { MaxDepth = 1_000 });
        var row = document.RootElement;
        return new(
            default, TextOf(row, "level") is { Length: <= 20 } level ? level : "", TextOf(row, "message"),
            RawOf(row, "stack"), RawOf(row, "tags"), RawOf(row, "context"));
    }

    private static string TextOf(JsonElement row, string name)
    {
        if (row.ValueKind != JsonValueKind.Object || !row.TryGetProperty(name, out var value)) return "";
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
    }

    private static RawJson? RawOf(JsonElement row, string name)
    {
        if (row.ValueKind != JsonValueKind.Object || !row.TryGetProperty(name, out var value)) return null;
        return new(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value).ToArray());
    }
}

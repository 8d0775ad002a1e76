using System.Text.Json;

namespace ErrorTracker.Intake;

/// <summary>JSON values as text. Pure.</summary>
internal static class JsonText
{
    /// <summary>Some senders begin JSON with it, which RFC 8259 lets readers pass over.</summary>
    public static ReadOnlySpan<byte> ByteOrderMark => "\ufeff"u8;

    /// <summary>A string as it is, null as nothing, and any other value as JSON writes it.</summary>
    public static string Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        _ => value.GetRawText(),
    };

    /// <summary>A member's text; null if it is absent or empty.</summary>
    public static string? Member(JsonElement value, string name) =>
        value.TryGetProperty(name, out var member) && Of(member) is { Length: > 0 } text ? text : null;
}

using System.Net;
using System.Text.Json;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The IP address that an event came from, in the places where its SDK asks for it: <c>user.ip_address</c> and
/// <c>request.env.REMOTE_ADDR</c> of <c>{{auto}}</c>, and an absent <c>user.ip_address</c> where
/// <c>sdk.settings.infer_ip</c> is <c>auto</c>. Where that is <c>never</c>, nothing is told. Pure.
/// </summary>
internal sealed class SenderAddress
{
    private const string Asked = "{{auto}}";

    private readonly string? _address;
    private readonly bool _isInferred;

    /// <param name="sdk">The event's own <c>sdk</c>, if it has one.</param>
    /// <param name="address">Null if nobody knows.</param>
    public SenderAddress(JsonElement? sdk, string? address)
    {
        var setting = Member(Member(sdk, "settings"), "infer_ip") is { } told ? JsonText.Of(told) : "";
        _address = setting.Equals("never", StringComparison.OrdinalIgnoreCase) ? null : address;
        _isInferred = _address is not null && setting.Equals("auto", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// As people write it: IPv4 in its own form although a socket of IPv6 took it, and without the scope.
    /// </summary>
    public static string? Of(IPAddress? address) => address switch
    {
        null => null,
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        _ => new IPAddress(address.GetAddressBytes()).ToString(),
    };

    /// <summary>
    /// True if the member was written with the address in its place; false if it holds none and is to be written as
    /// it is.
    /// </summary>
    public bool TryWrite(Utf8JsonWriter context, JsonProperty member, KeptJson kept)
    {
        if (member.Value.ValueKind != JsonValueKind.Object) return false;
        if (member.NameEquals("user")) return TryWriteUser(context, member.Value, kept);
        if (!member.NameEquals("request") || !IsAsked(Member(Member(member.Value, "env"), "REMOTE_ADDR"))) return false;
        context.WriteStartObject("request");
        foreach (var part in member.Value.EnumerateObject())
            if (part.NameEquals("env") && part.Value.ValueKind == JsonValueKind.Object)
                WriteObject(context, part.Value, kept, "env", "request.env", "REMOTE_ADDR");
            else kept.WriteMember(context, part, "request");
        context.WriteEndObject();
        return true;
    }

    /// <summary>Of an event that tells of no user.</summary>
    public void WriteUser(Utf8JsonWriter context)
    {
        if (!_isInferred) return;
        context.WriteStartObject("user");
        context.WriteString("ip_address", _address);
        context.WriteEndObject();
    }

    private bool TryWriteUser(Utf8JsonWriter context, JsonElement user, KeptJson kept)
    {
        var told = Member(user, "ip_address");
        if (!IsAsked(told) && !(_isInferred && IsAbsent(told))) return false;
        WriteObject(context, user, kept, "user", "user", "ip_address");
        return true;
    }

    /// <summary>The address goes first, in the place of what the object says.</summary>
    private void WriteObject(
        Utf8JsonWriter context, JsonElement sent, KeptJson kept, string name, string path, string field)
    {
        context.WriteStartObject(name);
        if (_address is not null) context.WriteString(field, _address);
        else kept.Drop($"{path}.{field}", "is {{auto}}, but the sender's address is not known or not to be told");
        foreach (var part in sent.EnumerateObject())
            if (!part.NameEquals(field)) kept.WriteMember(context, part, path);
        context.WriteEndObject();
    }

    private static bool IsAsked(JsonElement? told) => IsText(told, Asked);

    private static bool IsAbsent(JsonElement? told) => told is null or { ValueKind: JsonValueKind.Null } || IsText(told, "");

    private static bool IsText(JsonElement? told, string text) =>
        told is { ValueKind: JsonValueKind.String } value && value.ValueEquals(text);

    private static JsonElement? Member(JsonElement? value, string name) =>
        value is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out var member)
            ? member
            : null;
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace ErrorTracker.Log;

/// <summary>JSON text that is only passed through, never parsed into objects and written again.</summary>
[JsonConverter(typeof(Verbatim))]
public sealed record RawJson(ReadOnlyMemory<byte> Utf8)
{
    internal sealed class Verbatim : JsonConverter<RawJson>
    {
        public override RawJson Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return new RawJson(System.Text.Encoding.UTF8.GetBytes(document.RootElement.GetRawText()));
        }

        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
    }
}

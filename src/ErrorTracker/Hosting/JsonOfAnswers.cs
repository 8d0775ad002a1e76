using System.Text.Json;
using System.Text.Json.Serialization;
using ErrorTracker.Http;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Hosting;

/// <summary>How all endpoints write JSON: members in snake_case, times in UTC.</summary>
internal static class JsonOfAnswers
{
    public static void AddJson(this WebApplicationBuilder builder) => builder.Services.ConfigureHttpJsonOptions(x =>
    {
        x.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        x.SerializerOptions.Converters.Add(new UtcTime());
        x.SerializerOptions.TypeInfoResolverChain.Insert(0, ReceiptJson.Default);
    });

    /// <summary>RFC 3339 in UTC with a Z, and no more digits than microseconds need.</summary>
    private sealed class UtcTime : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Instant.ToText(value));
    }
}

using System.Text.Json;

namespace ErrorTracker.Tests;

/// <summary>Short reading of answers: members by their names, from the outside in.</summary>
internal static class JsonReading
{
    public static string? Text(this JsonElement answer, params string[] path) => answer.At(path).GetString();

    public static int Count(this JsonElement answer, params string[] path) => answer.At(path).GetInt32();

    public static string Raw(this JsonElement answer, params string[] path) => answer.At(path).GetRawText();

    public static JsonElement At(this JsonElement answer, params string[] path) =>
        path.Aggregate(answer, (at, name) => at.GetProperty(name));
}

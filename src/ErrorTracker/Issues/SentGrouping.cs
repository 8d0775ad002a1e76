using System.Text;
using System.Text.Json;
using ErrorTracker.Grouping;
using ErrorTracker.Http;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;

namespace ErrorTracker.Issues;

/// <summary>Rules, and a window of events, as a request's body sends them.</summary>
/// <param name="Rules">The application's own.</param>
/// <param name="Window">Of a preview.</param>
public sealed record SentGrouping(GroupingRules Rules, Window Window)
{
    /// <summary>In bytes.</summary>
    private const int Largest = 512 * 1024;

    internal string Json => Encoding.UTF8.GetString(Rules.ToJson());

    /// <param name="http">Whose body it is.</param>
    /// <param name="hasWindow">The body is <c>{"rules": {…}, "since", "until"}</c>; else it is the rules.</param>
    /// <param name="errors">Gets each fault.</param>
    /// <param name="stop">Cuts it off.</param>
    internal static async Task<(SentGrouping?, ProblemDetails)> ReadAsync(
        HttpContext http, bool hasWindow, FieldErrors errors, CancellationToken stop)
    {
        if (!http.Request.HasJsonContentType())
            return (null, Problem.Of(StatusCodes.Status415UnsupportedMediaType, "The body must be application/json."));
        var sent = await http.Request.BodyReader.ReadAtLeastAsync(Largest + 1, stop);
        if (sent.Buffer.Length > Largest)
            return (null, Problem.Of(StatusCodes.Status413PayloadTooLarge, $"The body is larger than {Largest} bytes."));
        try
        {
            using var document = JsonDocument.Parse(sent.Buffer);
            return Read(document.RootElement, hasWindow, errors);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            errors.AddFault("body", "must be JSON in UTF-8");
            return (null, Problem.Invalid(errors));
        }
        finally
        {
            http.Request.BodyReader.AdvanceTo(sent.Buffer.End);
        }
    }

    private static (SentGrouping?, ProblemDetails) Read(JsonElement body, bool hasWindow, FieldErrors errors)
    {
        var window = Window.Everything;
        var rules = body;
        if (hasWindow)
        {
            string[] known = ["rules", "since", "until"];
            if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("rules", out rules))
                errors.AddFault("rules", "is required");
            else
                foreach (var other in body.EnumerateObject().Where(member => !known.Contains(member.Name)).Take(10))
                    errors.AddFault(other.Name.Length > 100 ? "body" : other.Name, "is not known");
            if (errors.Count == 0) window = Window.Optional(Text(body, "since"), Text(body, "until"), errors);
        }
        var parsed = errors.Count == 0 ? GroupingRules.Parse(rules, errors) : null;
        return parsed is null ? (null, Problem.Invalid(errors)) : (new(parsed, window), Problem.None);
    }

    private static string? Text(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;
}

using System.Text.Json;
using Microsoft.AspNetCore.Mvc;

namespace ErrorTracker.Http;

/// <summary>
/// A JSON object that a person's request sends, in memory. Its members are read one by one, and each fault goes to <see
/// cref="FieldErrors"/> under the member's name. A member that is null is absent; one that nobody reads is a fault.
/// </summary>
internal sealed class SentBody
{
    /// <summary>In bytes: a thousand keys have room.</summary>
    private const int Largest = 256 * 1024;

    private const int LongestText = 500, LongestName = 100, MostNamed = 100;

    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    private readonly Dictionary<string, JsonElement> _unread = new(StringComparer.Ordinal);
    private readonly List<string> _read = [];
    private readonly FieldErrors _errors;

    private SentBody(JsonElement sent, FieldErrors errors)
    {
        _errors = errors;
        foreach (var member in sent.EnumerateObject()) _unread.Add(member.Name, member.Value);
    }

    /// <summary>
    /// Only what is declared as JSON is read: a page of another origin cannot declare that without asking first.
    /// </summary>
    /// <returns>The body, or what is wrong with it as a whole, beside what else is wrong already.</returns>
    public static async Task<(SentBody? Body, ProblemDetails Problem)> ReadAsync(
        HttpContext http, FieldErrors errors, CancellationToken stop)
    {
        if (!http.Request.HasJsonContentType())
            return (null, Problem.Of(StatusCodes.Status415UnsupportedMediaType, "The body must be application/json."));

        var sent = await http.Request.BodyReader.ReadAtLeastAsync(Largest + 1, stop);
        if (sent.Buffer.Length > Largest)
            return (null, Problem.Of(
                StatusCodes.Status413PayloadTooLarge, $"The body is larger than {Largest} bytes."));
        try
        {
            using var document = JsonDocument.Parse(sent.Buffer, Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return (new(document.RootElement.Clone(), errors), Problem.None);
            errors.AddFault("body", "must be a JSON object");
        }
        catch (JsonException)
        {
            errors.AddFault("body", "must be JSON in UTF-8 that names each member once");
        }
        catch (InvalidOperationException) // an escape that is half a character
        {
            errors.AddFault("body", "must name its members in Unicode");
        }
        finally
        {
            http.Request.BodyReader.AdvanceTo(sent.Buffer.End);
        }
        return (null, Problem.Invalid(errors));
    }

    /// <summary>A positive integer, which must be there.</summary>
    public int Number(string member)
    {
        if (NumberOf(Take(member)) is { } number) return number;
        _errors.AddFault(member, Http.Number.ExpectedId);
        return 0;
    }

    /// <summary>A list of positive integers that must be there and not be empty; each once.</summary>
    public IReadOnlyList<int> Numbers(string member, int most)
    {
        var numbers = List(member, most).Select(NumberOf).ToList();
        var isRight = numbers.Count > 0 && !numbers.Contains(null);
        if (!isRight) _errors.AddFault(member, $"must be a list of 1 to {most} positive integers");
        return [.. numbers.OfType<int>().Distinct()];
    }

    /// <summary>A list of texts that must be there and not be empty; each once.</summary>
    public IReadOnlyList<string> Texts(string member, int most)
    {
        var texts = List(member, most).Select(TextOf).ToList();
        var isRight = texts.Count > 0 && !texts.Contains(null);
        if (!isRight) _errors.AddFault(member, $"must be a list of 1 to {most} texts");
        return [.. texts.OfType<string>().Distinct()];
    }

    /// <summary>A UUID, with dashes or without; null if it is absent.</summary>
    public Guid? Id(string member)
    {
        if (Take(member) is not { } value) return null;
        if (TextOf(value) is { } text)
        {
            if (Guid.TryParseExact(text, "D", out var id)) return id;
            if (Guid.TryParseExact(text, "N", out id)) return id;
        }
        _errors.AddFault(member, "must be a UUID");
        return null;
    }

    /// <summary>A place in the log; null if it is absent.</summary>
    public long? Position(string member)
    {
        if (Take(member) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var position) && position >= 0)
            return position;
        _errors.AddFault(member, "must be a whole number, at least 0");
        return null;
    }

    /// <summary>All members have been read: those that are left are faults. What is wrong, or none.</summary>
    public ProblemDetails Finish()
    {
        foreach (var name in _unread.Keys.Take(MostNamed))
            _errors.AddFault(
                name.Length > LongestName ? name[..LongestName] + "…" : name,
                $"is no member of this body, which takes {string.Join(", ", _read)}");
        return _errors.OrNone();
    }

    private JsonElement? Take(string member)
    {
        _read.Add(member);
        return _unread.Remove(member, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>Empty if it is no list, or has more members than it may.</summary>
    private IEnumerable<JsonElement?> List(string member, int most) =>
        Take(member) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() <= most
            ? list.EnumerateArray().Select(value => (JsonElement?)value)
            : [];

    private static int? NumberOf(JsonElement? value) =>
        value is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var whole) && whole > 0
            ? whole
            : null;

    /// <summary>Null for what is no text that PostgreSQL can hold, or is longer than any that is meant.</summary>
    private static string? TextOf(JsonElement? value)
    {
        if (value is not { ValueKind: JsonValueKind.String } sent) return null;
        try
        {
            var text = sent.GetString()!;
            return text.Length is > 0 and <= LongestText && !text.Contains('\0') ? text : null;
        }
        catch (InvalidOperationException) // an escape that is half a character
        {
            return null;
        }
    }
}

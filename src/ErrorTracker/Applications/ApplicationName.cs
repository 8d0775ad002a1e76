using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ErrorTracker.Applications;

/// <summary>A name that an application may have: 1 to 100 characters, none of them a control character.</summary>
public sealed partial record ApplicationName(string Value)
{
    private const int Longest = 100;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>What is no name is named in <paramref name="errors"/>.</summary>
    /// <param name="name">As the web server has decoded it.</param>
    /// <param name="http">Knows how it was sent.</param>
    /// <param name="errors">Gets the fault.</param>
    internal static ApplicationName Read(string name, HttpContext http, FieldErrors errors)
    {
        var decoded = Sent(http) is { } sent ? Decode(sent) : name;
        var fault = decoded is null ? "must be UTF-8, percent-encoded" : FaultOf(decoded);
        if (fault is not null) errors.AddFault("name", fault);
        return new(decoded ?? name);
    }

    private static string? FaultOf(string name)
    {
        if (name.Any(char.IsControl)) return "must not have control characters";
        if (string.IsNullOrWhiteSpace(name)) return "must not be empty";
        return name.EnumerateRunes().Count() > Longest ? $"must not be longer than {Longest} characters" : null;
    }

    /// <summary>
    /// The last part of the path as it was sent: the web server decodes all of a path but %2F and what is no UTF-8, and
    /// what it leaves looks as if it were meant so.
    /// </summary>
    private static string? Sent(HttpContext http)
    {
        var path = http.Features.Get<IHttpRequestFeature>()?.RawTarget.Split('?')[0];
        return path is ['/', ..] ? path[(path.LastIndexOf('/') + 1)..] : null;
    }

    /// <summary>Null if it is no percent-encoded UTF-8.</summary>
    private static string? Decode(string sent)
    {
        if (BadEscape().IsMatch(sent)) return null;
        try
        {
            // A plus is one in a path; .NET takes it for a space, as in a query.
            var bytes = Encoding.UTF8.GetBytes(sent.Replace("+", "%2B"));
            return StrictUtf8.GetString(WebUtility.UrlDecodeToBytes(bytes, 0, bytes.Length));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    [GeneratedRegex("%(?![0-9A-Fa-f]{2})")]
    private static partial Regex BadEscape();
}

using System.Security.Cryptography;
using System.Text;
using ErrorTracker.Configuration;
using ErrorTracker.Http;

namespace ErrorTracker.Hosting;

/// <summary>
/// Where <c>ERRORTRACKER_READ_TOKEN</c> is set, all but ingest, which has keys of its own, health and the root is for those who send it:
/// <c>Authorization: Bearer</c> (RFC 6750). Without it all else is open, for networks that are trusted.
/// </summary>
internal sealed class ReadToken(RequestDelegate next, Settings settings)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _hash = settings.ReadToken is { } token ? Hash(token) : null;

    public Task InvokeAsync(HttpContext http)
    {
        if (_hash is null || IsOpen(http) || Opens(http.Request.Headers.Authorization.ToString())) return next(http);
        http.Response.Headers.WWWAuthenticate = "Bearer";
        return Refusal.Of(401, "The header Authorization: Bearer with the read token is required.").ExecuteAsync(http);
    }

    private static bool IsOpen(HttpContext http) =>
        http.GetEndpoint() is { } endpoint
        && (endpoint.Metadata.GetMetadata<IngestsAttribute>() is not null || endpoint.DisplayName == Api.OpenToAll);

    /// <summary>Of equal length, whatever was sent: the comparison tells nothing.</summary>
    private bool Opens(string header) => header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && CryptographicOperations.FixedTimeEquals(Hash(header[Scheme.Length..].Trim()), _hash);

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

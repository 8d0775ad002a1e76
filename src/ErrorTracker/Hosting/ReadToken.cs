using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using ErrorTracker.Configuration;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ErrorTracker.Hosting;

/// <summary>What <c>ERRORTRACKER_READ_TOKEN</c> is set to, kept as its hash.</summary>
internal sealed class ReadToken(Settings settings)
{
    private readonly byte[]? _hash = settings.ReadToken is { } token ? Hash(token) : null;

    /// <summary>Hashes are of equal length, whatever was sent: the comparison tells nothing.</summary>
    public bool Is(string sent) => _hash is not null && CryptographicOperations.FixedTimeEquals(Hash(sent), _hash);

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

/// <summary>The scheme of readers: <c>Authorization: Bearer</c> (RFC 6750) with the read token.</summary>
internal sealed class ReadTokenHandler(
    ReadToken token, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public new const string Scheme = "Bearer";

    private const string Prefix = Scheme + " ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate());

    private AuthenticateResult Authenticate()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        if (!token.Is(header[Prefix.Length..].Trim())) return AuthenticateResult.Fail("It is not the read token.");
        var reader = new ClaimsPrincipal(new ClaimsIdentity(Scheme));
        return AuthenticateResult.Success(new(reader, Scheme));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = Scheme;
        var refusal = Refusal.Of(401, "The header Authorization: Bearer with the read token is required.");
        return refusal.ExecuteAsync(Context);
    }
}

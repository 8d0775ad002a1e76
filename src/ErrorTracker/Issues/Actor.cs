using System.Security.Claims;

namespace ErrorTracker.Issues;

/// <summary>What a decision calls the one who made it. The names are data.</summary>
public static class Actor
{
    /// <summary>Somebody with a token that has no name.</summary>
    public const string Admin = "admin";

    /// <summary>Somebody without a token, where none is asked for.</summary>
    public const string Anonymous = "anonymous";

    public static string Of(ClaimsPrincipal user) =>
        user.Identity is { IsAuthenticated: true } identity ? identity.Name ?? Admin : Anonymous;
}

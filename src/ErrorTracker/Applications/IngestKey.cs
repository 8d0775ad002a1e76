namespace ErrorTracker.Applications;

/// <summary>
/// A key with which an application sends errors: a document. One that was deleted stays, revoked, so that each node
/// learns of it.
/// </summary>
/// <param name="Id">To delete it by.</param>
/// <param name="ApplicationId">Which application it opens.</param>
/// <param name="Prefix">Its first characters, to tell it by.</param>
/// <param name="Hash">SHA-256 of it; the key itself is not stored.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="RevokedAt">Since then it opens nothing; null if it does.</param>
public sealed record IngestKey(
    Guid Id, int ApplicationId, string Prefix, byte[] Hash, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt = null)
{
    internal static IngestKey Of(string secret, int applicationId, DateTimeOffset now) =>
        new(Guid.CreateVersion7(), applicationId, KeySecret.PrefixOf(secret), KeySecret.Hash(secret), now);
}

/// <summary>
/// When a key was last used: a document of its own, so that noting a use never overwrites that the key was revoked.
/// </summary>
/// <param name="Id">The key's.</param>
/// <param name="LastUsedAt">UTC.</param>
public sealed record IngestKeyUse(Guid Id, DateTimeOffset LastUsedAt);

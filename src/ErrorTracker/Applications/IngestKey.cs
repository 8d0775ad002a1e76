using System.Security.Cryptography;
using System.Text;

namespace ErrorTracker.Applications;

/// <summary>The secret with which an application sends errors: 128 random bits, shown once and stored as SHA-256. As it is random, a plain hash suffices.</summary>
internal static class IngestKey
{
    /// <summary>Characters of a key that are kept to tell it by.</summary>
    private const int PrefixLength = 8, LongestHashed = 256;

    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public static string PrefixOf(string key) => key[..PrefixLength];

    /// <summary>
    /// How Sentry's SDKs are told where to send, and with which key: to the address that this request came to, as its
    /// client sees it.
    /// </summary>
    public static string DsnOf(string key, int application, HttpRequest request) => $"{request.Scheme}://{key}@{request.Host}{request.PathBase}/{application}";

    public static byte[] Hash(string key)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        Hash(key, hash);
        return hash;
    }

    /// <summary>Compares with each of these in constant time.</summary>
    public static IngestKeyInUse? Find(string key, IngestKeyInUse[] among)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(key, hash);
        IngestKeyInUse? found = null;
        foreach (var candidate in among)
            if (CryptographicOperations.FixedTimeEquals(hash, candidate.Hash)) found = candidate;
        return found;
    }

    /// <summary>No key is so long that it needs more than the buffer; what is longer is none.</summary>
    private static void Hash(string key, Span<byte> hash)
    {
        Span<byte> utf8 = stackalloc byte[LongestHashed];
        SHA256.HashData(Encoding.UTF8.TryGetBytes(key, utf8, out var length) ? utf8[..length] : utf8, hash);
    }
}

/// <summary>A key that opens an application.</summary>
internal sealed class IngestKeyInUse(Guid id, byte[] hash)
{
    private long _usedAt, _takenAt;

    public Guid Id => id;

    public byte[] Hash => hash;

    /// <summary>When it was last used; the first moment that there is if it never was.</summary>
    public DateTimeOffset UsedAt => new(Volatile.Read(ref _usedAt), TimeSpan.Zero);

    public void Use(DateTimeOffset at) => Volatile.Write(ref _usedAt, at.UtcTicks);

    /// <summary>When it was used since this was last asked; null if it was not.</summary>
    public DateTimeOffset? TakeUse()
    {
        var usedAt = Volatile.Read(ref _usedAt);
        return usedAt == Interlocked.Exchange(ref _takenAt, usedAt) ? null : new(usedAt, TimeSpan.Zero);
    }
}

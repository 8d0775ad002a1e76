using System.Security.Cryptography;
using System.Text;

namespace ErrorTracker.Applications;

/// <summary>
/// An ingest key as its owner has it: 128 random bits, shown once and stored as SHA-256. As it is random, a plain hash
/// suffices.
/// </summary>
internal static class KeySecret
{
    /// <summary>Characters of a key that are kept to tell it by.</summary>
    private const int PrefixLength = 8;

    private const int LongestHashed = 256;

    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public static string PrefixOf(string key) => key[..PrefixLength];

    /// <summary>
    /// How Sentry's SDKs are told where to send, and with which key: to the address that this request came to, as its
    /// client sees it.
    /// </summary>
    public static string DsnOf(string key, int application, HttpRequest request) =>
        $"{request.Scheme}://{key}@{request.Host}{request.PathBase}/{application}";

    public static byte[] Hash(string key)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        Hash(key, hash);
        return hash;
    }

    /// <summary>Compares with each of these in constant time.</summary>
    public static KeyInUse? Find(string key, KeyInUse[] among)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(key, hash);
        KeyInUse? found = null;
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

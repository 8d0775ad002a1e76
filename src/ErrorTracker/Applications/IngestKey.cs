using System.Security.Cryptography;
using System.Text;

namespace ErrorTracker.Applications;

/// <summary>The secret with which an application sends errors: 128 random bits, shown once, stored as a hash, compared in constant time.</summary>
internal static class IngestKey
{
    private static readonly byte[] OfNobody = new byte[32];

    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>An unknown application costs the same comparison as a wrong key.</summary>
    public static bool Opens(string key, Application? application) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(key)),
            application is null ? OfNobody : Convert.FromHexString(application.KeyHash)) && application is not null;
}

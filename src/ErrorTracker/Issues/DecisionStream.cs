using System.Security.Cryptography;
using System.Text;

namespace ErrorTracker.Issues;

/// <summary>
/// The stream <c>groups/{application}</c>, which holds what was decided about the issues of an application. Streams and
/// events have UUIDs: those of names are of version 8 (RFC 9562), made of SHA-256 of the name. The names are data.
/// </summary>
internal static class DecisionStream
{
    public static Guid Of(int applicationId) => Derive($"groups/{applicationId}");

    /// <summary>
    /// The event of a command that its sender has named: PostgreSQL holds that there is one. A sender can meet neither
    /// the commands of other applications nor the errors of its own.
    /// </summary>
    public static Guid EventOf(int applicationId, Guid command) => Derive($"decisions/{applicationId}/{command}");

    private static Guid Derive(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}

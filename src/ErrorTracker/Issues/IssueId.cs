using System.Security.Cryptography;
using System.Text;

namespace ErrorTracker.Issues;

/// <summary>
/// The id of an issue: a UUID of version 8 (RFC 9562), made of SHA-256 of the application and the issue's first key. It
/// is derived, so a rebuild gives the same.
/// </summary>
internal static class IssueId
{
    public static Guid Of(int applicationId, string firstKey)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"issues/{applicationId}/{firstKey}"), hash);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}

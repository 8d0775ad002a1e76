using System.Security.Cryptography;
using System.Text;

namespace ErrorTracker.Log;

/// <summary>
/// Ids that follow from a name, so that whoever makes one again makes the same: UUIDs of version 8 (RFC 9562), made of
/// SHA-256. The names are data.
/// </summary>
internal static class DerivedId
{
    public static Guid Of(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}

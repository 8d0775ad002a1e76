using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ErrorTracker.Grouping;

/// <summary>A key of parts: 128 bits of SHA-256 over them with their lengths; other parts, another key.</summary>
internal static class KeyHash
{
    private const int Bytes = 16;

    /// <param name="version">Of the rule; empty for a key that outlives it.</param>
    public static string Of(string version, List<string> parts)
    {
        var most = Most(version);
        foreach (var part in parts) most += Most(part);
        var buffer = ArrayPool<byte>.Shared.Rent(most);
        var length = Write(version, buffer, 0);
        foreach (var part in parts) length = Write(part, buffer, length);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(buffer.AsSpan(0, length), hash);
        ArrayPool<byte>.Shared.Return(buffer);
        return Base64Url.EncodeToString(hash[..Bytes]);
    }

    private static int Most(string part) => sizeof(int) + Encoding.UTF8.GetMaxByteCount(part.Length);

    private static int Write(string part, byte[] buffer, int at)
    {
        var length = Encoding.UTF8.GetBytes(part, buffer.AsSpan(at + sizeof(int)));
        BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(at), length);
        return at + sizeof(int) + length;
    }
}

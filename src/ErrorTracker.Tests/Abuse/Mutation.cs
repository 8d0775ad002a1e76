namespace ErrorTracker.Tests.Abuse;

/// <summary>Breaks bytes of any meaning.</summary>
internal static class Mutation
{
    /// <summary>No UTF-8 among them: a surrogate, an overlong NUL, a scalar too large, a lone continuation.</summary>
    private static readonly byte[][] Odd =
    [
        [0], [0xff], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xef, 0xbb, 0xbf],
        [0xef, 0xbb], [(byte)'"'], [(byte)'\\'], [(byte)'{'], [(byte)'}'], [(byte)'['], [(byte)']'],
        [(byte)','], [(byte)':'], [(byte)'\n'], [(byte)'\r'],
        .. new[]
        {
            "\\u0000", "\\ud800", "\\udfff", "\\u", "\\u00", "1e999", "null", "//", "/*", "\u2028", "\U0001f600", "NaN",
        }.Select(System.Text.Encoding.UTF8.GetBytes),
    ];

    public static byte[] Apply(Random random, byte[] bytes)
    {
        for (var times = random.Next(1, 4); times > 0; times--) bytes = ApplyOnce(random, bytes);
        return bytes;
    }

    private static byte[] ApplyOnce(Random random, byte[] bytes)
    {
        var (at, to) = (random.Next(bytes.Length + 1), random.Next(bytes.Length + 1));
        if (at > to) (at, to) = (to, at);
        switch (random.Next(7))
        {
            case 0 when at < bytes.Length:
                bytes = [.. bytes];
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1 when at < bytes.Length:
                bytes = [.. bytes];
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2: return bytes[..at];
            case 3: return [.. bytes[..at], .. Odd[random.Next(Odd.Length)], .. bytes[at..]];
            case 4: return [.. bytes[..at], .. bytes[to..]];
            case 5: return [.. bytes[..to], .. bytes[at..]];
            default:
                var noise = new byte[random.Next(1, 20)];
                random.NextBytes(noise);
                return [.. bytes[..at], .. noise, .. bytes[at..]];
        }
    }
}

using System.Numerics;

namespace ErrorTracker.Grouping;

/// <summary>
/// A pattern that a whole text matches or not, in any case: <c>*</c> stands for any characters or none, <c>?</c> for one.
/// All places of the pattern that the text may have reached are bits of a few words, so a text costs its length for each
/// 64 characters of the pattern, whatever both are. Immutable.
/// </summary>
internal sealed class Glob
{
    private const int Bits = 64;

    /// <summary>Characters of a text that are compared.</summary>
    private const int LongestText = 1024;

    /// <summary>For each character of the pattern, in upper case, the places behind which it may stand.</summary>
    private readonly Dictionary<char, ulong[]> _steps = [];

    /// <summary>The places behind which any character may stand.</summary>
    private readonly ulong[] _any;

    /// <summary>The places at which any characters may be passed over.</summary>
    private readonly ulong[] _stays;

    private readonly int _last;

    public Glob(string pattern)
    {
        var words = (pattern.Length + Bits) / Bits;
        _any = new ulong[words];
        _stays = new ulong[words];
        foreach (var c in pattern)
        {
            if (c == '*') Set(_stays, _last);
            else if (c == '?') Set(_any, _last++);
            else Set(StepOf(char.ToUpperInvariant(c)), _last++);
        }
    }

    private ulong[] StepOf(char c)
    {
        if (!_steps.TryGetValue(c, out var step)) _steps[c] = step = new ulong[_any.Length];
        return step;
    }

    private static void Set(ulong[] words, int bit) => words[bit / Bits] |= 1UL << bit % Bits;

    public bool IsMatch(ReadOnlySpan<char> text)
    {
        if (text.Length > LongestText) text = text[..LongestText];
        Span<ulong> reached = stackalloc ulong[_any.Length];
        reached[0] = 1;
        foreach (var c in text)
            if (!Step(reached, _steps.GetValueOrDefault(char.ToUpperInvariant(c)))) return false;
        return (reached[_last / Bits] >> _last % Bits & 1) != 0;
    }

    /// <returns>False if no place is reached any more.</returns>
    private bool Step(Span<ulong> reached, ulong[]? step)
    {
        var carry = 0UL;
        var isAlive = false;
        for (var word = 0; word < reached.Length; word++)
        {
            var passed = reached[word] & (_any[word] | (step is null ? 0 : step[word]));
            reached[word] = reached[word] & _stays[word] | passed << 1 | carry;
            carry = BitOperations.RotateLeft(passed, 1) & 1;
            isAlive |= reached[word] != 0;
        }
        return isAlive;
    }
}

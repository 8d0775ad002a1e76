using ErrorTracker.Grouping;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Grouping;

public sealed class GlobTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("*", "", true)]
    [InlineData("**", "anything", true)]
    [InlineData("?", "", false)]
    [InlineData("?", "ä", true)]
    [InlineData("Shop.*", "shop.cart", true)]
    [InlineData("*Exception", "System.TimeoutException", true)]
    [InlineData("*Exception", "System.TimeoutExceptions", false)]
    [InlineData("a*b?c", "aXXbYc", true)]
    [InlineData("a*b?c", "abc", false)]
    [InlineData("*a*a*b", "aaab", true)]
    [InlineData("a", "ab", false)]
    public void a_pattern_matches_the_whole_text_in_any_case(string pattern, string text, bool matches) =>
        Assert.Equal(matches, new Glob(pattern).IsMatch(text));

    [Fact]
    public void a_pattern_may_be_longer_than_a_word_of_bits()
    {
        var text = string.Concat(Enumerable.Range(0, 60).Select(number => $"part{number}."));
        Assert.True(new Glob(text).IsMatch(text));
        Assert.True(new Glob($"{text.TrimEnd('.')}*").IsMatch(text + "more"));
        Assert.True(new Glob($"*{text.AsSpan(3, 97)}?*{text.AsSpan(101)}").IsMatch(text));
        Assert.False(new Glob(text).IsMatch(text.TrimEnd('.')));
        Assert.False(new Glob($"{text.AsSpan(0, 200)}!{text.AsSpan(201)}").IsMatch(text));
    }

    /// <summary>An oracle that goes back, on a small alphabet.</summary>
    [Property]
    public void it_agrees_with_a_matcher_that_tries_everything(byte[] pattern, byte[] text)
    {
        var small = string.Concat(pattern.Take(12).Select(value => "ab*?"[value % 4]));
        var sent = string.Concat(text.Take(12).Select(value => "ab"[value % 2]));
        Assert.Equal(Tried(small, sent), new Glob(small).IsMatch(sent));
    }

    private static bool Tried(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        if (pattern.IsEmpty) return text.IsEmpty;
        if (pattern[0] == '*') return Tried(pattern[1..], text) || !text.IsEmpty && Tried(pattern, text[1..]);
        return !text.IsEmpty && (pattern[0] == '?' || pattern[0] == text[0]) && Tried(pattern[1..], text[1..]);
    }
}

using ErrorTracker.Http;

namespace ErrorTracker.Tests.Http;

public sealed class InstantTests
{
    [Theory]
    [InlineData("2026-01-31T12:34:56Z", "2026-01-31T12:34:56.0000000+00:00")]
    [InlineData("2026-01-31T12:34:56.1234567Z", "2026-01-31T12:34:56.1234560+00:00")]
    [InlineData("2026-01-31T14:34:56.5+02:00", "2026-01-31T12:34:56.5000000+00:00")]
    [InlineData("2026-01-31t12:34:56z", "2026-01-31T12:34:56.0000000+00:00")]
    [InlineData("2026-01-31T12:34:56", "2026-01-31T12:34:56.0000000+00:00")]
    [InlineData("2026-01-31 12:34:56Z", "2026-01-31T12:34:56.0000000+00:00")]
    [InlineData("2026-01-31T12:34Z", "2026-01-31T12:34:00.0000000+00:00")]
    [InlineData("2026-01-31T12:34:56+0530", "2026-01-31T07:04:56.0000000+00:00")]
    [InlineData("2026-01-31", "2026-01-31T00:00:00.0000000+00:00")]
    [InlineData("2026-01-31T12:34:56.123456789Z", "2026-01-31T12:34:56.1234560+00:00")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.0000000+00:00")]
    [InlineData("2017-01-01t05:29:60.25+05:30", "2017-01-01T00:00:00.2500000+00:00")]
    public void a_time_is_read_to_the_microsecond_in_utc(string text, string expected)
    {
        Assert.True(Instant.TryParse(text, out var instant));
        Assert.Equal(expected, instant.ToString("O"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("2026-02-30T00:00:00Z")]
    [InlineData("2026-01-31T25:00:00Z")]
    [InlineData("0001-01-01T00:00:00+14:00")]
    [InlineData("9999-12-31T23:59:59-14:00")]
    [InlineData("2026-01-31T12:34:56.Z")]
    [InlineData("2026-01-31T12:34:56+5:00")]
    [InlineData("2026-01-31T12:34:56-05")]
    [InlineData("31/01/2026")]
    [InlineData("2016-12-31T23:59:61Z")]
    [InlineData("2016-12-31T23:58:60Z")]
    [InlineData("2016-12-31T23:59:60+01:00")]
    [InlineData("9999-12-31T23:59:60Z")]
    [InlineData("1738324800")]
    public void what_is_no_time_is_not_guessed(string? text) => Assert.False(Instant.TryParse(text, out _));
}

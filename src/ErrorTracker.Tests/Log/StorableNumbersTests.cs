using System.Text.Json;
using ErrorTracker.Intake;
using ErrorTracker.Log;

namespace ErrorTracker.Tests.Log;

public sealed class StorableNumbersTests
{
    [Theory]
    [InlineData("[0, -1.5, 1e308, 1E-308, 12345678901234567890]", true)]
    [InlineData("""{"a":{"b":[1e309]}}""", false)]
    [InlineData("1e-309", false)]
    [InlineData("1e99999999999999999999", false)]
    [InlineData("""["1e999", true, null]""", true)]
    public void numbers_outside_the_range_of_a_double_are_refused(string json, bool storable) =>
        Assert.Equal(storable, Judge(json));

    [Fact]
    public void a_number_has_at_most_400_digits()
    {
        Assert.True(Judge(new string('9', 400)));
        Assert.False(Judge(new string('9', 401)));
    }

    [Fact]
    public void many_exponents_may_not_grow_beyond_the_limit_together()
    {
        Assert.True(Judge($"[{string.Join(',', Enumerable.Repeat("1e300", 3_000))}]"));
        Assert.False(Judge($"[{string.Join(',', Enumerable.Repeat("1e300", 4_000))}]"));
    }

    private static bool Judge(string json)
    {
        using var document = JsonDocument.Parse(json);
        var size = 0L;
        return StorableNumbers.All(document.RootElement, ref size, EventLimits.Largest);
    }
}

namespace ErrorTracker.Outcomes;

/// <summary>Arithmetic that stops at the largest number instead of starting again from the smallest.</summary>
internal static class Saturating
{
    /// <param name="a">Not negative.</param>
    /// <param name="b">Not negative.</param>
    public static long Add(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;
}

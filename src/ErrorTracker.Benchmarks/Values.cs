namespace ErrorTracker.Benchmarks;

/// <summary>Values of one kind, in whatever unit.</summary>
internal static class Values
{
    public static double Percentile(this IEnumerable<double> values, double percent)
    {
        var sorted = values.Order().ToList();
        return sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * percent / 100)];
    }

    public static double Median(this IEnumerable<double> values) => values.Percentile(50);

    /// <summary>p50, p99, and how far the medians of the rounds lie apart.</summary>
    public static string Describe(this IReadOnlyList<IReadOnlyList<double>> rounds)
    {
        var all = rounds.SelectMany(round => round).ToList();
        var medians = rounds.Select(round => round.Median()).ToList();
        return $"p50 {all.Median():0.0} ms, p99 {all.Percentile(99):0.0} ms "
            + $"(medians of {rounds.Count} rounds {medians.Min():0.0}–{medians.Max():0.0})";
    }
}

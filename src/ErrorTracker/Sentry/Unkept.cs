namespace ErrorTracker.Sentry;

/// <summary>
/// Items that are not kept, and how an SDK is asked not to send them: by the data category, which is not the item's type
/// (https://develop.sentry.dev/sdk/expected-features/rate-limiting/). SDKs differ in some names, so all are said. Never error, default or none: events would stop.
/// </summary>
internal static class Unkept
{
    private const int Seconds = 3600;

    private static readonly Dictionary<string, string[]> Categories = new()
    {
        ["transaction"] = ["transaction"],
        ["session"] = ["session"],
        ["sessions"] = ["session"],
        ["attachment"] = ["attachment"],
        ["profile"] = ["profile"],
        ["profile_chunk"] = ["profile", "profile_chunk"],
        ["replay_event"] = ["replay"],
        ["replay_recording"] = ["replay"],
        ["replay_video"] = ["replay"],
        ["check_in"] = ["monitor"],
        ["statsd"] = ["metric_bucket"],
        ["metric_buckets"] = ["metric_bucket"],
        ["metric"] = ["metric", "trace_metric"],
        ["trace_metric"] = ["metric", "trace_metric"],
        ["log"] = ["log_item"],
        ["otel_log"] = ["log_item"],
        ["span"] = ["span"],
        ["otel_span"] = ["span"],
        ["feedback"] = ["feedback"],
        ["raw_security"] = ["security"],
    };

    /// <summary>The categories of an item's type; none if nobody knows it.</summary>
    public static string[] CategoriesOf(string type) => Categories.GetValueOrDefault(type, []);

    /// <summary>What <c>X-Sentry-Rate-Limits</c> says of them: seconds, categories, scope, reason.</summary>
    public static string LimitOf(IEnumerable<string> categories) => $"{Seconds}:{string.Join(';', categories)}:project:not_kept";
}

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The closed list of items that are not kept. For each type: the category under which <c>loss</c> counts it, and the
/// data categories by which SDKs are asked not to send it
/// (https://develop.sentry.dev/sdk/expected-features/rate-limiting/). SDKs differ in some names, so all of them are
/// sent; an SDK ignores a name that it does not know. <c>error</c>, <c>default</c> and an empty list are never sent:
/// events would stop. Types that nobody knows count as <see cref="Unknown"/>; no category stands for them.
/// </summary>
internal static class Unkept
{
    /// <summary>
    /// Categories without an item type of their own: of what nobody knows, of client reports and of security reports
    /// that cannot be read or are beyond a limit.
    /// </summary>
    public const string Unknown = "unknown", Reports = "client_report", Security = "security";

    /// <summary>By which attachments are counted, and check-ins that do not come in an envelope.</summary>
    public const string Attachment = "attachment", CheckIn = "check_in";

    /// <summary>How long an SDK holds back.</summary>
    private const int Seconds = 3600;

    private static readonly Kind NobodyKnows = new(Unknown);

    private static readonly Dictionary<string, Kind> Kinds = new()
    {
        ["transaction"] = new("transaction", "transaction"),
        ["span"] = new("span", "span"),
        ["otel_span"] = new("span", "span"),
        ["otel_traces_data"] = new("span", "span"),
        ["session"] = new("session", "session"),
        ["sessions"] = new("session", "session"),
        [Attachment] = new("attachment", "attachment"),
        ["profile"] = new("profile", "profile"),
        ["profile_chunk"] = new("profile_chunk", "profile", "profile_chunk", "profile_chunk_ui"),
        ["profile_chunk_ui"] = new("profile_chunk", "profile", "profile_chunk", "profile_chunk_ui"),
        ["replay_event"] = new("replay", "replay"),
        ["replay_recording"] = new("replay", "replay"),
        ["replay_video"] = new("replay", "replay"),
        [CheckIn] = new("monitor", "monitor"),
        ["statsd"] = new("metric_bucket", "metric_bucket"),
        ["metric_buckets"] = new("metric_bucket", "metric_bucket"),
        ["metric"] = new("trace_metric", "metric", "trace_metric"),
        ["trace_metric"] = new("trace_metric", "metric", "trace_metric"),
        ["log"] = new("log_item", "log_item"),
        ["otel_log"] = new("log_item", "log_item"),
        ["feedback"] = new("feedback", "feedback"),
        ["user_report"] = new("user_report", "feedback", "user_report"),
        [Security] = new(Security),
        [Reports] = new(Reports),
    };

    private sealed record Kind(string Category, params string[] Limits);

    /// <summary>The category under which an item's type is counted.</summary>
    public static string CategoryOf(string type) => Kinds.GetValueOrDefault(type, NobodyKnows).Category;

    /// <summary>
    /// The categories by which SDKs are asked not to send an item's type; none if there is no name for it.
    /// </summary>
    public static string[] CategoriesOf(string type) => Kinds.GetValueOrDefault(type, NobodyKnows).Limits;

    /// <summary>What <c>X-Sentry-Rate-Limits</c> says of them: seconds, categories, scope, reason.</summary>
    public static string LimitOf(IEnumerable<string> categories) =>
        $"{Seconds}:{string.Join(';', categories)}:project:not_kept";
}

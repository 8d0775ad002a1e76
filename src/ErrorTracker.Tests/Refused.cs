namespace ErrorTracker.Tests;

/// <summary>An answer that refuses a request: RFC 9457 problem details.</summary>
public sealed record Refused(int Status, string? Detail, Dictionary<string, string[]>? Errors)
{
    /// <summary>The fields that are wrong, by name.</summary>
    public string Fields => string.Join(',', (Errors ?? []).Keys.Order(StringComparer.Ordinal));
}

using System.Text.Json.Serialization;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// Why a batch was refused: the members of every problem, and those of <see cref="BatchReceipt"/> if it was read.
/// </summary>
/// <remarks>For the documentation.</remarks>
internal sealed record BatchProblem
{
    private const JsonIgnoreCondition IfNull = JsonIgnoreCondition.WhenWritingNull;

    /// <summary>What defines the status.</summary>
    /// <example>https://tools.ietf.org/html/rfc9110#section-15.5.1</example>
    [JsonIgnore(Condition = IfNull)]
    public string? Type { get; init; }

    /// <summary>The status in words.</summary>
    /// <example>One or more validation errors occurred.</example>
    public required string Title { get; init; }

    /// <summary>As in the answer's first line.</summary>
    /// <example>400</example>
    public required int Status { get; init; }

    /// <summary>What was wrong with this request, for people.</summary>
    /// <example>No event of the batch was kept.</example>
    [JsonIgnore(Condition = IfNull)]
    public string? Detail { get; init; }

    /// <summary>By which traces know the request.</summary>
    /// <example>00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01</example>
    [JsonIgnore(Condition = IfNull)]
    public string? TraceId { get; init; }

    /// <summary>Of each wrong field what is wrong with it in the first event where it is; there with a 400.</summary>
    [JsonIgnore(Condition = IfNull)]
    public IDictionary<string, string[]>? Errors { get; init; }

    /// <summary>Events that are committed.</summary>
    /// <example>0</example>
    [JsonIgnore(Condition = IfNull)]
    public int? Accepted { get; init; }

    /// <summary>Events that were sent and committed before.</summary>
    /// <example>0</example>
    [JsonIgnore(Condition = IfNull)]
    public int? Duplicates { get; init; }

    /// <summary>The others that were read.</summary>
    [JsonIgnore(Condition = IfNull)]
    public IReadOnlyList<Rejection>? Rejected { get; init; }
}

using System.Text.Json.Serialization;

namespace ErrorTracker.Hosting;

/// <summary>What refusals look like, for the documentation: ASP.NET's problem details are written by ASP.NET.</summary>
internal static class ContractProblems
{
    /// <summary>Why a request was refused (RFC 9457).</summary>
    public record Problem
    {
        /// <summary>What defines the status.</summary>
        /// <example>https://tools.ietf.org/html/rfc9110#section-15.5.5</example>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Type { get; init; }

        /// <summary>The status in words.</summary>
        /// <example>Not Found</example>
        public required string Title { get; init; }

        /// <summary>As in the answer's first line.</summary>
        /// <example>404</example>
        public required int Status { get; init; }

        /// <summary>What was wrong with this request, for people.</summary>
        /// <example>There is no such application.</example>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Detail { get; init; }

        /// <summary>By which traces know the request.</summary>
        /// <example>00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01</example>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? TraceId { get; init; }
    }

    /// <summary>What is wrong with a request, by field.</summary>
    public sealed record ValidationProblem : Problem
    {
        /// <summary>
        /// Of each wrong field, in snake_case, what is wrong with it: `body` where it is the body as a whole.
        /// </summary>
        public required IDictionary<string, string[]> Errors { get; init; }
    }
}

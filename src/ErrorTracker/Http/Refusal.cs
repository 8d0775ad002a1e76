using System.Globalization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;

namespace ErrorTracker.Http;

/// <summary>The answers that refuse a request, as RFC 9457 problem details.</summary>
internal static class Refusal
{
    public static IResult Invalid(IDictionary<string, string[]> errors) => Results.Problem(Problem.Invalid(errors));

    public static IResult Invalid(string field, string fault) => Results.Problem(Problem.Invalid(field, fault));

    public static IResult NotFound(string what) => Results.Problem(Problem.NotFound(what));

    public static IResult Of(int status, string detail) => Results.Problem(Problem.Of(status, detail));

    /// <param name="detail">Which limit is reached.</param>
    /// <param name="seconds">After which it is worth another try.</param>
    /// <param name="more">Members of the answer beside those of every problem.</param>
    public static IResult TooMany(string detail, int seconds, HttpResponse response, Dictionary<string, object?>? more = null)
    {
        response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return Results.Problem(new ProblemDetails { Status = 429, Detail = detail, Extensions = more ?? [] });
    }

    /// <param name="detail">Why not now.</param>
    /// <param name="more">Members of the answer beside those of every problem.</param>
    public static IResult TryLater(string detail, HttpResponse response, Dictionary<string, object?>? more = null)
    {
        response.Headers.RetryAfter = "1";
        return Results.Problem(new ProblemDetails { Status = 503, Detail = detail, Extensions = more ?? [] });
    }
}

/// <summary>For the documentation: the statuses with which a call may be refused.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RefusesAttribute(params int[] statuses) : Attribute
{
    public int[] Statuses => statuses;

    /// <summary>Of the answer.</summary>
    public string MediaType { get; set; } = "application/problem+json";

    /// <summary>What the answer has instead of the members of any problem.</summary>
    public Type? Type { get; set; }
}

/// <summary>For the documentation: what a call takes as its body, which it reads by itself.</summary>
internal abstract class BodyAttribute(string mediaType, string example) : Attribute
{
    /// <summary>Empty if it takes no body.</summary>
    public string MediaType => mediaType;

    public string Example => example;

    /// <summary>What the body is written from; null if it is bytes, or text.</summary>
    public Type? Type { get; set; }
}

/// <summary>What a call that is sent with an ingest key takes as its body. It needs no read token.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class IngestsAttribute(string mediaType = "", string example = "")
    : BodyAttribute(mediaType, example), IAllowAnonymous;

/// <summary>The JSON that a call of a person takes as its body: see <see cref="SentBody"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TakesAttribute(string example) : BodyAttribute("application/json", example);

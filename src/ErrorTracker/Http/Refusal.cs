using Microsoft.AspNetCore.Mvc;

namespace ErrorTracker.Http;

/// <summary>The answers that refuse a request, as RFC 9457 problem details.</summary>
internal static class Refusal
{
    public static IResult Invalid(IDictionary<string, string[]> errors) => Results.ValidationProblem(errors);

    public static IResult Invalid(string field, string error) => Invalid(new Dictionary<string, string[]> { [field] = [error] });

    public static IResult NotFound(string what) => Of(404, what);

    public static IResult Of(int status, string detail) => Results.Problem(new ProblemDetails { Status = status, Detail = detail });

    public static IResult TryLater(string detail, HttpResponse response)
    {
        response.Headers.RetryAfter = "1";
        return Of(503, detail);
    }
}

using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Http;

/// <summary>
/// The room Http says how times, numbers and faults of fields are written, the same for all endpoints; it knows none of
/// them, and uses no other room. This is what is wrong with a request, as RFC 9457 problem details: what <c>Validate</c>
/// and <c>Load</c> of an endpoint return. <see cref="Refusal"/> makes answers of them.
/// </summary>
internal static class Problem
{
    /// <summary>The request goes on.</summary>
    public static ProblemDetails None => WolverineContinue.NoProblems;

    public static ProblemDetails Invalid(IDictionary<string, string[]> errors) =>
        new HttpValidationProblemDetails(errors) { Status = StatusCodes.Status400BadRequest };

    public static ProblemDetails Invalid(string field, string fault) =>
        Invalid(new Dictionary<string, string[]> { [field] = [fault] });

    public static ProblemDetails NotFound(string what) => Of(StatusCodes.Status404NotFound, what);

    public static ProblemDetails Of(int status, string detail) => new() { Status = status, Detail = detail };

    /// <summary>None if nothing is wrong; else 400 that names each wrong field.</summary>
    public static ProblemDetails OrNone(this FieldErrors errors) => errors.Count == 0 ? None : Invalid(errors);

    /// <summary>Names a fault of a field, beside those that it has.</summary>
    public static void AddFault(this Dictionary<string, string[]> errors, string field, string fault) =>
        errors[field] = [.. errors.GetValueOrDefault(field, []), fault];
}

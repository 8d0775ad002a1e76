using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace ErrorTracker.Http;

/// <summary>
/// What is wrong with a request, by field in snake_case. An endpoint that takes it as a parameter gets it with the
/// faults of the query and of app_id in it, adds those of the values, and refuses the request if it is not empty. For
/// all other endpoints <see cref="QueryCheck"/> refuses.
/// </summary>
public sealed class FieldErrors : Dictionary<string, string[]>
{
    /// <summary>
    /// A query of 8 KB may hold thousands of names; an answer names so many of them, each cut to a readable length.
    /// </summary>
    private const int MostNamed = 100, LongestName = 100;

    private const string TooMany = "has more than 100 unknown parameters", Repeated = "must be given once";

    /// <summary>
    /// Begins with names that are not declared, in exactly this case, names that are given more than once, and an
    /// app_id that is none.
    /// </summary>
    internal FieldErrors(HttpContext http)
    {
        var request = http.Request;
        if (request.QueryString.HasValue && http.GetEndpoint()?.Metadata.GetMetadata<DeclaredQuery>() is { } declared)
            AddQuery(request.QueryString.Value, declared);
        if (request.RouteValues.TryGetValue(Number.ApplicationId, out var id) && !Number.IsId(id as string))
            this[Number.ApplicationId] = [Number.ExpectedId];
    }

    private void AddQuery(string query, DeclaredQuery declared)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pair in new QueryStringEnumerable(query))
        {
            var name = pair.DecodeName().ToString();
            if (name.Length == 0 && pair.EncodedValue.IsEmpty) continue; // a stray = or &
            if (!declared.Names.Contains(name)) AddUnknown(name, declared);
            else if (!seen.Add(name)) this[name] = [Repeated];
        }
    }

    private void AddUnknown(string name, DeclaredQuery declared)
    {
        if (Count >= MostNamed) this["query"] = [TooMany];
        else if (name.Length == 0) this["query"] = ["has a value without a name"];
        else this[name.Length > LongestName ? name[..LongestName] + "…" : name] = [declared.Unknown];
    }
}

/// <summary>Metadata of an endpoint: the query parameters that it takes.</summary>
/// <param name="names">In snake_case; the only spelling that is understood.</param>
/// <param name="isNamedByEndpoint">The endpoint takes <see cref="FieldErrors"/>, and names what is wrong together with
/// its own findings.</param>
internal sealed class DeclaredQuery(IEnumerable<string> names, bool isNamedByEndpoint = false)
{
    public HashSet<string> Names { get; } = new(names, StringComparer.Ordinal);

    public bool IsNamedByEndpoint => isNamedByEndpoint;

    /// <summary>
    /// What endpoints read of a query: ASP.NET's own takes names in any case, so that a misspelt one would be taken for
    /// the right one.
    /// </summary>
    public QueryCollection Read(string query)
    {
        var read = new Dictionary<string, StringValues>(StringComparer.Ordinal);
        foreach (var pair in new QueryStringEnumerable(query))
        {
            var name = pair.DecodeName().ToString();
            if (Names.Contains(name))
                read[name] = StringValues.Concat(read.GetValueOrDefault(name), pair.DecodeValue().ToString());
        }
        return new(read);
    }

    public string Unknown => "is no parameter of this call, which takes " + (Names.Count == 0 ? "none" : string.Join(", ", Names));
}

/// <summary>
/// Lets endpoints read the parameters that they declare, in exactly this case. Where an endpoint does not take <see
/// cref="FieldErrors"/> it refuses the others.
/// </summary>
internal sealed class QueryCheck(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (!http.Request.QueryString.HasValue) return next(http);
        if (http.GetEndpoint()?.Metadata.GetMetadata<DeclaredQuery>() is not { } declared) return next(http);
        http.Features.Set<IQueryFeature>(new QueryFeature(declared.Read(http.Request.QueryString.Value)));
        if (declared.IsNamedByEndpoint) return next(http);
        var errors = new FieldErrors(http);
        return errors.Count == 0 ? next(http) : Refusal.Invalid(errors).ExecuteAsync(http);
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using JasperFx;
using JasperFx.CodeGeneration;
using JasperFx.CodeGeneration.Frames;
using JasperFx.CodeGeneration.Model;
using Wolverine.Http;
using Wolverine.Http.CodeGen;

namespace ErrorTracker.Http;

/// <summary>
/// Tells each endpoint of Wolverine's which query parameters its method declares: strings that are no part of its path.
/// Those of Sentry's SDKs, which add parameters of their own, are left alone.
/// </summary>
internal sealed class QueryPolicy : IHttpPolicy
{
    private const string OfSdks = "/api/";

    public void Apply(IReadOnlyList<HttpChain> chains, GenerationRules rules, IServiceContainer container)
    {
        foreach (var chain in chains.Where(chain => !chain.RoutePattern!.RawText!.StartsWith(OfSdks, StringComparison.Ordinal)))
        {
            var parameters = chain.Method.Method.GetParameters();
            var inPath = chain.RoutePattern!.Parameters.Select(parameter => parameter.Name);
            var texts = parameters.Where(parameter => parameter.ParameterType == typeof(string)).Select(parameter => parameter.Name!);
            var takesErrors = parameters.Any(parameter => parameter.ParameterType == typeof(FieldErrors));
            chain.Metadata.WithMetadata(new DeclaredQuery(texts.Except(inPath), takesErrors));
        }
    }
}

/// <summary>Gives an endpoint its <see cref="FieldErrors"/>.</summary>
public sealed class FieldErrorsParameter : IParameterStrategy
{
    public bool TryMatch(HttpChain chain, IServiceContainer container, ParameterInfo parameter, [NotNullWhen(true)] out Variable? variable)
    {
        var isOurs = parameter.ParameterType == typeof(FieldErrors);
        variable = isOurs ? new MethodCall(typeof(FieldErrorsParameter), nameof(Read)).ReturnVariable : null;
        return variable is not null;
    }

    public static FieldErrors Read(HttpContext http) => new FieldErrors(http);
}

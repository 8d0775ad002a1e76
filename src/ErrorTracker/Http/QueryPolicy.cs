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
/// Tells each endpoint of Wolverine's which query parameters it takes: the strings among the parameters of its methods,
/// Validate and Load among them, that are no part of its path. Those of Sentry's SDKs, which add parameters of their
/// own, are left alone.
/// </summary>
internal sealed class QueryPolicy : IHttpPolicy
{
    private const string OfSdks = "/api/";

    public void Apply(IReadOnlyList<HttpChain> chains, GenerationRules rules, IServiceContainer container)
    {
        foreach (var chain in chains.Where(chain => !chain.RoutePattern!.RawText!.StartsWith(OfSdks, StringComparison.Ordinal)))
        {
            var parameters = ParametersOf(chain);
            var inPath = chain.RoutePattern!.Parameters.Select(parameter => parameter.Name);
            var texts = parameters.Where(parameter => parameter.ParameterType == typeof(string)).Select(parameter => parameter.Name!);
            var takesErrors = parameters.Exists(parameter => parameter.ParameterType == typeof(FieldErrors));
            chain.Metadata.WithMetadata(new DeclaredQuery(texts.Except(inPath), takesErrors));
        }
    }

    private static List<ParameterInfo> ParametersOf(HttpChain chain) =>
    [
        .. chain.Middleware.OfType<MethodCall>()
            .Append(chain.Method)
            .Where(call => call.HandlerType == chain.Method.HandlerType)
            .SelectMany(call => call.Method.GetParameters()),
    ];
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

    public static FieldErrors Read(HttpContext http) => new(http);
}

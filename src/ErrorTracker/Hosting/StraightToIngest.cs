using System.Reflection;
using ErrorTracker.Http;
using JasperFx;
using JasperFx.CodeGeneration;
using Wolverine.Http;

namespace ErrorTracker.Hosting;

/// <summary>
/// Endpoints that take events run as soon as routing has found them. What the others pass after it is not for them:
/// their key is looked at by the intake, they name faults of the query themselves, and they are no page.
/// </summary>
internal sealed class StraightToIngest : IHttpPolicy
{
    public void Apply(IReadOnlyList<HttpChain> chains, GenerationRules rules, IServiceContainer container)
    {
        foreach (var chain in chains)
            if (chain.Method.Method.IsDefined(typeof(IngestsAttribute))) chain.Metadata.ShortCircuit();
    }
}

using System.Text;
using ErrorTracker.Log;

namespace ErrorTracker.Projections;

/// <summary>The projections that this program runs.</summary>
public sealed class RegisteredProjections
{
    /// <summary>What the name of a node starts with on its connections; the versions that it runs follow.</summary>
    internal const string NodePrefix = "ErrorTracker, ";

    /// <summary>PostgreSQL cuts off what is longer.</summary>
    private const int LongestNodeName = 63;

    public RegisteredProjections(IEnumerable<Projection> projections)
    {
        All = [.. projections];
        var labels = All.Select(projection => LabelOf(projection.Name, projection.Version));
        var name = NodePrefix + string.Join(", ", labels);
        if (Encoding.UTF8.GetByteCount(name) > LongestNodeName)
            throw new InvalidOperationException($"The names of the projections are too long together: {name}");
        NodeName = new(name);
    }

    public IReadOnlyList<Projection> All { get; }

    /// <summary>
    /// Such as <c>ErrorTracker, counters v4, issues v1</c>: by that <see cref="Prune"/> knows what is in use.
    /// </summary>
    public NodeName NodeName { get; }

    internal static string LabelOf(string name, uint version) => $"{name.ToLowerInvariant()} v{version}";

    /// <summary>In any case; null if there is none.</summary>
    internal Projection? Find(string name) =>
        All.FirstOrDefault(projection => projection.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}

using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ErrorTracker.Hosting;

/// <summary>
/// The XML comments of this assembly, where Swashbuckle does not look: parameters of a query may be those of an
/// endpoint's <c>Validate</c> or <c>Load</c>.
/// </summary>
internal static partial class XmlDocs
{
    private static readonly Lazy<List<XElement>> Members = new(() =>
    {
        var file = Path.Combine(AppContext.BaseDirectory, Assembly.GetExecutingAssembly().GetName().Name + ".xml");
        return [.. XDocument.Load(file).Descendants("member")];
    });

    /// <summary>What any method of the type says of the parameter.</summary>
    public static string OfParameter(Type type, string name)
    {
        var said = Members.Value
            .Where(member => NameOf(member).StartsWith($"M:{type.FullName}.", StringComparison.Ordinal))
            .SelectMany(member => member.Elements("param"))
            .FirstOrDefault(param => NameOf(param) == name);
        return said is null
            ? throw new InvalidOperationException($"No method of {type} says in its comment what {name} is.")
            : OneLine(said.Value);
    }

    private static string NameOf(XElement element) => element.Attribute("name")!.Value;

    /// <summary>Comments are broken into lines where the source ends, not where a sentence does.</summary>
    public static string OneLine(string comment) => Blanks().Replace(comment.Trim(), " ");

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}

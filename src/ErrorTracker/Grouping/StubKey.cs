using System.Security.Cryptography;
using System.Text;
using System.Buffers.Text;
using System.Text.Json;
using ErrorTracker.Log;
namespace ErrorTracker.Grouping;
#pragma warning disable
public sealed record GroupingRules(IReadOnlyList<FingerprintRule> Fingerprints, IReadOnlyList<string> Wrappers, IReadOnlyList<string> InApp, int Places)
{ public static readonly GroupingRules None = new([],[],[],5); }
public sealed record FingerprintRule(IReadOnlyDictionary<string,string> Match, IReadOnlyList<string> Parts);
public sealed record Explanation(string Key, string Method, IReadOnlyList<string> Parts, string? Template, string Title, string? Type, string? Place);
public static class GroupKey
{
    public const string Version = "g1";
    public static string Of(ErrorOccurred error, GroupingRules rules) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(error.Message)).AsSpan(0,16));
    public static Explanation Explain(ErrorOccurred error, GroupingRules rules) => new(Of(error,rules),"message template",[],null,error.Message,null,null);
    public static string OfStored(ReadOnlyMemory<byte> stored, GroupingRules rules) => Of(JsonSerializer.Deserialize(stored.Span, StoredJson.Default.ErrorOccurred)!, rules);
    public static Explanation ExplainStored(ReadOnlyMemory<byte> stored, GroupingRules rules) => Explain(JsonSerializer.Deserialize(stored.Span, StoredJson.Default.ErrorOccurred)!, rules);
}

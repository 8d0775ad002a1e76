using System.Text.Json.Serialization;
using ErrorTracker.Log;

namespace ErrorTracker.Issues;

/// <summary>By which rules an application groups its errors.</summary>
/// <param name="Version" example="g1.2">The built-in rule, and how often the application's own were changed.</param>
/// <param name="Rules">The application's own.</param>
/// <param name="Change">An adoption or withdrawal that is under way; absent: none.</param>
public sealed record GroupingState(
    string Version, RawJson Rules,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] GroupingChangeState? Change);

/// <summary>A preview, an adoption or a withdrawal, as far as it has come.</summary>
/// <param name="Id" example="019c1234-5678-7abc-9def-0123456789ab">By which to ask for it.</param>
/// <param name="Kind" example="preview">What it is.</param>
/// <param name="State" example="counting">How it is doing.</param>
/// <param name="Counted" example="400000">The place of the log up to which events are counted.</param>
/// <param name="Through" example="1000000">Up to which they are to be.</param>
/// <param name="Fault">Why it failed; null: it did not.</param>
/// <param name="Result">Of a preview that is done.</param>
public sealed record GroupingChangeState(
    Guid Id, string Kind, string State, long Counted, long Through, string? Fault,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] GroupingPreview? Result)
{
    internal static GroupingChangeState Of(GroupingChange change, GroupingPreview? result = null) => new(
        change.Id, change.Kind, change.State, change.Counted, change.Through, change.Fault, result);
}

/// <summary>Own rules, as they are sent. All members may be absent.</summary>
/// <param name="Fingerprints">The first that matches an event says what its key is made of.</param>
/// <param name="Wrappers">Further types of exceptions that only carry others; with `*` and `?`.</param>
/// <param name="InApp">`+pattern` or `-pattern` on a frame's module or file: whether it is the application's own. The
/// last that matches counts.</param>
/// <param name="Places" example="5">How many places of a stack count, 1 to 20.</param>
public sealed record SentRules(
    IReadOnlyList<SentFingerprint>? Fingerprints, IReadOnlyList<string>? Wrappers, IReadOnlyList<string>? InApp, int? Places);

/// <summary>A fingerprint rule.</summary>
/// <param name="Match">What must match, by name: type, message, module, function, level, release, environment, logger,
/// transaction, tags.NAME; patterns with `*` and `?`.</param>
/// <param name="Parts">What the key is made of; `{{ default }}` and other variables as in SDKs.</param>
public sealed record SentFingerprint(IReadOnlyDictionary<string, string> Match, IReadOnlyList<string> Parts);

/// <summary>Rules to preview.</summary>
/// <param name="Rules">The own rules that would serve.</param>
/// <param name="Since" example="2026-01-01T00:00:00Z">Only events received then or later; all if absent.</param>
/// <param name="Until" example="2026-02-01T00:00:00Z">Only events received before then; all if absent.</param>
public sealed record PreviewRequest(SentRules Rules, DateTimeOffset? Since, DateTimeOffset? Until);

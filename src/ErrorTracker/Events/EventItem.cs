using System.Text.Json.Serialization;
using ErrorTracker.Log;

namespace ErrorTracker.Events;

/// <summary>A stored error. For the documentation: <see cref="EventJson"/> writes it.</summary>
/// <param name="Id" example="019c1234-5678-7abc-9def-0123456789ab">Of the event.</param>
/// <param name="EventId" example="7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10">The sender's name for it, as an SDK's capture
/// returned it; null if it gave none. The event is found by it, too.</param>
/// <param name="ApplicationId" example="1">Whose event it is.</param>
/// <param name="OccurredAt" example="2026-01-31T12:34:56.789Z">The client's clock.</param>
/// <param name="ReceivedAt" example="2026-01-31T12:34:57.012345Z">This server's clock when the request's body had
/// arrived whole, or the event's own bytes of a batch; filters and statistics go by it.</param>
/// <param name="Level" example="ERROR">DEBUG, INFO, WARNING, ERROR or CRITICAL.</param>
/// <param name="Message" example="Payment declined">As sent, cut after 8,192 characters.</param>
/// <param name="Stack">An object, or text.</param>
/// <param name="Tags">64 at most; those beyond are in context.tags.</param>
/// <param name="Context">What its sender reported beyond the others; where it is absent there is none. dropped names
/// what could not be kept as it was sent, and why.</param>
public sealed record EventItem(Guid Id, Guid? EventId, int ApplicationId, DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt,
    string Level, string Message, RawJson? Stack, RawJson? Tags,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Context);

/// <summary>
/// A page ends after `limit` events or 8 MiB, whichever comes first; it holds one event at least if there is any.
/// </summary>
/// <param name="NextOffset" example="20">Where the next page starts; null on the last one.</param>
public sealed record EventPage(IReadOnlyList<EventItem> Items, int? NextOffset);

/// <summary>A part of the feed. It ends after `limit` events or 8 MiB, whichever comes first.</summary>
/// <param name="Next" example="1234567">What to ask for next, as `after`; the same again as long as there is nothing
/// new.</param>
public sealed record EventFeed(IReadOnlyList<EventItem> Items, string Next);

using System.Text.Json;
using System.Text.Json.Serialization;
using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Ingestion;
using ErrorTracker.Statistics;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Events;

/// <summary>A stored error.</summary>
/// <param name="Id" example="019c1234-5678-7abc-9def-0123456789ab">Of the event.</param>
/// <param name="ApplicationId" example="1">Whose event it is.</param>
/// <param name="OccurredAt" example="2026-01-31T12:34:56.789Z">The client's clock.</param>
/// <param name="ReceivedAt" example="2026-01-31T12:34:57.012345Z">This server's clock when the request arrived; filters and statistics go by it.</param>
/// <param name="Level" example="ERROR">DEBUG, INFO, WARNING, ERROR or CRITICAL.</param>
/// <param name="Message" example="Payment declined">As sent.</param>
/// <param name="Stack">As sent.</param>
/// <param name="Tags">As sent.</param>
/// <param name="Context">What a Sentry SDK reported beyond the others, as sent; where it is absent there is none. event_id is the SDK's; dropped names what could not be kept, and why.</param>
public sealed record EventItem(Guid Id, int ApplicationId, DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt, string Level, string Message, RawJson? Stack, RawJson? Tags,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Context);

/// <param name="NextOffset" example="20">Where the next page starts; null on the last one.</param>
public sealed record EventPage(IReadOnlyList<EventItem> Items, int? NextOffset);

public static class ReadEvents
{
    private const int LongestPage = 50;

    private static readonly string AnyLevel = Page(""), OneLevel = Page($" and {CounterFold.Level} = @level");

    /// <summary>Rows that are skipped are found in an index only; those of the page are then read.</summary>
    private static string Page(string filter) =>
        $"""
        select id, timestamp, data::text from (
          select seq_id from {CounterTables.Schema}.mt_events
          where tenant_id = @tenant and {CounterFold.IsError} and timestamp >= @since and timestamp < @until{filter}
          order by timestamp desc, seq_id desc offset @offset limit @limit) as page
        join {CounterTables.Schema}.mt_events using (seq_id)
        order by timestamp desc, seq_id desc
        """;

    /// <summary>The events of an application, newest first.</summary>
    /// <param name="limit">1 to 50; 20 if absent.</param>
    /// <param name="offset">How many to skip; 0 if absent.</param>
    /// <param name="level">Only this level, in any case.</param>
    /// <param name="since">Only events received then (RFC 3339) or later.</param>
    /// <param name="until">Only events received before then (RFC 3339).</param>
    [WolverineGet("/apps/{app_id}/events")]
    [ProducesResponseType<EventPage>(200), Refuses(400, 404)]
    public static async Task<IResult> List(string app_id, string? limit, string? offset, string? level, string? since, string? until,
        ApplicationDirectory applications, Snapshot snapshot, CancellationToken stop)
    {
        var errors = new Dictionary<string, string[]>();
        var length = Number.Optional("limit", limit, 20, 1, LongestPage, errors);
        var skipped = Number.Optional("offset", offset, 0, 0, int.MaxValue, errors);
        var wanted = Levels.Optional(level, errors);
        var (from, to) = (Instant.Optional("since", since, errors), Instant.Optional("until", until, errors));
        if (errors.Count == 0 && from >= to) errors["since"] = ["must be before until"];
        if (errors.Count > 0) return Refusal.Invalid(errors);
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;

        await using var view = await snapshot.TakeAsync(application!.Id, stop);
        var question = new Question(application.Id, new Window(from ?? DateTimeOffset.MinValue, to ?? DateTimeOffset.MaxValue), Step.OfLevels, wanted);
        var start = await PageStart.FindAsync(view, question, skipped, stop);
        var found = start is null ? [] : await view.QueryAsync(wanted is null ? AnyLevel : OneLevel,
            question with { Window = question.Window with { Until = start.Until }, More = [("offset", start.Skip), ("limit", length + 1)] }, row => Read(row, application.Id), stop);
        return Results.Ok(found.Count > length
            ? new EventPage(found[..length], (int)Math.Min((long)skipped + length, int.MaxValue))
            : new EventPage(found, null));
    }

    /// <summary>One event.</summary>
    [WolverineGet("/apps/{app_id}/events/{id}")]
    [ProducesResponseType<EventItem>(200), Refuses(400, 404)]
    public static async Task<IResult> One(string app_id, string id, ApplicationDirectory applications, NpgsqlDataSource database, CancellationToken stop)
    {
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;
        if (!Guid.TryParse(id, out var parsed)) return Refusal.NotFound("There is no such event.");

        await using var command = database.CreateCommand($"select id, timestamp, data::text from {CounterTables.Schema}.mt_events where tenant_id = @tenant and {CounterFold.IsError} and id = @id");
        command.Parameters.AddWithValue("tenant", application!.Id.ToString());
        command.Parameters.AddWithValue("id", parsed);
        await using var reader = await command.ExecuteReaderAsync(stop);
        return await reader.ReadAsync(stop) ? Results.Ok(Read(reader, application.Id)) : Refusal.NotFound("There is no such event.");
    }

    private static EventItem Read(NpgsqlDataReader row, int applicationId)
    {
        var error = JsonSerializer.Deserialize(row.GetString(2), KnownJson.Default.ErrorOccurred)!;
        return new(row.GetGuid(0), applicationId, error.OccurredAt, row.GetFieldValue<DateTimeOffset>(1), error.Level, error.Message, error.Stack, error.Tags, error.Context);
    }
}

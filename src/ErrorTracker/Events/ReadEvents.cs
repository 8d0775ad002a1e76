using System.Text.Json;
using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Ingestion;
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
public sealed record EventItem(Guid Id, int ApplicationId, DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt, string Level, string Message, RawJson? Stack, RawJson? Tags);

/// <param name="NextOffset" example="20">Where the next page starts; null on the last one.</param>
public sealed record EventPage(IReadOnlyList<EventItem> Items, int? NextOffset);

public static class ReadEvents
{
    private const int LongestPage = 50;

    private const string Select = $"select id, timestamp, data::text from {CounterTables.Schema}.mt_events where tenant_id = @tenant and type = 'error_occurred'";

    /// <summary>The events of an application, newest first.</summary>
    /// <param name="limit">1 to 50; 20 if absent.</param>
    /// <param name="offset">How many to skip; 0 if absent.</param>
    /// <param name="level">Only this level, in any case.</param>
    /// <param name="since">Only events received then (RFC 3339) or later.</param>
    /// <param name="until">Only events received before then (RFC 3339).</param>
    [WolverineGet("/apps/{app_id}/events")]
    [ProducesResponseType<EventPage>(200), Refuses(400, 404)]
    public static async Task<IResult> List(string app_id, string? limit, string? offset, string? level, string? since, string? until,
        ApplicationDirectory applications, NpgsqlDataSource database, CancellationToken stop)
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

        await using var command = database.CreateCommand(
            $"""
            {Select}
              and (@level::text is null or data->>'level' = @level)
              and (@since::timestamptz is null or timestamp >= @since) and (@until::timestamptz is null or timestamp < @until)
            order by timestamp desc, seq_id desc offset @offset limit @limit
            """);
        command.Parameters.AddWithValue("level", (object?)wanted ?? DBNull.Value);
        command.Parameters.AddWithValue("since", (object?)from ?? DBNull.Value);
        command.Parameters.AddWithValue("until", (object?)to ?? DBNull.Value);
        command.Parameters.AddWithValue("offset", skipped);
        command.Parameters.AddWithValue("limit", length + 1);
        var found = await ReadAsync(command, application!.Id, stop);
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

        await using var command = database.CreateCommand($"{Select} and id = @id");
        command.Parameters.AddWithValue("id", parsed);
        return await ReadAsync(command, application!.Id, stop) is [var found] ? Results.Ok(found) : Refusal.NotFound("There is no such event.");
    }

    private static async Task<List<EventItem>> ReadAsync(NpgsqlCommand command, int applicationId, CancellationToken stop)
    {
        command.Parameters.AddWithValue("tenant", applicationId.ToString());
        await using var reader = await command.ExecuteReaderAsync(stop);
        var items = new List<EventItem>();
        while (await reader.ReadAsync(stop))
        {
            var error = JsonSerializer.Deserialize<ErrorOccurred>(reader.GetString(2))!;
            items.Add(new(reader.GetGuid(0), applicationId, error.OccurredAt, reader.GetFieldValue<DateTimeOffset>(1), error.Level, error.Message, error.Stack, error.Tags));
        }
        return items;
    }
}

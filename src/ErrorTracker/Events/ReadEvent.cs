using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Log;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Events;

public static class ReadEvent
{
    /// <summary>
    /// By SQL, not by Marten's API: Marten makes an object of the event before anybody knows its size, so the memory of
    /// pages could not refuse it first, and its message would be written anew instead of passed on as it is stored.
    /// </summary>
    private static readonly string Sql =
        $"""
        select {EventCursor.Columns} from {LogSchema.Name}.mt_events
        where tenant_id = @tenant and {LogRow.IsError} and id in (@id, @named) order by id = @id desc limit 1
        """;

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>One event, by its id or by the event_id that its sender gave it.</summary>
    [WolverineGet("/apps/{app_id}/events/{id}", OperationId = "GetEvent")]
    [ProducesResponseType<EventItem>(200), Refuses(400, 404, 503)]
    public static async Task<IResult> Get(
        Application application, string id, HttpContext http, LogDatabases databases, PageMemory memory,
        CancellationToken stop)
    {
        if (EventIds.Parse(id) is not { } parsed) return NoSuchEvent;

        var page = memory.NewPage(application.Id);
        return await PageAnswer.OfAsync(page, async () =>
        {
            await using var reader = await databases.Of(application.Id).OpenReaderAsync(application.Id, stop);
            return await FillAsync(page, reader.Connection, application.Id, parsed, stop) switch
            {
                null => PageAnswer.Busy(http),
                { Events: 0 } => NoSuchEvent,
                _ => null,
            };
        });
    }

    /// <param name="page">Gets the event.</param>
    /// <param name="connection">To read with.</param>
    /// <param name="applicationId">Whose event it is.</param>
    /// <param name="id">Ours, or its sender's event_id.</param>
    /// <param name="stop">Cuts it off.</param>
    /// <returns>Null if there is no memory for it.</returns>
    internal static async Task<Filled?> FillAsync(
        Page page, NpgsqlConnection connection, int applicationId, Guid id, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.AddWithValue("tenant", TenantId.Of(applicationId));
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("named", PendingEvent.IdOf(applicationId, id));
        return await EventCursor.FillAsync(page, command, applicationId, most: 1, stop);
    }

    private static IResult NoSuchEvent => Refusal.NotFound("There is no such event.");
}

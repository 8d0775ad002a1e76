using System.Text;
using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Tests.Log;

[Collection(nameof(OnPostgres))]
public sealed class ErrorOccurredTests(SharedApi shared)
{
    [Fact]
    public void its_members_names_are_data_and_stay()
    {
        RawJson stack = new(Encoding.UTF8.GetBytes("""{"A": 1.0}""")), tags = new("{}"u8.ToArray());
        var error = new ErrorOccurred(new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), "INFO", "m", stack, tags);
        Assert.Equal(
            """
            {"occurred_at":"2026-01-31T12:00:00+00:00","level":"INFO","message":"m","stack":{"A": 1.0},"tags":{}}
            """,
            JsonSerializer.Serialize(error));
    }

    [Fact]
    public async Task it_is_stored_under_a_type_name_that_stays()
    {
        var sender = await shared.Api.RegisterAsync();
        await shared.Api.ReportAsync(sender);
        var type = $"select type from errortracker.mt_events where tenant_id = '{sender.Id}'";
        Assert.Equal("error_occurred", await shared.Api.ScalarAsync<string>(type));
    }
}

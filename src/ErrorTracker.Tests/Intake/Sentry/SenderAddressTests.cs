using System.Net;
using System.Text;
using System.Text.Json;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

public sealed class SenderAddressTests
{
    private const string Auto = "{{auto}}", Address = "203.0.113.7";

    [Theory]
    [InlineData(
        """{"user":{"id":"7","ip_address":"{{auto}}","n":1e999}}""",
        """{"user":{"ip_address":"203.0.113.7","id":"7","n":"1e999"}}""")]
    [InlineData("""{"user":{"ip_address":"198.51.100.1"}}""", """{"user":{"ip_address":"198.51.100.1"}}""")]
    [InlineData("""{"user":{"id":7}}""", """{"user":{"id":7}}""")]
    [InlineData("""{"user":"{{auto}}"}""", """{"user":"{{auto}}"}""")]
    [InlineData(
        """{"request":{"url":"u","env":{"REMOTE_ADDR":"{{auto}}","A":1}}}""",
        """{"request":{"url":"u","env":{"REMOTE_ADDR":"203.0.113.7","A":1}}}""")]
    [InlineData("""{"request":{"env":{"REMOTE_ADDR":"198.51.100.1"}}}""", """{"request":{"env":{"REMOTE_ADDR":"198.51.100.1"}}}""")]
    [InlineData(
        """{"sdk":{"settings":{"infer_ip":"auto"}}}""",
        """{"sdk":{"settings":{"infer_ip":"auto"}},"user":{"ip_address":"203.0.113.7"}}""")]
    [InlineData(
        """{"user":{"id":7},"sdk":{"settings":{"infer_ip":"auto"}}}""",
        """{"user":{"ip_address":"203.0.113.7","id":7},"sdk":{"settings":{"infer_ip":"auto"}}}""")]
    [InlineData(
        """{"user":{"id":7},"sdk":{"settings":{"infer_ip":"never"}}}""",
        """{"user":{"id":7},"sdk":{"settings":{"infer_ip":"never"}}}""")]
    [InlineData("""{"platform":"javascript","user":null}""", """{"platform":"javascript"}""")]
    public void it_stands_where_the_sdk_asks_for_it(string sent, string expected) => Assert.Equal(expected, Strip(Context(sent, Address)));

    [Theory]
    [InlineData("", null)]
    [InlineData(""","sdk":{"settings":{"infer_ip":"never"}}""", Address)]
    public void it_is_dropped_and_named_where_it_is_not_known_or_not_to_be_told(string more, string? address)
    {
        var context = Context($$$"""{"user":{"id":7,"ip_address":"{{{Auto}}}"}{{{more}}}}""", address);
        Assert.Equal("""{"id":7}""", context.GetProperty("user").GetRawText());
        Assert.True(context.GetProperty("dropped").TryGetProperty("user.ip_address", out _));
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("fe80::1%3", "fe80::1")]
    public void it_is_written_as_people_write_it(string address, string expected) =>
        Assert.Equal(expected, SenderAddress.Of(IPAddress.Parse(address)));

    private static JsonElement Context(string sent, string? address)
    {
        var (incoming, _) = SentryEvent.Parse(Encoding.UTF8.GetBytes(sent), null, DateTimeOffset.UnixEpoch, address);
        return JsonDocument.Parse(incoming!.Error.Context!.Utf8).RootElement;
    }

    private static string Strip(JsonElement context)
    {
        var members = context.EnumerateObject().Where(member => member.Name is not ("undated" or "dropped"));
        return "{" + string.Join(',', members.Select(member => $"\"{member.Name}\":{member.Value.GetRawText()}")) + "}";
    }
}

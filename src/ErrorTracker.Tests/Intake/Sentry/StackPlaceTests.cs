using System.Text;
using ErrorTracker.Intake.Sentry;
using ErrorTracker.Log;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>Events that only say where they were.</summary>
public sealed class StackPlaceTests
{
    private const string Frames = """
        {"frames":[{"function":"main","in_app":true},{"function":"pay","in_app":true},
          {"function":"memcpy","in_app":false},{"instruction_addr":"0x1"}]}
        """;

    [Theory]
    [InlineData("""{"exception":{"values":[{"stacktrace":FRAMES}]},"transaction":"t"}""", "pay")]
    [InlineData("""{"stacktrace":FRAMES}""", "pay")]
    [InlineData(
        """{"threads":{"values":[{"id":1,"stacktrace":{"frames":[{"function":"idle"}]}},{"id":2,"crashed":true,"stacktrace":FRAMES}]}}""",
        "pay")]
    [InlineData(
        """{"threads":[{"id":1,"stacktrace":{"frames":[{"function":"idle"}]}},{"id":2,"current":true,"stacktrace":FRAMES}]}""",
        "pay")]
    [InlineData("""{"threads":[{"id":1,"crashed":true},{"id":2,"stacktrace":FRAMES}]}""", "pay")]
    [InlineData("""{"threads":[{"stacktrace":{"frames":[{"function":"a"},{"function":"b"}]}}]}""", "b")]
    [InlineData("""{"stacktrace":{"frames":[{"filename":"a.js"},{"module":"b"}]}}""", "b")]
    [InlineData("""{"stacktrace":FRAMES,"message":"m"}""", "m")]
    [InlineData("""{"stacktrace":{"frames":7},"threads":[7,{"stacktrace":{"frames":[7,null]}}],"culprit":"c"}""", "c")]
    [InlineData("""{"stacktrace":{"frames":[]},"threads":[],"transaction":"t","culprit":"c"}""", "t")]
    [InlineData("""{"stacktrace":{"frames":[{"instruction_addr":"0x1"}]}}""", "(no message)")]
    public void the_message_is_the_last_function_of_the_application(string sent, string expected) =>
        Assert.Equal(expected, Parse(sent.Replace("FRAMES", Frames)).Message);

    private static ErrorOccurred Parse(string sent) =>
        SentryEvent.Parse(Encoding.UTF8.GetBytes(sent), null, DateTimeOffset.UnixEpoch).Incoming!.Error;
}

using ErrorTracker.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ErrorTracker.Tests.Hosting;

public sealed class FaultsTests
{
    /// <summary>Anybody can break off as often as they like.</summary>
    [Fact]
    public async Task a_sender_that_breaks_off_is_no_fault_and_leaves_no_line_in_the_log()
    {
        var log = new Lines();
        var reset = new ConnectionResetException("Connection reset by peer");
        Assert.True(await new Faults(log).TryHandleAsync(new DefaultHttpContext(), reset, CancellationToken.None));
        Assert.Empty(log);
    }

    private sealed class Lines : List<string>, ILogger<Faults>
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel level) => true;

        public void Log<TState>(
            LogLevel level, EventId id, TState state, Exception? failure, Func<TState, Exception?, string> format) =>
            Add(format(state, failure));
    }
}

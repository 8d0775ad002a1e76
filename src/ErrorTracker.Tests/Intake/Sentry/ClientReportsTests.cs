using System.Text;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

public sealed class ClientReportsTests
{
    [Theory]
    [InlineData("3", 3)]
    [InlineData("2.0", 2)]
    [InlineData("1e3", 1_000)]
    [InlineData("0.5e1", 5)]
    [InlineData("3000000000", 3_000_000_000)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("9223372036854775808", long.MaxValue)]
    [InlineData("1e30", long.MaxValue)]
    [InlineData("1e999", long.MaxValue)]
    [InlineData("0", 0)]
    [InlineData("-1", 0)]
    [InlineData("-1e999", 0)]
    [InlineData("2.5", 0)]
    [InlineData("0.9999999999999999999", 0)]
    [InlineData("1e-400", 0)]
    [InlineData("\"3\"", 0)]
    [InlineData("null", 0)]
    [InlineData("[3]", 0)]
    public void positive_whole_quantities_count_in_any_spelling(string quantity, long expected)
    {
        var reports = Read($$"""{"discarded_events":[{"quantity":{{quantity}} ,"reason":"r","category":"c","more":{"quantity":9} } ] }""");
        Assert.Equal(expected, reports.Dropped.GetValueOrDefault(new("r", "c")));
        Assert.Equal(expected > 0 ? 1 : 0, reports.Dropped.Count);
        Assert.Equal(0, reports.Unread);
    }

    [Fact]
    public void quantities_of_a_pair_are_added_up_and_stop_at_the_largest()
    {
        var reports = Read(
            """
            {"discarded_events":[{"reason":"r","category":"c","quantity":9223372036854775807},
              {"category":"c","quantity":1,"reason":"r"},{"quantity":2},{"reason":"","category":7,"quantity":3}]}
            """);
        Assert.Equal(2, reports.Dropped.Count);
        Assert.Equal((long.MaxValue, 5), (reports.Dropped[new("r", "c")], reports.Dropped[new("unknown", "unknown")]));
    }

    [Fact]
    public void words_are_cut_and_what_is_no_text_is_replaced()
    {
        var reports = Read($$"""{"discarded_events":[{"reason":"{{new string('r', 200)}}","category":"\u0000\ud800","quantity":1}]}""");
        Assert.Equal(new(new string('r', 100), "\ufffd\ufffd"), Assert.Single(reports.Dropped).Key);
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"discarded_events\":[{\"quantity\":1}")]
    [InlineData("{} {}")]
    [InlineData("{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]}")]
    public void what_is_no_report_is_counted_as_unread(string report) => Assert.Equal(1, Read(report).Unread);

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"discarded_events\":{\"quantity\":1}}")]
    [InlineData("{\"discarded_events\":[[1],2,null],\"x\":{}}")]
    public void a_report_may_tell_nothing(string report)
    {
        var reports = Read(report);
        Assert.Equal((0, 0), (reports.Dropped.Count, reports.Unread));
    }

    /// <summary>98 MB of them in one envelope cost what one costs: the rest is not looked at.</summary>
    [Fact]
    public void a_request_has_a_bounded_number_of_reports_entries_and_bytes()
    {
        var entries = Enumerable.Range(0, 30_000).Select(i => $"{{\"quantity\":1,\"reason\":\"{i}\"}}");
        var many = Encoding.UTF8.GetBytes($"{{\"discarded_events\":[{string.Join(',', entries)}]}}");
        var reports = new ClientReports();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 98; i++) reports.Add(many);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.Equal((ClientReports.MostEntries, 98), (reports.Dropped.Count, reports.Unread));

        var empty = new ClientReports();
        for (var i = 0; i < ClientReports.MostReports + 5; i++) empty.Add("{}"u8.ToArray());
        Assert.Equal(5, empty.Unread);

        var wide = new ClientReports();
        var padding = Encoding.UTF8.GetBytes($"{{\"x\":\"{new string('x', ClientReports.MostBytes - 100)}\"}}");
        for (var i = 0; i < 3; i++) wide.Add(padding);
        Assert.Equal(2, wide.Unread);
    }

    private static ClientReports Read(string report)
    {
        var reports = new ClientReports();
        reports.Add(Encoding.UTF8.GetBytes(report));
        return reports;
    }
}

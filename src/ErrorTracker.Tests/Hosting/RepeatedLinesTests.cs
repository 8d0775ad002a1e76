using ErrorTracker.Hosting;
using Microsoft.Extensions.Logging;

namespace ErrorTracker.Tests.Hosting;

public sealed class RepeatedLinesTests
{
    private readonly Clock _clock = new();
    private readonly List<string> _written = [];
    private readonly RepeatedLines _lines;

    public RepeatedLinesTests() =>
        _lines = new(_clock, (category, level, text) => _written.Add($"{category} {level} {text}"));

    private static LineKind Kind(string template = "It fails.", string category = "Fold", string reason = "") =>
        new(category, LogLevel.Error, template, reason);

    private bool Note(LineKind kind) => _lines.IsFirst(kind, () => kind.Template);

    private bool Pass(int seconds, LineKind? meanwhile = null)
    {
        var lasts = true;
        for (; seconds > 0; seconds--)
        {
            _clock.Now += TimeSpan.FromSeconds(1);
            if (meanwhile is { } kind) Assert.False(Note(kind));
            lasts = _lines.Sweep();
        }
        return lasts;
    }

    [Fact]
    public void a_fault_that_lasts_is_told_at_its_beginning_once_a_minute_with_its_count_and_at_its_end()
    {
        Assert.True(Note(Kind()));
        Pass(59, Kind());
        Assert.Empty(_written);
        Pass(1, Kind());
        Assert.Equal(["Fold Error Again: It fails. (60 times more, the last at 12:01:00Z)"], _written);
        Pass(59, Kind());
        Assert.Single(_written);
        Pass(1, Kind());
        Assert.Equal("Fold Error Again: It fails. (60 times more, the last at 12:02:00Z)", _written[^1]);

        Assert.True(Pass(59));
        Assert.Equal(2, _written.Count);
        Assert.False(Pass(1));
        Assert.Equal("Fold Information Over: It fails. (121 times from 12:00:00Z to 12:02:00Z)", _written[^1]);
        Assert.True(Note(Kind()));
    }

    [Fact]
    public void what_happens_once_is_told_once()
    {
        Assert.True(Note(Kind()));
        Assert.False(Pass(60));
        Assert.Empty(_written);
    }

    [Fact]
    public void another_fault_is_told_at_once()
    {
        Assert.True(Note(Kind()));
        Assert.True(Note(Kind(template: "It fails as well.")));
        Assert.True(Note(Kind(category: "Keys")));
        Assert.True(Note(Kind(reason: "disk full")));
        Assert.True(Note(Kind() with { Level = LogLevel.Warning }));
        Assert.False(Note(Kind()));
    }

    [Fact]
    public void a_category_that_says_that_its_fault_is_over_needs_no_other_line_and_begins_anew()
    {
        Assert.True(Note(Kind()));
        Assert.True(Note(Kind(category: "Keys")));
        Assert.False(Note(Kind()));
        _lines.End("Fold");
        Assert.True(Note(Kind()));
        Assert.False(Note(Kind(category: "Keys")));
        Pass(60);
        Assert.Equal(["Keys Information Over: It fails. (2 times from 12:00:00Z to 12:00:00Z)"], _written);
    }

    [Fact]
    public void faults_without_number_cost_no_memory_without_bound_and_a_line_for_each_category_at_most()
    {
        var told = Enumerable.Range(0, 10_000).Count(i => Note(Kind(template: $"It fails in way {i}.")));
        Assert.Equal(201, told);
        Assert.True(Note(Kind(category: "Keys")));
        Assert.False(Note(Kind(category: "Keys", template: "It fails in another way.")));
    }

    [Fact]
    public void a_log_that_ends_tells_what_it_kept_back()
    {
        Note(Kind());
        Note(Kind());
        Note(Kind(category: "Keys"));
        _lines.Finish();
        Assert.Equal(["Fold Error Again: It fails. (1 times more, the last at 12:00:00Z)"], _written);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}

namespace ErrorTracker.Grouping;

/// <summary>
/// The places of a stack that count: those of the application's own frames; if no frame is known to be one, of those
/// that nothing is known about and that are no platform's or library's; if there are none either, of all. Pure.
/// </summary>
internal readonly ref struct FrameChoice(SeenError seen, GroupingRules rules)
{
    private const int LongestName = 1024;

    /// <summary>The innermost first, equal neighbours once, and at most so many as the rules say.</summary>
    public List<Place> Of(FrameRange frames)
    {
        if (frames.Count == 0) return [];
        if (HasOwn(frames)) return Take(frames, Choice.Own);
        var places = Take(frames, Choice.Unknown);
        return places.Count > 0 ? places : Take(frames, Choice.All);
    }

    private enum Choice
    {
        Own,
        Unknown,
        All,
    }

    private bool HasOwn(FrameRange frames)
    {
        for (var at = frames.Start + frames.Count - 1; at >= frames.Start; at--)
            if (IsInApp(seen.Frames[at]) == true) return true;
        return false;
    }

    private List<Place> Take(FrameRange frames, Choice choice)
    {
        var places = new List<Place>();
        for (var at = frames.Start + frames.Count - 1; at >= frames.Start && places.Count < rules.Places; at--)
        {
            var frame = seen.Frames[at];
            if (!Is(choice, frame)) continue;
            var place = PlaceOf(frame);
            if (!place.IsNone && (places.Count == 0 || places[^1] != place)) places.Add(place);
        }
        return places;
    }

    private bool Is(Choice choice, in SeenFrame frame) => choice switch
    {
        Choice.Own => IsInApp(frame) == true,
        Choice.Unknown => IsInApp(frame) is null && !PlatformFrames.Hold(Text(frame.Module), FileOf(frame)),
        _ => true,
    };

    private bool? IsInApp(in SeenFrame frame)
    {
        if (rules.InApp.Count == 0) return frame.InApp;
        return rules.IsInApp(Text(frame.Module), FileOf(frame)) ?? frame.InApp;
    }

    private Place PlaceOf(in SeenFrame frame)
    {
        var platform = Text(frame.Platform) ?? seen.PlatformText;
        var place = PlaceCache.Of(new(Text(frame.Module), Text(frame.Function), FileOf(frame), platform));
        if (place.IsStrong || frame.Source.IsNone) return place;
        return SourceLine.Of(Text(frame.Source)) is { } line ? place with { Function = line } : place;
    }

    private string? FileOf(in SeenFrame frame)
    {
        if (Text(frame.File) is { } file && FileName.Of(file).Text is not null) return file;
        return Text(frame.Path) ?? Text(frame.Package);
    }

    private string? Text(TextAt text) => text.In(seen.Stack, LongestName);
}

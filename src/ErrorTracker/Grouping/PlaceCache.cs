using System.Collections.Concurrent;

namespace ErrorTracker.Grouping;

/// <summary>All that a place is made of but the line of source.</summary>
internal readonly record struct RawPlace(string? Module, string? Function, string? File, string? Platform)
{
    public int Length => LengthOf(Module) + LengthOf(Function) + LengthOf(File) + LengthOf(Platform);

    private static int LengthOf(string? text) => text?.Length ?? 0;
}

/// <summary>
/// Places that were cleaned before: an application has but few, which come again with each of its errors. It holds two
/// generations; when the younger is full, it becomes the elder, whose places are forgotten unless they are asked for. So
/// it is bounded: at most 2 × 2,048 places of at most 400 characters, some 6 MB.
/// </summary>
internal static class PlaceCache
{
    private const int MostPlaces = 2048, LongestPlace = 400;

    private static ConcurrentDictionary<RawPlace, Place> _young = new(), _elder = new();

    private static int _count;

    /// <summary>The place of a frame, cleaned at most once for each generation.</summary>
    public static Place Of(RawPlace raw)
    {
        if (_young.TryGetValue(raw, out var place)) return place;
        if (!_elder.TryGetValue(raw, out place)) place = Place.Of(raw);
        if (raw.Length <= LongestPlace) Add(raw, place);
        return place;
    }

    private static void Add(RawPlace raw, Place place)
    {
        if (!_young.TryAdd(raw, place) || Interlocked.Increment(ref _count) != MostPlaces) return;
        Interlocked.Exchange(ref _elder, Interlocked.Exchange(ref _young, new()));
        Interlocked.Exchange(ref _count, 0);
    }
}

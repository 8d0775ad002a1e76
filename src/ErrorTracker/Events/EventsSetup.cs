namespace ErrorTracker.Events;

/// <summary>
/// What the log holds: lists, one event, the feed. It may use Windows and the rooms below it.
/// </summary>
internal static class EventsSetup
{
    public static void AddEvents(this IServiceCollection services) => services.AddSingleton<PageMemory>();
}

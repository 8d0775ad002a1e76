namespace ErrorTracker.Windows;

/// <summary>
/// How the count of any window is put together: whole buckets from the counters, ragged ends and the un-folded tail
/// from the log, all in one snapshot. It may use Counters, Projections, Log and the rooms below them.
/// </summary>
internal static class WindowsSetup
{
    public static void AddWindows(this IServiceCollection services) => services.AddSingleton<Snapshots>();
}

namespace ErrorTracker.Windows;

/// <summary>While a long log is counted for the first time, nobody knows yet which issues there are.</summary>
public sealed class StillCountedException()
    : Exception("Issues are being counted for the first time: GET /projections tells how far that is.");

using ErrorTracker.Log;

namespace ErrorTracker.Commit;

/// <summary>An event that a protocol has read, before it is on its way to the log.</summary>
/// <param name="EventId">Its sender's name for it, for safe retries.</param>
/// <param name="IsUndated">Its sender gave no time: received_at is to take its place.</param>
internal sealed record IncomingEvent(ErrorOccurred Error, Guid? EventId, bool IsUndated = false);

namespace ErrorTracker.Benchmarks;

/// <summary>An error as the log holds it: when it was received, its stored JSON and what is stored beside it.</summary>
internal readonly record struct LoggedError(DateTimeOffset ReceivedAt, byte[] Data, byte[] Headers);

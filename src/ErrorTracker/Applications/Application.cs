namespace ErrorTracker.Applications;

/// <summary>An application that sends errors: a tenant of the log, whose tenant id is <see cref="Id"/> as text.</summary>
/// <param name="Id">1, 2, 3 … without gaps.</param>
/// <param name="Name">Unique; 1 to 100 characters, none of them a control character.</param>
/// <param name="CreatedAt">UTC.</param>
public sealed record Application(int Id, string Name, DateTimeOffset CreatedAt);

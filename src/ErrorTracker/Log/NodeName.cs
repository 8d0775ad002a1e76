namespace ErrorTracker.Log;

/// <summary>What this node calls itself on its connections to the database.</summary>
public sealed record NodeName(string Text);

namespace ErrorTracker.Tests;

/// <summary>Tests that load or starve the machine: they run when all others have, one after another, as theirs are the limits that a busy machine breaks.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

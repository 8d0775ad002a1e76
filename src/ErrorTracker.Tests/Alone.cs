namespace ErrorTracker.Tests;

/// <summary>
/// Tests that load or starve the machine. They run after all others, one after another: a busy machine would break
/// their limits.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

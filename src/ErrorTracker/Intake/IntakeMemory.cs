using ErrorTracker.Limits;

namespace ErrorTracker.Intake;

/// <summary>
/// The memory that bodies and waiting events may use on this node, and the turns on the CPU that large bodies take:
/// shared out among applications, request by request.
/// </summary>
public sealed class IntakeMemory
{
    private const long MostBytes = 64 * 1024 * 1024;

    private readonly FairShare _memory = new(MostBytes);
    private readonly ParseSlots _slots = new(Environment.ProcessorCount);

    /// <summary>Bytes that requests have taken.</summary>
    internal long Taken => _memory.Taken;

    /// <summary>What a request of an application may take; to be disposed of when the request is answered.</summary>
    internal RequestBudget BudgetFor(int application) => new(_memory, _slots, application);
}

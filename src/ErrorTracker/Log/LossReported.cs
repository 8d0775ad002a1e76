using System.Text.Json.Serialization;

namespace ErrorTracker.Log;

/// <summary>
/// An SDK's own account of what it dropped and never sent, as logs hold it that were written before such accounts were
/// tallied: it is read and counted, and never written any more. Stored as <see cref="EventKinds.LossReported"/>; its
/// members' names are data. It is no error: no counter counts it.
/// </summary>
/// <param name="Dropped">At least one.</param>
public sealed record LossReported([property: JsonPropertyName("dropped")] IReadOnlyList<DroppedByClient> Dropped);

/// <param name="Reason">In the SDK's words, such as network_error or sample_rate; at most 100 characters.</param>
/// <param name="Category">Of data, such as error or transaction; at most 100 characters.</param>
/// <param name="Quantity">1 to 2,147,483,647.</param>
public sealed record DroppedByClient(
    [property: JsonPropertyName("reason")] string Reason,
    [property: JsonPropertyName("category")] string Category,
    [property: JsonPropertyName("quantity")] int Quantity);

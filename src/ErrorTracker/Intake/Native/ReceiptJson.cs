using System.Text.Json.Serialization;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// Code, written by the compiler, that writes the answers to native senders: no reflection on that path.
/// </summary>
[JsonSerializable(typeof(EventReceipt))]
[JsonSerializable(typeof(BatchReceipt))]
internal sealed partial class ReceiptJson : JsonSerializerContext;

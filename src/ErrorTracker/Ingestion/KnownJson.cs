using System.Text.Json.Serialization;

namespace ErrorTracker.Ingestion;

/// <summary>Code, written by the compiler, that reads and writes what ingest sends and stores: no reflection on that path.</summary>
[JsonSerializable(typeof(ErrorOccurred))]
[JsonSerializable(typeof(LossReported))]
[JsonSerializable(typeof(EventReceipt))]
[JsonSerializable(typeof(BatchReceipt))]
internal sealed partial class KnownJson : JsonSerializerContext;

using System.Text.Json.Serialization;

namespace ErrorTracker.Log;

/// <summary>
/// Code, written by the compiler, that reads and writes events as the log stores them: no reflection on that path.
/// </summary>
[JsonSerializable(typeof(ErrorOccurred))]
[JsonSerializable(typeof(LossReported))]
internal sealed partial class StoredJson : JsonSerializerContext;

using ZstdSharp;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The body of an SDK's request, inflated while it arrives: compressed as other bodies are, or with zstd (RFC 8878).
/// </summary>
internal sealed class SentryBody(HttpRequest request, RequestBudget budget, CancellationToken stopping)
    : IAsyncDisposable
{
    public const long LargestSent = 20 * 1024 * 1024, LargestInflated = 100 * 1024 * 1024;

    private OpenBody? _open;
    private long _read;

    public static bool CanDecode(HttpRequest request) =>
        RequestBody.CanDecode(request) || RequestBody.EncodingOf(request) == "zstd";

    /// <summary>
    /// Reads some bytes, or tells why the body cannot be read further; 0 bytes when it has ended. Whoever uses them
    /// does so in the request's turn. As long as nobody knows whose request it is, its decoder takes its memory from
    /// the share of nobody.
    /// </summary>
    public async ValueTask<(int Read, IntakeRefusal? Refusal)> ReadAsync(Memory<byte> buffer, CancellationToken stop)
    {
        try
        {
            _open ??= await RequestBody.OpenAsync(request, budget, stop);
            if (_open is not { } open) return (0, IntakeRefusal.NoRoom);
            var read = await open.ReadAsync(buffer, _read, stop);
            _read += read;
            if (_read > LargestInflated) return (0, SentryRefusal.LargeEnvelope);
            await budget.TakeTurnAsync(_read, stop);
            return (read, null);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return (0, IntakeRefusal.Stopping);
        }
        catch (Exception e) when (RefusalOf(e) is { } refusal)
        {
            return (0, refusal);
        }
    }

    public ValueTask DisposeAsync() => _open is { } open ? open.DisposeAsync() : default;

    /// <summary>Why a body could not be read to its end; null if that is not the sender's fault.</summary>
    private static IntakeRefusal? RefusalOf(Exception failure) => failure switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => SentryRefusal.LargeEnvelope,
        ZstdException or EndOfStreamException => SentryRefusal.BrokenEncoding,
        BadHttpRequestException or IOException { InnerException: OverflowException } => SentryRefusal.BrokenRequest,
        _ => RequestBody.FaultOf(failure) is null ? null : SentryRefusal.BrokenEncoding,
    };
}

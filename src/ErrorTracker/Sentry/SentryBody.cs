using ErrorTracker.Ingestion;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ErrorTracker.Sentry;

/// <summary>Bodies as SDKs compress them: as other bodies, and zstd (RFC 8878). Inflated while they are read.</summary>
internal static class SentryBody
{
    /// <summary>8 MiB: what RFC 8878 asks readers to support. More would let a few bytes ask for much memory.</summary>
    private const int LargestWindowLog = 23;

    public static bool CanDecode(HttpRequest request) => IsZstd(request) || RequestBody.CanDecode(request);

    /// <summary>To be disposed of, unless it is the request's own.</summary>
    public static async ValueTask<Stream> OpenAsync(HttpRequest request, CancellationToken stop)
    {
        if (!IsZstd(request)) return await RequestBody.OpenAsync(request, stop);
        var stream = new DecompressionStream(request.Body, leaveOpen: true);
        stream.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, LargestWindowLog);
        return stream;
    }

    /// <summary>Why a body could not be read to its end; null if that is not the sender's fault.</summary>
    public static SentryRefusal? RefusalOf(Exception failure) => failure switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => SentryRefusal.LargeEnvelope,
        ZstdException or EndOfStreamException => SentryRefusal.BrokenEncoding,
        BadHttpRequestException or IOException { InnerException: OverflowException } => SentryRefusal.BrokenRequest,
        _ => RequestBody.FaultOf(failure) is null ? null : SentryRefusal.BrokenEncoding,
    };

    private static bool IsZstd(HttpRequest request) => request.Headers.ContentEncoding.ToString().Trim().Equals("zstd", StringComparison.OrdinalIgnoreCase);
}

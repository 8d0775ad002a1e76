using ZstdSharp;

namespace ErrorTracker.Intake.Sentry;

/// <summary>Bodies as SDKs compress them: as other bodies, and zstd (RFC 8878).</summary>
internal static class SentryBody
{
    public static bool CanDecode(HttpRequest request) => RequestBody.CanDecode(request) || RequestBody.EncodingOf(request) == "zstd";

    /// <summary>Why a body could not be read to its end; null if that is not the sender's fault.</summary>
    public static SentryRefusal? RefusalOf(Exception failure) => failure switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => SentryRefusal.LargeEnvelope,
        ZstdException or EndOfStreamException => SentryRefusal.BrokenEncoding,
        BadHttpRequestException or IOException { InnerException: OverflowException } => SentryRefusal.BrokenRequest,
        _ => RequestBody.FaultOf(failure) is null ? null : SentryRefusal.BrokenEncoding,
    };
}

using System.Text;
using ErrorTracker.Intake;
using ErrorTracker.Tests.Abuse;

namespace ErrorTracker.Tests.Intake.Sentry;

[Collection(nameof(OnAnotherPostgres))]
public sealed class SendStoreTests(SharedApi shared) : SdkRequests(shared)
{
    /// <summary>raven, the SDK before this one, compressed with zlib and wrote Base64.</summary>
    [Fact]
    public async Task a_stored_event_may_be_zlib_in_base64()
    {
        var sender = await Api.RegisterAsync();
        var packed = Pack(Encoding.UTF8.GetBytes(Event));
        await AcceptedAsync(await PostAsync(sender, packed, "store", type: "application/octet-stream"));
        await SingleAsync(sender);
        foreach (var broken in new[] { "====", "eNqr", Convert.ToBase64String("no zlib"u8), "\u00ff" })
            await RefusedAsync(await PostAsync(sender, broken, "store"), 400);
        await RefusedAsync(await PostAsync(sender, Pack(new byte[EventLimits.Largest + 1]), "store"), 413);
    }

    private static byte[] Pack(byte[] body) =>
        Encoding.ASCII.GetBytes(Convert.ToBase64String(Compression.Deflate("deflate", body)));
}

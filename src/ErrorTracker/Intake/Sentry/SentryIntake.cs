using System.Buffers;
using System.Text.Json.Serialization;
using ErrorTracker.Outcomes;
using Microsoft.AspNetCore.Http.Features;

namespace ErrorTracker.Intake.Sentry;

/// <summary>What SDKs are answered.</summary>
/// <param name="Id" example="7d3f1f0e6f3b4f649a550d6f7c1f2a10">
/// The event's event_id; absent if there was no event.
/// </param>
public sealed record SentryReceipt([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Id);

/// <summary>
/// The protocol of Sentry's SDKs (https://develop.sentry.dev/sdk/data-model/envelopes/): envelopes, single events, and
/// what crash handlers, browsers and scheduled jobs send. This room owns its endpoints, how its bodies are read, and
/// how its events become ours; it may use Intake and the rooms below, and not Native.
/// </summary>
/// <remarks>
/// Where a key is shown outside of the body, nothing of the body is read before the key has opened the application; an
/// envelope that shows it in its header is read up to that line.
/// </remarks>
internal abstract class SentryIntake(string app_id, HttpContext http, IntakeServices its)
    : RequestIntake(app_id, http, its)
{
    private const int ReadBuffer = 16 * 1024;

    private readonly SentryCommits _commits = new(its);
    private Arrival? _arrival;
    private int _taken;

    protected SentryItems Items { get; } = new(http, its.Now);

    /// <summary>The keys that are shown outside of the body.</summary>
    protected virtual IEnumerable<string> KeysShown => SentryAuth.KeysOf(Http.Request);

    /// <summary>A key may be found where the body begins.</summary>
    protected virtual bool ShowsKeyInBody => false;

    /// <summary>Bytes of memory in which parts of the body are held.</summary>
    protected abstract int Held { get; }

    /// <summary>Reads the body and keeps what it holds.</summary>
    /// <param name="body">Of the request.</param>
    /// <param name="buffer">For what is read.</param>
    /// <param name="stop">The sender is gone, or the host stops.</param>
    protected abstract ValueTask<IntakeRefusal?> ReadAsync(
        SentryBody body, Memory<byte> buffer, CancellationToken stop);

    /// <summary>What is known of a crash that has no event of its own.</summary>
    protected virtual (Memory<byte> Event, string? HeaderId) DescribeCrash() => ("{}"u8.ToArray(), null);

    /// <summary>What is answered if nothing is refused.</summary>
    /// <param name="id">Of the first event; null if there was none.</param>
    protected virtual IResult Answer(Guid? id) => Results.Ok(new SentryReceipt(id?.ToString("N")));

    /// <summary>All keys that are shown must agree.</summary>
    protected override (string? Key, IntakeRefusal? Refusal) FindKey() => KeysShown.Distinct().ToList() switch
    {
        [] => (null, ShowsKeyInBody ? null : SentryRefusal.NoKey),
        [var key] => (key, null),
        _ => (null, SentryRefusal.Disagreeing),
    };

    /// <summary>What the envelope's header shows must agree with what was shown outside of it.</summary>
    protected ValueTask<IntakeRefusal?> OpenByAsync(string? dsn)
    {
        if (dsn is null) return new(Key is null ? SentryRefusal.NoKey : null);
        if (SentryAuth.OfDsn(dsn) is not { } shown)
            return new(Key is null ? SentryRefusal.NoKey : SentryRefusal.Disagreeing);
        if (shown.Application != Application) return new(SentryRefusal.Disagreeing);
        if (Key is null) return OpenAsync(shown.Key);
        return new(shown.Key == Key ? null : SentryRefusal.Disagreeing);
    }

    protected override IntakeRefusal? Opened() => TryTakeMemory(ReadBuffer) ? null : IntakeRefusal.NoRoom;

    protected override IntakeRefusal? AdmitBody()
    {
        if (Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = SentryBody.LargestSent;
        if (!SentryBody.CanDecode(Http.Request)) return SentryRefusal.UnknownEncoding;
        return Http.Request.ContentLength > SentryBody.LargestSent ? SentryRefusal.LargeEnvelope : null;
    }

    /// <summary>Events are received when the body has arrived whole.</summary>
    protected override async ValueTask<IntakeRefusal?> ReadAsync()
    {
        if (await ReadBodyAsync() is { } refusal) return refusal;
        _arrival = new(Application, Its.Now);
        Items.TellOfCrash(DescribeCrash, _arrival.ReceivedAt);
        return null;
    }

    private async ValueTask<IntakeRefusal?> ReadBodyAsync()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Http.RequestAborted, Its.Stopping);
        await using var body = new SentryBody(Http.Request, Budget, Its.Stopping);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBuffer);
        try
        {
            return await ReadAsync(body, buffer.AsMemory(0, ReadBuffer), stop.Token);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            Budget.LeaveTurn();
        }
    }

    /// <summary>Hands out the whole body as it arrives, and takes memory for what is held of it.</summary>
    protected async ValueTask<IntakeRefusal?> ReadEachAsync(
        SentryBody body, Memory<byte> buffer, Func<Memory<byte>, ValueTask<IntakeRefusal?>> take,
        CancellationToken stop)
    {
        while (true)
        {
            var (read, refusal) = await body.ReadAsync(buffer, stop);
            if (refusal is not null || read == 0) return refusal;
            if (await take(buffer[..read]) is { } refused) return refused;
            if (!TryTakeMemoryForHeld()) return IntakeRefusal.NoRoom;
        }
    }

    /// <summary>False if what is held has grown beyond the application's share.</summary>
    protected bool TryTakeMemoryForHeld()
    {
        var missing = Held + ReadBuffer - _taken;
        return Key is null || missing <= 0 || TryTakeMemory(missing);
    }

    protected bool TryTakeMemory(int bytes)
    {
        if (!Budget.TryTake(bytes)) return false;
        _taken += bytes;
        return true;
    }

    /// <summary>What SDKs report is counted whatever becomes of the events: they do not send it again.</summary>
    protected override IntakeRefusal? Enqueue()
    {
        if (Items.Dropped.Count > 0) Its.Tally.AddDropped(_arrival!, Items.Dropped);
        _commits.Enqueue(Items.Events, _arrival!);
        return null;
    }

    protected override ValueTask CommitsAsync() => _commits.SettleAsync();

    protected override IntakeRefusal? JudgeCommits() => _commits.Refusal;

    protected override void CountOutcome(IntakeRefusal? refusal)
    {
        base.CountOutcome(_commits.CountedAs(refusal));
        if (refusal is not null) return;
        Its.Tally.Add(_arrival!, Reason.Duplicate, _commits.Duplicates);
        foreach (var (reason, events) in _commits.Refused()) CountRefused(_arrival!, reason, events);
        Items.PassOverUnreadReports();
        foreach (var (category, count) in Items.NotKept) Its.Tally.AddNotKept(_arrival!, category, count);
    }

    protected override IResult Accept()
    {
        if (Items.Limits.Count > 0) Http.Response.Headers[SentryRefusal.LimitsHeader] = Unkept.LimitOf(Items.Limits);
        return Answer(_commits.FirstId);
    }

    protected override IResult Refuse(IntakeRefusal refusal) => SentryRefusal.Answer(refusal, Http.Response);
}

using System.Buffers;
using System.Text.Json.Serialization;
using ErrorTracker.Applications;
using ErrorTracker.Http;
using ErrorTracker.Ingestion;
using Microsoft.AspNetCore.Http.Features;
using Npgsql;

namespace ErrorTracker.Sentry;

/// <summary>What SDKs are answered.</summary>
/// <param name="Id" example="7d3f1f0e6f3b4f649a550d6f7c1f2a10">The event's event_id; absent if there was no event.</param>
public sealed record SentryReceipt([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Id);

/// <summary>What an intake works with.</summary>
public sealed class IntakeServices(
    KeyRing keys,
    WriteQueue queue,
    OutcomeTally tally,
    IngestMetrics metrics,
    TimeProvider clock,
    IHostApplicationLifetime host,
    ILogger<IntakeServices> log)
{
    internal ILogger Log => log;
    internal KeyRing Keys => keys;
    internal WriteQueue Queue => queue;
    internal OutcomeTally Tally => tally;
    internal IngestMetrics Metrics => metrics;
    internal CancellationToken Stopping => host.ApplicationStopping;
    internal DateTimeOffset Now => Instant.Now(clock);
}

/// <summary>
/// One request of an SDK on its way to the log: a list of steps, each of which may refuse it. Where a key is shown outside of the body, nothing of the body is read
/// before the key has opened the application; an envelope that shows it in its header is read up to that line. What the body is held in takes its memory from
/// the application's share.
/// </summary>
internal abstract class Intake(string app_id, HttpContext http, IntakeServices its) : IDisposable
{
    public const long LargestSent = 20 * 1024 * 1024, LargestInflated = 100 * 1024 * 1024;

    private const int ReadBuffer = 16 * 1024;

    private static readonly Func<Intake, ValueTask<SentryRefusal?>>[] Steps =
        [intake => intake.FindApplication(), intake => intake.OpenAsync(), intake => intake.AdmitBody(), intake => intake.ReadAsync(), intake => intake.CommitAsync()];

    private readonly SortedSet<string> _unkept = new(StringComparer.Ordinal);
    private readonly ClientReports _reports = new();
    private readonly DateTimeOffset _receivedAt = its.Now;
    private int _application, _taken;
    private Room? _room;
    private Stream? _body;
    private IncomingEvent? _event;
    private string? _id;

    /// <summary>With which the application was opened; null as long as it was not.</summary>
    protected string? Key { get; private set; }

    /// <summary>A key may be found where the body begins.</summary>
    protected abstract bool ShowsKeyInBody { get; }

    /// <summary>Bytes of memory in which parts of the body are held.</summary>
    protected abstract int Held { get; }

    protected abstract ValueTask<SentryRefusal?> TakeAsync(Memory<byte> bytes);

    /// <summary>The body has ended.</summary>
    protected abstract ValueTask<SentryRefusal?> FinishAsync();

    public async Task<IResult> RunAsync()
    {
        foreach (var step in Steps)
            if (await step(this) is { } refusal)
                return refusal.Answer(http.Response);
        if (_unkept.Count > 0) http.Response.Headers[SentryRefusal.LimitsHeader] = Unkept.LimitOf(_unkept);
        return Results.Ok(new SentryReceipt(_id));
    }

    public virtual void Dispose() => _room?.Dispose();

    private ValueTask<SentryRefusal?> FindApplication() => new(ApplicationDirectory.TryParseId(app_id, out _application) ? null : SentryRefusal.NoApplication);

    private ValueTask<SentryRefusal?> OpenAsync() => SentryAuth.KeysOf(http.Request).Distinct().ToList() switch
    {
        [] => new(ShowsKeyInBody ? null : SentryRefusal.NoKey),
        [var key] => OpenAsync(key),
        _ => new(SentryRefusal.Disagreeing),
    };

    private async ValueTask<SentryRefusal?> OpenAsync(string key)
    {
        try
        {
            if (!await its.Keys.OpensAsync(_application, key, http.RequestAborted)) return SentryRefusal.WrongKey;
        }
        catch (NpgsqlException e)
        {
            its.Log.LogWarning(e, "A key could not be looked up.");
            return SentryRefusal.Away;
        }
        Key = key;
        Door.Open(http, new(_application, _receivedAt));
        _room = its.Queue.RoomFor(_application);
        return TryTakeRoom(ReadBuffer) ? null : SentryRefusal.NoRoom;
    }

    /// <summary>What the envelope's header shows must agree with what was shown outside of it.</summary>
    protected ValueTask<SentryRefusal?> OpenByAsync(string? dsn)
    {
        if (dsn is null) return new(Key is null ? SentryRefusal.NoKey : null);
        if (SentryAuth.OfDsn(dsn) is not { } shown) return new(Key is null ? SentryRefusal.NoKey : SentryRefusal.Disagreeing);
        if (shown.Application != _application || Key is not null && shown.Key != Key) return new(SentryRefusal.Disagreeing);
        return Key is null ? OpenAsync(shown.Key) : new(default(SentryRefusal));
    }

    protected bool TryTakeRoom(int bytes)
    {
        if (!_room!.TryTake(bytes)) return false;
        _taken += bytes;
        return true;
    }

    private ValueTask<SentryRefusal?> AdmitBody()
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = LargestSent;
        return new(!SentryBody.CanDecode(http.Request) ? SentryRefusal.UnknownEncoding : http.Request.ContentLength > LargestSent ? SentryRefusal.LargeEnvelope : null);
    }

    private async ValueTask<SentryRefusal?> ReadAsync()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, its.Stopping);
        var (buffer, total) = (ArrayPool<byte>.Shared.Rent(ReadBuffer), 0L);
        try
        {
            while (true)
            {
                var (read, refusal) = await ReadAsync(buffer.AsMemory(0, ReadBuffer), stop.Token);
                if (refusal is not null) return refusal;
                if (read == 0) return await FinishAsync();
                if ((total += read) > LargestInflated) return SentryRefusal.LargeEnvelope;
                if (await TakeAsync(buffer.AsMemory(0, read)) is { } refused) return refused;
                if (_room is not null && Held + ReadBuffer > _taken && !TryTakeRoom(Held + ReadBuffer - _taken)) return SentryRefusal.NoRoom;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (_body is not null && _body != http.Request.Body) await _body.DisposeAsync();
        }
    }

    private async ValueTask<(int Read, SentryRefusal? Refusal)> ReadAsync(Memory<byte> buffer, CancellationToken stop)
    {
        try
        {
            _body ??= await SentryBody.OpenAsync(http.Request, stop);
            return (await _body.ReadAsync(buffer, stop), null);
        }
        catch (OperationCanceledException) when (its.Stopping.IsCancellationRequested)
        {
            return (0, SentryRefusal.Stopping);
        }
        catch (Exception e) when (SentryBody.RefusalOf(e) is { } refusal)
        {
            return (0, refusal);
        }
    }

    /// <summary>Takes what an item or a body holds.</summary>
    protected SentryRefusal? Keep(string type, Memory<byte> payload, string? headerId)
    {
        if (type == EnvelopeReader.ClientReport) _reports.Add(payload);
        else if (type == EnvelopeReader.Event) return KeepEvent(payload, headerId);
        else _unkept.UnionWith(Unkept.CategoriesOf(type));
        return null;
    }

    private SentryRefusal? KeepEvent(Memory<byte> payload, string? headerId)
    {
        if (_event is not null) return SentryRefusal.SecondEvent;
        var (incoming, otherType) = SentryEvent.Parse(payload, headerId, _receivedAt);
        if (otherType is not null) _unkept.UnionWith(Unkept.CategoriesOf(otherType));
        _event = incoming;
        return incoming is null && otherType is null ? SentryRefusal.BadEvent : null;
    }

    /// <summary>The report goes first: an event that is refused is not stored, and a report that is sent again counts once.</summary>
    private async ValueTask<SentryRefusal?> CommitAsync()
    {
        var pending = _event is null ? null : PendingEvent.Of(_application, _event, _receivedAt);
        var all = new[] { _reports.ToPending(_application, _receivedAt), pending }.OfType<PendingEvent>().ToList();
        foreach (var one in all)
            if (!its.Queue.TryEnqueue(one)) return SentryRefusal.NoRoom;
        try
        {
            foreach (var one in all) await one.Settled.Task;
        }
        catch (Exception) // who settled the event with it has logged it
        {
            return SentryRefusal.NotCommitted;
        }
        if (pending is not null) Account((await pending.Settled.Task).Fate);
        _id = (_event?.EventId ?? pending?.Id)?.ToString("N");
        return null;
    }

    /// <summary>
    /// An SDK can do nothing about an event_id that was sent before with other content, and Sentry drops it too: it is answered as stored, but counted as refused, as
    /// what it holds is not in the log.
    /// </summary>
    private void Account(Fate fate)
    {
        var account = new Account(_application, _receivedAt);
        if (fate == Fate.Repeated) its.Tally.Add(account, OutcomeTally.Duplicate);
        if (fate != Fate.Conflicting) return;
        its.Metrics.Refused(StatusCodes.Status409Conflict);
        its.Tally.Add(account, IngestMetrics.ReasonOf(StatusCodes.Status409Conflict));
    }
}

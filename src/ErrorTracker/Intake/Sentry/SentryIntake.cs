using System.Buffers;
using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Intake.Native;
using ErrorTracker.Outcomes;
using Microsoft.AspNetCore.Http.Features;
using Npgsql;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// One request of an SDK on its way to the log: a list of steps, each of which may refuse it. Where a key is shown
/// outside of the body, nothing of the body is read before the key has opened the application; an envelope that shows
/// it in its header is read up to that line. What the body is held in takes its memory from the application's share.
/// </summary>
internal abstract class SentryIntake(string app_id, HttpContext http, IntakeServices its) : IDisposable
{
    public const long LargestSent = 20 * 1024 * 1024, LargestInflated = 100 * 1024 * 1024;

    private const int ReadBuffer = 16 * 1024;

    private static readonly Func<SentryIntake, ValueTask<SentryRefusal?>>[] Steps =
    [
        intake => intake.FindApplication(), intake => intake.OpenAsync(), intake => intake.AdmitBody(),
        intake => intake.ReadAsync(), intake => intake.Receive(), intake => intake.TellOfCrash(), intake => intake.CommitAsync(),
    ];

    private readonly SortedSet<string> _limits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _notKept = [];
    private readonly ClientReports _reports = new();
    private readonly List<IncomingEvent> _events = [];
    private readonly List<CrashDump> _dumps = [];
    private DateTimeOffset _receivedAt = its.Now;
    private int _application, _taken, _securityReports, _securityBytes;
    private readonly Room _room = its.Memory.RoomFor(Room.Nobody);
    private long _read;
    private bool _hasEvent;
    private OpenBody? _body;
    private Guid? _id;

    protected HttpContext Http => http;

    /// <summary>With which the application was opened; null as long as it was not.</summary>
    protected string? Key { get; private set; }

    /// <summary>The keys that are shown outside of the body.</summary>
    protected virtual IEnumerable<string> KeysShown => SentryAuth.KeysOf(http.Request);

    /// <summary>A key may be found where the body begins.</summary>
    protected virtual bool ShowsKeyInBody => false;

    /// <summary>Bytes of memory in which parts of the body are held.</summary>
    protected abstract int Held { get; }

    /// <summary>Reads the body by <see cref="ReadSomeAsync"/> and keeps what it holds.</summary>
    /// <param name="buffer">For what is read.</param>
    /// <param name="stop">The sender is gone, or the host stops.</param>
    protected abstract ValueTask<SentryRefusal?> ReadBodyAsync(Memory<byte> buffer, CancellationToken stop);

    /// <summary>What is answered if nothing is refused.</summary>
    /// <param name="id">Of the first event; null if there was none.</param>
    protected virtual IResult Answer(Guid? id) => Results.Ok(new SentryReceipt(id?.ToString("N")));

    public async Task<IResult> RunAsync()
    {
        foreach (var step in Steps)
            if (await step(this) is { } refusal)
                return refusal.Answer(http.Response);
        if (_limits.Count > 0) http.Response.Headers[SentryRefusal.LimitsHeader] = Unkept.LimitOf(_limits);
        return Answer(_id);
    }

    public virtual void Dispose() => _room.Dispose();

    private ValueTask<SentryRefusal?> FindApplication() => new(ApplicationDirectory.TryParseId(app_id, out _application) ? null : SentryRefusal.NoApplication);

    private ValueTask<SentryRefusal?> OpenAsync() => KeysShown.Distinct().ToList() switch
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
        Door.Open(http, _application);
        return _room.TryMoveTo(_application) && TryTakeRoom(ReadBuffer) ? null : SentryRefusal.NoRoom;
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
        if (!_room.TryTake(bytes)) return false;
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
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBuffer);
        try
        {
            return await ReadBodyAsync(buffer.AsMemory(0, ReadBuffer), stop.Token);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _room.LeaveTurn();
            if (_body is { } open) await open.DisposeAsync();
        }
    }

    /// <summary>Hands out the whole body as it arrives, and has memory for what is held of it.</summary>
    protected async ValueTask<SentryRefusal?> ReadEachAsync(
        Memory<byte> buffer, Func<Memory<byte>, ValueTask<SentryRefusal?>> take, CancellationToken stop)
    {
        while (true)
        {
            var (read, refusal) = await ReadSomeAsync(buffer, stop);
            if (refusal is not null || read == 0) return refusal;
            if (await take(buffer[..read]) is { } refused) return refused;
            if (!TryTakeRoomForHeld()) return SentryRefusal.NoRoom;
        }
    }

    /// <summary>False if what is held has grown beyond the application's share.</summary>
    protected bool TryTakeRoomForHeld() =>
        Key is null || Held + ReadBuffer <= _taken || TryTakeRoom(Held + ReadBuffer - _taken);

    /// <summary>
    /// Inflated bytes of the body, or why it cannot be read further. 0 when it has ended. What is done with them is done
    /// in the request's turn. As long as nobody knows whose request it is, its decoder takes its memory from the share
    /// of nobody.
    /// </summary>
    protected async ValueTask<(int Read, SentryRefusal? Refusal)> ReadSomeAsync(
        Memory<byte> buffer, CancellationToken stop)
    {
        try
        {
            _body ??= await RequestBody.OpenAsync(http.Request, _room, stop);
            if (_body is not { } open) return (0, SentryRefusal.NoRoom);
            var read = await open.ReadAsync(buffer, _read, stop);
            _read += read;
            if (_read > LargestInflated) return (0, SentryRefusal.LargeEnvelope);
            await _room.TakeTurnAsync(_read, stop);
            return (read, null);
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

    /// <summary>Keeps an event, or the whole request is refused.</summary>
    protected SentryRefusal? KeepEvent(Memory<byte> payload, string? headerId)
    {
        if (_hasEvent) return SentryRefusal.SecondEvent;
        var address = SenderAddress.Of(http.Connection.RemoteIpAddress);
        var (incoming, otherType) = SentryEvent.Parse(payload, headerId, _receivedAt, address);
        if (incoming is null && otherType is null) return SentryRefusal.BadEvent;
        if (incoming is null) PassOver(otherType!);
        else _events.Insert(0, incoming);
        _hasEvent = incoming is not null;
        return null;
    }

    /// <summary>
    /// Makes events of a browser's reports: false if they are no such thing, or the request has had as many as it may.
    /// What is beyond the limit is counted as not kept.
    /// </summary>
    protected bool TryKeepReports(Memory<byte> payload)
    {
        var most = SecurityReports.Most - _securityReports;
        if (most == 0 || (_securityBytes += payload.Length) > EventBody.Largest) return false;
        if (SecurityReports.Read(payload, ReportOrigin.Of(http.Request), _receivedAt, most) is not { } reports) return false;
        _securityReports += reports.Events.Count;
        foreach (var report in reports.Events)
            if (SentryEvent.Parse(report, headerId: null, _receivedAt).Incoming is { } incoming) _events.Add(incoming);
        if (reports.Others > 0) PassOver(Unkept.Security, reports.Others);
        return true;
    }

    protected void KeepClientReport(Memory<byte> payload) => _reports.Add(payload);

    /// <summary>A dump itself is not kept; it tells of a crash.</summary>
    protected void KeepDump(CrashDump dump) => _dumps.Add(dump);

    /// <summary>What is not kept is counted, and SDKs are asked not to send it.</summary>
    /// <param name="type">Of the item.</param>
    /// <param name="count">How many things it holds.</param>
    protected void PassOver(string type, int count = 1)
    {
        var category = Unkept.CategoryOf(type);
        _notKept[category] = _notKept.GetValueOrDefault(category) + count;
        _limits.UnionWith(Unkept.CategoriesOf(type));
    }

    /// <summary>What is known of a crash that has no event of its own.</summary>
    protected virtual (Memory<byte> Event, string? HeaderId) DescribeCrash() => ("{}"u8.ToArray(), null);

    /// <summary>The body has arrived whole: that is when its events were received.</summary>
    private ValueTask<SentryRefusal?> Receive()
    {
        _receivedAt = its.Now;
        return new(default(SentryRefusal));
    }

    /// <summary>
    /// A crash that only a dump tells of becomes an event; an event beside a dump names it. As crashes may come as
    /// attachments alone, whoever sent such a one is not asked to stop sending attachments.
    /// </summary>
    private ValueTask<SentryRefusal?> TellOfCrash()
    {
        if (_dumps.Count == 0) return new(default(SentryRefusal));
        if (_hasEvent)
        {
            PassOver(Unkept.Attachment, _dumps.Count);
            _events[0] = NativeCrash.Name(_events[0], _dumps);
            return new(default(SentryRefusal));
        }
        var (known, headerId) = DescribeCrash();
        _events.Insert(0, NativeCrash.Of(known, headerId, _dumps, _receivedAt));
        _limits.ExceptWith(Unkept.CategoriesOf(Unkept.Attachment));
        return new(default(SentryRefusal));
    }

    /// <summary>What SDKs report is counted whatever becomes of the events: they do not send it again.</summary>
    private async ValueTask<SentryRefusal?> CommitAsync()
    {
        var account = new Account(_application, _receivedAt);
        if (_reports.Dropped.Count > 0) its.Tally.AddDropped(account, _reports.Dropped);
        if (_events.Count > 0)
        {
            (_id, var refusal) = await new SentryCommit(its, account, http).StoreAsync(_events);
            if (refusal is not null) return refusal;
        }
        if (_reports.Unread > 0) PassOver(Unkept.Reports, _reports.Unread);
        foreach (var (category, count) in _notKept) its.Tally.AddNotKept(account, category, count);
        return null;
    }
}

using ErrorTracker.Commit;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// What one request of an SDK has brought: events and security reports, which become events; client reports, which are
/// counted; dumps, which tell of a crash; and all that is not kept, which is counted and asked not to be sent.
/// </summary>
internal sealed class SentryItems(HttpContext http, DateTimeOffset startedAt)
{
    private readonly SortedSet<string> _limits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _notKept = [];
    private readonly ClientReports _reports = new();
    private readonly List<CrashDump> _dumps = [];
    private int _securityReports, _securityBytes;
    private bool _hasEvent;

    public List<IncomingEvent> Events { get; } = [];

    /// <summary>What SDKs say they dropped.</summary>
    public IReadOnlyDictionary<DropPair, long> Dropped => _reports.Dropped;

    /// <summary>Items that are not kept, by category.</summary>
    public IReadOnlyDictionary<string, long> NotKept => _notKept;

    /// <summary>The data categories that SDKs are asked not to send.</summary>
    public IReadOnlyCollection<string> Limits => _limits;

    /// <summary>Keeps an event, or tells why the whole request is refused.</summary>
    public IntakeRefusal? KeepEvent(Memory<byte> payload, string? headerId)
    {
        if (_hasEvent) return SentryRefusal.SecondEvent;
        var address = SenderAddress.Of(http.Connection.RemoteIpAddress);
        var (incoming, otherType) = SentryEvent.Parse(payload, headerId, startedAt, address);
        if (incoming is not null)
        {
            Events.Insert(0, incoming);
            _hasEvent = true;
            return null;
        }
        if (otherType is null) return SentryRefusal.BadEvent;
        PassOver(otherType);
        return null;
    }

    /// <summary>
    /// Makes events of a browser's reports. False if they are no such thing, or the request has had as many as it may;
    /// those of a list that are beyond the limit are counted as not kept.
    /// </summary>
    public bool TryKeepReports(Memory<byte> payload)
    {
        var most = SecurityReports.Most - _securityReports;
        if (most == 0) return false;
        _securityBytes += payload.Length;
        if (_securityBytes > EventLimits.Largest) return false;
        var origin = ReportOrigin.Of(http.Request);
        if (SecurityReports.Read(payload, origin, startedAt, most) is not { } reports) return false;
        _securityReports += reports.Events.Count;
        foreach (var report in reports.Events)
            if (SentryEvent.Parse(report, headerId: null, startedAt).Incoming is { } incoming) Events.Add(incoming);
        if (reports.Others > 0) PassOver(Unkept.Security, reports.Others);
        return true;
    }

    public void KeepClientReport(Memory<byte> payload) => _reports.Add(payload);

    /// <summary>A dump itself is not kept; it tells of a crash.</summary>
    public void KeepDump(CrashDump dump) => _dumps.Add(dump);

    /// <summary>Counts what is not kept, and notes that SDKs are asked not to send it.</summary>
    /// <param name="type">Of the item.</param>
    /// <param name="count">How many things it holds.</param>
    public void PassOver(string type, int count = 1)
    {
        var category = Unkept.CategoryOf(type);
        _notKept[category] = _notKept.GetValueOrDefault(category) + count;
        _limits.UnionWith(Unkept.CategoriesOf(type));
    }

    /// <summary>Client reports of which not all was read are counted as not kept.</summary>
    public void PassOverUnreadReports()
    {
        if (_reports.Unread > 0) PassOver(Unkept.Reports, _reports.Unread);
    }

    /// <summary>
    /// A crash that only a dump tells of becomes an event; an event beside a dump names it. As crashes may come as
    /// attachments alone, whoever sent such a one is not asked to stop sending attachments.
    /// </summary>
    /// <param name="describe">What is known of a crash that has no event of its own.</param>
    /// <param name="receivedAt">Of the request.</param>
    public void TellOfCrash(Func<(Memory<byte> Event, string? HeaderId)> describe, DateTimeOffset receivedAt)
    {
        if (_dumps.Count == 0) return;
        if (_hasEvent)
        {
            PassOver(Unkept.Attachment, _dumps.Count);
            Events[0] = NativeCrash.Name(Events[0], _dumps);
            return;
        }
        var (known, headerId) = describe();
        Events.Insert(0, NativeCrash.Of(known, headerId, _dumps, receivedAt));
        _limits.ExceptWith(Unkept.CategoriesOf(Unkept.Attachment));
    }
}

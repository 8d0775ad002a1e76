using ErrorTracker.Intake.Native;

namespace ErrorTracker.Intake.Sentry;

/// <summary>A request whose body is one thing, held whole: at most as large as an event.</summary>
internal abstract class WholeBodyIntake(string app_id, HttpContext http, IntakeServices services)
    : SentryIntake(app_id, http, services)
{
    private readonly PooledBody _body = new();

    protected override int Held => _body.Capacity;

    protected abstract SentryRefusal? Take(Memory<byte> body);

    protected override async ValueTask<SentryRefusal?> ReadBodyAsync(Memory<byte> buffer, CancellationToken stop)
    {
        if (await ReadEachAsync(buffer, HoldAsync, stop) is { } refusal) return refusal;
        return _body.Length == 0 ? SentryRefusal.Empty : Take(_body.Bytes);
    }

    private ValueTask<SentryRefusal?> HoldAsync(Memory<byte> bytes)
    {
        var length = _body.Length + bytes.Length;
        if (length > EventBody.Largest) return new(SentryRefusal.LargeEvent);
        if (length > _body.Capacity) _body.Grow(Math.Max(_body.Capacity * 2, length));
        bytes.CopyTo(_body.Free);
        _body.Length = length;
        return new(default(SentryRefusal));
    }

    public override void Dispose()
    {
        base.Dispose();
        _body.Dispose();
    }
}

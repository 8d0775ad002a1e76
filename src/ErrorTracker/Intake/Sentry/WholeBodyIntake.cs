namespace ErrorTracker.Intake.Sentry;

/// <summary>A request whose body is one thing, held whole: at most as large as an event.</summary>
internal abstract class WholeBodyIntake(string app_id, HttpContext http, IntakeServices services)
    : SentryIntake(app_id, http, services)
{
    private readonly PooledBody _whole = new();

    protected override int Held => _whole.Capacity;

    protected abstract IntakeRefusal? Take(Memory<byte> body);

    protected override async ValueTask<IntakeRefusal?> ReadAsync(
        SentryBody body, Memory<byte> buffer, CancellationToken stop)
    {
        if (await ReadEachAsync(body, buffer, HoldAsync, stop) is { } refusal) return refusal;
        return _whole.Length == 0 ? SentryRefusal.Empty : Take(_whole.Bytes);
    }

    private ValueTask<IntakeRefusal?> HoldAsync(Memory<byte> bytes)
    {
        var length = _whole.Length + bytes.Length;
        if (length > EventLimits.Largest) return new(SentryRefusal.LargeEvent);
        if (length > _whole.Capacity) _whole.Grow(Math.Max(_whole.Capacity * 2, length));
        bytes.CopyTo(_whole.Free);
        _whole.Length = length;
        return default;
    }

    public override void Dispose()
    {
        base.Dispose();
        _whole.Dispose();
    }
}

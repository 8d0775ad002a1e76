namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// A body for readers that want a stream. It ends early where the body cannot be read further, and then knows why.
/// </summary>
internal sealed class FormBody(SentryBody body) : Stream
{
    /// <summary>Null as long as the body can be read.</summary>
    public IntakeRefusal? Refusal { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop = default)
    {
        if (Refusal is not null) return 0;
        var (read, refusal) = await body.ReadAsync(buffer, stop);
        Refusal = refusal;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken stop) =>
        ReadAsync(buffer.AsMemory(offset, count), stop).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

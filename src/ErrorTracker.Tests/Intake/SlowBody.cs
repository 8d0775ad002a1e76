using System.Text;

namespace ErrorTracker.Tests.Intake;

/// <summary>A body that arrives in pieces: something happens just before each of them.</summary>
internal sealed class SlowBody((string Text, Action Arrives)[] pieces) : MemoryStream
{
    private int _next;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop = default)
    {
        if (_next == pieces.Length) return new(0);
        var (text, arrives) = pieces[_next++];
        arrives();
        return new(Encoding.UTF8.GetBytes(text, buffer.Span));
    }
}

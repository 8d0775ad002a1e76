namespace ErrorTracker.Intake.Sentry;

internal enum EnvelopePartKind { Header, Item, Refused }

/// <summary>A part of an envelope.</summary>
/// <param name="Dsn">Of the envelope's header.</param>
/// <param name="EventId">Of the envelope's header.</param>
/// <param name="Type">Of an item.</param>
/// <param name="Payload">Of an item that is kept, valid until the next part is read; empty for others.</param>
/// <param name="Refusal">Why the envelope cannot be read further.</param>
/// <param name="Header">Of an item.</param>
/// <param name="Size">Of an item's payload in bytes, kept or not.</param>
internal readonly record struct EnvelopePart(
    EnvelopePartKind Kind, string? Dsn = null, string? EventId = null, string Type = "", Memory<byte> Payload = default,
    IntakeRefusal? Refusal = null, ItemHeader Header = default, long Size = 0)
{
    public static EnvelopePart Refuse(IntakeRefusal refusal) => new(EnvelopePartKind.Refused, Refusal: refusal);
}

/// <summary>What an item's header tells beyond its type and length.</summary>
/// <param name="Count">How many things it holds (logs, spans, metrics): 1 unless it says more, 10,000 at most.</param>
/// <param name="AttachmentType">Of an attachment.</param>
/// <param name="FileName">Of an attachment.</param>
internal readonly record struct ItemHeader(int Count, string? AttachmentType, string? FileName);

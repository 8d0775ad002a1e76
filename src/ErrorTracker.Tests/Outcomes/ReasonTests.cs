using System.Reflection;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Tests.Outcomes;

public sealed class ReasonTests
{
    /// <summary>
    /// They are stored: a literal that changed would be another reason to all that was counted before.
    /// </summary>
    [Fact]
    public void the_stored_literals_stay() => Assert.Equal(
        [
            "Conflicting: conflicting", "Duplicate: duplicate", "Invalid: invalid", "MediaType: media type", "NoKey: no key",
            "NoRoomOrDatabase: no room or no database", "Other: other", "OverQuota: over quota",
            "RateLimited: rate limited", "TooLarge: too large", "TooSlow: too slow", "WrongKey: wrong key",
        ],
        typeof(Reason).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => $"{field.Name}: {((Reason)field.GetValue(null)!).Stored}")
            .Order(StringComparer.Ordinal));

    [Fact]
    public void the_stored_kinds_stay() => Assert.Equal(
        ("refused", "not_kept", "client_dropped"),
        (OutcomeKind.Refused, OutcomeKind.NotKept, OutcomeKind.ClientDropped));
}

using System.Reflection;
using ErrorTracker.Intake;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Tests.Intake;

public sealed class IntakeRefusalTests
{
    /// <summary>A protocol may word a refusal, and give it another status; it is counted as all others are.</summary>
    [Fact]
    public void the_closed_list_says_how_each_refusal_is_answered_and_counted() => Assert.Equal(
        [
            "BadApplication: 400 invalid", "Conflicting: 409 conflicting", "DatabaseAway: 503 no room or no database",
            "Invalid: 400 invalid", "NoKey: 401 no key", "NoRoom: 503 no room or no database",
            "NotCommitted: 503 no room or no database", "Stopping: 503 no room or no database",
            "TooLarge: 413 too large", "UnknownEncoding: 415 media type", "UnknownMediaType: 415 media type",
            "WrongKey: 403 wrong key",
        ],
        typeof(IntakeRefusal).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (field.Name, Refusal: (IntakeRefusal)field.GetValue(null)!))
            .Select(member => $"{member.Name}: {member.Refusal.Status} {member.Refusal.Reason.Stored}")
            .Order(StringComparer.Ordinal));

    [Fact]
    public void a_limit_is_counted_under_its_own_reason()
    {
        var refusal = IntakeRefusal.Of(new(Reason.OverQuota, "It is used up.", 60));
        Assert.Equal(
            (429, Reason.OverQuota, "It is used up.", 60),
            (refusal.Status, refusal.Reason, refusal.Text, refusal.RetryAfter));
    }
}

using System.Text.Json;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

public sealed class MessageTemplateTests
{
    [Fact]
    public void a_hundred_places_are_filled_and_the_others_stay() =>
        Assert.Equal(string.Concat(Enumerable.Repeat("x", MessageTemplate.MostPlaces)) + "{}{}",
            Fill(
                string.Concat(Enumerable.Repeat("{}", MessageTemplate.MostPlaces + 2)),
                $"[{string.Join(',', Enumerable.Repeat("\"x\"", 200))}]", 1_000));

    /// <summary>However much of a template vanishes in its places, what is wanted of the rest is there.</summary>
    [Fact]
    public void a_long_template_gives_as_much_text_as_is_wanted()
    {
        var name = new string('n', 100);
        var filled = Fill(
            string.Concat(Enumerable.Repeat($"%({name})-+ #012345.12345s", 200)) + new string('t', 100_000),
            $$"""{"{{name}}":""}""", 20_000);
        Assert.InRange(filled.Length, 20_001, 40_000);
    }

    private static string Fill(string template, string parameters, int most)
    {
        using var document = JsonDocument.Parse(parameters);
        return MessageTemplate.Fill(template, document.RootElement, most);
    }
}

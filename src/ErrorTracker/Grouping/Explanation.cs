namespace ErrorTracker.Grouping;

/// <summary>The group of an event, and why it is that one.</summary>
/// <param name="Key">22 characters of base64url.</param>
/// <param name="Method">What the key is made of, such as <c>stack</c> or <c>type + template</c>.</param>
/// <param name="Parts">All that the key is made of, each behind what it is: <c>type: …</c>, <c>place: …</c>.</param>
/// <param name="Template">The text of the event without what changes; null if it has none.</param>
/// <param name="Title">Type and text of the exception that counts, or the message: 300 characters of a line.</param>
/// <param name="Type">The type of the exception that counts; null if there is none.</param>
/// <param name="Place">The innermost place that was chosen; null if there is none.</param>
public sealed record Explanation(
    string Key, string Method, IReadOnlyList<string> Parts, string? Template, string Title, string? Type, string? Place);

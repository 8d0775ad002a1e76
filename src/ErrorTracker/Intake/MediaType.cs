namespace ErrorTracker.Intake;

/// <summary>Media types of bodies with events.</summary>
internal static class MediaType
{
    public const string Json = "application/json", Lines = "application/x-ndjson";

    public static bool IsLines(HttpRequest request)
    {
        var type = request.ContentType?.Split(';')[0].Trim();
        return string.Equals(type, Lines, StringComparison.OrdinalIgnoreCase);
    }
}

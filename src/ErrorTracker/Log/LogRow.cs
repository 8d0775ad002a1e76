namespace ErrorTracker.Log;

/// <summary>What a row of the log says, as SQL on the columns of <c>mt_events</c>.</summary>
public static class LogRow
{
    /// <summary>
    /// Whether it is an error that is listed and counted. PostgreSQL knows times that no clock of ours can show, and on
    /// which its own arithmetic fails.
    /// </summary>
    public static readonly string IsError =
        $"type = '{EventKinds.ErrorOccurred.StoredType}' "
        + "and timestamp >= timestamptz '0001-01-01 00:00Z' and timestamp < timestamptz '9999-12-01 00:00Z'";

    /// <summary>
    /// Its level; text in JSONB is cut where it is indexed, and never cast, so that no row can stop a fold.
    /// </summary>
    public const string Level = "left(coalesce(data->>'level', ''), 20)";

    public const string Message = "coalesce(data->>'message', '')";

    /// <summary>The group key that is stored beside it, made by whichever rules; null: none.</summary>
    public const string StoredKey = "headers->>'key'";
}

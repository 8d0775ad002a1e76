using System.Globalization;

namespace ErrorTracker.Log;

/// <summary>An application is a tenant of the log, under its own id.</summary>
public static class TenantId
{
    public static string Of(int applicationId) => applicationId.ToString(CultureInfo.InvariantCulture);
}

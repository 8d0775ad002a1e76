using System.Globalization;

namespace ErrorTracker.Log;

/// <summary>An application is a tenant of the log, under its own id.</summary>
public static class TenantId
{
    public static string Of(int applicationId) => applicationId.ToString(CultureInfo.InvariantCulture);

    /// <summary>The application; 0 for a tenant that is none.</summary>
    public static int Parse(string tenant) =>
        int.TryParse(tenant, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;
}

using ErrorTracker.Log;

namespace ErrorTracker.Issues;

/// <summary>The id of an issue follows from the application and the issue's first key: a rebuild gives the same.</summary>
internal static class IssueId
{
    public static Guid Of(int applicationId, string firstKey) => DerivedId.Of($"issues/{applicationId}/{firstKey}");
}

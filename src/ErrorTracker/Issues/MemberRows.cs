using ErrorTracker.Applications;
using ErrorTracker.Grouping;
using ErrorTracker.Log;
using Marten;
using Npgsql;

namespace ErrorTracker.Issues;

/// <summary>A number whose row, or place in the document, is not what the decisions say.</summary>
/// <param name="Number">Of a group.</param>
/// <param name="Stored">The issue that is stored; null if none is.</param>
/// <param name="Decided">The issue that it is in; null if it is its own, which is not stored.</param>
public sealed record MemberDifference(int Number, int? Stored, int? Decided);

/// <summary>
/// Writes the rows of <see cref="IssueMembers"/>: in the transaction of each decision, or anew, of all decisions. A
/// number without a row is an issue of its own.
/// </summary>
public sealed class MemberRows(IDocumentStore store, LogDatabases databases)
{
    /// <summary>A question mark is a parameter: of Marten's.</summary>
    private const string WriteSql =
        $"""
        with sent as (
          select s.number, s.issue from unnest(?, ?) as s(number, issue)),
        own as (
          delete from {IssueMembers.Table} as m using sent
          where m.tenant_id = ? and m.number = sent.number and sent.number = sent.issue)
        insert into {IssueMembers.Table} (tenant_id, number, issue)
        select ?, sent.number, sent.issue from sent where sent.number <> sent.issue
        on conflict (tenant_id, number) do update set issue = excluded.issue
        """;

    private const string ReadSql = $"select m.number, m.issue from {IssueMembers.Table} as m where m.tenant_id = $1";

    /// <summary>Decisions that are being made wait for it, or it for them; lists are read meanwhile.</summary>
    private const string LockSql = $"lock table {IssueMembers.Table} in share row exclusive mode";

    /// <summary>All that a comparison reads is of one moment.</summary>
    private const string SnapshotSql = "set transaction isolation level repeatable read, read only";

    private const string DeleteSql = $"delete from {IssueMembers.Table} as m where m.tenant_id = ?";

    /// <summary>With the decision, or not at all.</summary>
    /// <param name="session">Of the application, which the decision is appended by.</param>
    /// <param name="merges">As they are with the decision.</param>
    /// <param name="touched">The numbers whose issue may have become another one.</param>
    internal static void Write(IDocumentSession session, IssueMerges merges, IReadOnlyList<int> touched)
    {
        var issues = touched.Select(merges.IssueOf).ToArray();
        session.QueueSqlCommand(WriteSql, touched.ToArray(), issues, session.TenantId, session.TenantId);
    }

    private const string ApplicationsSql =
        $"""
        select a.id from unnest($1, $2, $3) as a(id, tenant_id, stream)
        where exists (
            select from {LogSchema.Name}.mt_streams as s where s.tenant_id = a.tenant_id and s.id = a.stream)
          or exists (select from {IssueMembers.Table} as m where m.tenant_id = a.tenant_id)
          or exists (select from {LogSchema.Name}.mt_doc_issue_merges as d where d.tenant_id = a.tenant_id)
        order by a.id
        """;

    /// <summary>The applications that have decisions, or what should follow of some.</summary>
    public async Task<List<int>> ApplicationsAsync(CancellationToken stop)
    {
        await using var session = store.QuerySession();
        var all = await session.Query<Application>().Select(application => application.Id).ToListAsync(stop);
        await using var command = databases.Main.Reserved.CreateCommand(ApplicationsSql);
        command.Parameters.Add(new() { Value = all.ToArray() });
        command.Parameters.Add(new() { Value = all.Select(TenantId.Of).ToArray() });
        command.Parameters.Add(new() { Value = all.Select(DecisionStream.Of).ToArray() });
        await using var rows = await command.ExecuteReaderAsync(stop);
        var found = new List<int>();
        while (await rows.ReadAsync(stop)) found.Add(rows.GetInt32(0));
        return found;
    }

    /// <summary>Makes the rows and the document of an application anew, of its decisions.</summary>
    public Task RebuildAsync(int application, CancellationToken stop) =>
        InTransactionAsync(application, LockSql, async (session, merges) =>
        {
            session.Store(merges);
            session.QueueSqlCommand(DeleteSql, session.TenantId);
            Write(session, merges, [.. merges.Former]);
            await session.SaveChangesAsync(stop);
            return merges;
        }, stop);

    /// <summary>What of the rows and the document of an application differs from its decisions, by number.</summary>
    public Task<List<MemberDifference>> CompareAsync(int application, CancellationToken stop) =>
        InTransactionAsync(application, SnapshotSql, async (session, merges) =>
        {
            var decided = IssuesIn(merges);
            var rows = await ReadAsync(session.Connection, application, stop);
            var document = await session.LoadAsync<IssueMerges>(merges.Id, stop);
            var ofRows = Differences(rows, decided);
            return ofRows.Union(Differences(IssuesIn(document ?? IssueMerges.None), decided)).ToList();
        }, stop);

    /// <param name="application">Whose decisions are read.</param>
    /// <param name="first">The statement that goes before all reads.</param>
    /// <param name="work">Gets what the decisions come to.</param>
    /// <param name="stop">Cuts it off.</param>
    private async Task<T> InTransactionAsync<T>(
        int application, string first, Func<IDocumentSession, IssueMerges, Task<T>> work, CancellationToken stop)
    {
        await using var connection = await databases.Of(application).Reserved.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await using (var command = new NpgsqlCommand(first, connection)) await command.ExecuteNonQueryAsync(stop);

        var options = Marten.Services.SessionOptions.ForTransaction(transaction);
        options.TenantId = TenantId.Of(application);
        await using var session = store.LightweightSession(options);
        var stream = DecisionStream.Of(application);
        var merges = await session.Events.AggregateStreamAsync<IssueMerges>(stream, token: stop);
        var result = await work(session, merges ?? new() { Id = stream });
        await transaction.CommitAsync(stop);
        return result;
    }

    private static Dictionary<int, int> IssuesIn(IssueMerges merges) =>
        merges.Former.ToDictionary(number => number, merges.IssueOf);

    private static IEnumerable<MemberDifference> Differences(
        Dictionary<int, int> stored, Dictionary<int, int> decided) =>
        from number in stored.Keys.Union(decided.Keys).Order()
        let difference = new MemberDifference(number, Find(stored, number), Find(decided, number))
        where difference.Stored != difference.Decided
        select difference;

    private static async Task<Dictionary<int, int>> ReadAsync(
        NpgsqlConnection connection, int application, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(ReadSql, connection)
        {
            Parameters = { new() { Value = TenantId.Of(application) } },
        };
        await using var rows = await command.ExecuteReaderAsync(stop);
        var found = new Dictionary<int, int>();
        while (await rows.ReadAsync(stop)) found.Add(rows.GetInt32(0), rows.GetInt32(1));
        return found;
    }

    private static int? Find(Dictionary<int, int> issues, int number) =>
        issues.TryGetValue(number, out var issue) ? issue : null;
}

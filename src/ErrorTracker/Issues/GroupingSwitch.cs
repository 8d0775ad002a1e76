using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Marten;
using Npgsql;

namespace ErrorTracker.Issues;

/// <summary>
/// Lets other rules serve, in one transaction, in which nothing is folded: their new groups get numbers, the event with
/// the whole mapping is appended, and from then on folds and readers go by them.
/// </summary>
internal sealed class GroupingSwitch(GroupingChange change, IDocumentStore store, DateTimeOffset now)
{
    private static readonly CounterTables Tables = CounterTables.Current;

    private readonly string _tenant = TenantId.Of(change.ApplicationId);

    public async Task MakeAsync(NpgsqlTransaction transaction, long folded, CancellationToken stop)
    {
        var connection = transaction.Connection!;
        await NumberAsync(connection, stop);
        var last = await LastNumberAsync(connection, stop);
        await KeepNumbersAsync(connection, change.Serving, stop);
        await KeepNumbersAsync(connection, change.Grouping, stop);
        await AppendAsync(transaction, folded, last, stop);
        await ServeAsync(connection, folded, last, stop);
    }

    /// <summary>Groups that nobody had a number for get those after the highest.</summary>
    private async Task NumberAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await connection.ExecuteAsync(
            $"""
            create temporary table renumbered on commit drop as
            select g.number as former, (
                select max(o.number) from {Tables.Groups} as o where o.tenant_id = '{_tenant}')
              + row_number() over (order by g.first_seq) as number
            from {Tables.Groups} as g
            where g.tenant_id = '{_tenant}' and g.grouping = {change.Grouping} and g.number < 0
            """, stop);
        foreach (var table in new[] { Tables.Groups, Tables.Messages, Tables.GroupCounts, AssignedNumbers.Table })
            await connection.ExecuteAsync(
                $"""
                update {table} as kept set number = r.number from renumbered as r
                where kept.tenant_id = '{_tenant}' and kept.grouping = {change.Grouping} and kept.number = r.former
                """, stop);
    }

    /// <summary>Of all groups that the application has had.</summary>
    private Task<int> LastNumberAsync(NpgsqlConnection connection, CancellationToken stop) =>
        connection.AskAsync<int>(
            $"""
            select greatest({AssignedNumbers.LastOf($"'{_tenant}'")}, (
              select max(g.number) from {Tables.Groups} as g where g.tenant_id = '{_tenant}'))
            """, stop);

    /// <summary>So that they are the same when the log is counted anew.</summary>
    private Task KeepNumbersAsync(NpgsqlConnection connection, int grouping, CancellationToken stop) =>
        connection.ExecuteAsync(
            $"""
            insert into {AssignedNumbers.Table} (tenant_id, grouping, group_key, number)
            select g.tenant_id, g.grouping, g.group_key, g.number from {Tables.Groups} as g
            where g.tenant_id = '{_tenant}' and g.grouping = {grouping}
            on conflict (tenant_id, grouping, group_key) do update set number = excluded.number
            """, stop);

    private async Task AppendAsync(NpgsqlTransaction transaction, long folded, int last, CancellationToken stop)
    {
        var groups = await MappingAsync(transaction.Connection!, stop);
        var decided = new RulesAdopted(
            change.Grouping, change.Serving, change.Rules, change.Kind == GroupingChange.Withdrawal, folded, last,
            [.. groups.Select(group => group.Key)], [.. groups.Select(group => group.Number)], change.By, now);
        var options = Marten.Services.SessionOptions.ForTransaction(transaction);
        options.TenantId = _tenant;
        await using var session = store.LightweightSession(options);
        session.Events.Append(DecisionStream.Of(change.ApplicationId), decided);
        await session.SaveChangesAsync(stop);
    }

    private async Task<List<(string Key, int Number)>> MappingAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select g.group_key, g.number from {Tables.Groups} as g
            where g.tenant_id = $1 and g.grouping = $2 order by g.number
            """, connection)
        {
            Parameters = { new() { Value = _tenant }, new() { Value = change.Grouping } },
        };
        await using var row = await command.ExecuteReaderAsync(stop);
        var groups = new List<(string, int)>();
        while (await row.ReadAsync(stop)) groups.Add((row.GetString(0), row.GetInt32(1)));
        return groups;
    }

    /// <summary>
    /// Rules that served before stay counted as far as they are, for a withdrawal; what is older goes. A rule set that
    /// serves has no row of its own: the counters' progress is its own.
    /// </summary>
    private async Task ServeAsync(NpgsqlConnection connection, long folded, int last, CancellationToken stop)
    {
        await connection.ExecuteAsync(
            $"""
            insert into {CountedGroupings.Table} (tenant_id, grouping, rules, folded, tables)
            values ('{_tenant}', {change.Serving}, coalesce(
                (select a.rules from {AdoptedRules.Table} as a where a.tenant_id = '{_tenant}'), '{"{}"}'),
              {folded}, '{Tables.Groups}'::regclass::oid::bigint)
            on conflict (tenant_id, grouping) do update
            set folded = excluded.folded, tables = excluded.tables, rules = excluded.rules
            """, stop);
        await ForgetAsync(connection, stop);
        await using var serve = new NpgsqlCommand(
            $"""
            insert into {AdoptedRules.Table} (tenant_id, grouping, label, rules, last_number, previous)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (tenant_id) do update
            set grouping = excluded.grouping, label = excluded.label, rules = excluded.rules,
              last_number = excluded.last_number, previous = excluded.previous
            """, connection)
        {
            Parameters =
            {
                new() { Value = _tenant },
                new() { Value = change.Grouping },
                new() { Value = RuleSet.LabelOf(change.Grouping) },
                new() { Value = change.Rules, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb },
                new() { Value = last },
                new() { Value = change.Serving },
            },
        };
        await serve.ExecuteNonQueryAsync(stop);
    }

    private async Task ForgetAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        var older = await connection.ListAsync<int>(
            $"""
            select c.grouping from {CountedGroupings.Table} as c
            where c.tenant_id = '{_tenant}' and c.grouping not in ({change.Serving}, {change.Grouping})
            """, stop);
        foreach (var grouping in older)
            foreach (var table in new[]
                     {
                         Tables.Groups, Tables.Messages, Tables.GroupCounts, Tables.EventKeys, CountedGroupings.Table,
                     })
                await connection.ExecuteAsync(
                    $"delete from {table} as gone where gone.tenant_id = '{_tenant}' and gone.grouping = {grouping}", stop);
    }
}

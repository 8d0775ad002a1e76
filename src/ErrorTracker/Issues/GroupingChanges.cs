using System.Data;
using System.Text.Json;
using ErrorTracker.Background;
using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Marten;
using Npgsql;

namespace ErrorTracker.Issues;

/// <summary>
/// Carries out previews, adoptions and withdrawals of rules, one after another, while the rules that serve go on
/// serving. Each step is a transaction, so one that was cut off goes on where it was, on whichever node.
/// </summary>
public sealed class GroupingChanges(
    IDocumentStore store, LogDatabases databases, AdoptedRules adopted, TimeProvider clock, ILogger<GroupingChanges> log)
    : EachSecond(log)
{
    /// <summary>Events that are read for pairs, and that are counted, in one transaction.</summary>
    private const long PairsAtOnce = 100_000, CountedAtOnce = 50_000;

    /// <summary>So many events at most are counted while the counters wait.</summary>
    private const long MostHeldUp = 5_000;

    /// <summary>A change that another node has begun, and then died, is found after so many seconds.</summary>
    private const int SecondsBetweenLooks = 10;

    /// <summary>Of advisory locks; an application's id is added.</summary>
    private const long BeginLockSpace = 0x4752_4F55_5100_0000;

    private const long LockSpace = 0x4752_4F55_5000_0000;

    private static readonly ProjectionShard Counters = ProjectionShard.Of(CountersProjection.Definition);

    private static readonly string Table = CounterTables.Current.Groups;

    private int _isAsked = 1;

    /// <summary>Begins a change, which is carried out soon.</summary>
    /// <returns>False if it would change the rules, and another change that is under way does so too.</returns>
    public async Task<bool> BeginAsync(GroupingChange change, CancellationToken stop)
    {
        await using var connection = await databases.Main.Reserved.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await using var session = store.LightweightSession(Marten.Services.SessionOptions.ForTransaction(transaction));
        if (change.Kind != GroupingChange.Preview)
        {
            await connection.ExecuteAsync($"select pg_advisory_xact_lock({BeginLockSpace + change.ApplicationId})", stop);
            if (await OpenAsync(session, change.ApplicationId, stop) is not null) return false;
        }
        session.Insert(change);
        await session.SaveChangesAsync(stop);
        await transaction.CommitAsync(stop);
        Volatile.Write(ref _isAsked, 1);
        return true;
    }

    public async Task<GroupingChange?> FindAsync(Guid id, CancellationToken stop)
    {
        await using var session = store.QuerySession();
        return await session.LoadAsync<GroupingChange>(id, stop);
    }

    /// <summary>What a preview that is done has found.</summary>
    public async Task<GroupingPreview> ResultAsync(GroupingChange preview, CancellationToken stop)
    {
        await using var session = store.QuerySession(TenantId.Of(preview.ApplicationId));
        var stream = DecisionStream.Of(preview.ApplicationId);
        var merges = await session.LoadAsync<IssueMerges>(stream, stop) ?? IssueMerges.None;
        return GroupingPreview.Of(preview.Pairs, merges);
    }

    /// <summary>The adoption or withdrawal that an application is about to see; null: none.</summary>
    public async Task<GroupingChange?> OpenAsync(int applicationId, CancellationToken stop)
    {
        await using var session = store.QuerySession();
        return await OpenAsync(session, applicationId, stop);
    }

    private static Task<GroupingChange?> OpenAsync(IQuerySession session, int applicationId, CancellationToken stop) =>
        session.Query<GroupingChange>().FirstOrDefaultAsync(
            change => change.ApplicationId == applicationId && change.Kind != GroupingChange.Preview
                && change.State != GroupingChange.Done && change.State != GroupingChange.Failed, stop);

    /// <summary>The rules that served before the present ones, as JSON; null: there are none.</summary>
    public async Task<string?> FormerRulesAsync(int applicationId, CancellationToken stop)
    {
        await using var command = databases.Of(applicationId).Reserved.CreateCommand(
            $"""
            select c.rules::text from {AdoptedRules.Table} as a
            join {CountedGroupings.Table} as c on c.tenant_id = a.tenant_id and c.grouping = a.previous
            where a.tenant_id = $1
            """);
        command.Parameters.Add(new() { Value = TenantId.Of(applicationId) });
        return (string?)await command.ExecuteScalarAsync(stop);
    }

    protected override async Task DoAsync(long second, CancellationToken stop)
    {
        var isAsked = Interlocked.Exchange(ref _isAsked, 0) == 1;
        if (!isAsked && second % SecondsBetweenLooks != 0) return;
        await using var session = store.QuerySession();
        var open = await session.Query<GroupingChange>()
            .Where(change => change.State != GroupingChange.Done && change.State != GroupingChange.Failed)
            .OrderBy(change => change.CreatedAt).Select(change => change.Id).ToListAsync(stop);
        foreach (var id in open) await TryCarryOutAsync(id, stop);
    }

    /// <summary>What fails for another reason than that the database is away has failed for good.</summary>
    private async Task TryCarryOutAsync(Guid id, CancellationToken stop)
    {
        try
        {
            await CarryOutAsync(id, _ => { }, stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested && DatabaseAway.Find(e) is null)
        {
            log.LogError(e, "The change {Change} of an application's rules failed.", id);
            if (await FindAsync(id, stop) is not { IsOpen: true } change) return;
            change.State = GroupingChange.Failed;
            change.Fault = "It could not be carried out: the log of the server tells why.";
            change.FinishedAt = Instant.Now(clock);
            await SaveAsync(change, stop);
        }
    }

    /// <summary>Carries a change out, unless another node does.</summary>
    /// <param name="id">Of the change.</param>
    /// <param name="progress">Is told after each step how far it is.</param>
    /// <param name="stop">Cuts it off.</param>
    public async Task CarryOutAsync(Guid id, Action<GroupingChange> progress, CancellationToken stop)
    {
        if (await FindAsync(id, stop) is not { } found) return;
        var turn = LockOf(found);
        await using var guard = await databases.Main.Reserved.OpenConnectionAsync(stop);
        if (!await guard.AskAsync<bool>($"select pg_try_advisory_lock({turn})", stop)) return;
        try
        {
            if (await FindAsync(id, stop) is { IsOpen: true } change) await CarryOutAsync(change, progress, stop);
        }
        finally
        {
            var unlock = $"select pg_advisory_unlock({turn})";
            if (guard.FullState == ConnectionState.Open) await guard.AskAsync<bool>(unlock, CancellationToken.None);
        }
    }

    private async Task CarryOutAsync(GroupingChange change, Action<GroupingChange> progress, CancellationToken stop)
    {
        var database = databases.Of(change.ApplicationId).Reserved;
        var sources = new KeySources(RulesOf(change).Other.Rules);
        if (change.State == GroupingChange.Waiting) await StartAsync(change, database, stop);
        while (change.State == GroupingChange.Counting)
        {
            progress(change);
            sources.Trim();
            await CountPairsAsync(change, sources, database, stop);
        }
        while (change.State == GroupingChange.Building)
        {
            progress(change);
            sources.Trim();
            await BuildAsync(change, sources, database, stop);
        }
        progress(change);
        await adopted.ReadAsync(stop);
    }

    /// <summary>
    /// What it is to count, and by which number the rules are to be known: none that an adoption has left numbers under
    /// which failed.
    /// </summary>
    private async Task StartAsync(GroupingChange change, NpgsqlDataSource database, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        var tenant = TenantId.Of(change.ApplicationId);
        change.Serving = await ServingAsync(change, database, stop);
        change.Through = await LogProgress.ReadAsync(connection, Counters.Row, stop);
        if (change.Kind == GroupingChange.Adoption)
            change.Grouping = 1 + await connection.AskAsync<int>(
                $"""
                select greatest({change.Serving},
                  (select max(c.grouping) from {CountedGroupings.Table} as c where c.tenant_id = '{tenant}'),
                  (select max(a.grouping) from {AssignedNumbers.Table} as a where a.tenant_id = '{tenant}'))
                """, stop);
        if (change.Kind == GroupingChange.Withdrawal)
            change.Grouping = await connection.AskAsync<int>(
                $"select a.previous from {AdoptedRules.Table} as a where a.tenant_id = '{tenant}'", stop);
        change.State = change.Kind == GroupingChange.Withdrawal ? GroupingChange.Building : GroupingChange.Counting;
        await SaveAsync(change, stop);
    }

    /// <summary>The grouping that serves now.</summary>
    private static async Task<int> ServingAsync(
        GroupingChange change, NpgsqlDataSource database, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        var tenant = TenantId.Of(change.ApplicationId);
        return await connection.AskAsync<int>(
            $"select coalesce((select a.grouping from {AdoptedRules.Table} as a where a.tenant_id = '{tenant}'), 0)", stop);
    }

    private async Task CountPairsAsync(
        GroupingChange change, KeySources sources, NpgsqlDataSource database, CancellationToken stop)
    {
        if (await ServingAsync(change, database, stop) != change.Serving)
        {
            // Other rules serve by now, and the groups of those before may be gone.
            (change.State, change.Counted, change.Pairs) = (GroupingChange.Waiting, 0, []);
            await StartAsync(change, database, stop);
        }
        var ceiling = Math.Min(change.Counted + PairsAtOnce, change.Through);
        if (ceiling > change.Counted)
        {
            var pairs = await Regrouping.PairsAsync(
                database, RulesOf(change), sources, change.Counted, ceiling, change.Since, change.Until, stop);
            change.Pairs = Regrouping.Add(change.Pairs, pairs);
            change.Counted = ceiling;
        }
        if (change.Counted == change.Through)
        {
            if (change.Kind == GroupingChange.Adoption) await AssignAsync(change, database, stop);
            change.State = change.Kind == GroupingChange.Adoption ? GroupingChange.Building : GroupingChange.Done;
            change.FinishedAt = change.IsOpen ? null : Instant.Now(clock);
        }
        await SaveAsync(change, stop);
    }

    /// <summary>
    /// Groups that take a number over have it from the start; the others get a negative one, which becomes the next free
    /// one when the rules come to serve: until then numbers go on being given to groups by those that serve.
    /// </summary>
    private static async Task AssignAsync(GroupingChange change, NpgsqlDataSource database, CancellationToken stop)
    {
        var heirs = Inheritance.Of(change.Pairs);
        var made = change.Pairs.GroupBy(pair => pair.Key).Where(ofKey => !heirs.ContainsKey(ofKey.Key))
            .OrderBy(ofKey => ofKey.Min(pair => pair.FirstSequence)).Select((ofKey, at) => (ofKey.Key, -1 - at));
        foreach (var (key, number) in made) heirs.Add(key, number);
        await using var connection = await database.OpenConnectionAsync(stop);
        await Regrouping.AssignAsync(connection, RulesOf(change), heirs, stop);
    }

    /// <summary>
    /// Counts the next events by the other rules; when few are left, the counters wait for a moment and the rules come to
    /// serve.
    /// </summary>
    private async Task BuildAsync(
        GroupingChange change, KeySources sources, NpgsqlDataSource database, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        var floor = await TakeCountedAsync(connection, change, stop);
        var folded = await LogProgress.ReadAsync(connection, Counters.Row, stop);
        var isLast = folded - floor <= MostHeldUp;
        if (isLast)
        {
            await connection.ExecuteAsync(LogProgress.Take(Counters.Row), stop);
            folded = await LogProgress.ReadAsync(connection, Counters.Row, stop);
        }
        var ceiling = isLast ? folded : Math.Min(floor + CountedAtOnce, folded);
        if (ceiling > floor)
            await Regrouping.CountAsync(
                connection, RulesOf(change), sources, floor, ceiling,
                pairs => ChooseAsync(connection, change, pairs, stop), stop);
        await connection.ExecuteAsync(
            $"""
            update {CountedGroupings.Table} set folded = {ceiling}
            where tenant_id = '{TenantId.Of(change.ApplicationId)}' and grouping = {change.Grouping}
            """, stop);
        if (isLast) await new GroupingSwitch(change, store, Instant.Now(clock)).MakeAsync(transaction, folded, stop);
        change.Counted = ceiling;
        if (isLast)
        {
            change.State = GroupingChange.Done;
            change.FinishedAt = Instant.Now(clock);
        }
        await using var session = store.LightweightSession(Marten.Services.SessionOptions.ForTransaction(transaction));
        session.Store(change);
        await session.SaveChangesAsync(stop);
        await transaction.CommitAsync(stop);
    }

    /// <summary>
    /// How far the log is counted by these rules, held for the transaction. Where a rebuild has put other tables in the
    /// place of those that were counted into, nothing is.
    /// </summary>
    private static async Task<long> TakeCountedAsync(
        NpgsqlConnection connection, GroupingChange change, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(
            $"""
            insert into {CountedGroupings.Table} as kept (tenant_id, grouping, rules, folded, tables)
            values ($1, $2, $3, 0, '{Table}'::regclass::oid::bigint)
            on conflict (tenant_id, grouping) do update
            set folded = case when kept.tables = excluded.tables then kept.folded else 0 end, tables = excluded.tables
            returning kept.folded
            """, connection)
        {
            Parameters =
            {
                new() { Value = TenantId.Of(change.ApplicationId) },
                new() { Value = change.Grouping },
                new() { Value = change.Rules, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb },
            },
        };
        return (long)(await command.ExecuteScalarAsync(stop))!;
    }

    /// <summary>
    /// Numbers for groups that appeared while the others were counted: those that serve have them too, mostly.
    /// </summary>
    private static async Task<Dictionary<string, int>> ChooseAsync(
        NpgsqlConnection connection, GroupingChange change, List<KeyPair> pairs, CancellationToken stop)
    {
        var given =
            $"""
            {AssignedNumbers.Table} as a
            where a.tenant_id = '{TenantId.Of(change.ApplicationId)}' and a.grouping = {change.Grouping}
            """;
        var heirs = Inheritance.Of(pairs);
        var taken = await connection.ListAsync<int>(
            $"select a.number from {given} and a.number in ({string.Join(", ", heirs.Values.Append(0))})", stop);
        var lowest = await connection.AskAsync<int>($"select coalesce(min(a.number), 0) from {given}", stop);
        var chosen = heirs.Where(heir => !taken.Contains(heir.Value)).ToDictionary();
        var next = Math.Min(lowest, 0);
        foreach (var key in pairs.OrderBy(pair => pair.FirstSequence).Select(pair => pair.Key).Distinct())
            if (!chosen.ContainsKey(key)) chosen.Add(key, --next);
        return chosen;
    }

    private async Task SaveAsync(GroupingChange change, CancellationToken stop)
    {
        await using var session = store.LightweightSession();
        session.Store(change);
        await session.SaveChangesAsync(stop);
    }

    private static OtherRules RulesOf(GroupingChange change)
    {
        using var json = JsonDocument.Parse(change.Rules);
        var rules = GroupingRules.Parse(json.RootElement, []) ?? GroupingRules.None;
        return new(change.ApplicationId, change.Serving, new(change.Grouping, rules));
    }

    /// <summary>
    /// Of the advisory lock that the node holds which carries it out: what changes an application's rules is done one
    /// after another.
    /// </summary>
    private static long LockOf(GroupingChange change) => change.Kind == GroupingChange.Preview
        ? BitConverter.ToInt64(change.Id.ToByteArray())
        : LockSpace + change.ApplicationId;
}

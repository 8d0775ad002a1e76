using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ErrorTracker.Log;
using JasperFx.Events.Projections;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// A projection as a value: what is folded from the log, into which tables, and how that is proved. A name, a version,
/// tables, a fold and a proof are enough; all else is for speed.
/// </summary>
/// <param name="Name">As users and the progress spell it; data, never changed.</param>
/// <param name="Version">
/// Raised whenever the tables would hold something else. Each version has tables of its own, so a new one is filled
/// while the old one still serves.
/// </param>
public sealed record Projection(string Name, uint Version)
{
    public required IReadOnlyList<ProjectionTable> Tables { get; init; }

    /// <summary>
    /// One SQL statement that adds the events of a range of the log to the tables. A range is folded once and in one
    /// transaction with the progress; ranges may be of any size. The statement must not read the clock, and must not
    /// fail whatever an event holds: it takes text from JSON, of bounded length where it is indexed, and casts nothing.
    /// </summary>
    public required Func<TableNames, LogRange, string> Fold { get; init; }

    /// <summary>How the tables are proved from the log.</summary>
    public required Func<TableNames, Proof> Proof { get; init; }

    /// <summary>
    /// What SQL cannot do: a step before a fold, over the same range of the log and in the same transaction. It may
    /// write to the projection's tables; a part of a rebuild has those that <see cref="GroupedFill.Beside"/> names.
    /// </summary>
    public BeforeFold? Before { get; init; }

    /// <summary>A step after a fold or a closing of open rows, in the same transaction.</summary>
    public AfterFold? After { get; init; }

    /// <summary>Null: what arrives live is folded like everything else.</summary>
    public LiveFold? Live { get; init; }

    /// <summary>Null: a rebuild folds the log range by range.</summary>
    public GroupedFill? Grouped { get; init; }

    /// <summary>What sentences about it start with, in the plural.</summary>
    public string Subject { get; init; } = $"the tables of {Name}";

    /// <summary>The number of the advisory lock that a rebuild of any version holds: 32 bits.</summary>
    public long RebuildLock { get; init; } = Hash(Name);

    /// <summary>What tells its versions apart in the names of tables.</summary>
    public string Suffix => $"v{Version}";

    /// <summary>The row of the progress that says how far the log is folded.</summary>
    public string Row => RowOf(Version);

    private static long Hash(string name) =>
        BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));

    internal string RowOf(uint version) => ShardName.Compose(Name, version: version).Identity;
}

/// <param name="connection">In the fold's transaction.</param>
/// <param name="names">Of the tables that are folded into.</param>
/// <param name="floor">The range's start, not part of it.</param>
/// <param name="ceiling">The range's end.</param>
/// <param name="stop">Cuts it off.</param>
public delegate Task BeforeFold(
    NpgsqlConnection connection, TableNames names, long floor, long ceiling, CancellationToken stop);

/// <param name="connection">In the fold's transaction.</param>
/// <param name="names">Of the tables that were folded into.</param>
/// <param name="stop">Cuts it off.</param>
public delegate Task AfterFold(NpgsqlConnection connection, TableNames names, CancellationToken stop);

/// <summary>
/// A table of a projection. It is made by <c>create table</c> and is never altered: the version changes instead.
/// </summary>
/// <param name="Name">The version is appended to it; data, never changed.</param>
/// <param name="Key">Columns of the primary key, each as name and type: <c>"tenant_id text"</c>.</param>
/// <param name="Columns">The other columns, none of them nullable.</param>
public sealed record ProjectionTable(string Name, string[] Key, params string[] Columns)
{
    /// <summary>Percent of a page that inserts fill. Rows that are updated often need room beside them.</summary>
    public int Fill { get; init; } = 100;

    public ProjectionIndex[] Indexes { get; init; } = [];
}

/// <param name="Name">What it is called after its table and version; data, never changed.</param>
/// <param name="Definition">Columns, and perhaps a condition: <c>"(tenant_id, last_seen desc)"</c>.</param>
public sealed record ProjectionIndex(string Name, string Definition)
{
    public bool IsUnique { get; init; }
}

/// <summary>
/// The names of a projection's tables, in SQL: those of one version, or those that a rebuild of it fills.
/// </summary>
public sealed record TableNames(string Suffix)
{
    public string this[string table] => $"{LogSchema.Name}.{table}_{Suffix}";
}

/// <summary>
/// The events of the log after <paramref name="Floor"/> up to <paramref name="Ceiling"/>, by sequence; both as SQL.
/// </summary>
public sealed record LogRange(string Floor, string Ceiling)
{
    /// <summary>The range is the statement's two parameters.</summary>
    public static readonly LogRange Parameters = new("$1", "$2");

    public static readonly LogRange Empty = new("0", "0");

    /// <param name="e">What the statement calls the log.</param>
    public string Holds(string e) => $"{e}.seq_id > {Floor} and {e}.seq_id <= {Ceiling}";
}

/// <summary>
/// Events that arrive live are folded into rows that stay open for a while, which are few and cheap to change. Once
/// nothing more is expected for them they are closed: moved to where <see cref="Projection.Fold"/> would have put them.
/// </summary>
/// <param name="Fold">Like the projection's own fold, into the open rows.</param>
/// <param name="IsAnyOver">A query: is there something to close?</param>
/// <param name="Close">
/// Statements that close some of what is over, in one transaction, for which a fold may have to wait.
/// </param>
public sealed record LiveFold(
    Func<TableNames, LogRange, string> Fold,
    Func<TableNames, string> IsAnyOver,
    Func<TableNames, string[]> Close);

/// <summary>
/// How a rebuild fills empty tables faster than by folding range by range: it groups ranges of the log into parts,
/// several at once, then adds the parts up and writes them in the order of the keys, before the keys exist.
/// </summary>
/// <param name="PartName">
/// What the tables of the parts are called, before version and range; data, never changed.
/// </param>
/// <param name="Beside">
/// Tables of the projection that each part has one of, for <see cref="Projection.Before"/> to fill. Their rows are
/// copied when the parts are written.
/// </param>
/// <param name="Group">A query that groups the events of a range; its answer becomes a part.</param>
/// <param name="Write">
/// Stages of statements that write the other tables from the parts: those of a stage may run at once.
/// </param>
public sealed record GroupedFill(
    string PartName,
    string[] Beside,
    Func<TableNames, LogRange, string> Group,
    Func<TableNames, IReadOnlyList<string>, string[][]> Write);

using System.Net;
using JasperFx;

namespace ErrorTracker.Configuration;

/// <summary>
/// Configuration: all that an operator can set, read and validated once, when the process starts. This room owns the
/// names of the settings, their forms and what is said about wrong ones; it may use Http. A new setting gets a property
/// and a line in <see cref="Read"/>; a name that is not read there is refused as mistyped.
/// </summary>
internal sealed record Settings
{
    public const string Section = "ErrorTracker";
    public const string ReadTokenName = "ERRORTRACKER_READ_TOKEN";
    public const string OtlpEndpointName = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private const int LongestPatience = 86_400, RegistrationsAtFirst = 60, HighestRate = 1_000_000;

    /// <summary>The PostgreSQL to use; null for a private cluster.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>For how long a start waits for a PostgreSQL that does not answer yet.</summary>
    public TimeSpan DatabasePatience { get; init; }

    /// <summary>Where the private cluster lives; null for the default.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Where <c>initdb</c> and <c>postgres</c> are; null for the highest version installed.</summary>
    public string? PostgresBin { get; init; }

    public AutoCreate AutoCreate { get; init; }

    /// <summary>Whether this node folds counters.</summary>
    public bool Projections { get; init; }

    /// <summary>
    /// Whether no other node shares the database, as none does with a private cluster: nodes need not look for each
    /// other.
    /// </summary>
    public bool SingleNode { get; init; }

    /// <summary>How many events an application may send to this node in a second; 0 for any number.</summary>
    public int EventsPerSecond { get; init; }

    /// <summary>
    /// How many inflated bytes of events an application may send to this node in a day of UTC; 0 for any number.
    /// </summary>
    public long BytesPerDay { get; init; }

    /// <summary>
    /// How many applications this node registers in a minute; 0 for any number, as where there is a read token.
    /// </summary>
    public int RegistrationsPerMinute { get; init; }

    /// <summary>What all but ingest and health requires; null if all is open.</summary>
    public string? ReadToken { get; init; }

    /// <summary>
    /// The address that clients use, without a slash at its end; null if it is the one that each request came to.
    /// </summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>Whose X-Forwarded headers are believed.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>Where metrics and traces go; null if nowhere.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <exception cref="InvalidSettingsException">With a line for each setting that cannot be used; none shows a value,
    /// which may be a secret.</exception>
    public static Settings Read(IConfiguration configuration)
    {
        var reader = new SettingsReader(configuration);
        var address = DatabaseAddress.Read(reader);
        var settings = new Settings
        {
            ConnectionString = address,
            DatabasePatience =
                TimeSpan.FromSeconds(reader.Whole($"{Section}:DatabasePatience", 60, 0, LongestPatience)),
            DataFolder = reader.Text($"{Section}:DataFolder"),
            PostgresBin = reader.Text($"{Section}:PostgresBin"),
            // All is not offered: it drops and makes anew what differs, which would drop a log.
            AutoCreate = reader.OneOf($"{Section}:AutoCreate", AutoCreate.CreateOrUpdate,
                [AutoCreate.None, AutoCreate.CreateOnly, AutoCreate.CreateOrUpdate]),
            Projections = reader.Flag($"{Section}:Projections", true),
            SingleNode = reader.Flag($"{Section}:SingleNode", otherwise: address is null),
            EventsPerSecond = (int)reader.Whole($"{Section}:EventsPerSecond", 0, 0, HighestRate),
            BytesPerDay = reader.Whole($"{Section}:BytesPerDay", 0, 0, long.MaxValue / 2),
            RegistrationsPerMinute =
                (int)reader.Whole($"{Section}:RegistrationsPerMinute", RegistrationsAtFirst, 0, HighestRate),
            ReadToken = ReadTokenOf(reader),
            PublicUrl = PublicUrls.Read(reader),
            TrustedProxies = ProxyNetworks.Read(reader),
            OtlpEndpoint = reader.Url(OtlpEndpointName),
        };
        if (settings.ReadToken is not null) settings = settings with { RegistrationsPerMinute = 0 };
        ListenAddresses.Check(reader);
        reader.RefuseUnknownNames(Section);
        return reader.Faults.Count == 0 ? settings : throw new InvalidSettingsException(reader.Faults);
    }

    /// <summary>
    /// Blanks and line ends around it are not part of it: files and commands that make secrets add them.
    /// </summary>
    private static string? ReadTokenOf(SettingsReader reader)
    {
        if (reader.Raw(ReadTokenName)?.Trim() is not { } token) return null;
        if (token.Length == 0)
            reader.Refuse(ReadTokenName, "is empty. Give it a token, or unset it, which opens everything to everybody");
        if (token.Any(char.IsControl))
            reader.Refuse(ReadTokenName, "has control characters within it, which no HTTP header can carry");
        return token;
    }
}

/// <summary>The process cannot start as it is told to: a line for each setting.</summary>
internal sealed class InvalidSettingsException(IEnumerable<string> faults) : Exception(string.Join('\n', faults));

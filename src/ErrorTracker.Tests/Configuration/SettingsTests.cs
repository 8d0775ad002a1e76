using ErrorTracker.Configuration;
using JasperFx;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace ErrorTracker.Tests.Configuration;

public sealed class SettingsTests
{
    [Fact]
    public void without_any_there_are_defaults()
    {
        var settings = Read();
        Assert.Equal(
            new Settings
            {
                DatabasePatience = TimeSpan.FromMinutes(1), AutoCreate = AutoCreate.CreateOrUpdate, Projections = true,
                SingleNode = true, RegistrationsPerMinute = 60, TrustedProxies = settings.TrustedProxies,
            },
            settings);
        Assert.Empty(settings.TrustedProxies);
    }

    [Fact]
    public void an_empty_value_is_one_that_is_not_set()
    {
        var settings = Read(
            ("ErrorTracker:DataFolder", ""),
            ("ErrorTracker:SingleNode", " "),
            ("ErrorTracker:PublicUrl", ""),
            ("ErrorTracker:Database:Password", ""),
            ("urls", ""),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", ""));
        Assert.Equal(Read() with { TrustedProxies = [] }, settings with { TrustedProxies = [] });
    }

    [Theory]
    [InlineData(
        "ErrorTracker:DatabasePatience", "soon",
        "ErrorTracker__DatabasePatience must be a whole number from 0 to 86400.")]
    [InlineData(
        "ErrorTracker:DatabasePatience", "-1",
        "ErrorTracker__DatabasePatience must be a whole number from 0 to 86400.")]
    [InlineData(
        "ErrorTracker:EventsPerSecond", "-1",
        "ErrorTracker__EventsPerSecond must be a whole number from 0 to 1000000.")]
    [InlineData(
        "ErrorTracker:BytesPerDay", "1 GB",
        "ErrorTracker__BytesPerDay must be a whole number from 0 to 4611686018427387903.")]
    [InlineData(
        "ErrorTracker:RegistrationsPerMinute", "many",
        "ErrorTracker__RegistrationsPerMinute must be a whole number from 0 to 1000000.")]
    [InlineData(
        "ErrorTracker:AutoCreate", "All",
        "ErrorTracker__AutoCreate must be one of None, CreateOnly, CreateOrUpdate.")]
    [InlineData(
        "ErrorTracker:AutoCreate", "7",
        "ErrorTracker__AutoCreate must be one of None, CreateOnly, CreateOrUpdate.")]
    [InlineData("ErrorTracker:Projections", "no", "ErrorTracker__Projections must be true or false.")]
    [InlineData("ErrorTracker:SingleNode", "1", "ErrorTracker__SingleNode must be true or false.")]
    [InlineData(
        "urls", "localhost:8000",
        "urls must be addresses such as http://localhost:8000, without a path, separated by semicolons.")]
    [InlineData(
        "urls", "http://localhost:8000/errors",
        "urls must be addresses such as http://localhost:8000, without a path, separated by semicolons.")]
    [InlineData(
        "urls", "http://localhost:80000",
        "urls must be addresses such as http://localhost:8000, without a path, separated by semicolons.")]
    [InlineData(
        "urls", "ftp://localhost",
        "urls must be addresses such as http://localhost:8000, without a path, separated by semicolons.")]
    [InlineData("http_ports", "8000;x", "http_ports must be ports, separated by semicolons.")]
    [InlineData(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317",
        "OTEL_EXPORTER_OTLP_ENDPOINT must be a URL that starts with http:// or https://.")]
    [InlineData(
        "ERRORTRACKER_READ_TOKEN", "",
        "ERRORTRACKER_READ_TOKEN is empty. Give it a token, or unset it, which opens everything to everybody.")]
    [InlineData(
        "ERRORTRACKER_READ_TOKEN", " \r\n",
        "ERRORTRACKER_READ_TOKEN is empty. Give it a token, or unset it, which opens everything to everybody.")]
    [InlineData(
        "ErrorTracker:Database:Password", "secret\0",
        "ErrorTracker__Database__Password has a null character in it.")]
    [InlineData(
        "ERRORTRACKER_READ_TOKEN", "a\nb",
        "ERRORTRACKER_READ_TOKEN has control characters within it, which no HTTP header can carry.")]
    [InlineData(
        "ErrorTracker:DataFoldr", "/tmp/secret",
        "ErrorTracker__DataFoldr is not a setting. These are: ErrorTracker__AutoCreate, ")]
    [InlineData(
        "ErrorTracker:Database:Pasword", "secret",
        "ErrorTracker__Database__Pasword is not a setting. These are: ")]
    [InlineData(
        "ErrorTracker_DataFolder", "/tmp/secret",
        "ErrorTracker_DataFolder is not a setting; ErrorTracker__DataFolder is.")]
    [InlineData(
        "ERRORTRACKER_PUBLIC_URL", "secret",
        "ERRORTRACKER_PUBLIC_URL is not a setting; ErrorTracker__PublicUrl is.")]
    [InlineData("ERRORTRACKER_TOKEN", "secret", "ERRORTRACKER_TOKEN is not a setting; ERRORTRACKER_READ_TOKEN is.")]
    [InlineData(
        "ERRORTRACKER_READ_TOKN", "secret",
        "ERRORTRACKER_READ_TOKN is not a setting; ERRORTRACKER_READ_TOKEN is.")]
    [InlineData(
        "ERROR_TRACKER_READ_TOKEN", "secret",
        "ERROR_TRACKER_READ_TOKEN is not a setting; ERRORTRACKER_READ_TOKEN is.")]
    [InlineData(
        "ErorTracker:DataFolder", "secret",
        "ErorTracker__DataFolder is not a setting; ErrorTracker__DataFolder is.")]
    [InlineData(
        "ConnectionString:ErrorTracker", "secret",
        "ConnectionString__ErrorTracker is not a setting; ConnectionStrings__ErrorTracker is.")]
    [InlineData(
        "ConnectionStrings:ErrorTraker", "secret",
        "ConnectionStrings__ErrorTraker is not a setting; ConnectionStrings__ErrorTracker is.")]
    [InlineData(
        "CONNECTIONSTRINGS_ERRORTRACKER", "secret",
        "CONNECTIONSTRINGS_ERRORTRACKER is not a setting; ConnectionStrings__ErrorTracker is.")]
    [InlineData(
        "ErrorTracker:Database:Password", "secret",
        "ErrorTracker__Database__Host is missing, while other parts of ErrorTracker__Database are set.")]
    public void what_cannot_be_used_is_one_line_without_its_value(string key, string value, string line)
    {
        var said = Assert.Throws<InvalidSettingsException>(() => Read((key, value))).Message;
        Assert.StartsWith(line, said);
        Assert.DoesNotContain('\n', said);
        Assert.DoesNotContain("secret", said);
    }

    [Fact]
    public void each_setting_that_is_wrong_has_a_line_of_its_own() =>
        Assert.Equal(
            2,
            Assert.Throws<InvalidSettingsException>(() =>
                Read(("ErrorTracker:Projections", "no"), ("ErrorTracker:SingleNode", "no")))
                .Message.Split('\n').Length);

    /// <summary>Kubernetes gives them to containers beside a service of this name.</summary>
    [Fact]
    public void other_variables_that_begin_like_ours_are_left_alone() =>
        Read(
            ("ERRORTRACKER_SERVICE_HOST", "10.0.0.1"),
            ("ERRORTRACKER_PORT_8000_TCP_ADDR", "10.0.0.1"),
            ("ERRORTRACKER_TEST_BROWSER", "chromium"),
            ("ConnectionStrings:Other", "x"));

    [Theory]
    [InlineData("secret-token\n")]
    [InlineData("  secret-token\r\n")]
    [InlineData("secret-token")]
    public void blanks_around_the_read_token_are_no_part_of_it(string set) =>
        Assert.Equal("secret-token", Read(("ERRORTRACKER_READ_TOKEN", set)).ReadToken);

    [Theory]
    [InlineData("https://errors.example.org", "https://errors.example.org/")]
    [InlineData(" https://errors.example.org:443/errors/ ", "https://errors.example.org/errors")]
    [InlineData("http://10.0.0.1:8080/a/b", "http://10.0.0.1:8080/a/b")]
    [InlineData("https://[fd00::1]/errors", "https://[fd00::1]/errors")]
    [InlineData("https://bücher.example/", "https://xn--bcher-kva.example/")]
    public void a_public_address_is_kept_without_the_slash_at_its_end(string set, string kept) =>
        Assert.Equal(kept, Read(("ErrorTracker:PublicUrl", set)).PublicUrl!.AbsoluteUri);

    [Theory]
    [InlineData("errors.example.org")]
    [InlineData("//errors.example.org")]
    [InlineData("ftp://errors.example.org")]
    [InlineData("https://user:secret@errors.example.org")]
    [InlineData("https://errors.example.org?secret")]
    [InlineData("https://errors.example.org/#secret")]
    [InlineData("https://errors.example.org//errors")]
    [InlineData("https://errors.example.org/apps/")]
    [InlineData("https://")]
    public void what_is_no_public_address_is_refused(string set)
    {
        var said = Assert.Throws<InvalidSettingsException>(() => Read(("ErrorTracker:PublicUrl", set))).Message;
        Assert.StartsWith("ErrorTracker__PublicUrl must ", said);
        Assert.DoesNotContain("secret", said);
    }

    [Fact]
    public void trusted_proxies_are_addresses_and_networks() =>
        Assert.Equal(
            ["127.0.0.1/32", "10.0.0.0/8", "::1/128", "fd00::/8"],
            Read(("ErrorTracker:TrustedProxies", "127.0.0.1, 10.0.0.0/8,::1 fd00::/8,"))
                .TrustedProxies.Select(network => network.ToString()));

    [Theory]
    [InlineData("10.1")]
    [InlineData("localhost")]
    [InlineData("10.0.0.0/33")]
    [InlineData("*")]
    [InlineData("127.0.0.1;10.0.0.1")]
    public void what_is_no_address_or_network_is_refused(string set) =>
        Assert.StartsWith(
            "ErrorTracker__TrustedProxies must be IP addresses or networks",
            Assert.Throws<InvalidSettingsException>(() => Read(("ErrorTracker:TrustedProxies", set))).Message);

    [Theory]
    [InlineData("http://localhost:8000", false)]
    [InlineData("http://127.0.0.1:8000", false)]
    [InlineData("http://127.1.2.3:8000", false)]
    [InlineData("http://[::1]:8000", false)]
    [InlineData("http://unix:/run/errortracker.sock", false)]
    [InlineData("http://0.0.0.0:8000", true)]
    [InlineData("http://[::]:8000", true)]
    [InlineData("http://*:8000", true)]
    [InlineData("https://10.0.0.1:8000", true)]
    [InlineData("http://errors.example.org:8000", true)]
    public void addresses_that_other_machines_reach_are_known(string url, bool open) =>
        Assert.Equal(open, ListenAddresses.IsOpen(url));

    internal static Settings Read(params (string Key, string Value)[] settings) =>
        Settings.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(s => s.Key, string? (s) => s.Value)).Build());

    internal static NpgsqlConnectionStringBuilder Database(params (string Key, string Value)[] settings) =>
        new(Read(settings).ConnectionString);
}

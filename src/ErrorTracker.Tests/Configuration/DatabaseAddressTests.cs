using ErrorTracker.Configuration;
using FsCheck.Xunit;
using Npgsql;

namespace ErrorTracker.Tests.Configuration;

/// <summary>Whatever is in a password: it is understood, or refused in one line that shows no part of it.</summary>
public sealed class DatabaseAddressTests
{
    private const string Key = "ConnectionStrings:ErrorTracker";

    [Fact]
    public void a_connection_string_is_taken_as_it_is() =>
        Assert.Equal(
            ("h", 5, "u", "a;b'c\"", "d", 7),
            Of(SettingsTests.Database(
                (Key, "Host=h;Port=5;Username=u;Password=\"a;b'c\"\"\";Database=d;Maximum Pool Size=7"))));

    [Theory]
    [InlineData("s3;cr3t")]
    [InlineData("'s3cr3t")]
    [InlineData("\"s3cr3t")]
    [InlineData("s3;cr3t=x")]
    [InlineData("s3;Port=cr3t")]
    public void a_password_that_is_not_quoted_is_refused_and_not_shown(string password)
    {
        var refusal = Assert.Throws<InvalidSettingsException>(() =>
            SettingsTests.Database((Key, $"Host=h;Username=u;Password={password};Database=d")));
        var said = refusal.Message;
        Assert.StartsWith("ConnectionStrings__ErrorTracker is not a connection string that can be read. ", said);
        AssertNothingShown(said);
    }

    [Theory]
    [InlineData("Username=u;Password=s3cr3t")]
    [InlineData("s3cr3t")]
    [InlineData("Host=h;Minimum Pool Size=9;Maximum Pool Size=1;Password=s3cr3t")]
    [InlineData("Host=h;Pasword=s3cr3t")]
    [InlineData("mysql://u:s3cr3t@h/d")]
    [InlineData("postgresql://u:s3cr3t@h:port/d")]
    [InlineData("postgresql://u:s3cr3t@h:99999/d")]
    [InlineData("postgresql://u:s3/cr3t@h/d")]
    [InlineData("postgresql://u:12/s3cr3t@h/d")]
    [InlineData("postgresql://u:s3?cr3t@h/d")]
    [InlineData("postgresql://u:s3#cr3t@h/d")]
    [InlineData("postgresql://u:s3cr3t%@h/d")]
    [InlineData("postgresql://u:s3cr3t@/d")]
    [InlineData("postgresql://u:s3cr3t@h/d/e")]
    [InlineData("postgresql://u:s3cr3t@h/d?sslmode=perhaps")]
    [InlineData("postgresql://u:s3cr3t@h/d?unknown=1")]
    [InlineData("postgresql://u:s3cr3t@[::1/d")]
    public void what_cannot_be_used_is_one_line_that_shows_nothing_of_it(string set)
    {
        var said = Assert.Throws<InvalidSettingsException>(() => SettingsTests.Read((Key, set))).Message;
        Assert.StartsWith("ConnectionStrings__ErrorTracker ", said);
        AssertNothingShown(said);
    }

    [Theory]
    [InlineData("postgresql://u:p%40w@h:5433/d", "h", 5433, "u", "p@w", "d")]
    [InlineData("postgres://u:p%3Bw@h/d", "h", 5432, "u", "p;w", "d")]
    [InlineData("POSTGRESQL://u@h", "h", 5432, "u", null, null)]
    [InlineData("postgresql://u:p@w@h/d", "h", 5432, "u", "p@w", "d")]
    [InlineData("postgresql://u:a:b+c%25@h/my%20db", "h", 5432, "u", "a:b+c%", "my db")]
    [InlineData("postgresql://h/d?user=u&password=p%26w", "h", 5432, "u", "p&w", "d")]
    [InlineData("postgresql://u:p@[::1]:5433/d", "::1", 5433, "u", "p", "d")]
    [InlineData("postgresql://u:p@a:1,b:2/d", "a:1,b:2", 2, "u", "p", "d")]
    [InlineData("postgresql://u:p@%2Frun%2Fpostgresql/d", "/run/postgresql", 5432, "u", "p", "d")]
    [InlineData("postgresql://u@/d?host=/run/postgresql", "/run/postgresql", 5432, "u", null, "d")]
    [InlineData("postgresql://u:@h:/d", "h", 5432, "u", null, "d")]
    public void a_url_is_read_as_libpq_does(
        string url, string host, int port, string user, string? password, string? database)
    {
        var read = SettingsTests.Database((Key, url));
        Assert.Equal(
            (host, port, user, password, database),
            (read.Host, read.Port, read.Username, read.Password, read.Database));
    }

    [Fact]
    public void parameters_of_a_url_are_those_of_libpq_and_of_npgsql()
    {
        const string url = "postgresql://u:p@h/d?sslmode=verify-full&sslrootcert=/ca.pem&application_name=mine"
            + "&connect_timeout=7&Maximum%20Pool%20Size=9&options=-c%20search_path%3Dx";
        var read = SettingsTests.Database((Key, url));
        Assert.Equal((SslMode.VerifyFull, "/ca.pem", "mine", 7, 9, "-c search_path=x"),
            (read.SslMode, read.RootCertificate, read.ApplicationName, read.Timeout, read.MaxPoolSize, read.Options));
        foreach (var (mode, meant) in new[]
        {
            ("disable", SslMode.Disable), ("allow", SslMode.Allow), ("prefer", SslMode.Prefer),
            ("require", SslMode.Require), ("verify-ca", SslMode.VerifyCA),
        })
            Assert.Equal(meant, SettingsTests.Database((Key, $"postgresql://u:p@h/d?sslmode={mode}")).SslMode);
    }

    [Property]
    public void parts_take_any_text(string? username, string? password)
    {
        (username, password) = (username?.Replace("\0", ""), password?.Replace("\0", ""));
        var read = SettingsTests.Database(
            ("ErrorTracker:Database:Host", "h"),
            ("ErrorTracker:Database:Port", "5433"),
            ("ErrorTracker:Database:Name", "a;b"),
            ("ErrorTracker:Database:Username", "u;" + username + "'"),
            ("ErrorTracker:Database:Password", " " + password + " "));
        Assert.Equal(
            ("h", 5433, "u;" + username + "'", " " + password + " ", "a;b"),
            (read.Host, read.Port, read.Username, read.Password, read.Database));
    }

    [Property]
    public void a_url_takes_any_text_that_is_percent_encoded(string? password)
    {
        var wellFormed = new string([.. (password ?? "").Where(c => c != '\0' && !char.IsSurrogate(c))]);
        Assert.Equal(
            wellFormed.Length == 0 ? null : wellFormed,
            SettingsTests.Database((Key, $"postgresql://u:{Uri.EscapeDataString(wellFormed)}@h/d")).Password);
    }

    [Fact]
    public void a_connection_string_and_parts_at_once_are_refused() =>
        Assert.Equal("ConnectionStrings__ErrorTracker is set beside ErrorTracker__Database__Host: set one of both.",
            Assert.Throws<InvalidSettingsException>(() =>
                SettingsTests.Read((Key, "Host=h"), ("ErrorTracker:Database:Host", "h"))).Message);

    private static (string?, int, string?, string?, string?, int) Of(NpgsqlConnectionStringBuilder read) =>
        (read.Host, read.Port, read.Username, read.Password, read.Database, read.MaxPoolSize);

    private static void AssertNothingShown(string said)
    {
        Assert.DoesNotContain('\n', said);
        foreach (var part in new[] { "s3", "cr3t", "unknown", "perhaps" }) Assert.DoesNotContain(part, said);
    }
}

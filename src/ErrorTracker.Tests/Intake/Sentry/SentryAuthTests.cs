using ErrorTracker.Intake.Sentry;
using Microsoft.AspNetCore.Http;

namespace ErrorTracker.Tests.Intake.Sentry;

public sealed class SentryAuthTests
{
    [Theory]
    [InlineData("Sentry sentry_version=7, sentry_client=raven/1.0, sentry_timestamp=1, sentry_key=k, sentry_secret=s", "", "", "k")]
    [InlineData("sentry sentry_key=k,sentry_version=7", "", "", "k")]
    [InlineData("sentry_key=k", "", "", "k")]
    [InlineData("", "Sentry sentry_key=k", "", "k")]
    [InlineData("", "Bearer sentry_key=k", "")]
    [InlineData("", "", "?sentry_key=k&sentry_version=7", "k")]
    [InlineData("Sentry sentry_key=a", "Sentry sentry_key=b", "?sentry_key=c&sentry_key=d", "a", "b", "c", "d")]
    [InlineData("Sentry sentry_key=", "Sentry", "?sentry_key=")]
    [InlineData("Sentry =, ,=,sentry_key", "Sentry \u00ff", "?sentry_keys=k")]
    public void keys_are_found_wherever_sdks_show_them(string header, string authorization, string query, params string[] keys)
    {
        var request = new DefaultHttpContext().Request;
        if (header.Length > 0) request.Headers[SentryAuth.Header] = header;
        if (authorization.Length > 0) request.Headers.Authorization = authorization;
        request.QueryString = new(query);
        Assert.Equal(keys, SentryAuth.KeysOf(request));
    }

    [Theory]
    [InlineData("http://k@host:8000/1", "k", 1)]
    [InlineData("https://k:secret@host/deep/path/42/", "k", 42)]
    [InlineData("http://k@[::1]:8000/1", "k", 1)]
    public void a_dsn_names_a_key_and_an_application(string dsn, string key, int application) =>
        Assert.Equal((key, application), SentryAuth.OfDsn(dsn));

    [Theory]
    [InlineData("")]
    [InlineData("http://host/1")]
    [InlineData("http://k@host/")]
    [InlineData("http://k@host/x")]
    [InlineData("k@host/1")]
    [InlineData("\0://\ud800")]
    public void what_is_no_dsn_names_nothing(string dsn) => Assert.Null(SentryAuth.OfDsn(dsn));
}

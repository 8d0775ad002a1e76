using Microsoft.AspNetCore.Connections;
using Npgsql;

namespace ErrorTracker.Configuration;

/// <summary>The host cannot start; the message tells whoever runs it what to do.</summary>
internal sealed class StartupException(string message) : Exception(message)
{
    /// <summary>The known reasons why a host cannot start, each in one line; null for what nobody foresaw.</summary>
    public static string? Explain(Exception reason) => reason switch
    {
        InvalidSettingsException => reason.Message,
        _ => ReasonOf(reason)?.ReplaceLineEndings(" "),
    };

    private static string? ReasonOf(Exception reason) => reason switch
    {
        StartupException => reason.Message,
        InvalidDataException { InnerException: not null } =>
            $"A file of settings cannot be read: {reason.Message} {reason.InnerException.Message}",
        PostgresException e => $"PostgreSQL refuses: {e.MessageText}",
        NpgsqlException => $"PostgreSQL does not answer: {reason.Message}",
        { Source: Server, InnerException: null or AddressInUseException } => reason.Message,
        { Source: Server, InnerException: { } cause } => $"{reason.Message} {cause.Message}",
        InvalidOperationException { Source: { } source }
            when source.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal) =>
            $"The configuration cannot be used: {reason.Message}",
        { InnerException: { } inner } => ReasonOf(inner),
        _ => null,
    };

    /// <summary>
    /// What keeps the web server from listening: a port that is taken, a certificate that is missing.
    /// </summary>
    private const string Server = "Microsoft.AspNetCore.Server.Kestrel.Core";
}

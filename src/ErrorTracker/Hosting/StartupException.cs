using Microsoft.AspNetCore.Connections;
using Npgsql;

namespace ErrorTracker.Hosting;

/// <summary>The host cannot start; the message tells whoever runs it what to do.</summary>
internal sealed class StartupException(string message) : Exception(message)
{
    /// <summary>The known reasons why a host cannot start, each in one line; null for what nobody foresaw.</summary>
    public static string? Explain(Exception reason) => reason switch
    {
        StartupException => reason.Message,
        IOException { InnerException: AddressInUseException } => reason.Message,
        PostgresException e => $"PostgreSQL refuses: {e.MessageText}",
        NpgsqlException => $"PostgreSQL does not answer: {reason.Message}",
        { InnerException: { } inner } => Explain(inner),
        _ => null,
    };
}

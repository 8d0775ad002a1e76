using System.Globalization;
using ErrorTracker.Applications;
using ErrorTracker.Ingestion;

namespace ErrorTracker.Hosting;

/// <summary>The limits that an operator sets; 0 is no limit.</summary>
internal static class LimitSettings
{
    private const int RegistrationsPerMinute = 60, Most = 1_000_000;

    public static void AddLimits(this WebApplicationBuilder builder)
    {
        var events = (int)Read(builder.Configuration, "EventsPerSecond", otherwise: 0, Most);
        var bytes = Read(builder.Configuration, "BytesPerDay", otherwise: 0, long.MaxValue / 2);
        var registrations = (int)Read(builder.Configuration, "RegistrationsPerMinute", RegistrationsPerMinute, Most);
        if (!string.IsNullOrEmpty(builder.Configuration[ReadToken.Setting])) registrations = 0;
        builder.Services.AddSingleton(services => new IngestLimits(events, bytes, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(services => new RegistrationLimit(registrations, services.GetRequiredService<TimeProvider>()));
    }

    private static long Read(IConfiguration configuration, string name, long otherwise, long most)
    {
        if (configuration[$"ErrorTracker:{name}"] is not { } text || string.IsNullOrWhiteSpace(text)) return otherwise;
        if (long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= most) return value;
        var highest = most.ToString("N0", CultureInfo.InvariantCulture);
        throw new StartupException($"ErrorTracker__{name} must be a whole number from 0, which is no limit, to {highest}.");
    }
}

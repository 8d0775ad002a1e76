using ErrorTracker.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace ErrorTracker.Hosting;

/// <summary>
/// Who may ask for what, by ASP.NET's schemes and policies. Where a read token is set, <see cref="Readers"/> is the
/// policy of every request, of unknown paths too, but of endpoints whose metadata says <see cref="IAllowAnonymous"/>:
/// ingest, health and the root. Where none is set all is open, for networks that are trusted.
/// </summary>
/// <remarks>
/// The ingest key is no scheme here: the intake looks at it, as one of its steps. Which of 400, 401, 403 and 415 comes
/// first, and for whom a refusal is counted, is part of its contract. The documentation declares it as a scheme.
/// </remarks>
internal static class Access
{
    private const string NoDefaultScheme = "Microsoft.AspNetCore.Authentication.SuppressAutoDefaultScheme";

    private static readonly AuthorizationPolicy Readers =
        new AuthorizationPolicyBuilder(ReadTokenHandler.Scheme).RequireAuthenticatedUser().Build();

    public static void AddAccess(this WebApplicationBuilder builder)
    {
        AppContext.SetSwitch(NoDefaultScheme, true); // policies name their schemes: where none asks, nothing runs
        builder.Services.AddSingleton<ReadToken>();
        builder.Services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, ReadTokenHandler>(ReadTokenHandler.Scheme, configureOptions: null);
        builder.Services.AddAuthorization();
        builder.Services.AddOptions<AuthorizationOptions>().Configure<Settings>((options, settings) =>
            options.FallbackPolicy = settings.ReadToken is null ? null : Readers);

        // A line for each refused request: RefusalLog has one for many.
        builder.Logging.AddFilter(typeof(ReadTokenHandler).FullName, LogLevel.Warning);
    }
}

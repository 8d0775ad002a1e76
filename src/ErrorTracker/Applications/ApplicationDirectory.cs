using System.Collections.Concurrent;
using System.Globalization;
using ErrorTracker.Http;
using Marten;
using Microsoft.AspNetCore.Mvc;

namespace ErrorTracker.Applications;

/// <summary>Looks applications up by id. They never change once registered, so what was found once is kept.</summary>
public sealed class ApplicationDirectory(IDocumentStore store) : IDisposable
{
    /// <summary>Of those that are not known yet; their connections are the ones that must never all be taken.</summary>
    private const int LookUpsAtOnce = 2;

    private readonly ConcurrentDictionary<int, Application> _known = new();
    private readonly SemaphoreSlim _lookUps = new(LookUpsAtOnce);

    public async ValueTask<Application?> FindAsync(int id, CancellationToken stop)
    {
        if (_known.TryGetValue(id, out var known)) return known;
        await _lookUps.WaitAsync(stop);
        try
        {
            await using var session = store.QuerySession();
            var found = await session.LoadAsync<Application>(id, stop);
            return found is null ? null : _known.GetOrAdd(id, found);
        }
        finally
        {
            _lookUps.Release();
        }
    }

    /// <summary>
    /// The application that a path names, or what is wrong: 400 for what is no id, 404 for an unknown one. For
    /// <c>LoadAsync</c> of endpoints.
    /// </summary>
    public async Task<(Application? Application, ProblemDetails Problem)> LoadAsync(string id, CancellationToken stop)
    {
        if (!TryParseId(id, out var parsed)) return (null, Problem.Invalid(Number.ApplicationId, Number.ExpectedId));
        var application = await FindAsync(parsed, stop);
        return (application, application is null ? Problem.NotFound("There is no such application.") : Problem.None);
    }

    public void Dispose() => _lookUps.Dispose();

    /// <summary>
    /// A positive integer in plain digits, as paths carry it. One that is larger than ids can be is nobody's:
    /// int.MaxValue.
    /// </summary>
    public static bool TryParseId(string text, out int id)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id)) id = int.MaxValue;
        return Number.IsId(text);
    }
}

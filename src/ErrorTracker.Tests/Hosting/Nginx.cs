using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using ErrorTracker.Postgres;

namespace ErrorTracker.Tests.Hosting;

/// <summary>
/// nginx from the distribution, unprivileged, in a folder and on a port of its own, with the configuration that
/// docs/proxy.md shows.
/// </summary>
public sealed partial class Nginx : IAsyncDisposable
{
    private static readonly string? Program =
        new[] { "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx" }.FirstOrDefault(File.Exists);

    private readonly string _folder =
        Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);

    private readonly int _port = FreePort();
    private Process? _process;

    private Nginx() =>
        Http = new(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true });

    /// <summary>Why it cannot be had; null if it can.</summary>
    public static string? Missing => Program is null ? "Not tested through nginx: there is none." : null;

    public Uri Address => new($"https://127.0.0.1:{_port}/errors/");

    public HttpClient Http { get; }

    public static async Task<Nginx> StartAsync(Uri behind)
    {
        var nginx = new Nginx();
        Directory.CreateDirectory(nginx._folder);
        await nginx.ConfigureAsync(behind);
        if (Environment.IsPrivilegedProcess)
            await PostgresPrograms.RunAsync(
                "chown", ["-R", "nobody", nginx._folder], asPostgres: false, CancellationToken.None);
        var start = new ProcessStartInfo(Program!, ["-p", nginx._folder, "-c", "nginx.conf", "-e", "stderr"])
        {
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        if (Environment.IsPrivilegedProcess) start.UserName = "nobody";
        nginx._process = Process.Start(start)!;
        var errors = nginx._process.StandardError.ReadToEndAsync();
        await Eventually.Async(async () =>
        {
            Assert.False(nginx._process.HasExited, nginx._process.HasExited ? await errors : "");
            try
            {
                return (await nginx.Http.GetAsync(new Uri(nginx.Address, "health/live"))).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "nginx answers");
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_process is not null)
        {
            _ = HostProcess.Signal(_process.Id, HostProcess.Terminate); // it may have ended by itself
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private async Task ConfigureAsync(Uri behind)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=errors.example.org", key, HashAlgorithmName.SHA256);
        using var certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(_folder, "certificate.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(_folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());

        var document = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "proxy.md"));
        var server = Server().Match(document).Groups[1].Value
            .Replace("listen 443 ssl", $"listen 127.0.0.1:{_port} ssl")
            .Replace("http://127.0.0.1:8000/", behind.ToString())
            .Replace("/etc/ssl/errors.example.org.pem", $"{_folder}/certificate.pem")
            .Replace("/etc/ssl/errors.example.org.key", $"{_folder}/key.pem");
        await File.WriteAllTextAsync(Path.Combine(_folder, "nginx.conf"),
            $$"""
            daemon off;
            pid {{_folder}}/nginx.pid;
            events {}
            http {
                access_log off;
                client_body_temp_path {{_folder}}/body;
                proxy_temp_path {{_folder}}/proxy;
                fastcgi_temp_path {{_folder}}/fastcgi;
                uwsgi_temp_path {{_folder}}/uwsgi;
                scgi_temp_path {{_folder}}/scgi;
                {{server}}
            }
            """);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [GeneratedRegex("```nginx\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Server();
}

/// <summary>A test that needs nginx. Where it cannot be had the test is left out, and says so; in CI it fails.</summary>
public sealed class NginxFactAttribute : FactAttribute
{
    public NginxFactAttribute()
    {
        if (Nginx.Missing is not null && Environment.GetEnvironmentVariable("CI") is null) Skip = Nginx.Missing;
    }
}

using System.Runtime.Versioning;
using System.Text;

namespace ErrorTracker.Postgres;

/// <summary>
/// What a private PostgreSQL writes: a file that only its owner can read, as statements that fail hold data. At most
/// three files of 10 MiB are kept: the one that is written and <c>.1</c> and <c>.2</c>, the older ones.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class ServerLog : IDisposable
{
    private const int Files = 3, LongestReason = 500;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _turn = new();
    private readonly string _path;
    private readonly long _largest;
    private FileStream? _file;
    private long _unwritten;
    private string? _reason;

    /// <param name="path">Of the newest file.</param>
    /// <param name="largest">Bytes of a file.</param>
    public ServerLog(string path, long largest = 10 << 20)
    {
        (_path, _largest) = (path, largest);
        _file = Open();
    }

    /// <summary>What the server said last of why it cannot go on; null if it did not.</summary>
    public string? Reason
    {
        get { lock (_turn) return _reason; }
    }

    public void Write(string line)
    {
        lock (_turn)
        {
            _reason = ReasonIn(line) ?? _reason;
            try
            {
                Append(line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _unwritten++; // the disk is full, or so: the next line that can be written says so
            }
        }
    }

    public void Dispose()
    {
        lock (_turn) _file?.Dispose();
    }

    private static string? ReasonIn(string line)
    {
        var at = Math.Max(
            line.IndexOf("FATAL:", StringComparison.Ordinal), line.IndexOf("PANIC:", StringComparison.Ordinal));
        return at < 0 ? null : line.Substring(at, Math.Min(line.Length - at, LongestReason));
    }

    private void Append(string line)
    {
        if (_unwritten > 0) line = $"ErrorTracker could not write {_unwritten} lines here.\n{line}";
        var bytes = Encoding.UTF8.GetBytes(line + '\n');
        if (_file is { } full && full.Length > 0 && full.Length + bytes.Length > _largest) Rotate();
        _file ??= Open();
        _file.Write(bytes);
        _unwritten = 0;
    }

    private void Rotate()
    {
        _file?.Dispose();
        _file = null;
        for (var age = Files - 1; age > 0; age--)
            if (File.Exists(NameOf(age - 1))) File.Move(NameOf(age - 1), NameOf(age), overwrite: true);
    }

    private string NameOf(int age) => age == 0 ? _path : $"{_path}.{age}";

    /// <summary>Without a buffer. One that was made with another mode gets this one.</summary>
    private FileStream Open()
    {
        var file = new FileStream(_path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = OwnerOnly,
        });
        File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly);
        return file;
    }
}

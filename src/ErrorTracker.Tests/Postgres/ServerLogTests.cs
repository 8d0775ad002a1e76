using ErrorTracker.Postgres;

namespace ErrorTracker.Tests.Postgres;

public sealed class ServerLogTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("errortracker-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Newest => Path.Combine(_folder, "postgres.log");

    [Fact]
    public void it_keeps_the_newest_lines_whole_in_three_bounded_files_that_only_their_owner_can_read()
    {
        var lines = Enumerable.Range(0, 1_000).Select(i => $"line {i} é").ToList();
        using (var log = new ServerLog(Newest, largest: 1_000))
            foreach (var line in lines) log.Write(line);

        string[] files = [Newest + ".2", Newest + ".1", Newest];
        Assert.Equal(files.Order(), Directory.GetFiles(_folder).Order());
        Assert.All(files, file => Assert.InRange(new FileInfo(file).Length, 1, 1_000));
        Assert.All(files, file => Assert.Equal(OwnerOnly, File.GetUnixFileMode(file)));
        var kept = files.SelectMany(File.ReadAllLines).ToList();
        Assert.Equal(lines[^kept.Count..], kept);
        Assert.True(kept.Count > 100);
    }

    [Fact]
    public void one_that_others_could_read_is_closed_to_them_and_gone_on_with()
    {
        File.WriteAllText(Newest, "before\n");
        File.SetUnixFileMode(Newest, File.GetUnixFileMode(Newest) | UnixFileMode.OtherRead);
        using (var log = new ServerLog(Newest)) log.Write("after");
        Assert.Equal(["before", "after"], File.ReadAllLines(Newest));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Newest));
    }

    [Fact]
    public void it_knows_what_the_server_said_last_of_why_it_cannot_go_on()
    {
        using var log = new ServerLog(Newest);
        Assert.Null(log.Reason);
        log.Write("2026-01-31 12:00:00.000 UTC [7] FATAL:  could not write lock file");
        log.Write("2026-01-31 12:00:00.000 UTC [7] LOG:  database system is shut down");
        Assert.Equal("FATAL:  could not write lock file", log.Reason);
    }
}

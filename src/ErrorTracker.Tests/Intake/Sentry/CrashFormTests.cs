using System.Text;
using System.Text.Json;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

public sealed class CrashFormTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"release":"1"}""", "sentry={\"release\":\"1\"}")]
    [InlineData(
        """{"release":"2","user":{"id":"1","name":"n"}}""",
        "sentry={\"release\":\"1\",\"user\":{\"id\":\"1\"}}", "sentry={\"release\":\"2\",\"user\":{\"name\":\"n\"}}")]
    [InlineData("""{"tags":{"a":"b"}}""", "sentry={\"tags\":[[\"x\",\"y\"]]}", "sentry[tags][a]=b")]
    [InlineData("""{"extra":{"prod":"Electron","sentry":"no json"}}""", "prod=Electron", "sentry=no json")]
    [InlineData("""{"extra":{"sentry":"[1]","sentry[":"x","sentry[]":"y"}}""", "sentry=[1]", "sentry[=x", "sentry[]=y")]
    [InlineData("""{"release":"12"}""", "sentry__2=2\"}", "sentry__10=", "sentry__1={\"release\":\"1")]
    [InlineData("""{"extra":{"sentry":"{\"release\":"}}""", "sentry__1={\"release\":")]
    [InlineData("{}", "sentry={\"type\":\"transaction\"}")]
    [InlineData("{\"\ufffd\":\"\ufffd\"}", "sentry={\"\\ud800\":\"\\u0000\"}")]
    [InlineData("""{"extra":{"":"nameless"}}""", "=nameless")]
    public void fields_become_an_event(string expected, params string[] fields)
    {
        var form = new CrashForm();
        foreach (var field in fields)
        {
            var (name, value) = (field[..field.IndexOf('=')], field[(field.IndexOf('=') + 1)..]);
            Add(form, $"form-data; name=\"{name}\"", Encoding.UTF8.GetBytes(value));
        }
        Assert.Equal(expected, Json(form));
        Assert.False(form.HasDump);
    }

    [Fact]
    public void names_of_fields_and_files_take_memory_too()
    {
        var (form, most) = (new CrashForm(), CrashForm.MostText / 2 / 10_000);
        for (var taken = 0; taken <= most; taken++)
        {
            var field = form.Begin($"form-data; name=\"{new string('n', 5_000)}\"; filename=\"{new string('f', 5_000)}\"");
            Assert.Equal(taken < most, form.TryAdd(field!, default));
        }
    }

    /// <summary>As sentry-native writes them beside the dump.</summary>
    [Fact]
    public void files_in_message_pack_tell_of_the_crash()
    {
        var form = new CrashForm();
        byte[] fatal = [0xa5, .. "level"u8, 0xa5, .. "fatal"u8], user = [0xa4, .. "user"u8, 0x81, 0xa2, .. "id"u8, 0x2a];
        byte[] crumb = [0x81, 0xa9, .. "timestamp"u8, 0xa1];
        Add(form, "form-data; name=\"__sentry-event\"; filename=\"x\"", [0x82, .. fatal, .. user]);
        Add(form, "form-data; name=\"__sentry-breadcrumb2\"; filename=\"x\"", [.. crumb, .. "2"u8, .. crumb, .. "3"u8]);
        Add(form, "form-data; name=\"__sentry-breadcrumb1\"; filename=\"x\"", [.. crumb, .. "1"u8, 0x81]);
        Add(form, "form-data; name=upload_file_minidump; filename*=UTF-8''c.dmp", "MDMP"u8.ToArray());
        const string Told = """{"level":"fatal","user":{"id":42},"breadcrumbs":[{"timestamp":"1"},{"timestamp":"2"},{"timestamp":"3"}]}""";
        Assert.Equal(Told, Json(form));
        Assert.True(form.HasDump);
    }

    [Theory]
    [InlineData("c0", "null")]
    [InlineData("00 7f e0 ff", "0", "127", "-32", "-1")]
    [InlineData("cc ff cd ffff ce ffffffff cf ffffffffffffffff", "255", "65535", "4294967295", "18446744073709551615")]
    [InlineData("d0 80 d1 8000 d2 80000000 d3 8000000000000000", "-128", "-32768", "-2147483648", "-9223372036854775808")]
    [InlineData("d0 7f d1 0001", "127", "1")]
    [InlineData("ca 3fc00000 cb 3ff8000000000000 cb 7ff0000000000000", "1.5", "1.5", "null")]
    [InlineData("c2 c3", "false", "true")]
    [InlineData("a2 6869 d9 02 6869 da 0002 6869 db 00000002 6869", "\"hi\"", "\"hi\"", "\"hi\"", "\"hi\"")]
    [InlineData("92 01 c0 dc 0001 02 dd 00000001 03", "[1,null]", "[2]", "[3]")]
    [InlineData("82 a1 61 01 05 90 de 0001 a1 62 80 df 00000001 d9 01 63 c2", "{\"a\":1,\"5\":[]}", "{\"b\":{}}", "{\"c\":false}")]
    [InlineData("c4 01 00 c5 0001 00 c6 00000001 00", "null", "null", "null")]
    [InlineData("d4 05 00 d5 05 0000 c7 01 05 00 01", "null", "null", "null", "1")]
    [InlineData("01 c1 02", "1")]
    [InlineData("01 a5 68", "1")]
    [InlineData("93 01 02")]
    [InlineData("dd ffffffff 01")]
    [InlineData("81 c0 01")]
    [InlineData("c6 ffffffff 00")]
    public void message_pack_is_read_as_json(string bytes, params string[] expected) =>
        Assert.Equal(expected, MessagePackJson.Read(Convert.FromHexString(bytes.Replace(" ", ""))).Select(value => value.GetRawText()));

    [Fact]
    public void message_pack_that_is_nested_too_deep_is_not_read() =>
        Assert.Empty(MessagePackJson.Read(Enumerable.Repeat((byte)0x91, 1_000_000).ToArray()));

    private static string Json(CrashForm form) => JsonDocument.Parse(form.ToEvent()).RootElement.GetRawText();

    private static void Add(CrashForm form, string disposition, byte[] bytes)
    {
        var field = form.Begin(disposition)!;
        Assert.True(form.TryAdd(field, bytes));
        Assert.True(form.TryAdd(field, []));
    }
}

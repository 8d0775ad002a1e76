using ErrorTracker.Grouping;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Grouping;

public sealed class TemplateTests
{
    [Theory]
    [InlineData("User 42 not found", "User <n> not found")]
    [InlineData("Payment returned status 402", "Payment returned status 402")]
    [InlineData("Request failed with status code 404", "Request failed with status code 404")]
    [InlineData("HTTP/1.1 502 Bad Gateway after 3 tries", "HTTP/1.1 502 Bad Gateway after <n> tries")]
    [InlineData("Job 7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10 died", "Job <uuid> died")]
    [InlineData("job-7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10 died", "job-<uuid> died")]
    [InlineData("connect ECONNREFUSED 10.0.3.7:5432", "connect ECONNREFUSED <ip>")]
    [InlineData("connect ECONNREFUSED ::1:5432", "connect ECONNREFUSED <ip>")]
    [InlineData("connect [2001:db8::1]:443 refused", "connect <ip> refused")]
    [InlineData("Unknown column 'price'", "Unknown column 'price'")]
    [InlineData("Key 'user:17' is missing", "Key '<s>' is missing")]
    [InlineData(
        "Failed to fetch dynamically imported module: https://x/assets/index-DbQ2xY9p.js",
        "Failed to fetch dynamically imported module: <url>")]
    [InlineData("Zugriff verweigert (0x80070005)", "(0x80070005)")]
    [InlineData("Access is denied. (Exception from HRESULT: 0x80070005 (E_ACCESSDENIED))", "(0x80070005)")]
    [InlineData("[Errno 13] Permission denied: '/tmp/x'", "[Errno 13]")]
    [InlineData("[WinError 5] Access is denied", "[WinError 5]")]
    [InlineData("No such file or directory (os error 2)", "(os error 2)")]
    [InlineData("Invalid token at line 1 column 190", "Invalid token at line <n> column <n>")]
    [InlineData("Lock lost by user_42 on worker-3", "Lock lost by user_<n> on worker-<n>")]
    [InlineData("ORA-00942: table or view does not exist", "ORA-00942: table or view does not exist")]
    [InlineData("exit code -1", "exit code -1")]
    [InlineData("exited with exit status 137", "exited with exit status 137")]
    [InlineData("statusCode=500 body=17", "statusCode=500 body=<n>")]
    [InlineData("Process exited with signal 11", "Process exited with signal 11")]
    [InlineData(
        "error 1045 (28000): Access denied for user 'root'@'10.0.0.3'",
        "error 1045 (<n>): Access denied for user 'root'@'<s>'")]
    [InlineData("mail to bob.smith+x@example.co.uk bounced", "mail to <email> bounced")]
    [InlineData("at 2026-01-31T12:34:56.789Z and 12:34:56", "at <time> and <time>")]
    [InlineData("2026-01-31 12:34:56,123 failed", "<time> failed")]
    [InlineData("date 31.01.2026 or 1/31/2026", "date <time> or <time>")]
    [InlineData("pointer 0x7ffd12345678 bad", "pointer <hex> bad")]
    [InlineData("commit 4f9a1c2 missing", "commit <hex> missing")]
    [InlineData("session eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9 expired", "session <token> expired")]
    [InlineData("token sk_live_51H8xYzAbCdEfGhIjKlMnOp is bad", "token sk_live_<token> is bad")]
    [InlineData("GET /orders/17/items failed", "GET /orders/<s>/items failed")]
    [InlineData("open /var/lib/app-17/data.txt: no such file", "open /var/lib/<s>/data.txt: no such file")]
    [InlineData("C:\\Users\\bob17\\x.txt not found", "C:\\Users\\<s>\\x.txt not found")]
    [InlineData("utf8 sha256 x86 h2 md5 stays", "utf8 sha256 x86 h2 md5 stays")]
    [InlineData("utf-8 and utf-16", "utf-<n> and utf-<n>")]
    [InlineData("took 15ms of 2.5s, 50% of 10MB", "took <n> of <n> of <n>")]
    [InlineData("values 1, 2, 3 and 4,5,6", "values <n> and <n>")]
    [InlineData("[1, 2, 3]", "[<n>]")]
    [InlineData("ids 7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10, 0b1c2d3e-1111-4222-8333-444455556666", "ids <uuid>")]
    [InlineData("can't find user's thing", "can't find user's thing")]
    [InlineData("\"a long quoted text that goes on and on beyond forty characters\" said", "\"<s>\" said")]
    [InlineData("It's 'x' isn't it's 'y17'", "It's 'x' isn't it's '<s>'")]
    [InlineData("{\"id\":17,\"name\":\"bob\"}", "{\"id\":<n>,\"name\":\"bob\"}")]
    [InlineData("v1.2.3 is out", "v1.2.3 is out")]
    [InlineData("-5 < 7", "<n> < <n>")]
    [InlineData("pod checkout-7d9f8b6c5-x2x4z restarted", "pod checkout-<hex> restarted")]
    [InlineData("pod checkout-5f4d8c9b7-abcde restarted", "pod checkout-<hex> restarted")]
    [InlineData("getUserByIdForTenant2AndMore failed", "getUserByIdForTenant2AndMore failed")]
    [InlineData("01HV8Z3K5M2N4P6Q8R0S1T2V3W expired", "<token> expired")]
    [InlineData("   leading    blanks   17", "leading blanks <n>")]
    [InlineData("«42» „x17” ‘17’", "«<s>» „<s>” ‘<s>’")]
    [InlineData(
        "Cannot read properties of undefined (reading 'price')",
        "Cannot read properties of undefined (reading 'price')")]
    [InlineData("src/app2/main.rs:12:5: error", "src/<s>/main.rs:<n>:<n>: error")]
    [InlineData("application/json expected, got text/html", "application/json expected, got text/html")]
    [InlineData("1st 2nd 3rd 4xx 5xx", "1st 2nd 3rd 4xx 5xx")]
    [InlineData("$17.50 #42", "$<n> #<n>")]
    [InlineData("1,234,567.89 rows", "<n> rows")]
    [InlineData("127.0.0.1 127.0.0.1:80", "<ip>")]
    [InlineData("aa:bb:cc:dd:ee:ff mac", "<hex> mac")]
    [InlineData("error: 17 orders", "error: 17 orders")]
    [InlineData("Duplicate entry '17' for key 'users.email'", "Duplicate entry '<s>' for key 'users.email'")]
    [InlineData(
        "duplicate key value violates unique constraint \"users_email_key\"",
        "duplicate key value violates unique constraint \"users_email_key\"")]
    [InlineData(
        "Deadlock: Process 123 waits for ShareLock on transaction 456; blocked by process 789.",
        "Deadlock: Process <n> waits for ShareLock on transaction <n>; blocked by process <n>.")]
    [InlineData("Timeout of 30000ms exceeded", "Timeout of <n> exceeded")]
    [InlineData("زبون ٤٢ مفقود", "زبون <n> مفقود")]
    [InlineData("Index was out of range. (Parameter 'index')", "Index was out of range. (Parameter 'index')")]
    [InlineData(
        "Object reference not set to an instance of an object.",
        "Object reference not set to an instance of an object.")]
    [InlineData("user@host", "user@host")]
    [InlineData("12:5 and 7:12:33", "<n>:<n> and <time>")]
    [InlineData("S3 bucket my-bucket-2024 in us-east-1", "S3 bucket my-bucket-<n> in us-east-<n>")]
    [InlineData("HTTP 500 for user 17", "HTTP 500 for user <n>")]
    [InlineData("{\"errorCode\":17,\"row\":5}", "{\"errorCode\":<n>,\"row\":<n>}")]
    [InlineData("b'abc17' u'x'", "b'<s>' u'x'")]
    [InlineData(
        "at Shop.Cart.Total(Int32 x) in /src/Cart.cs:line 12",
        "at Shop.Cart.Total(Int32 x) in /src/Cart.cs:line <n>")]
    [InlineData(
        "SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry",
        "SQLSTATE[23000]: Integrity constraint violation: <n> Duplicate entry")]
    [InlineData(
        "E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: \"a@b.c\" }",
        "E11000 duplicate key error collection: shop.users index: email_<n> dup key: { email: \"<s>\" }")]
    [InlineData("1e5 and 1.5e-7", "<n> and <n>")]
    [InlineData("2024/01/31 12:34:56 [error] 17#17", "<time> [error] <n>#<n>")]
    [InlineData("~/x1/y ./a2/b", "~/<s>/y ./<s>/b")]
    [InlineData("00:1a:2b:3c:4d:5e down", "<hex> down")]
    [InlineData("3-5 retries", "<n>-<n> retries")]
    public void what_changes_from_one_error_to_the_next_is_left_out(string text, string template) =>
        Assert.Equal(template, Template.Of(text));

    [Theory]
    [InlineData("", "")]
    [InlineData(" \r\n\t\n", "")]
    [InlineData("\n\n  first 1 \r\nsecond", "first <n>")]
    [InlineData("a\u00a0\u0000 b", "a b")]
    public void the_first_line_that_is_not_blank_counts(string text, string template) =>
        Assert.Equal(template, Template.Of(text));

    [Fact]
    public void a_template_has_at_most_300_characters_and_no_half_of_one()
    {
        Assert.Equal(new string('x', 300), Template.Of(new string('x', 400)));
        Assert.Equal(new string('x', 299), Template.Of(new string('x', 299) + "😀😀"));
        Assert.Equal(Template.Of(new string('x', 290) + " 1 y z"), Template.Of(new string('x', 290) + " 123456 y z"));
    }

    [Property]
    public void a_number_is_any_other_number(uint one, uint other) =>
        Assert.Equal(
            Template.Of($"Order {one} of user_{other} failed"),
            Template.Of($"Order {other} of user_{one} failed"));

    [Property]
    public void it_is_found_for_any_text(string? text)
    {
        var template = Template.Of(text);
        Assert.True(template.Length <= 300);
        Assert.DoesNotContain("\n", template);
        Assert.Equal(template.Trim(), template);
    }
}

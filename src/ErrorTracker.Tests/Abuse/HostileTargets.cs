using System.Text;

namespace ErrorTracker.Tests.Abuse;

/// <summary>Reads with paths and queries of all kinds: the wrong ones must be named, each by its field.</summary>
internal sealed class HostileTargets(Random random, int number, Sender sender)
{
    private static readonly string Long = new('1', 101), Longer = new('x', 900);

    private static readonly string[] BadIds =
    [
        "0", "00", "-1", "+1", "x", "1.5", "1,2", "1e3", "%20", "1%20", "%D9%A1", "null", "1%0A", "%F0%9F%92%A5",
        "1'--", Long, Longer, "%25", "0x1", "NaN",
    ];

    private static readonly string[] UnknownIds = ["2000000000", "2147483647", "2147483648", "99999999999999999999", new('9', 100)];

    private static readonly string[] NotTimes =
    [
        "", "now", "0", "-1", "1e9", "%00", "2020-13-01", "9999-99-99", "2020-01-01T00:00:00+02:00", "10000-01-01",
        "%ff", "%F0%9F%92%A5", "infinity", "2020-01-01%00", "%202020-01-01", "'", Longer,
    ];

    private static readonly Dictionary<string, (string[] Good, string[] Bad)> Parameters = new()
    {
        ["limit"] = (["1", "20", "50", "007"], [
            "", "0", "-1", "1.0", "1e1", "abc", "%20", "1%20", "2147483648", "99999999999999999999", "%00", "1%00",
            "%C2%B2", "0x10", "1,000", "%D9%A1", "null", "[]", Long]),
        ["offset"] = (["0", "5", "1000000", "2147483647"], ["", "-1", "1.5", "2147483648", "%00", "0%00", "x", "1_0", "%EF%BC%91", Long]),
        ["level"] = (["ERROR", "error", "warn", "Fatal"], [
            "", "LOUD", "%00", "ERROR%00", "ERROR%20", "ERROR,INFO", "%F0%9F%92%A5", "%ff", "*", "%25", "3",
            "'%20or%201=1--", Longer]),
        ["since"] = (["2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456789%2B02:00"], NotTimes),
        ["until"] = (["2026-12-31", "2026-06-01T00:00Z", "2026-12-30T23:59:59.999999999z"], NotTimes),
        ["interval"] = (["HOUR", "day", "Hour"], ["", "WEEK", "0", "1", "99", "HOUR%00", "MINUTE,HOUR", "%20HOUR", "second", Longer]),
        ["tz"] = (["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Etc/GMT%2B12", "Etc/GMT-14", "CET"],
            [
                "", "Mars/Base", "../../etc/passwd", "/etc/localtime", "%00", "UTC%00", "localtime", "posix/UTC",
                "Europe", "%2B02:00", "UTC'--", "%C3%A9", ".", "..", "%2e%2e%2fEtc%2fUTC", "Europe//Berlin",
                "Europe/./Berlin",
                "Europe/../Europe/Berlin", "tzdata.zi", "zone.tab", "leapseconds", "Europe%5CBerlin", "UTC%2B3",
                "%F0%9F%92%A5", "%20UTC", "UTC%20", "Europe/Berlin/", Longer]),
        ["fill"] = (["true", "false", "TRUE"], ["", "1", "yes", "true%00", "%20true", "%00", "null"]),
    };

    /// <summary>
    /// Parameters that no call takes, and what the refusal calls them; nothing where they say nothing.
    /// </summary>
    private static readonly (string Pair, string Name)[] Unknown =
    [
        ("x=1", "x"), ("=", ""), ("&", ""), ("=1", "query"), ("%zz=%", "%zz"), ("limit[]=0", "limit[]"), ("a[b][c]=1", "a[b][c]"),
        ("__proto__[x]=1", "__proto__[x]"), ("utf8=%E2%9C%93", "utf8"), ("LIMIT=1", "LIMIT"),
        ("event_id=7d3f1f0e6f3b4f649a550d6f7c1f2a10", "event_id"),
        ("%F0%9F%92%A5", "\U0001f4a5"), ($"y={new string('y', 2_000)}", "y"),
    ];

    private static readonly (string Path, string[] Parameters, string[] Required)[] Reads =
    [
        ("", [], []), ("/events", ["limit", "offset", "level", "since", "until"], []),
        ("/stats/by-level", ["since", "until"], ["since", "until"]),
        ("/stats/top-messages", ["since", "until", "limit", "level"], ["since", "until"]),
        ("/stats/timeseries", ["since", "until", "interval", "level", "tz", "fill"], ["since", "until"]),
    ];

    /// <summary>Where nothing is expected but an answer that is nobody's fault but the sender's.</summary>
    private static readonly string[] Strays =
    [
        "/", "//", "/apps/../apps", "/apps/..", "/apps/%2e%2e/apps", "/apps/1/../../etc/passwd", "/apps//events",
        "/apps/1//events", "/apps/1/events/", "/apps/1/events/..", "/apps/1/stats", "/apps/1/stats/", "/apps/1/stats/x",
        "/apps/1/events/batch", "/apps/1/events/%00", "/apps/1/events/not-a-uuid",
        "/apps/1/events/{00000000-0000-0000-0000-000000000000}", "/apps/1/events/%2e", "/APPS", "/Apps/1/Events",
        "/apps/1/events%2fbatch", "/apps/1%2fevents",
        "/docs", "/docs/", "/docs/index.html", "/docs/../apps", "/docs/%2e%2e/appsettings.json",
        "/docs/v1/swagger.json", "/docs/v2/swagger.json", "/docs/%ff/swagger.json", "/docs/..%2f..%2fetc%2fpasswd",
        "/docs/index.js", "/health", "/health/live",
        "/projections", "/projections/x", "/favicon.ico", "/.env", "/apps;x=1", "/apps/1;a=b/events", "/apps/1/events?",
        "/apps?%zz", "/apps?&&&===;;", "/apps?a=%", "/%", "/%zz", "/%u0031", "/apps/%c0%ae%c0%ae/", "/apps/\xff", "*",
        "apps",
        "http://localhost/apps", "http://localhost:1/apps/1/events", "https://evil.example/apps", "http://",
        "/apps/1/events#fragment", "/apps/1/events?limit=1#x", "/apps\\1", "/apps/1\\events", "/apps/%5c..%5c",
        "?limit=1", "",
        "/apps/1/events?limit=1&limit=2", "/apps/1/events?level=ERROR&level=LOUD", "/apps/1/events?LIMIT=0",
        "/apps/1/events?limit[]=1&limit[0]=x",
        "/apps/1/stats/by-level?since=2020-01-01&since=2021-01-01&until=2022-01-01",
        "/apps/1/stats/by-level?since=0001-01-01&until=9999-12-31T23:59:59.999999Z",
        "/apps/1/stats/top-messages?since=0001-01-01T00:00:00Z&until=9999-12-31",
        "/apps/1/events?since=9999-12-31T23:59:59.9999999Z",
        "/apps/1/stats/timeseries?since=0001-01-01&until=0001-01-02&interval=MINUTE&fill=true&tz=Asia/Kolkata",
        "/apps/1/stats/timeseries?since=9999-12-30&until=9999-12-31T23:59:59.999999Z&interval=DAY&fill=true&tz=America/New_York",
        "/apps/1/stats/timeseries?since=0001-01-01&until=0020-01-01&interval=DAY&tz=America/New_York&fill=true",
        "/apps/1/stats/timeseries?since=1883-11-18&until=1883-11-19&interval=MINUTE&tz=America/New_York&fill=true",
        "/apps/1/stats/timeseries?since=2026-01-01&until=2026-01-01T00:00:00.000001Z&interval=DAY&fill=true",
        "/apps/1/events?since=0001-01-01&until=0001-01-01T00:00:00.000001Z&offset=2147483647&limit=50",
    ];

    private static readonly string[] Methods =
    [
        "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO", "get",
        "M-SEARCH", "PROPFIND", "QUERY",
    ];

    private bool OneIn(int times) => random.Next(times) == 0;

    private string Pick(string[] from) => from[random.Next(from.Length)];

    public Input Read()
    {
        var (path, names, required) = Reads[random.Next(Reads.Length)];
        var (query, faults) = (new List<string>(), new SortedSet<string>(StringComparer.Ordinal));
        foreach (var name in names.Where(name => OneIn(2) || required.Contains(name) && !OneIn(10)))
        {
            var isBad = OneIn(4);
            query.Add($"{name}={Pick(isBad ? Parameters[name].Bad : Parameters[name].Good)}");
            if (isBad) faults.Add(name);
        }
        faults.UnionWith(required.Where(name => !query.Any(pair => pair.StartsWith(name + '=', StringComparison.Ordinal))));
        if (OneIn(5))
        {
            var (stray, name) = Unknown[random.Next(Unknown.Length)];
            query.Add(stray);
            if (name.Length > 0) faults.Add(name);
        }
        if (OneIn(10) && query.FirstOrDefault(pair => names.Contains(pair.Split('=')[0])) is { } first)
        {
            query.Add(first);
            faults.Add(first.Split('=')[0]);
        }
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(query));

        var (id, status) = Id();
        if (status == 400) faults.Add("app_id");
        if (faults.Count > 0) status = 400;
        return new(
            "read", Input.Http("GET", $"/apps/{id}{path}?{string.Join('&', query)}", []),
            (answer, _) => HostileBodies.Expect(answer!, status, [.. faults]));
    }

    private (string Id, int Status) Id()
    {
        if (OneIn(5)) return OneIn(2) ? (Pick(UnknownIds), 404) : (Pick(BadIds), 400);
        if (OneIn(4)) return ($"00{sender.Id}", 200);
        var isEscaped = OneIn(4);
        return (isEscaped ? string.Concat($"{sender.Id}".Select(digit => $"%{(int)digit:x2}")) : $"{sender.Id}", 200);
    }

    /// <summary>A valid name that no other input has registers; each other one is refused.</summary>
    public Input Register()
    {
        var mine = $"fuzz-{number}-{sender.Id}-";
        var (name, status, faults) = random.Next(14) switch
        {
            0 => ("%0A" + mine, 400, "name"),
            1 => (mine + "%7F", 400, "name"),
            2 => (mine + new string('n', 101 - mine.Length), 400, "name"),
            3 => (mine + new string('n', 100 - mine.Length), 201, ""),
            4 => ("%20%E2%80%83", 400, "name"),
            5 => (mine + "%ff", 400, "name"),
            6 => (mine + "%zz", 400, "name"),
            7 => (mine + "%C2%85", 400, "name"),
            8 => (mine + "%F0%9F%92%A5%2F%25%3F", 201, ""),
            9 => (mine + "%E2%80%AE%EF%BF%BF+'\";--", 201, ""),
            10 => (mine + "%ED%A0%80", 400, "name"),
            11 => (mine + string.Concat(Enumerable.Repeat("%F0%9F%92%A5", 100 - mine.Length)), 201, ""),
            _ => (mine + "...", 201, ""),
        };
        return new(
            "register", Input.Http("POST", $"/apps/{name}", [], []),
            (answer, _) => HostileBodies.Expect(answer!, status, faults.Length > 0 ? [faults] : []));
    }

    public Input Stray()
    {
        var target = OneIn(4) ? Encoding.Latin1.GetString(Mutation.Apply(random, Encoding.Latin1.GetBytes(Pick(Strays)))) : Pick(Strays);
        var method = Pick(Methods);
        return new(
            "stray",
            Input.Http(method, target.Replace("/1", $"/{sender.Id}"), Headers(), method is "GET" or "HEAD" ? null : []),
            (_, _) => null)
        {
            IsHead = method == "HEAD",
            IsBrokenHttp = true,
        };
    }

    private (string, string)[] Headers() => random.Next(12) switch
    {
        0 => [.. Enumerable.Range(0, random.Next(200)).Select(i => ($"X-Flood-{i}", "1"))],
        1 => [("X-Long", new string('l', random.Next(40_000)))],
        2 => [("Accept", "application/xml;q=nonsense, \xff"), ("Accept-Encoding", "*;q=0"), ("Accept-Language", "%00")],
        3 => [("Range", "bytes=-1,999999999999999999999-"), ("If-Modified-Since", "yesterday"), ("If-None-Match", "*")],
        4 =>
        [
            ("Upgrade", "websocket, h2c"), ("Connection", "Upgrade, HTTP2-Settings"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"), ("Sec-WebSocket-Key", "x"), ("Sec-WebSocket-Version", "13"),
        ],
        5 => [("Expect", "the unexpected")],
        6 => [("Host", "second.example")],
        7 => [("X-Forwarded-For", "';--"), ("X-HTTP-Method-Override", "DELETE"), ("X-Original-URL", "/admin"), ("Forwarded", "for=\"_x\"")],
        8 =>
        [
            ("Cookie", new string(';', 500)), ("Authorization", "Basic !!!!"), ("traceparent", "00-zz-zz-zz"),
            ("tracestate", "\xff"), ("baggage", "a=%zz"),
        ],
        9 => [("X Y", "1"), ("", "2"), ("X-Null", "\0"), ("X-Cr", "a\rb")],
        _ => [],
    };
}

// A program against the client that NSwag generates of the OpenAPI document: GeneratedClientTests compiles both. It
// makes every call of the document, and looks at what the types of the client tell of the answers.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Threading.Tasks;

namespace Generated;

public sealed class RoundTrip
{
    private static readonly DateTimeOffset OccurredAt = new(2026, 1, 31, 12, 34, 56, TimeSpan.Zero);

    private readonly ErrorTrackerClient _client;
    private readonly RegisteredApplication _app;
    private readonly DateTimeOffset _since = DateTimeOffset.UtcNow.AddHours(-1);
    private readonly DateTimeOffset _until = DateTimeOffset.UtcNow.AddHours(1);

    private RoundTrip(ErrorTrackerClient client, RegisteredApplication app)
    {
        _client = client;
        _app = app;
    }

    public static async Task RunAsync(HttpClient http, string name)
    {
        var client = new ErrorTrackerClient(http);
        var app = await client.RegisterApplicationAsync(name);
        http.DefaultRequestHeaders.Add("X-INGEST-KEY", app.Ingest_key);
        http.DefaultRequestHeaders.Add("X-Sentry-Auth", $"Sentry sentry_version=7, sentry_key={app.Ingest_key}");
        var trip = new RoundTrip(client, app);
        await trip.ManageAsync(name);
        await trip.SendAsync();
        await trip.SendAsSdksDoAsync();
        await trip.ReadAsync();
        await trip.ReadIssuesAsync();
        await trip.RegroupAsync();
        await trip.DecideAsync();
        await trip.RefuseAsync(name);
    }

    private async Task ManageAsync(string name)
    {
        Same(name, (await _client.GetApplicationAsync(_app.Id)).Name);
        Same(_app.Id, (await _client.ListApplicationsAsync(limit: 1, after: _app.Id - 1)).Single().Id);
        var key = await _client.CreateKeyAsync(_app.Id);
        Same(2, (await _client.ListKeysAsync(_app.Id)).Count);
        await _client.DeleteKeyAsync(_app.Id, key.Id);
        Same(key.Ingest_key[..8], key.Prefix);
        Same<DateTimeOffset?>(null, (await _client.ListKeysAsync(_app.Id)).Single().Last_used_at);
    }

    private async Task SendAsync()
    {
        var sent = new SentEvent
        {
            Occurred_at = OccurredAt,
            Level = Level.ERROR,
            Message = "Payment declined",
            Stack = new { type = "PaymentException" },
            Tags = new Dictionary<string, object> { ["region"] = "eu" },
            Event_id = Guid.NewGuid(),
            Fingerprint = ["payment"],
            AdditionalProperties = new Dictionary<string, object> { ["order"] = 7 },
        };
        var receipt = await _client.SendEventAsync(_app.Id, sent);
        Same(receipt.Id, (await _client.SendEventAsync(_app.Id, sent)).Id); // 200 instead of 201
        var read = await _client.GetEventAsync(_app.Id, sent.Event_id.Value);
        Same((receipt.Id, sent.Event_id, Level.ERROR), (read.Id, read.Event_id, read.Level));
        Same("eu", read.Tags["region"]);
        Same(7L, read.Context["order"]);

        SentEvent[] batch =
        [
            new() { Occurred_at = OccurredAt, Level = Level.INFO, Message = "plain" },
            new() { Occurred_at = OccurredAt, Level = Level.INFO, Message = "with a text", Stack = "at Checkout" },
            new() { Occurred_at = OccurredAt, Level = Level.INFO, Message = "" },
        ];
        var kept = await _client.SendBatchAsync(_app.Id, batch);
        Same((2, 0, 2), (kept.Accepted, kept.Duplicates, kept.Rejected.Single().Index));
        Same(400, kept.Rejected.Single().Status);
    }

    private async Task SendAsSdksDoAsync()
    {
        var id = Guid.NewGuid().ToString("N");
        var envelope =
            $$"""
            {"event_id":"{{id}}"}
            {"type":"event"}
            {"message":"from an SDK"}
            {"type":"session"}
            {}
            """;
        Same(id, (await _client.SendEnvelopeAsync(_app.Id, Bytes(envelope))).Id);
        Same(32, (await _client.SendStoreAsync(_app.Id, new SdkEvent { Message = "from an old SDK" })).Id.Length);
        var dump = new FileParameter(Bytes("MDMP"), "crash.dmp");
        Same(36, (await _client.SendMinidumpAsync(_app.Id, dump, sentry: null)).Length);
        Same(36, (await _client.SendUnrealCrashAsync(_app.Id, _app.Ingest_key, Bytes("CR1"))).Length);

        var blocked = new Dictionary<string, object>
        {
            ["violated-directive"] = "script-src",
            ["blocked-uri"] = "https://evil.example/x.js",
        };
        await _client.SendSecurityReportAsync(_app.Id, "shop@1.4.2", "production", new CspReport { CspReport1 = blocked });
        await _client.SendCspReportAsync(_app.Id, null, null, new CspReport { CspReport1 = blocked });
        var failed = new BrowserReport
        {
            Type = "network-error",
            Url = "https://shop.example/",
            Body = new Dictionary<string, object> { ["type"] = "tcp.timed_out" },
        };
        await _client.SendNetworkErrorReportAsync(_app.Id, null, null, [failed]);

        await _client.SendCheckInByGetAsync(_app.Id, "nightly");
        await _client.SendCheckInAsync(_app.Id, "nightly");
        await _client.SendCheckInWithKeyByGetAsync(_app.Id, "nightly", _app.Ingest_key);
        await _client.SendCheckInWithKeyAsync(_app.Id, "nightly", _app.Ingest_key);
    }

    private async Task ReadAsync()
    {
        const int Sent = 10;
        var page = await _client.ListEventsAsync(_app.Id, limit: 3, offset: 0, level: null, _since, until: null);
        Same((3, (int?)3), (page.Items.Count, page.Next_offset));
        var all = await _client.ListEventsAsync(_app.Id, 50, offset: null, level: null, since: null, until: null);
        Same((Sent, (int?)null), (all.Items.Count, all.Next_offset));
        var plain = all.Items.Single(item => item.Message == "plain");
        Same((null, null, null), ((Guid?)plain.Event_id, plain.Stack, plain.Tags));
        Same("at Checkout", all.Items.Single(item => item.Message == "with a text").Stack);
        var feed = await _client.GetFeedAsync(_app.Id, after: null, limit: 1);
        await _client.GetFeedAsync(_app.Id, feed.Next, limit: null);

        var levels = await _client.GetLevelCountsAsync(_app.Id, _since, _until, issue: null);
        Same(2L, levels.Items.Single(item => item.Level == Level.INFO).Count);
        Same((long)Sent, levels.Items.Sum(item => item.Count));
        var series = await _client.GetTimeseriesAsync(
            _app.Id, _since, _until, Interval.MINUTE, Level.INFO, tz: "Europe/Berlin", fill: true, issue: null);
        Same((Interval.MINUTE, 2L), (series.Interval, series.Series1.Sum(bucket => bucket.Count)));
        var messages = await _client.GetTopMessagesAsync(
            _app.Id, _since, _until, limit: 1, level: Level.ERROR, issue: null);
        Same((1, 1), (messages.Limit, messages.Items.Count));
        var loss = await _client.GetLossAsync(_app.Id, _since, _until);
        Same((10L, 1L), (loss.Accepted, loss.Duplicates));
        Same((RefusalReason.Invalid, 1L), (loss.Refused.Single().Reason, loss.Refused.Single().Count));
        Same(4L, loss.Not_kept.Single(unkept => unkept.Category == UnkeptCategory.Monitor).Count);

        var projection = (await _client.ListProjectionsAsync()).First();
        Same(true, Enum.IsDefined(projection.State));
        Same("Healthy", await _client.CheckLiveAsync());
        await _client.CheckReadyAsync();
    }

    private async Task ReadIssuesAsync()
    {
        await AwaitIssueAsync(2);
        var page = await _client.ListIssuesAsync(
            _app.Id, IssueStateFilter.All, level: null, query: null, _since, _until, IssueSort.First_seen, limit: 1,
            cursor: null);
        var rest = await _client.ListIssuesAsync(
            _app.Id, state: null, level: null, query: null, since: null, until: null, IssueSort.First_seen, limit: 100,
            page.Next_cursor);
        Same(page.Seen_through, rest.Seen_through);
        var first = rest.Items.Last();
        Same((1, "PaymentException: Payment declined", Level.ERROR), (first.Number, first.Title, first.Level));
        Same((IssueState.Unresolved, 1L, 1L), (first.State, first.Count, first.Count_in_window));

        var issue = await _client.GetIssueAsync(_app.Id, first.Number, _since, _until, Interval.MINUTE, tz: null);
        Same((first.Id, Interval.MINUTE), (issue.Id, issue.Interval));
        Same((1L, 1L), (issue.Series.Single().Count, issue.By_level.Single().Count));
        Same((null, null), (issue.By_release.Single().Release, issue.By_environment.Single().Environment));
        var events = await _client.ListIssueEventsAsync(
            _app.Id, first.Number, limit: 1, offset: 0, level: null, since: null, until: null);
        var why = await _client.GetEventGroupingAsync(_app.Id, events.Items.Single().Id);
        Same((first.Number, first.Keys.Single(), "fingerprint"), (why.Issue, why.Key, why.Method));
        Same("Payment declined", why.Template);
        var levels = await _client.GetLevelCountsAsync(_app.Id, _since, _until, first.Number);
        Same(1L, levels.Items.Single().Count);
        Same("shop@1.4.2", (await _client.ListReleasesAsync(_app.Id, limit: 1)).Items.Single().Release);
    }

    private async Task RegroupAsync()
    {
        Same("g1", (await _client.GetGroupingAsync(_app.Id)).Version);
        await AwaitFoldedAsync();
        var rule = new SentFingerprint
        {
            Match = new Dictionary<string, string> { ["message"] = "*an*SDK" },
            Parts = ["from any SDK"],
        };
        var rules = new SentRules { Fingerprints = [rule] };
        var preview = await DoneAsync(
            await _client.PreviewGroupingAsync(_app.Id, new PreviewRequest { Rules = rules, Since = _since }));
        Same((GroupingChangeKind.Preview, 10L, 1), (preview.Kind, preview.Result.Events, preview.Result.Merged));
        await DoneAsync(await _client.AdoptGroupingAsync(_app.Id, rules));
        Same("g1.1", (await _client.GetGroupingAsync(_app.Id)).Version);
        var withdrawn = await DoneAsync(await _client.WithdrawGroupingAsync(_app.Id));
        Same((GroupingChangeKind.Withdrawal, null), (withdrawn.Kind, withdrawn.Result));
    }

    /// <summary>A preview counts what is folded.</summary>
    private async Task AwaitFoldedAsync()
    {
        for (var attempt = 1; attempt < 400; attempt++)
        {
            var counters = (await _client.ListProjectionsAsync()).First();
            if (counters.Lag == 0) return;
            await Task.Delay(50);
        }
    }

    private async Task<GroupingChangeState> DoneAsync(GroupingChangeState change)
    {
        for (var attempt = 1; attempt < 400 && change.State != GroupingChangeProgress.Done; attempt++)
        {
            await Task.Delay(50);
            change = await _client.GetGroupingChangeAsync(_app.Id, change.Id);
        }
        Same((GroupingChangeProgress.Done, null), (change.State, change.Fault));
        return change;
    }

    private async Task DecideAsync()
    {
        var merge = new MergeRequest { Into = 1, Issues = [2], Id = Guid.NewGuid(), Seen_through = 7 };
        var merged = await _client.MergeIssuesAsync(_app.Id, merge);
        Same((1, 2, 0), (merged.Issue, merged.Merged.Single(), merged.Already.Count));
        var history = await _client.ListDecisionsAsync(_app.Id, number: 2);
        var item = history.Items.Single();
        Same((1, DecisionType.Merged, 1, 2), (history.Issue, item.Type, item.Issue, item.Issues.Single()));
        var split = new SplitRequest { Keys = ["of another issue"] };
        var refused = await RefusedAsync<ValidationProblem>(() => _client.SplitIssueAsync(_app.Id, number: 1, split));
        Same("keys", refused.Errors.Keys.Single());
    }

    /// <summary>An issue has its number when nothing before its first event is still being written.</summary>
    private async Task AwaitIssueAsync(int number)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                await _client.ListDecisionsAsync(_app.Id, number);
                return;
            }
            catch (ApiException<Problem>) when (attempt < 200)
            {
                await Task.Delay(50);
            }
    }

    /// <summary>What is refused tells why, in types.</summary>
    private async Task RefuseAsync(string name)
    {
        var invalid = await RefusedAsync<ValidationProblem>(
            () => _client.ListEventsAsync(_app.Id, limit: 0, offset: -1, level: null, since: null, until: null));
        Same("limit, offset", string.Join(", ", invalid.Errors.Keys.Order()));
        Same(404, (await RefusedAsync<Problem>(() => _client.GetEventAsync(_app.Id, Guid.NewGuid()))).Status);
        Same(409, (await RefusedAsync<Problem>(() => _client.RegisterApplicationAsync(name))).Status);
        var batch = await RefusedAsync<BatchProblem>(() => _client.SendBatchAsync(_app.Id, [new() { Message = "" }]));
        Same((0, "message"), (batch.Rejected.Single().Index, batch.Errors.Keys.Single()));
        var report = await RefusedAsync<SentryProblem>(() => _client.SendEnvelopeAsync(_app.Id, Bytes("no envelope")));
        Same(true, report.Detail.Length > 0);
    }

    private static async Task<T> RefusedAsync<T>(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (ApiException<T> refusal)
        {
            return refusal.Result;
        }
        throw new InvalidOperationException($"Not refused with a {typeof(T).Name}.");
    }

    private static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    private static void Same<T>(T expected, T actual)
    {
        if (!Equals(expected, actual)) throw new InvalidOperationException($"Expected {expected}, but it is {actual}.");
    }
}

using System.Net;
using System.Text;
using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Crash;

/// <summary>An application of a stage.</summary>
internal sealed record Application(int Id, string Key);

/// <summary>What one request sends: an event, or a batch of them as an array or as lines.</summary>
internal sealed class Parcel(Application application, List<Sent> events, string form)
{
    private const string Single = "single", Array = "array", Lines = "lines";

    private const int LargestBatch = 100, Messages = 80;

    /// <summary>What messages begin with: as many groups of equal errors.</summary>
    private static readonly string[] Subjects =
        ["Payment", "Refund", "Transfer", "Invoice", "Voucher", "Deposit", "Loan", "Card"];

    private static readonly string[] Flaws =
    [
        """
        "level":"LOUD"
        """,
        """
        "levels":"ERROR"
        """,
        """
        "level":7
        """,
        """
        "level":null
        """,
        """
        "level" "ERROR"
        """,
    ];

    public IReadOnlyList<Sent> Events => events;

    /// <summary>Every event that could be stored has a name: however often it is sent, each is stored once.</summary>
    public bool MayRepeat => events.All(e => e.EventId is not null || !e.IsValid);

    public bool IsAcknowledged => events.All(e => e.IsAcknowledged || !e.IsValid);

    public static Parcel Make(Random random, Ledger ledger, IReadOnlyList<Application> applications, bool isBatch)
    {
        var application = applications[random.Next(applications.Count)];
        var size = isBatch ? random.Next(1, LargestBatch) : 1;
        var namedPercent = 50 * random.Next(3);
        var flawedPercent = isBatch && random.Next(3) > 0 ? 0 : 10;
        var events = Enumerable.Range(0, size).Select(_ => MakeEvent()).ToList();
        ledger.Add(events);
        return new(application, events, !isBatch ? Single : random.Next(2) == 0 ? Array : Lines);

        Sent MakeEvent() => new(
            ledger.NextTrace(),
            application.Id,
            random.Next(100) < namedPercent ? Guid.NewGuid() : null,
            Levels.All[random.Next(Levels.All.Length)],
            MessageOf(random.Next(Messages)),
            random.Next(100) < flawedPercent ? Flaws[random.Next(Flaws.Length)] : null);
    }

    private static string MessageOf(int number) => $"{Subjects[number % Subjects.Length]} {number} declined";

    /// <summary>One valid event under a name of its own.</summary>
    public static Parcel Probe(Ledger ledger, Application application, string message = "Probe")
    {
        var probe = new Sent(ledger.NextTrace(), application.Id, Guid.NewGuid(), "INFO", message, flaw: null);
        ledger.Add([probe]);
        return new(application, [probe], Single);
    }

    /// <summary>
    /// Sends it to a node and notes what is answered for each event. What no answer may say is a fault.
    /// </summary>
    public async Task SendAsync(Node node, Ledger ledger)
    {
        try
        {
            using var request = Request();
            using var answer = await node.Http.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            var said = $"{(int)answer.StatusCode} by node {node.Number}";
            var isReceipt = form != Single && answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest;
            if (isReceipt) ReadReceipt(JsonDocument.Parse(body).RootElement, said, ledger);
            else ReadAnswer(answer, body, said, ledger);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            foreach (var sent in events) sent.Refuse($"no connection to node {node.Number}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            var reason = (e.InnerException ?? e).Message;
            foreach (var sent in events) sent.Lose($"answer of node {node.Number} lost: {reason}");
        }
    }

    private HttpRequestMessage Request()
    {
        var path = form == Single ? "events" : "events/batch";
        var type = form == Lines ? "application/x-ndjson" : "application/json";
        return new(HttpMethod.Post, $"/apps/{application.Id}/{path}")
        {
            Headers = { { "X-INGEST-KEY", application.Key } },
            Content = new StringContent(Body(), Encoding.UTF8, type),
        };
    }

    private string Body() => form switch
    {
        Single => events[0].Json,
        Lines => string.Join('\n', events.Select(e => e.Json)),
        _ => $"[{string.Join(',', events.Select(e => e.Json))}]",
    };

    private void ReadAnswer(HttpResponseMessage answer, string body, string said, Ledger ledger)
    {
        switch ((int)answer.StatusCode)
        {
            case 200 or 201 when form == Single && events[0].IsValid:
                events[0].Acknowledge(said, JsonDocument.Parse(body).RootElement.GetProperty("id").GetGuid());
                return;
            case 429 or 503 when answer.Headers.RetryAfter is not null:
            case 400 when form == Single && !events[0].IsValid:
                break;
            default:
                ledger.Fault(FaultKind.Answer, $"{said}, {body}, for {form} of {string.Join("; ", events.Take(3))}");
                break;
        }
        foreach (var sent in events) sent.Refuse(said);
    }

    /// <summary>
    /// A receipt lists what is rejected; an end of the batch before its last event is listed as a rejection of the body
    /// there.
    /// </summary>
    private void ReadReceipt(JsonElement receipt, string said, Ledger ledger)
    {
        var rejected = receipt.GetProperty("rejected").EnumerateArray().ToDictionary(
            rejection => rejection.GetProperty("index").GetInt32(),
            rejection => rejection.GetProperty("errors").GetRawText());
        var stored = receipt.GetProperty("accepted").GetInt32() + receipt.GetProperty("duplicates").GetInt32();
        var isReadWhole = stored + rejected.Count == events.Count;
        var read = isReadWhole ? events.Count : rejected.Keys.DefaultIfEmpty(0).Max();
        if (stored + rejected.Keys.Count(index => index < read) != read)
            ledger.Fault(FaultKind.Answer, $"{said}, {receipt}, for a batch of {events.Count}");

        foreach (var (index, sent) in events.Index())
        {
            var error = index >= read ? "not read" : rejected.GetValueOrDefault(index);
            if (error is null) sent.Acknowledge(said);
            else sent.Refuse($"{said}, rejected: {error}");

            var isStored = error is null;
            var mayBeRefused = index >= read || (error?.Contains("send it again", StringComparison.Ordinal) ?? false);
            if (isStored != sent.IsValid && !(sent.IsValid && mayBeRefused)) ledger.Fault(FaultKind.Answer, $"{sent}");
        }
    }
}

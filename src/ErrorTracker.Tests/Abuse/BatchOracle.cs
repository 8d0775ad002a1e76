namespace ErrorTracker.Tests.Abuse;

/// <summary>What must become of a batch: its elements are found by their brackets, and judged one by one.</summary>
internal static class BatchOracle
{
    private const int MostEvents = 10_000, Largest = 16 * 1024 * 1024;

    /// <summary>The elements, and whether the batch ends as it should.</summary>
    public static (List<byte[]> Elements, bool IsWhole) Split(byte[] body, bool lines) =>
        lines ? (SplitLines(body), true) : SplitArray(body);

    /// <summary>Why the answer is not the one that these elements must get; null if it is.</summary>
    /// <param name="size">Of the body, when it is inflated.</param>
    /// <param name="inflates">False: how many were read before the compressed body broke is up to the host.</param>
    public static string? FaultOf(Answer answer, List<byte[]> elements, long size, bool isWhole, bool inflates, Ledger ledger, int input)
    {
        var isTooLarge = elements.Count > MostEvents || size > Largest;
        if (isTooLarge && inflates && answer.Status != 413) return "expected 413";
        if (isTooLarge && answer.Status == 413) return FaultOf(answer, elements, TakenBy(answer), end: null, ledger, input);
        var last = inflates ? elements.Count : LastOf(answer);
        if (last == 0 && !(isWhole && inflates)) return answer.Status == 400 && answer.Faults is ["body"] ? null : $"expected 400 body";
        return FaultOf(answer, elements, last, isWhole && inflates ? null : $"{last}:body", ledger, input);
    }

    /// <param name="last">So many were read.</param>
    /// <param name="end">What is said of the rest.</param>
    private static string? FaultOf(Answer answer, List<byte[]> elements, int last, string? end, Ledger ledger, int input)
    {
        if (last > elements.Count) return $"{last} elements were found, not {elements.Count}";
        var (accepted, duplicates, rejected) = (0, 0, new List<string>());
        for (var index = 0; index < last; index++)
        {
            var verdict = EventOracle.Judge(elements[index]);
            var status = ledger.StatusOf(verdict);
            if (status == 201) accepted++;
            else if (status == 200) duplicates++;
            else rejected.Add($"{index}:{(status == 409 ? "event_id" : string.Join(',', verdict.Faults))}");
            ledger.Add(verdict, input);
        }
        if (end is not null) rejected.Add(end);
        var whole = accepted + duplicates > 0 || rejected.Count == 0 ? 200 : 400;
        if (answer.Status != 413 && answer.Status != whole) return $"expected {whole}";
        var expected = $"{accepted} {duplicates} {string.Join(' ', rejected)}";
        var found = answer.Json is { } json
            ? $"{json["accepted"]?.Text} {json["duplicates"]?.Text} {string.Join(' ', RejectedOf(json))}"
            : "";
        return expected == found ? null : $"expected accepted, duplicates and rejected {expected}";
    }

    private static int LastOf(Answer answer) => answer.Json?["rejected"]?.Members is [.., var last] ? Number(last.Value["index"]) : 0;

    /// <summary>A batch that is too large is told of as far as it was read.</summary>
    private static int TakenBy(Answer answer) =>
        answer.Json is { } json ? Number(json["accepted"]) + Number(json["duplicates"]) + (json["rejected"]?.Members.Count ?? 0) : 0;

    private static IEnumerable<string> RejectedOf(PlainJson receipt) =>
        from rejected in receipt["rejected"]!.Members
        let faults = Answer.FaultsOf(rejected.Value)
        select $"{rejected.Value["index"]!.Text}:{string.Join(',', faults)}";

    private static int Number(PlainJson? json) =>
        json is null ? 0 : int.Parse(json.Text, System.Globalization.CultureInfo.InvariantCulture);

    private static List<byte[]> SplitLines(byte[] body)
    {
        var lines = new List<byte[]>();
        for (int start = 0, at = 0; at <= body.Length; at++)
            if (at == body.Length || body[at] == '\n')
            {
                if (body[start..at].Any(b => !IsBlank(b))) lines.Add(body[start..at]);
                start = at + 1;
            }
        return lines;
    }

    private static (List<byte[]>, bool) SplitArray(byte[] body)
    {
        var (elements, at) = (new List<byte[]>(), 0);
        while (at < body.Length && IsBlank(body[at])) at++;
        if (body[at..] is [0xef, 0xbb, 0xbf, ..]) at += 3;
        while (at < body.Length && IsBlank(body[at])) at++;
        if (at == body.Length || body[at] != '[') return (elements, false);

        var (start, depth, inText) = (++at, 0, false);
        for (; at < body.Length; at++)
        {
            var next = (char)body[at];
            if (inText && next == '\\') at++;
            else if (next == '"') inText = !inText;
            else if (inText) continue;
            else if (next is '[' or '{') depth++;
            else if (depth > 0 && next is ']' or '}') depth = Math.Max(0, depth - 1);
            else if (depth == 0 && next is ',' or ']')
            {
                if (next == ',' || elements.Count > 0 || body[start..at].Any(b => !IsBlank(b))) elements.Add(body[start..at]);
                start = at + 1;
                if (next == ']') return (elements, body[start..].All(IsBlank));
            }
        }
        return (elements, false);
    }

    private static bool IsBlank(byte b) => b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';
}

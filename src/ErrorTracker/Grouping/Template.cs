using System.Buffers;
using System.Collections.Frozen;

namespace ErrorTracker.Grouping;

/// <summary>
/// What stays of a text when all that changes from one error to the next is left out: <c>User 42 not found</c> and
/// <c>User 77 not found</c> are both <c>User &lt;n&gt; not found</c>. Pure; one scan from left to right without going
/// back, so it costs the length of the text, whatever the text is.
/// </summary>
internal ref struct Template
{
    /// <summary>Characters of a template.</summary>
    public const int Longest = 300;

    /// <summary>Room for the marker or the word that goes over the edge.</summary>
    private const int Margin = 64;

    private const int
        LongestPlainQuote = 40, LongestKeptNumber = 10, LongestScheme = 20, LongestJudged = 64, LongestLocalPart = 64;

    private const string
        Number = "<n>", Text = "<s>", Url = "<url>", Email = "<email>", Uuid = "<uuid>", Time = "<time>", Ip = "<ip>",
        Hex = "<hex>", Token = "<token>";

    private static readonly SearchValues<char> NoScheme = SearchValues.Create(" \t\"'()[]{}<>,;=/");

    private static readonly SearchValues<char> EndOfUrl = SearchValues.Create(" \t\"'<>`");

    private readonly ReadOnlySpan<char> _line;
    private readonly Span<char> _kept;
    private readonly bool _hasUrl;
    private int _at, _length, _nextAt;

    /// <summary>Whether the next number says what went wrong, as after <c>status</c>.</summary>
    private bool _keepsNumber;

    /// <summary>By kind of quote, from where on the line holds no closing one: each is sought in vain but once.</summary>
    private int _noSingle = int.MaxValue, _noDouble = int.MaxValue, _noBacktick = int.MaxValue, _noOther = int.MaxValue;

    private Template(ReadOnlySpan<char> line, Span<char> kept)
    {
        _line = line;
        _kept = kept;
        _nextAt = line.IndexOf('@');
        _hasUrl = line.Contains("://", StringComparison.Ordinal);
    }

    /// <summary>Of the first line that is not blank; empty if there is none.</summary>
    public static string Of(ReadOnlySpan<char> text)
    {
        var line = FirstLine(text);
        if (line.IsEmpty) return "";
        return SystemCode.In(line) ?? new Template(line, stackalloc char[Longest + Margin]).Scan();
    }

    /// <summary>The first line that is not blank, without the blanks around it.</summary>
    public static ReadOnlySpan<char> FirstLine(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        var end = text.IndexOfAny('\r', '\n');
        return (end < 0 ? text : text[..end]).TrimEnd();
    }

    private string Scan()
    {
        while (_at < _line.Length && _length < Longest) Next();
        var kept = _kept[..Math.Min(_length, Longest)];
        if (kept.Length == Longest && char.IsHighSurrogate(kept[^1])) kept = kept[..^1];
        return kept.TrimEnd(' ').ToString();
    }

    private void Next()
    {
        var c = _line[_at];
        if (char.IsWhiteSpace(c) || char.IsControl(c)) Blank();
        else if (IsWord(c) || IsSign(_at)) Run();
        else if (ClosingOf(c) != 0 && TryQuoted(ClosingOf(c))) _keepsNumber = false;
        else if (c is '/' or '\\' && !IsWordAt(_at - 1) && IsWordAt(_at + 1)) Path();
        else if (c == ':' && TryIpV6()) _keepsNumber = false;
        else
        {
            _keepsNumber &= " :=#([/'\"".Contains(c);
            Keep(1);
        }
    }

    private void Blank()
    {
        _at++;
        if (_length > 0 && _kept[_length - 1] != ' ') Put(' ');
    }

    /// <summary>Letters, digits, <c>_</c> and <c>-</c> that hang together, with what begins like them.</summary>
    private void Run()
    {
        if (TryUrl() || TryEmail()) return;
        var end = _at + 1;
        while (end < _line.Length && (IsWord(_line[end]) || _line[end] == '-')) end++;
        var run = _line[_at..end];
        var hasLetter = run.ContainsAnyInRange('A', 'z');
        while (_at < end) Piece(end);
        if (_at != end || !hasLetter || _at >= _line.Length) return;
        var isHttp = run.StartsWith("HTTP", StringComparison.OrdinalIgnoreCase);
        if (_line[_at] == '/' && IsWordAt(_at + 1) && !isHttp) Path();
        else if (run.Length == 1 && _line[_at..] is [':', '\\' or '/', ..]) DrivePath();
    }

    private void DrivePath()
    {
        Keep(1);
        Path();
    }

    /// <summary>A part of a run between its <c>_</c> and <c>-</c>.</summary>
    /// <param name="end">Of the run.</param>
    private void Piece(int end)
    {
        var c = _line[_at];
        if (IsSign(_at)) Sign();
        else if (c is '_' or '-') Keep(1);
        else if (IsUuidAt(_at)) Skip(36, Uuid);
        else if (IsToken(end)) Skip(end - _at, Token);
        else if (char.IsAsciiHexDigit(c) && TryDigits()) _keepsNumber = false;
        else Alphanumeric();
    }

    private void Sign()
    {
        if (_keepsNumber) Keep(1);
        else _at++;
    }

    private void Alphanumeric()
    {
        var end = _at;
        var (digits, letters) = (0, 0);
        var isHex = true;
        for (; end < _line.Length && IsWord(_line[end]) && _line[end] != '_'; end++)
        {
            if (char.IsDigit(_line[end])) digits++;
            else letters++;
            isHex &= char.IsAsciiHexDigit(_line[end]);
        }
        var piece = _line[_at..end];
        if (letters == 0 || char.IsDigit(piece[0]) && IsNumberWithUnit(piece)) NumberFrom(end);
        else if (isHex && piece.Length >= 7 && digits > 0) SkipHex(end);
        else if (IsMixed(piece, least: 16)) Skip(piece.Length, Token);
        else Word(piece, digits > 0);
    }

    private bool TryDigits() => TryTime() || TryIpV4() || TryMac() || TryIpV6() || TryHex0x();

    /// <summary>Whether the rest of a run is one; a word before it is not a part of it.</summary>
    private readonly bool IsToken(int end)
    {
        var rest = _line[_at..Math.Min(end, _at + LongestJudged)];
        var mark = rest.IndexOfAny('_', '-');
        var piece = mark < 0 ? rest : rest[..mark];
        return piece.ContainsAnyInRange('0', '9') && !piece.StartsWith("0x") && IsMixed(rest, least: 20);
    }

    /// <summary>A pod of Kubernetes goes on with five characters after its hash.</summary>
    private void SkipHex(int end)
    {
        var isPod = end + 6 <= _line.Length && _line[end] == '-' && !IsWordAt(end + 6);
        for (var at = end + 1; isPod && at < end + 6; at++)
            isPod = char.IsAsciiLetterLower(_line[at]) || char.IsAsciiDigit(_line[at]);
        Skip((isPod ? end + 6 : end) - _at, Hex);
    }

    private void Word(ReadOnlySpan<char> word, bool hasDigit)
    {
        var isFiller = _keepsNumber && IsFiller(word);
        Keep(word.Length);
        if (IsKeyword(word)) _keepsNumber = true;
        else if (!isFiller) _keepsNumber = word is "ORA" && _at < _line.Length && _line[_at] == '-';
        if (hasDigit) KeepVersion();
    }

    /// <summary>What follows digits that are glued to letters belongs to them: <c>v1.2.3</c>.</summary>
    private void KeepVersion()
    {
        if (!char.IsDigit(_line[_at - 1])) return;
        while (_at + 1 < _line.Length && _line[_at] == '.' && char.IsDigit(_line[_at + 1]))
        {
            Keep(2);
            while (_at < _line.Length && char.IsDigit(_line[_at])) Keep(1);
        }
    }

    /// <param name="end">Of the digits and the unit that were found; a number may go on behind a point.</param>
    private void NumberFrom(int end)
    {
        var start = _at;
        while (end + 1 < _line.Length && _line[end] is '.' or ',' or '\'' && char.IsDigit(_line[end + 1]))
        {
            end++;
            while (end < _line.Length && char.IsLetterOrDigit(_line[end])) end++;
        }
        if (_line[end - 1] is 'e' or 'E' && end + 1 < _line.Length && _line[end] is '-' or '+' && IsDigitAt(end + 1))
        {
            end++;
            while (end < _line.Length && char.IsDigit(_line[end])) end++;
        }
        if (end < _line.Length && _line[end] == '%') end++;
        if (_keepsNumber && end - start <= LongestKeptNumber)
        {
            Keep(end - start);
            _keepsNumber = IsVersionOfHttp(start);
            return;
        }
        _keepsNumber = false;
        Skip(end - start, Number);
    }

    private readonly bool IsVersionOfHttp(int start) =>
        start >= 5 && _line[(start - 5)..start].Equals("HTTP/", StringComparison.OrdinalIgnoreCase);

    private bool TryUrl()
    {
        if (!_hasUrl || !char.IsAsciiLetter(_line[_at])) return false;
        var scheme = _line[_at..Math.Min(_line.Length, _at + LongestScheme + 3)].IndexOf("://");
        if (scheme < 2 || _line.Slice(_at, scheme).ContainsAny(NoScheme)) return false;
        var rest = _line[_at..];
        var end = rest.IndexOfAny(EndOfUrl);
        rest = (end < 0 ? rest : rest[..end]).TrimEnd(".,;:!?)]}…");
        if (rest.Length <= scheme + 3) return false;
        _keepsNumber = false;
        Skip(rest.Length, Url);
        return true;
    }

    private bool TryEmail()
    {
        if (_nextAt >= 0 && _nextAt < _at) _nextAt = IndexFrom(_at, '@');
        if (_nextAt < 0 || _nextAt > _at + LongestLocalPart) return false;
        foreach (var c in _line[_at.._nextAt])
            if (!char.IsLetterOrDigit(c) && !"._%+-".Contains(c)) return false;
        var end = _nextAt + 1;
        while (end < _line.Length && (char.IsLetterOrDigit(_line[end]) || _line[end] is '.' or '-')) end++;
        var domain = _line[(_nextAt + 1)..end].TrimEnd(".-");
        if (domain.Length < 3 || !domain[1..^1].Contains('.')) return false;
        _keepsNumber = false;
        Skip(_nextAt + 1 + domain.Length - _at, Email);
        return true;
    }

    private readonly int IndexFrom(int start, char c)
    {
        var found = _line[start..].IndexOf(c);
        return found < 0 ? -1 : start + found;
    }

    private readonly bool IsUuidAt(int at)
    {
        if (at + 36 > _line.Length || _line[at + 8] != '-' || IsWordAt(at + 36)) return false;
        for (var i = 0; i < 36; i++)
            if (i is 8 or 13 or 18 or 23 ? _line[at + i] != '-' : !char.IsAsciiHexDigit(_line[at + i])) return false;
        return true;
    }

    /// <summary>A date, a time of the day with seconds, or both.</summary>
    private bool TryTime()
    {
        if (!char.IsAsciiDigit(_line[_at]) || IsWordAt(_at - 1) && _line[_at - 1] != '_') return false;
        var date = DateAt(_at);
        var end = date;
        if (date > 0)
        {
            var clock = date < _line.Length && _line[date] is 'T' or 't' or ' ' or '_' ? ClockAt(date + 1) : -1;
            if (clock > 0) end = clock;
        }
        else end = ClockAt(_at);
        if (end < 0 || IsWordAt(end)) return false;
        Skip(end - _at, Time);
        return true;
    }

    /// <summary>The end of a date such as 2026-01-31, 2026/01/31, 31.01.2026 and 1/31/2026; -1 if there is none.</summary>
    private readonly int DateAt(int at)
    {
        Span<int> parts = stackalloc int[3];
        var separator = '\0';
        for (var part = 0; part < 3; part++)
        {
            if (part > 0)
            {
                if (at >= _line.Length || _line[at] is not ('-' or '/' or '.')) return -1;
                if (part == 2 && _line[at] != separator) return -1;
                separator = _line[at++];
            }
            parts[part] = DigitsAt(at, 4);
            if (parts[part] == 0) return -1;
            at += parts[part];
        }
        var isYearFirst = parts[0] == 4 && parts[1] <= 2 && parts[2] <= 2 && separator != '.';
        var isYearLast = parts[2] == 4 && parts[1] <= 2 && parts[0] <= 2;
        return isYearFirst || isYearLast ? at : -1;
    }

    /// <summary>The end of 12:34:56 with fractions and offset; -1 if there is none.</summary>
    private readonly int ClockAt(int at)
    {
        for (var part = 0; part < 3; part++)
        {
            var digits = DigitsAt(at, 3);
            if (digits != 2 && !(part == 0 && digits == 1)) return -1;
            at += digits;
            if (part == 2) break;
            if (at >= _line.Length || _line[at] != ':') return -1;
            at++;
        }
        if (at < _line.Length && _line[at] is '.' or ',' && IsDigitAt(at + 1)) at += 1 + DigitsAt(at + 1, 9);
        if (at < _line.Length && _line[at] is 'Z' or 'z') return at + 1;
        if (at + 2 < _line.Length && _line[at] is '+' or '-' && DigitsAt(at + 1, 4) is var hours and (2 or 4))
        {
            at += 1 + hours;
            if (at + 2 < _line.Length && _line[at] == ':' && DigitsAt(at + 1, 3) == 2) at += 3;
        }
        return at;
    }

    private readonly int DigitsAt(int at, int most)
    {
        var count = 0;
        while (count < most && at + count < _line.Length && char.IsAsciiDigit(_line[at + count])) count++;
        return count;
    }

    private bool TryIpV4()
    {
        var at = _at;
        for (var part = 0; part < 4; part++)
        {
            if (part > 0 && (at >= _line.Length || _line[at++] != '.')) return false;
            var digits = DigitsAt(at, 4);
            if (digits is 0 or 4) return false;
            at += digits;
        }
        if (IsWordAt(at) || at + 1 < _line.Length && _line[at] == '.' && char.IsDigit(_line[at + 1])) return false;
        if (at < _line.Length && _line[at] is ':' or '/' && DigitsAt(at + 1, 5) is var port and > 0) at += 1 + port;
        Skip(at - _at, Ip);
        return true;
    }

    /// <summary>Groups of up to four digits with two colons together, or all eight; in brackets with a port.</summary>
    private bool TryIpV6()
    {
        if (!char.IsAsciiHexDigit(_line[_at]) && _line[_at] != ':' || IsWordAt(_at - 1)) return false;
        var (at, colons, digits) = (_at, 0, 0);
        var isShort = false;
        for (; at < _line.Length && at < _at + 45; at++)
        {
            if (_line[at] == ':')
            {
                isShort |= at > _at && _line[at - 1] == ':';
                (colons, digits) = (colons + 1, 0);
            }
            else if (char.IsAsciiHexDigit(_line[at]) && digits < 4) digits++;
            else break;
        }
        if (at > _at && _line[at - 1] == ':' && !(at - 2 >= _at && _line[at - 2] == ':')) (at, colons) = (at - 1, colons - 1);
        var isAddress = isShort && colons is >= 2 and <= 7 && at - _at > 2 || colons == 7;
        if (!isAddress || IsWordAt(at)) return false;
        var isInBrackets = at < _line.Length && _line[at] == ']' && _length > 0 && _kept[_length - 1] == '[';
        if (isInBrackets && at + 1 < _line.Length && _line[at + 1] == ':' && DigitsAt(at + 2, 5) is var port and > 0)
        {
            at += 2 + port;
            _length--;
        }
        if (at + 1 < _line.Length && _line[at] == '/' && DigitsAt(at + 1, 3) is var bits and > 0) at += 1 + bits;
        Skip(at - _at, Ip);
        return true;
    }

    /// <summary>The address of a network card: six pairs.</summary>
    private bool TryMac()
    {
        const int Length = 17;
        if (_at + Length > _line.Length || IsWordAt(_at - 1) || IsWordAt(_at + Length)) return false;
        for (var i = 0; i < Length; i++)
            if (i % 3 == 2 ? _line[_at + i] is not (':' or '-') : !char.IsAsciiHexDigit(_line[_at + i])) return false;
        Skip(Length, Hex);
        return true;
    }

    private bool TryHex0x()
    {
        if (_at + 2 >= _line.Length || _line[_at] != '0' || _line[_at + 1] is not ('x' or 'X')) return false;
        var end = _at + 2;
        while (end < _line.Length && char.IsAsciiHexDigit(_line[end])) end++;
        if (end == _at + 2 || IsWordAt(end)) return false;
        if (_keepsNumber && end - _at <= LongestKeptNumber) Keep(end - _at);
        else Skip(end - _at, Hex);
        return true;
    }

    /// <summary>From a separator on: a segment with a digit is one that changes.</summary>
    private void Path()
    {
        _keepsNumber = false;
        while (_at < _line.Length && _line[_at] is '/' or '\\' && _length < Longest)
        {
            Keep(1);
            var end = _at;
            while (end < _line.Length && IsOfPath(_line[end])) end++;
            var segment = _line[_at..end].TrimEnd('.');
            var hasDigit = false;
            foreach (var c in segment) hasDigit |= char.IsDigit(c);
            if (hasDigit) Skip(segment.Length, Text);
            else Keep(segment.Length);
        }
    }

    private static bool IsOfPath(char c) =>
        char.IsLetterOrDigit(c) || c is '.' or '_' or '-' or '~' or '%' or '@' or '+' or '$';

    private static char ClosingOf(char c) => c switch
    {
        '\'' or '"' or '`' => c,
        '“' or '„' => '”',
        '‘' or '‚' => '’',
        '«' => '»',
        _ => '\0',
    };

    /// <summary>Quotes stay, and what is between them if it is a word.</summary>
    private bool TryQuoted(char closing)
    {
        var isApostrophe = closing == '\'' && IsWordAt(_at - 1) && !IsPrefix();
        if (isApostrophe || FindClosing(closing) is var end && end < 0) return false;
        var inside = _line[(_at + 1)..end];
        var isValue = inside.Length > LongestPlainQuote;
        foreach (var c in inside) isValue |= char.IsDigit(c) || c is '@' or '/' or '\\';
        if (!isValue)
        {
            Keep(inside.Length + 2);
            return true;
        }
        var (opened, closed) = (_line[_at], _line[end]);
        _at = end + 1;
        Mark([opened, .. Text, closed]);
        return true;
    }

    /// <summary>Python writes b'…', r'…' and u'…'.</summary>
    private readonly bool IsPrefix() => _line[_at - 1] is 'b' or 'r' or 'u' or 'f' && !IsWordAt(_at - 2);

    private int FindClosing(char closing)
    {
        ref var none = ref _noOther;
        if (closing == '\'') none = ref _noSingle;
        else if (closing == '"') none = ref _noDouble;
        else if (closing == '`') none = ref _noBacktick;
        if (_at >= none) return -1;
        var isShared = closing is '”' or '’' or '»';
        for (var at = _at + 1; at < _line.Length; at++)
        {
            if (_line[at] != closing) continue;
            if (closing == '\'' && IsWordAt(at + 1)) continue;
            return at;
        }
        none = isShared ? none : _at;
        return -1;
    }

    private static bool IsNumberWithUnit(ReadOnlySpan<char> piece)
    {
        var digits = 0;
        while (digits < piece.Length && char.IsDigit(piece[digits])) digits++;
        var unit = piece[digits..];
        if (unit is ['e' or 'E', .. var exponent] && !exponent.ContainsAnyExceptInRange('0', '9')) return true;
        return Units.Contains(unit);
    }

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Units = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "ns", "us", "µs", "μs", "ms", "s", "sec", "secs", "m", "min", "mins", "h", "hr", "hrs", "d", "day", "days",
        "b", "k", "kb", "mb", "gb", "tb", "pb", "kib", "mib", "gib", "tib", "g", "bytes", "byte", "bit", "bits",
        "px", "hz", "khz", "mhz", "ghz", "kbps", "mbps", "gbps", "mm", "cm", "km", "kg")
        .GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Keywords = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "status", "http", "https", "code", "errno", "exit", "signal", "error", "sqlstate")
        .GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Fillers = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "of", "is", "was", "with", "number", "no", "nr")
        .GetAlternateLookup<ReadOnlySpan<char>>();

    private static bool IsFiller(ReadOnlySpan<char> word) => Fillers.Contains(word);

    /// <summary>The word itself, or in <c>statusCode</c> its last part.</summary>
    private static bool IsKeyword(ReadOnlySpan<char> word) =>
        Keywords.Contains(word) || word.EndsWith("Code", StringComparison.Ordinal)
        || word.EndsWith("Status", StringComparison.Ordinal);

    /// <summary>
    /// Letters and digits in an order that no person thought of, such as those of a session: kinds of characters change
    /// more often than in words that are joined.
    /// </summary>
    private static bool IsMixed(ReadOnlySpan<char> run, int least)
    {
        if (run.Length < least) return false;
        var (digits, letters, changes) = (0, 0, 0);
        var last = 0;
        foreach (var c in run)
        {
            var kind = char.IsDigit(c) ? 1 : char.IsUpper(c) ? 2 : char.IsLetter(c) ? 3 : 4;
            if (kind == 1) digits++;
            else if (kind != 4) letters++;
            if (last != 0 && kind != last && !(last == 2 && kind == 3)) changes++;
            last = kind;
        }
        return digits >= 2 && letters >= 2 && changes * 10 >= run.Length * 3;
    }

    private readonly bool IsSign(int at) =>
        _line[at] is '-' or '+' && at + 1 < _line.Length && char.IsDigit(_line[at + 1])
        && (at == 0 || char.IsWhiteSpace(_line[at - 1]) || "([{,=:<>$".Contains(_line[at - 1]));

    private readonly bool IsDigitAt(int at) => at >= 0 && at < _line.Length && char.IsDigit(_line[at]);

    private readonly bool IsWordAt(int at) => at >= 0 && at < _line.Length && IsWord(_line[at]);

    private static bool IsWord(char c) => c == '_' || char.IsLetterOrDigit(c);

    private void Skip(int count, string marker)
    {
        _at += count;
        Mark(marker);
    }

    /// <summary>A list of equal markers is one of them.</summary>
    private void Mark(scoped ReadOnlySpan<char> marker)
    {
        var before = _kept[.._length].TrimEnd(" ,;");
        if (before.Length < _length && before.EndsWith(marker)) _length = before.Length;
        else foreach (var c in marker) Put(c);
    }

    private void Keep(int count)
    {
        if (count == 1)
        {
            Put(_line[_at++]);
            return;
        }
        foreach (var c in _line.Slice(_at, count))
        {
            if (!char.IsWhiteSpace(c) && !char.IsControl(c)) Put(c);
            else if (_length > 0 && _length <= _kept.Length && _kept[_length - 1] != ' ') Put(' ');
        }
        _at += count;
    }

    private void Put(char c)
    {
        if (_length < _kept.Length) _kept[_length++] = c;
    }
}

using System.Buffers;
using System.Collections.Frozen;
using System.Text;

namespace ErrorTracker.Grouping;

/// <summary>
/// A function's name as its author wrote it: without arguments, results, generic parameters and what compilers and
/// runtimes add to it. A function without a name is the one around it and <c>.lambda</c>. Pure; costs the length of the
/// name, of which so many characters are read.
/// </summary>
internal sealed class FunctionName
{
    private const int Longest = 600;

    private const int MostNested = 6;

    private const string Lambda = GeneratedName.Lambda;

    /// <summary>A name without any of them is as its author wrote it.</summary>
    private static readonly SearchValues<char> Marks = SearchValues.Create("<>()[]{}`'@$+:/#|* ~=-.");

    private static readonly SearchValues<char>
        Counted = SearchValues.Create("_0123456789"),
        LowerHex = SearchValues.Create("0123456789abcdef"),
        UpperHex = SearchValues.Create("0123456789ABCDEF");

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Nameless = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "?", "??", "???", "<anonymous>", "anonymous", "(anonymous)", "[anonymous]", "{anonymous}", "<unknown>", "unknown",
        "(unknown)", "<redacted>", "anonymous function", "<anonymous function>", "<eval>", "(eval)", "<computed>", "<lambda>",
        "{closure}", "{{closure}}", "__anon__", "lambda", "null", "<no name>", "<fn>", "<anonymous closure>", "eval code",
        "<unknown symbol>", "(no symbol)", "<compiler-generated>", "(deduplicated_symbol)", "<deduplicated_symbol>")
        .GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>What Swift and C++ write before a name, up to its last word.</summary>
    private static readonly string[] Introductions =
    [
        "partial apply forwarder for ", "partial apply for ", "resume partial function for ", "specialization ",
        "thunk of ", "thunk to ",
    ];

    private static readonly string[] Qualifiers =
        ["const", "volatile", "noexcept", "&&", "&", "async", "throws", "rethrows"];

    private readonly StringBuilder _name;
    private readonly bool _isGo;
    private bool _endsEarly;

    private FunctionName(StringBuilder name, bool isGo)
    {
        _name = name;
        _isGo = isGo;
    }

    /// <summary>Empty if it has no name, or only one that says nothing.</summary>
    public static string Of(string? raw, bool isGo = false)
    {
        if (raw is null) return "";
        var name = raw.AsSpan().Trim().TrimStart('.');
        if (name.Length > Longest) name = name[..Longest];
        if (name.IsEmpty || Nameless.Contains(name) || IsAddress(name)) return "";
        var clean = !name.ContainsAny(Marks) && !isGo
            ? WithoutEnds(name)
            : new FunctionName(new(), isGo).Clean(name);
        return clean is Lambda ? "" : clean;
    }

    private static bool IsAddress(ReadOnlySpan<char> name) =>
        name.StartsWith("0x") || !name.ContainsAnyExceptInRange('0', '9');

    private string Clean(ReadOnlySpan<char> name)
    {
        var isLambda = false;
        name = WithoutIntroduction(name, ref isLambda);
        if (name.IsEmpty) return isLambda ? Lambda : "";
        if (ObjectiveC(name) is { } method) return method;
        if (Erlang(name) is { } function) return function;
        if (IsOnlySigns(name)) return name.ToString();
        Scan(name, 0);
        var clean = Segments(_name.ToString());
        if (!isLambda) return clean;
        return clean.Length == 0 ? Lambda : WithLambda(clean);
    }

    /// <summary>Ruby and others let operators be functions.</summary>
    private static bool IsOnlySigns(ReadOnlySpan<char> name)
    {
        foreach (var c in name) if (char.IsLetter(c) || c == '_') return false;
        return true;
    }

    private static string WithLambda(string name) =>
        name.EndsWith("." + Lambda, StringComparison.Ordinal) ? name : $"{name}.{Lambda}";

    /// <summary>Ruby, Elixir and Swift say in words that a function stands in another.</summary>
    private static ReadOnlySpan<char> WithoutIntroduction(ReadOnlySpan<char> name, scoped ref bool isLambda)
    {
        while (true)
        {
            var start = name;
            if (name.StartsWith("rescue in ") || name.StartsWith("ensure in ")) name = name[10..];
            else if (name.StartsWith("block ") || name.StartsWith("anonymous fn/") || name.StartsWith("closure #")
                || name.StartsWith("implicit closure #") || name.StartsWith("lambda in ") || name.StartsWith("fn in "))
            {
                var at = name.LastIndexOf(" in ");
                if (name.StartsWith("block ")) at = name.IndexOf(" in ");
                if (at < 0) return name;
                name = name[(at + 4)..];
                isLambda = true;
            }
            foreach (var introduction in Introductions)
                if (name.IndexOf(introduction) is var at and >= 0) name = name[(at + introduction.Length)..];
            if (name.Length == start.Length) return name;
        }
    }

    /// <summary><c>-[Cart total:with:]</c>, also of a block in it; null for all else.</summary>
    private static string? ObjectiveC(ReadOnlySpan<char> name)
    {
        var start = name.IndexOf("-[");
        if (start < 0) start = name.IndexOf("+[");
        if (start < 0 || name[..start].ContainsAnyExcept(Counted)) return null;
        var method = name[(start + 2)..];
        var end = method.IndexOf(']');
        if (end < 0) return null;
        var isBlock = method[end..].StartsWith("]_block_invoke");
        var text = method[..end].ToString();
        var category = text.IndexOf('(');
        var rest = text.IndexOf(' ');
        if (category > 0 && rest > category) text = text[..category] + text[rest..];
        text = text.Replace(' ', '.');
        return isBlock ? $"{text}.{Lambda}" : text;
    }

    /// <summary><c>-total/2-fun-0-</c> is a function in total; null for all else.</summary>
    private static string? Erlang(ReadOnlySpan<char> name)
    {
        if (name[0] != '-' || name.Length < 4) return null;
        var slash = name[1..].IndexOf('/');
        return slash > 0 ? $"{name[1..(slash + 1)]}.{Lambda}" : null;
    }

    private void Scan(ReadOnlySpan<char> name, int depth)
    {
        if (depth > MostNested) return;
        var arrow = name.IndexOf("=>");
        if (arrow > 0)
        {
            Scan(UpToLambda(name[..arrow]), depth + 1);
            Add(Lambda);
            return;
        }
        for (var at = 0; at < name.Length && !_endsEarly;) at = Next(name, at, depth);
    }

    /// <summary>.NET's SDK writes a lambda as <c>Outer(…)+(int x) =&gt; { }</c>.</summary>
    private static ReadOnlySpan<char> UpToLambda(ReadOnlySpan<char> name)
    {
        var plus = name.LastIndexOf('+');
        return plus > 0 ? name[..plus] : default;
    }

    private bool IsStart => _name.Length == 0 || _name[^1] is '.' or ':' or '#' or '>' or '\\';

    /// <returns>Where to go on.</returns>
    private int Next(ReadOnlySpan<char> name, int at, int depth)
    {
        switch (name[at])
        {
            case '<':
                return IsStart ? Named(name, at, depth) : Group(name, at);
            case '(':
                return Parentheses(name, at, depth);
            case '[':
                return Group(name, at);
            case '{':
                return Braces(name, at);
            case '`':
                return Backtick(name, at, depth);
            case '\'':
                return Quoted(name, at);
            case '@':
                return At(name, at);
            case '/':
                return Slash(name, at);
            case ' ':
                return Blank(name, at);
            case '+':
                _name.Append('.');
                return at + 1;
            case '*' or '&' or '~' when _name.Length == 0 && name[at] != '~':
                return at + 1;
            case 'o' when IsStart && IsOperator(name[at..]):
                return Operator(name, at);
            default:
                _name.Append(name[at]);
                return at + 1;
        }
    }

    private void Add(string part)
    {
        if (_name.Length > 0 && !IsStart) _name.Append('.');
        _name.Append(part);
    }

    /// <summary>Drops what brackets hold; an open one drops the rest.</summary>
    private int Group(ReadOnlySpan<char> name, int at)
    {
        var close = Brackets.Close(name, at);
        if (close < 0) _endsEarly = true;
        return close + 1;
    }

    /// <summary>Angle brackets where a name begins.</summary>
    private int Named(ReadOnlySpan<char> name, int at, int depth)
    {
        var close = Brackets.Close(name, at);
        if (close < 0)
        {
            _endsEarly = true;
            return at;
        }
        var inside = name[(at + 1)..close];
        var rest = name[(close + 1)..];
        if (inside.StartsWith("lambda_"))
        {
            AddLambda();
            return close + 1;
        }
        if (_name.Length > 0 && _name[^1] == ':' && !IsOfRust(inside)) return close + 1;
        if (rest.StartsWith("::"))
        {
            Scan(OfRust(inside), depth + 1);
            return close + 1;
        }
        var end = close + 1;
        while (end < name.Length && name[end] is not ('.' or '+' or '(' or '`' or '[' or ' ')) end++;
        if (GeneratedName.Of(name[at..end]) is { } made)
        {
            if (made.Length > 0) Add(made);
            if (name[end..].StartsWith(".MoveNext")) return end + ".MoveNext".Length;
            return made.Length > 0 || end >= name.Length ? end : end + 1;
        }
        if (inside is "locals") return Math.Min(close + 2, name.Length);
        if (Nameless.Contains(name[at..(close + 1)]) || TellsLine(inside)) Add(Lambda);
        else _name.Append(name[at..(close + 1)]);
        return close + 1;
    }

    /// <summary>Lua calls a function without a name after its file and line.</summary>
    private static bool TellsLine(ReadOnlySpan<char> name) =>
        name.LastIndexOf(':') is var colon and > 0 && colon + 1 < name.Length && char.IsAsciiDigit(name[colon + 1]);

    private static bool IsOfRust(ReadOnlySpan<char> type) =>
        type.StartsWith("impl ") || type.Contains(" as ", StringComparison.Ordinal);

    /// <summary><c>A as Trait</c> is A, and <c>impl Trait for A</c> as well.</summary>
    private static ReadOnlySpan<char> OfRust(ReadOnlySpan<char> type)
    {
        if (type.StartsWith("impl ")) type = type[5..];
        var of = type.IndexOf(" for ");
        if (of >= 0) type = type[(of + 5)..];
        var depth = 0;
        for (var at = 0; at < type.Length; at++)
        {
            if (type[at] is '<' or '(') depth++;
            else if (type[at] is '>' or ')') depth--;
            else if (depth == 0 && type[at..].StartsWith(" as ")) return type[..at];
        }
        return type;
    }

    /// <summary>A receiver of Go stays; arguments go, and what qualifies the function behind them.</summary>
    private int Parentheses(ReadOnlySpan<char> name, int at, int depth)
    {
        var close = Brackets.Close(name, at);
        if (close < 0)
        {
            _endsEarly = true;
            return at;
        }
        var inside = name[(at + 1)..close];
        if (IsStart && close + 1 < name.Length && name[close + 1] == '.' && !inside.StartsWith("anonymous "))
        {
            Scan(inside.TrimStart('*'), depth + 1);
            return close + 1;
        }
        var isScope = inside is "anonymous namespace" or "anonymous class";
        if (isScope) return close + (name[(close + 1)..].StartsWith("::") ? 3 : 1);
        return Qualified(name, close + 1);
    }

    private static int Qualified(ReadOnlySpan<char> name, int at)
    {
        while (at < name.Length && name[at] == ' ')
        {
            var rest = name[at..].TrimStart(' ');
            var length = 0;
            foreach (var qualifier in Qualifiers)
                if (rest.StartsWith(qualifier) && !IsLetterAt(rest, qualifier.Length)) length = qualifier.Length;
            if (length == 0) return at;
            at = name.Length - rest.Length + length;
        }
        return at;
    }

    private static bool IsLetterAt(ReadOnlySpan<char> text, int at) => at < text.Length && char.IsLetterOrDigit(text[at]);

    /// <summary>Closures, and what else has no name; PHP says behind a colon where a closure stands.</summary>
    private int Braces(ReadOnlySpan<char> name, int at)
    {
        var close = Brackets.Close(name, at);
        var inside = close < 0 ? name[(at + 1)..] : name[(at + 1)..close];
        inside = inside.TrimStart('{');
        if (inside.StartsWith("closure:"))
        {
            var outer = inside["closure:".Length..];
            var end = outer.IndexOf('(');
            if (end < 0) end = outer.LastIndexOf(':');
            _name.Clear().Append(end < 0 ? outer : outer[..end]);
            Add(Lambda);
        }
        else if (IsClosure(inside)) AddLambda();
        else if (_name.Length > 0 && close > 0 && close + 1 == name.Length) TrimSeparator();
        else if (name[(close + 1)..].StartsWith("::")) close += 2;
        return close < 0 ? name.Length : close + 1;
    }

    private static bool IsClosure(ReadOnlySpan<char> name) =>
        name.StartsWith("closure") || name.StartsWith("lambda") || name.StartsWith("async_");

    private void AddLambda()
    {
        if (_name.Length > 0 && _name[^1] == '\\') _name.Clear();
        TrimSeparator();
        Add(Lambda);
    }

    private void TrimSeparator()
    {
        while (_name.Length > 0 && _name[^1] is '.' or ':') _name.Length--;
    }

    /// <summary>.NET's count of type parameters, or a scope of Visual C++.</summary>
    private int Backtick(ReadOnlySpan<char> name, int at, int depth)
    {
        var end = at + 1;
        while (end < name.Length && char.IsAsciiDigit(name[end])) end++;
        var close = name[at..].IndexOf('\'');
        if (close < 0 || end > at + 1 && (end >= name.Length || name[end] != '\'')) return Math.Max(end, at + 1);
        var inside = name[(at + 1)..(at + close)];
        if (inside.ContainsAnyExceptInRange('0', '9') && !inside.StartsWith("anonymous")) Scan(inside, depth + 1);
        else if (name[(at + close + 1)..].StartsWith("::")) return at + close + 3;
        return at + close + 1;
    }

    /// <summary>LLVM writes <c>'lambda'(int)</c>.</summary>
    private int Quoted(ReadOnlySpan<char> name, int at)
    {
        if (name[at..].StartsWith("'lambda")) AddLambda();
        var close = name[(at + 1)..].IndexOf('\'');
        return close < 0 ? at + 1 : at + close + 2;
    }

    /// <summary>A line of F#, a file of Dart, a version of a symbol.</summary>
    private int At(ReadOnlySpan<char> name, int at)
    {
        if (at == 0 || name[at..].StartsWith("@anonymous")) return Keep(name, at);
        var end = at + 1;
        while (end < name.Length && (char.IsLetterOrDigit(name[end]) || name[end] is '-' or '_')) end++;
        return end;
    }

    private int Keep(ReadOnlySpan<char> name, int at)
    {
        _name.Append(name[at]);
        return at + 1;
    }

    /// <summary>The arity of Elixir and Erlang, or a path of Go's packages.</summary>
    private int Slash(ReadOnlySpan<char> name, int at)
    {
        var isArity = at + 1 < name.Length && !name[(at + 1)..].ContainsAnyExceptInRange('0', '9');
        if (isArity) return name.Length;
        _name.Append('/');
        return at + 1;
    }

    /// <summary>What is before a blank is a result or a keyword; what follows some signs is no name.</summary>
    private int Blank(ReadOnlySpan<char> name, int at)
    {
        var rest = name[at..].TrimStart(' ');
        var isEnd = rest.IsEmpty || rest[0] is '[' or '(' or '-' or '='
            || rest.StartsWith(": ") || rest.StartsWith("where ") || rest.StartsWith("in ");
        if (isEnd && _name.Length > 0) _endsEarly = true;
        else _name.Clear();
        return name.Length - rest.Length;
    }

    private static bool IsOperator(ReadOnlySpan<char> name) =>
        name.StartsWith("operator") && name.Length > 8 && !IsLetterAt(name, 8) && name[8] is not ('_' or '.' or ':');

    /// <summary><c>operator()</c>, <c>operator new[]</c> and <c>operator bool</c> of C++.</summary>
    private int Operator(ReadOnlySpan<char> name, int at)
    {
        var end = at + 8;
        if (name[end..].StartsWith("()")) end += 2;
        else if (name[end..].StartsWith("[]")) end += 2;
        else while (end < name.Length && name[end] != '(') end++;
        var sign = name[at..end];
        var generic = sign.LastIndexOf(" <");
        _name.Append(generic > 0 ? sign[..generic] : sign.TrimEnd(' '));
        return end;
    }

    /// <summary>The parts of a name without those that are numbers of compilers.</summary>
    private string Segments(string name)
    {
        var kept = new StringBuilder();
        var (start, count, isLambda) = (0, 0, false);
        for (var at = 0; at <= name.Length; at++)
        {
            if (at < name.Length && name[at] is not ('.' or ':' or '\\')) continue;
            var part = name.AsSpan(start, at - start);
            var separator = SeparatorBefore(name, start);
            start = at + 1;
            if (part.IsEmpty || IsNumbered(part)) continue;
            if (count > 0 && IsOptimised(part, name.AsSpan(at))) continue;
            var clean = Part(part, count);
            if (clean.Length == 0 || isLambda && clean is Lambda or "operator()" or "MoveNext" or "Invoke") continue;
            if (kept.Length > 0) kept.Append(clean == Lambda ? "." : separator);
            kept.Append(clean);
            isLambda = clean == Lambda;
            count++;
        }
        return WithoutEnds(kept.ToString());
    }

    private static string SeparatorBefore(string name, int start) => start switch
    {
        0 => "",
        > 1 when name[start - 1] == ':' && name[start - 2] == ':' => "::",
        _ => name[start - 1].ToString(),
    };

    /// <summary>A hash of Rust, or what the optimiser of a compiler made of a function.</summary>
    private static bool IsNumbered(ReadOnlySpan<char> part)
    {
        if (!part.ContainsAnyExceptInRange('0', '9')) return true;
        return part.Length == 17 && part[0] == 'h' && !part[1..].ContainsAnyExcept(LowerHex);
    }

    /// <summary>Compilers of C and C++ call parts of a function so, mostly with a number.</summary>
    private static bool IsOptimised(ReadOnlySpan<char> part, ReadOnlySpan<char> rest)
    {
        if (part is "cold" or "localalias") return true;
        var isNumbered = rest.Length > 1 && rest[0] == '.' && char.IsAsciiDigit(rest[1]);
        return isNumbered && part is "part" or "isra" or "constprop" or "lto_priv" or "llvm";
    }

    private string Part(ReadOnlySpan<char> part, int before)
    {
        if (_isGo && before > 0 && IsGoClosure(part)) return Lambda;
        if (_isGo && part.EndsWith("-fm")) part = part[..^3];
        if (part is "__ANON__" || part.StartsWith("$_") && !part[2..].ContainsAnyExceptInRange('0', '9')) return Lambda;
        if (part.StartsWith("<lambda_")) return Lambda;
        return part.Contains('$') && !part.StartsWith("$s") ? JvmName.Of(part) : part.ToString();
    }

    private static bool IsGoClosure(ReadOnlySpan<char> part)
    {
        var word = part.TrimEnd("0123456789");
        return word is "func" or "gowrap" or "deferwrap" && word.Length < part.Length;
    }

    /// <summary>Numbers at the end that templates of Rails, compiled expressions and IL2CPP add.</summary>
    private static string WithoutEnds(ReadOnlySpan<char> name)
    {
        var word = name.TrimEnd("0123456789_");
        if (word.Length + 6 < name.Length && name[word.Length..].StartsWith("__")) return word.ToString();
        if (word is "lambda_method") return word.ToString();
        var mangled = name.LastIndexOf("_m");
        if (mangled > 0 && name.Length - mangled >= 10 && !name[(mangled + 2)..].ContainsAnyExcept(UpperHex))
            return name[..mangled].ToString();
        return name.ToString();
    }
}

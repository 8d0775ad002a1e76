using System.Buffers;
using System.Text;

namespace ErrorTracker.Grouping;

/// <summary>
/// A module or class without what a compiler or a proxy adds to it, and the method that a generated class stands for.
/// Pure; costs the length of the name.
/// </summary>
/// <param name="Text">The class that an author wrote.</param>
/// <param name="Method">The method that the class was made of, such as an async one; null if it was not.</param>
internal readonly record struct ClassName(string Text, string? Method)
{
    private const string Elixir = "Elixir.";

    /// <summary>A name without any of them is as its author wrote it.</summary>
    private static readonly SearchValues<char> Marks = SearchValues.Create("<$`[@+/:_");

    /// <summary>Parts of a class's name that only proxies have.</summary>
    private static readonly string[] Proxies =
    [
        "ByteBuddy", "MockitoMock", "Mockito", "HibernateProxy", "HibernateInterceptor", "SpringCGLIB", "Proxy", "Subclass",
    ];

    public static ClassName Of(string raw)
    {
        var name = raw.AsSpan().Trim();
        if (!name.ContainsAny(Marks) && !name.StartsWith(Elixir)) return new(WithoutAccessor(name).ToString(), null);
        if (name.StartsWith(Elixir)) name = name[Elixir.Length..];
        var hash = name.IndexOf("/0x");
        if (hash > 0) name = name[..hash];
        var anonymous = name.IndexOf("@anonymous");
        if (anonymous > 0) return new(name[..(anonymous + "@anonymous".Length)].ToString(), null);
        if (name.StartsWith("#<Class:")) return new("#<Class>", null);
        if (name.Contains('$') && !IsVisualBasic(name)) return OfJvm(name);
        return name.ContainsAny("<`[@+") ? OfDotnet(name) : new(WithoutAccessor(name).ToString(), null);
    }

    private static bool IsVisualBasic(ReadOnlySpan<char> name) =>
        name.Contains("VB$", StringComparison.Ordinal) || name.Contains("_Closure$", StringComparison.Ordinal);

    /// <summary>The JVM makes a class with a number for each method that reflection calls often.</summary>
    private static ReadOnlySpan<char> WithoutAccessor(ReadOnlySpan<char> name)
    {
        var word = name.TrimEnd("0123456789");
        var isGenerated = word.EndsWith("Accessor") && word.Contains("Generated", StringComparison.Ordinal);
        return isGenerated ? word : name;
    }

    private static ClassName OfJvm(ReadOnlySpan<char> name)
    {
        var woven = name.IndexOf("_$$_");
        if (woven > 0) name = name[..woven];
        var anonfun = name.IndexOf("$$anonfun$");
        if (anonfun > 0)
        {
            var rest = name[(anonfun + "$$anonfun$".Length)..];
            var method = JvmName.FirstPart(rest);
            return new(name[..anonfun].ToString(), LambdaOf(method));
        }
        var generated = name.IndexOf("$$");
        if (generated > 0) name = name[..generated];
        return OfJvmParts(name);
    }

    /// <summary>
    /// Numbers of anonymous classes change with each that is added. One that stands behind a method's name is the
    /// lambda or coroutine of it.
    /// </summary>
    private static ClassName OfJvmParts(ReadOnlySpan<char> name)
    {
        var kept = new List<string>();
        string? method = null;
        foreach (var range in name.Split('$'))
        {
            var part = name[range];
            if (kept.Count > 0 && IsProxy(part)) break;
            var word = part.TrimEnd("0123456789");
            if (kept.Count == 0) kept.Add(part.ToString());
            else if (word.StartsWith("fn__")) method = LambdaOf(method);
            else if (part.IsEmpty) continue;
            else if (!word.IsEmpty && method is null) kept.Add(part.ToString());
            else if (word.IsEmpty && kept.Count > 1 && char.IsLower(kept[^1][0]) && method is null)
            {
                method = $"{kept[^1]}.{GeneratedName.Lambda}";
                kept.RemoveAt(kept.Count - 1);
            }
        }
        if (kept is [var package, ..] && package.EndsWith('.')) return new(package + "$Proxy", null);
        if (method == GeneratedName.Lambda && kept.Count > 1)
        {
            method = $"{kept[^1]}.{method}";
            kept.RemoveAt(kept.Count - 1);
        }
        return new(string.Join('$', kept), method);
    }

    private static string LambdaOf(ReadOnlySpan<char> method) =>
        method.IsEmpty ? GeneratedName.Lambda : $"{method}.{GeneratedName.Lambda}";

    private static bool IsProxy(ReadOnlySpan<char> part)
    {
        var word = part.TrimEnd("0123456789");
        foreach (var proxy in Proxies)
            if (word.SequenceEqual(proxy) || part.StartsWith(proxy + "_")) return true;
        return false;
    }

    private static ClassName OfDotnet(ReadOnlySpan<char> name)
    {
        var kept = new StringBuilder();
        string? method = null;
        var at = 0;
        while (at < name.Length)
        {
            var separator = kept.Length > 0 && name[at] is '.' or '+' or '/' ? name[at++] : '\0';
            var start = at;
            while (at < name.Length && name[at] is not ('.' or '+' or '/'))
                at = name[at] is '<' or '[' && Brackets.Close(name, at) is var close and > 0 ? close + 1 : at + 1;
            var part = name[start..at];
            if (GeneratedName.Of(part) is { } made)
            {
                if (made.Length > 0) method = method is null ? made : $"{method}.{made}";
                continue;
            }
            if (OfFSharp(part) is { } closure)
            {
                method = $"{closure}.{GeneratedName.Lambda}";
                continue;
            }
            if (separator != '\0') kept.Append(separator);
            kept.Append(WithoutArguments(part));
            if (start == at) at++;
        }
        return new(kept.ToString(), method);
    }

    /// <summary>F# names a closure after its function and line: <c>total@17-1</c>.</summary>
    private static string? OfFSharp(ReadOnlySpan<char> part)
    {
        var at = part.IndexOf('@');
        return at > 0 && at + 1 < part.Length && char.IsAsciiDigit(part[at + 1]) ? part[..at].ToString() : null;
    }

    private static ReadOnlySpan<char> WithoutArguments(ReadOnlySpan<char> part)
    {
        var end = part.IndexOfAny("`[");
        if (end > 0) part = part[..end];
        var generic = part.IndexOf('<');
        return generic > 0 ? part[..generic] : part;
    }
}

namespace ErrorTracker.Grouping;

/// <summary>Where an error was on its way, in a form that stays the same from one build to the next.</summary>
/// <param name="Where">The module, or else the file's name; empty if the frame tells neither.</param>
/// <param name="IsModule">It is the module.</param>
/// <param name="Function">The function, or the line of source of one without a name; empty if there is neither.</param>
internal sealed record Place(string Where, bool IsModule, string Function)
{
    /// <summary>It tells the function: it is not weak.</summary>
    public bool IsStrong => Function.Length > 0;

    /// <summary>As a part of a key: a module and a function are told apart.</summary>
    public string Key => Where.Length > 0 && Function.Length > 0 ? $"{Where} {Function}" : Where + Function;

    /// <summary>As people read it.</summary>
    public override string ToString() =>
        Where.Length == 0 ? Function
        : Function.Length == 0 ? Where
        : $"{Where}{(IsModule ? '.' : ' ')}{Function}";

    private static readonly string[] ScriptPlatforms = ["javascript", "node", "react-native", "electron", "deno", "bun"];

    private static readonly string[] ScriptFiles = [".js", ".mjs", ".cjs", ".jsbundle", ".html"];

    private static readonly string[] SourceFiles = [".ts", ".tsx", ".jsx", ".mts", ".cts", ".vue", ".svelte"];

    /// <summary>Methods of classes that stand for a method: they say nothing themselves.</summary>
    private static readonly string[] Entries =
        ["MoveNext", "Invoke", "InvokeAsync", "invoke", "invokeSuspend", "invokeStatic", "doInvoke", "apply", "call", "run", "doCall", "emit"];

    /// <summary>Null if it tells nothing.</summary>
    /// <param name="platform">The frame's, else the event's.</param>
    /// <param name="source">The line of source, for a function without a name.</param>
    public static Place? Of(string? module, string? function, string? file, string? platform, Func<string?> source)
    {
        var name = FileName.Of(file);
        var owner = module is null ? default : ClassName.Of(module);
        var clean = FunctionOf(function, owner, file, name, platform);
        if (clean.Length == 0) clean = SourceLine.Of(source()) ?? "";
        if (!string.IsNullOrEmpty(owner.Text)) return new(owner.Text, true, WithoutModule(clean, owner.Text));
        if (name.Text is null && clean.Length == 0) return null;
        return new(name.Text ?? "", false, clean);
    }

    private static string FunctionOf(string? function, ClassName owner, string? file, FileName name, string? platform)
    {
        if (IsScript(name.Text, platform))
        {
            var isCompiled = !IsSource(name.Text) && file?.StartsWith("webpack", StringComparison.Ordinal) != true;
            return ScriptName.Of(function ?? "", isCompiled, name.IsBuilt);
        }
        var isGo = platform == "go" || name.Text?.EndsWith(".go", StringComparison.Ordinal) == true;
        var clean = FunctionName.Of(function, isGo);
        if (owner.Method is null) return clean;
        return clean.Length == 0 || Entries.Contains(clean) || clean.StartsWith("apply$", StringComparison.Ordinal)
            ? owner.Method
            : $"{owner.Method}.{clean}";
    }

    private static bool IsScript(string? file, string? platform)
    {
        if (platform is not null && ScriptPlatforms.Contains(platform)) return true;
        return file is not null && (EndsIn(file, ScriptFiles) || IsSource(file));
    }

    private static bool IsSource(string? file) => file is not null && EndsIn(file, SourceFiles);

    private static bool EndsIn(string file, string[] ends)
    {
        foreach (var end in ends) if (file.EndsWith(end, StringComparison.Ordinal)) return true;
        return false;
    }

    /// <summary>Some write the module before the function as well.</summary>
    private static string WithoutModule(string function, string module)
    {
        if (!function.StartsWith(module, StringComparison.Ordinal)) return function;
        var rest = function.AsSpan(module.Length);
        var name = rest.TrimStart(".:#\\");
        return name.IsEmpty || name.Length == rest.Length ? function : name.ToString();
    }
}

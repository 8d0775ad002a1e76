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

    private static readonly string[] ScriptPlatforms =
        ["javascript", "node", "react-native", "electron", "deno", "bun"];

    private static readonly string[] ScriptFiles = [".js", ".mjs", ".cjs", ".jsbundle", ".html"];

    private static readonly string[] SourceFiles = [".ts", ".tsx", ".jsx", ".mts", ".cts", ".vue", ".svelte"];

    /// <summary>Methods of classes that stand for a method: they say nothing themselves.</summary>
    private static readonly string[] Entries =
    [
        "MoveNext", "Invoke", "InvokeAsync", "invoke", "invokeSuspend", "invokeStatic", "doInvoke", "apply", "call", "run",
        "doCall", "emit",
    ];

    /// <summary>A frame that tells nothing is no place.</summary>
    public bool IsNone => Where.Length == 0 && Function.Length == 0;

    public static Place Of(RawPlace raw)
    {
        var file = FileName.Of(raw.File);
        var owner = raw.Module is null ? default : ClassName.Of(raw.Module);
        var function = FunctionOf(raw, owner, file);
        return string.IsNullOrEmpty(owner.Text)
            ? new(file.Text ?? "", false, function)
            : new(owner.Text, true, WithoutModule(function, owner.Text));
    }

    private static string FunctionOf(RawPlace raw, ClassName owner, FileName file)
    {
        if (IsScript(file.Text, raw.Platform))
        {
            var isCompiled = !IsSource(file.Text) && raw.File?.StartsWith("webpack", StringComparison.Ordinal) != true;
            return ScriptName.Of(raw.Function ?? "", isCompiled, file.IsBuilt);
        }
        var isGo = raw.Platform == "go" || file.Text?.EndsWith(".go", StringComparison.Ordinal) == true;
        var clean = FunctionName.Of(raw.Function, isGo);
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

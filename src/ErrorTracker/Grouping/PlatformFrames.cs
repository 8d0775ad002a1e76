using System.Buffers;
using System.Collections.Frozen;

namespace ErrorTracker.Grouping;

/// <summary>
/// Which frames are a platform's or a library's own where an SDK does not say what is the application's. Pure.
/// </summary>
internal static class PlatformFrames
{
    /// <summary>First parts of modules.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Modules = FrozenSet.Create(
        StringComparer.Ordinal,
        "System", "Microsoft", "mscorlib", "Windows", "MS", "FSharp", "java", "javax", "jakarta", "jdk", "sun", "kotlin", "kotlinx",
        "scala", "groovy", "clojure", "android", "androidx", "dalvik", "libcore", "runtime", "net/http", "reflect", "testing", "sync",
        "syscall", "node", "internal", "core", "std", "alloc", "tokio", "UIKit", "UIKitCore", "Foundation", "CoreFoundation", "Swift",
        "SwiftUI", "AppKit", "erlang", "elixir", "gen_server", "proc_lib", "supervisor", "Enum", "GenServer", "Task",
        "importlib", "asyncio", "threading", "concurrent", "unittest", "pytest")
        .GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly string[] LongModules =
    [
        "com.sun.", "com.android.", "org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.jetty.",
        "org.junit.", "org.jetbrains.", "io.netty.", "net.sf.cglib.", "net.bytebuddy.", "com.fasterxml.", "com.zaxxer.",
    ];

    private static readonly SearchValues<string> Folders = SearchValues.Create(
        [
            "node_modules/", "site-packages/", "dist-packages/", "lib/python", "/gems/", "lib/ruby/", "/vendor/", "/rustc/",
            ".cargo/registry/", "/usr/lib/", "/usr/local/lib/", "/usr/local/go/src/", "/go/pkg/mod/", "/System/Library/",
            "/usr/share/", "node:", "<frozen ", "\\node_modules\\", "\\site-packages\\", "/deps/", "bower_components/",
            "chrome-extension://", "moz-extension://", "safari-extension://",
        ],
        StringComparison.Ordinal);

    /// <summary>Files and packages that begin so are a platform's own.</summary>
    private static readonly string[] Starts =
        ["vendor/", "internal/", "deps/", "libsystem_", "libc.so", "libobjc", "ntdll", "kernel32"];

    /// <param name="module">Empty if there is none.</param>
    /// <param name="file">Empty if there is none.</param>
    public static bool Hold(ReadOnlySpan<char> module, ReadOnlySpan<char> file)
    {
        if (!module.IsEmpty && HoldModule(module)) return true;
        if (file.IsEmpty) return false;
        foreach (var start in Starts) if (file.StartsWith(start, StringComparison.OrdinalIgnoreCase)) return true;
        return file.ContainsAny(Folders);
    }

    private static bool HoldModule(ReadOnlySpan<char> module)
    {
        if (module.Contains("node_modules", StringComparison.Ordinal)) return true;
        var end = module.IndexOfAny('.', ':');
        if (Modules.Contains(end < 0 ? module : module[..end])) return true;
        foreach (var start in LongModules) if (module.StartsWith(start)) return true;
        return false;
    }
}

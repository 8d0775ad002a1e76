using System.Text.Json;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

public sealed class ExceptionTitleTests
{
    private const string Inner = """{"type":"System.TimeoutException","value":"no answer"}""";

    [Theory]
    [InlineData("System.AggregateException")]
    [InlineData("AggregateException")]
    [InlineData("AggregateError")]
    [InlineData("ExceptionGroup")]
    [InlineData("BaseExceptionGroup")]
    [InlineData("System.Reflection.TargetInvocationException")]
    [InlineData("TypeInitializationException")]
    [InlineData("java.util.concurrent.ExecutionException")]
    [InlineData("CompletionException")]
    [InlineData("InvocationTargetException")]
    [InlineData("UndeclaredThrowableException")]
    [InlineData("org.springframework.web.util.NestedServletException")]
    public void a_wrapper_is_called_what_it_carries(string type) =>
        Assert.Equal(
            "System.TimeoutException: no answer",
            Title($$"""[{{Inner}},{"type":"{{type}}","value":"One or more errors occurred."}]"""));

    [Theory]
    [InlineData("[]", null)]
    [InlineData("""[{"module":"x"}]""", null)]
    [InlineData("""[{"type":"Cause","value":"c"},{"type":"Caught","value":"e"}]""", "Caught: e")]
    [InlineData("""[{"type":"AggregateException","value":"alone"}]""", "AggregateException: alone")]
    [InlineData(
        """[{"module":"x"},{"type":"AggregateException","value":"of what nobody named"}]""",
        "AggregateException: of what nobody named")]
    [InlineData("""[{"type":"A","value":"a"},{"type":"ExecutionException"},{"type":"AggregateException"}]""", "A: a")]
    [InlineData("""[{"type":"A","value":"a"},{"module":"x"}]""", "A: a")]
    [InlineData("""["text",{"type":"AggregateException"}]""", "AggregateException")]
    [InlineData("""[{"type":"A","value":"a"},{"type":"Any","value":"v","mechanism":{"is_exception_group":true}}]""", "A: a")]
    [InlineData("""[{"type":"A","value":"a"},{"type":"Any","value":"v","mechanism":{"is_exception_group":false}}]""", "Any: v")]
    public void the_title_is_that_of_the_outermost_that_says_something(string exceptions, string? expected) =>
        Assert.Equal(expected, Title(exceptions));

    /// <summary>
    /// SDKs list the children of a group with the first one last, each after what caused it, or in another order; ids
    /// say which is which.
    /// </summary>
    [Theory]
    [InlineData("""
        [{"type":"B","value":"b","mechanism":{"exception_id":3,"parent_id":0,"source":"InnerExceptions[1]"}},
         {"type":"C","value":"cause of a","mechanism":{"exception_id":2,"parent_id":1,"source":"InnerException"}},
         {"type":"A","value":"a","mechanism":{"exception_id":1,"parent_id":0,"source":"InnerExceptions[0]"}},
         {"type":"System.AggregateException","value":"2 errors","mechanism":{"exception_id":0,"is_exception_group":true}}]
        """, "A: a")]
    [InlineData("""
        [{"type":"A","value":"a","mechanism":{"exception_id":1,"parent_id":0}},
         {"type":"B","value":"b","mechanism":{"exception_id":2,"parent_id":0}},
         {"type":"Group","value":"2","mechanism":{"exception_id":0,"is_exception_group":true}}]
        """, "A: a")]
    [InlineData("""
        [{"type":"A","value":"a","mechanism":{"exception_id":2,"parent_id":1}},
         {"type":"Inner","value":"1","mechanism":{"exception_id":1,"parent_id":0,"is_exception_group":true}},
         {"type":"Outer","value":"1","mechanism":{"exception_id":0,"is_exception_group":true}}]
        """, "A: a")]
    public void ids_say_which_child_of_a_group_is_the_first(string exceptions, string expected) =>
        Assert.Equal(expected, Title(exceptions));

    /// <summary>
    /// A group may have a cause of its own, and in Java what was suppressed has a lower id than the cause.
    /// </summary>
    [Theory]
    [InlineData("""
        [{"type":"Cause","value":"c","mechanism":{"exception_id":1,"parent_id":0,"source":"cause"}},
         {"type":"A","value":"a","mechanism":{"exception_id":2,"parent_id":0,"source":"errors[0]"}},
         {"type":"AggregateError","value":"All promises were rejected","mechanism":{"exception_id":0,"is_exception_group":true}}]
        """, "A: a")]
    [InlineData("""
        [{"type":"Cause","value":"c","mechanism":{"exception_id":1,"parent_id":0,"source":"__cause__"}},
         {"type":"A","value":"a","mechanism":{"exception_id":2,"parent_id":0,"source":"exceptions[0]"}},
         {"type":"ExceptionGroup","value":"g","mechanism":{"exception_id":0,"is_exception_group":true}}]
        """, "A: a")]
    [InlineData("""
        [{"type":"IOException","value":"root","mechanism":{"type":"chained","exception_id":2,"parent_id":0}},
         {"type":"CloseException","value":"s","mechanism":{"type":"suppressed","exception_id":1,"parent_id":0}},
         {"type":"ExecutionException","value":"root","mechanism":{"exception_id":0}}]
        """, "IOException: root")]
    public void what_a_group_holds_goes_before_its_cause_and_that_before_what_was_suppressed(string exceptions, string expected) =>
        Assert.Equal(expected, Title(exceptions));

    /// <summary>
    /// Versions of Go's SDK up to 0.35 call each error a group, and the inner one the parent of the outer one.
    /// </summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void a_chain_that_is_numbered_from_its_inner_end_is_no_group(int length)
    {
        var errors = Enumerable.Range(0, length).Select(id => JsonSerializer.Serialize(new
        {
            type = "E", value = $"{id}",
            mechanism = new { exception_id = id, parent_id = id == 0 ? default(int?) : id - 1, is_exception_group = true },
        }));
        Assert.Equal($"E: {length - 1}", Title($"[{string.Join(',', errors)}]"));
    }

    /// <summary>Some SDKs flag each error that has a cause: it says more than its cause does.</summary>
    [Theory]
    [InlineData("cause")]
    [InlineData("__context__")]
    public void an_error_with_a_cause_is_no_group(string source) => Assert.Equal("Order: cannot pay", Title("""
        [{"type":"Card","value":"declined","mechanism":{"exception_id":1,"parent_id":0,"source":"SOURCE"}},
         {"type":"Order","value":"cannot pay","mechanism":{"exception_id":0,"is_exception_group":true}}]
        """.Replace("SOURCE", source)));

    [Theory]
    [InlineData("""[{"type":"A","mechanism":{"exception_id":1,"parent_id":1,"is_exception_group":true}}]""")]
    [InlineData(
        """[{"type":"B","mechanism":{"exception_id":1,"parent_id":2,"is_exception_group":true}}"""
        + """,{"type":"A","mechanism":{"exception_id":2,"parent_id":1,"is_exception_group":true}}]""")]
    [InlineData("""[{"type":"A","mechanism":{"exception_id":1e99,"parent_id":"x","is_exception_group":7}}]""")]
    public void ids_that_lead_in_circles_lead_to_an_end(string exceptions) => Assert.StartsWith("A", Title(exceptions));

    private static string? Title(string exceptions)
    {
        using var document = JsonDocument.Parse(exceptions);
        return ExceptionTitle.Of([.. document.RootElement.EnumerateArray()]);
    }
}

using ErrorTracker.Http;

namespace ErrorTracker.Issues;

/// <summary>What a decision is answered with over HTTP.</summary>
internal static class DecisionAnswers
{
    public static IResult Answer<T, TAnswer>(this Decision<T> decision, Func<T, TAnswer> answer)
        where T : class, IDecision =>
        decision.Event is { } made ? Results.Ok(answer(made)) : decision.Refusal!.ToResult();

    public static IResult ToResult(this DecisionRefusal refusal) =>
        refusal.Field is { } field
            ? Refusal.Invalid(field, refusal.Reason)
            : Refusal.Of(StatusCodes.Status409Conflict, refusal.Reason);
}

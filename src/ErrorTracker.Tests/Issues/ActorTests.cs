using System.Security.Claims;
using ErrorTracker.Issues;

namespace ErrorTracker.Tests.Issues;

public sealed class ActorTests
{
    [Fact]
    public void who_decides_is_what_the_authentication_says()
    {
        Assert.Equal("anonymous", Actor.Of(new ClaimsPrincipal(new ClaimsIdentity())));
        Assert.Equal("admin", Actor.Of(new ClaimsPrincipal(new ClaimsIdentity("Bearer"))));
        var named = new ClaimsIdentity([new(ClaimTypes.Name, "Ada")], "Bearer");
        Assert.Equal("Ada", Actor.Of(new ClaimsPrincipal(named)));
    }
}

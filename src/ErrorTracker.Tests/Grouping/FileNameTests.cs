using ErrorTracker.Grouping;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Grouping;

public sealed class FileNameTests
{
    [Theory]
    [InlineData("checkout-4f9a1c2e.js", "checkout.js")]
    [InlineData("main.3c9ab1f0.chunk.js", "main.chunk.js")]
    [InlineData("index-DbQ2xY9p.js", "index.js")]
    [InlineData("index-BqRzLmNt.js", "index.js")]
    [InlineData("index-D_bQ-x9p.js", "index.js")]
    [InlineData("chunk-KQZXLMNO.js", "chunk.js")]
    [InlineData("3c9ab1f0.js", "<hash>.js")]
    [InlineData("8712.4f9a1c2e.js", "<n>.js")]
    [InlineData("jquery.min.js", "jquery.js")]
    [InlineData("App.MIN.js?x=1#y", "app.min.js")]
    [InlineData("bootstrap5.js", "bootstrap5.js")]
    [InlineData("user-settings.js", "user-settings.js")]
    [InlineData("user-Settings.js", "user-settings.js")]
    [InlineData("JsonDataSerializer.cs", "jsondataserializer.cs")]
    [InlineData("Base64Encoder.cs", "base64encoder.cs")]
    [InlineData("OAuth2ClientFactory.java", "oauth2clientfactory.java")]
    [InlineData("ShoppingCartService.min.js", "shoppingcartservice.js")]
    [InlineData("my-ShoppingCart.js", "my-shoppingcart.js")]
    [InlineData("angular-animate.1.8.2.js", "angular-animate.1.8.2.js")]
    [InlineData("C:\\src\\Cart.cs", "cart.cs")]
    [InlineData("/src/cart.py:12", "cart.py")]
    [InlineData("https://x/app.js:12:5", "app.js")]
    [InlineData("/a/b.php(12) : eval()'d code", "b.php")]
    [InlineData("blob:https://x/7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10", "<hash>")]
    [InlineData("https://x/orders/17", "<n>")]
    [InlineData("<ipython-input-12-abcdef>", "<ipython-input>")]
    [InlineData("node:internal/process/task_queues", "task_queues")]
    [InlineData("webpack:///./src/cart.ts?a1b2", "cart.ts")]
    [InlineData("<anonymous>", null)]
    [InlineData("native", null)]
    [InlineData("eval at foo (x.js:1:2)", null)]
    [InlineData("https://x/", "x")]
    public void a_file_keeps_its_name_from_one_build_to_the_next(string address, string? name) =>
        Assert.Equal(name, FileName.Of(address).Text);

    [Property]
    public void any_address_has_a_name_or_none(string? address) => Assert.NotEqual("", FileName.Of(address).Text);
}

using ErrorTracker.Grouping;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Grouping;

public sealed class PlaceTests
{
    [Theory]
    [InlineData("Shop.Cart+<AddAsync>d__7", "MoveNext", "", "", "Shop.Cart AddAsync")]
    [InlineData("Shop.Cart+<>c__DisplayClass3_0", "<Main>b__0", "", "", "Shop.Cart Main.lambda")]
    [InlineData("Shop.Cart+<>c", "<Main>b__0_1", "", "", "Shop.Cart Main.lambda")]
    [InlineData("Shop.Cart+<>c+<<Main>b__0_1>d", "MoveNext", "", "", "Shop.Cart Main.lambda")]
    [InlineData("Shop.Cart+<<Load>g__Read|4_0>d", "MoveNext", "", "", "Shop.Cart Load.Read")]
    [InlineData("Shop.Cart", "<Load>g__Read|4_0", "", "", "Shop.Cart Load.Read")]
    [InlineData("Program", "<<Main>$>g__Foo|0_1", "", "", "Program Main.Foo")]
    [InlineData("Program", "<Main>$", "", "", "Program Main")]
    [InlineData("Shop.Repo`1[[Shop.Order, Shop, Version=1.0.0.0]]", "Get[T]", "", "", "Shop.Repo Get")]
    [InlineData("Shop.Repo`1", "Get", "", "", "Shop.Repo Get")]
    [InlineData("", "Shop.Cart.<AddAsync>d__7.MoveNext()", "", "", "Shop.Cart.AddAsync")]
    [InlineData("", "Shop.Cart.<>c__DisplayClass3_0.<Main>b__0(Int32 x)", "", "", "Shop.Cart.Main.lambda")]
    [InlineData("", "Task<int> Cart.AddAsync(int x)+Local(int y)", "Program.cs", "", "program.cs Cart.AddAsync.Local")]
    [InlineData(
        "", "Task<int> Cart.AddAsync(int x)+(int z) => { }", "Program.cs", "",
        "program.cs Cart.AddAsync.lambda")]
    [InlineData("", "async Task<int> Cart.AddAsync(int x)", "Program.cs", "", "program.cs Cart.AddAsync")]
    [InlineData("", "new Shop.Cart(int x)", "Program.cs", "", "program.cs Shop.Cart")]
    [InlineData(
        "", "Dictionary<string, List<int>> Shop.Cart.Map<T>(Func<int, T> f)", "Program.cs", "",
        "program.cs Shop.Cart.Map")]
    [InlineData("Shop.Cart+total@17-1", "Invoke", "", "", "Shop.Cart total.lambda")]
    [InlineData("Shop.Cart", ".ctor", "", "", "Shop.Cart ctor")]
    [InlineData("Shop.Cart", "<.ctor>b__0_0", "", "", "Shop.Cart ctor.lambda")]
    [InlineData("app.Orders$$EnhancerBySpringCGLIB$$1a2b3c", "save", "", "", "app.Orders save")]
    [InlineData("app.Orders$$SpringCGLIB$$0", "save", "", "", "app.Orders save")]
    [InlineData("app.Orders$HibernateProxy$xYz12", "save", "", "", "app.Orders save")]
    [InlineData("app.Orders_$$_jvst12a_0", "save", "", "", "app.Orders save")]
    [InlineData("app.Orders$MockitoMock$123456", "save", "", "", "app.Orders save")]
    [InlineData("app.Orders", "lambda$save$0", "", "", "app.Orders save.lambda")]
    [InlineData("app.Orders", "lambda$null$3", "", "", "app.Orders", false)]
    [InlineData("app.Orders", "access$000", "", "", "app.Orders", false)]
    [InlineData("app.Orders", "access$load", "", "", "app.Orders load")]
    [InlineData("app.Orders$$Lambda$14/0x000000800", "run", "", "", "app.Orders run")]
    [InlineData("app.Orders$1", "run", "", "", "app.Orders run")]
    [InlineData("app.Orders$Inner", "<init>", "", "", "app.Orders$Inner <init>")]
    [InlineData("app.Orders", "<clinit>", "", "", "app.Orders <clinit>")]
    [InlineData("app.OrdersKt$load$1", "invokeSuspend", "", "", "app.OrdersKt load.lambda")]
    [InlineData("app.Orders$load$1$2", "invoke", "", "", "app.Orders load.lambda")]
    [InlineData("app.Orders", "load$lambda$0", "", "", "app.Orders load.lambda")]
    [InlineData("app.Orders", "load$default", "", "", "app.Orders load")]
    [InlineData("app.Orders$", "$anonfun$save$1", "", "", "app.Orders save.lambda")]
    [InlineData("app.Orders$$anonfun$save$1", "apply", "", "", "app.Orders save.lambda")]
    [InlineData("app.Orders$$anonfun$save$1", "apply$mcV$sp", "", "", "app.Orders save.lambda")]
    [InlineData(
        "jdk.internal.reflect.GeneratedMethodAccessor12", "invoke", "", "",
        "jdk.internal.reflect.GeneratedMethodAccessor invoke")]
    [InlineData("com.sun.proxy.$Proxy45", "save", "", "", "com.sun.proxy.$Proxy save")]
    [InlineData("my.core$load_data$fn__1234", "invoke", "", "", "my.core load_data.lambda")]
    [InlineData("app.views", "<module>", "", "", "app.views <module>")]
    [InlineData("app.views", "load.<locals>.inner", "", "", "app.views load.inner")]
    [InlineData("app.views", "load.<locals>.<lambda>", "", "", "app.views load.lambda")]
    [InlineData("app.views", "<lambda>", "", "", "app.views", false)]
    [InlineData("app.views", "<listcomp>", "", "", "app.views <listcomp>")]
    [InlineData("app.views", "Cart.total", "", "", "app.views Cart.total")]
    [InlineData("", "submit", "https://x/checkout-4f9a1c2e.js", "javascript", "checkout.js submit")]
    [InlineData("", "Object.submit", "https://x/checkout.min.js", "javascript", "checkout.js submit")]
    [InlineData("", "Cart.total [as onClick]", "https://x/a.js", "javascript", "a.js total")]
    [InlineData("", "t [as submit]", "https://x/a.js", "javascript", "a.js submit")]
    [InlineData("", "HTMLButtonElement.<anonymous>", "https://x/a.js", "javascript", "a.js", false)]
    [InlineData("", "async Cart.load", "/srv/app/cart.js", "node", "cart.js load")]
    [InlineData("", "new Cart", "/srv/app/cart.js", "node", "cart.js Cart")]
    [InlineData("", "async Promise.all (index 0)", "/srv/app/cart.js", "node", "cart.js all")]
    [InlineData("", "submit/<", "https://x/a.js", "javascript", "a.js submit.lambda")]
    [InlineData("", "Cart/this.total", "https://x/a.js", "javascript", "a.js total")]
    [InlineData("", "t.submit", "https://x/main.3c9ab1f0.js", "javascript", "main.js submit")]
    [InlineData("", "Xe1", "https://x/main.3c9ab1f0.js", "javascript", "main.js", false)]
    [InlineData("", "get", "https://x/main.3c9ab1f0.js", "javascript", "main.js get")]
    [InlineData("", "Object../src/cart.js", "https://x/main.js", "javascript", "main.js cart.js")]
    [InlineData("", "Object.4711", "https://x/main.js", "javascript", "main.js", false)]
    [InlineData("", "eval", "https://x/main.js", "javascript", "main.js", false)]
    [InlineData("", "go", "webpack:///./src/go.ts?a1b2", "javascript", "go.ts go")]
    [InlineData("", "foo$1", "https://x/index-D_bQ-x9p.js", "javascript", "index.js foo")]
    [InlineData("", "_callee2$", "https://x/index-BqRzLmNt.js", "javascript", "index.js", false)]
    [InlineData("main", "(*Cart).Total", "cart.go", "go", "main Cart.Total")]
    [InlineData("main", "(*Cart).Total.func1", "cart.go", "go", "main Cart.Total.lambda")]
    [InlineData("main", "main.func1.2", "cart.go", "go", "main lambda")]
    [InlineData("main", "glob..func1", "cart.go", "go", "main glob.lambda")]
    [InlineData("main", "Map[...]", "cart.go", "go", "main Map")]
    [InlineData("main", "(*List[...]).Push", "cart.go", "go", "main List.Push")]
    [InlineData(
        "github.com/acme/shop/cart", "github.com/acme/shop/cart.(*Cart).Total", "cart.go", "go",
        "github.com/acme/shop/cart Cart.Total")]
    [InlineData(
        "", "github.com/acme/shop/cart.(*Cart).Total", "cart.go", "go",
        "cart.go github.com/acme/shop/cart.Cart.Total")]
    [InlineData("main", "(*Cart).Total-fm", "cart.go", "go", "main Cart.Total")]
    [InlineData("main", "init.0", "cart.go", "go", "main init")]
    [InlineData("", "block in Cart#total", "cart.rb", "ruby", "cart.rb Cart#total.lambda")]
    [InlineData("", "block (2 levels) in total", "cart.rb", "ruby", "cart.rb total.lambda")]
    [InlineData("", "rescue in total", "cart.rb", "ruby", "cart.rb total")]
    [InlineData("", "rescue in block in total", "cart.rb", "ruby", "cart.rb total.lambda")]
    [InlineData("", "total", "cart.rb", "ruby", "cart.rb total")]
    [InlineData("", "<top (required)>", "cart.rb", "ruby", "cart.rb <top (required)>")]
    [InlineData("", "block in <main>", "cart.rb", "ruby", "cart.rb <main>.lambda")]
    [InlineData("", "<class:Cart>", "cart.rb", "ruby", "cart.rb <class:Cart>")]
    [InlineData("", "total?", "cart.rb", "ruby", "cart.rb total?")]
    [InlineData("", "[]", "cart.rb", "ruby", "cart.rb []")]
    [InlineData(
        "", "_app_views_orders_show_html_erb__1234567890_12340", "show.html.erb", "ruby",
        "show.html.erb _app_views_orders_show_html_erb")]
    [InlineData("", "Shop\\Cart::total", "/srv/Cart.php", "php", "cart.php Shop\\Cart::total")]
    [InlineData("", "Shop\\Cart::{closure}", "/srv/Cart.php", "php", "cart.php Shop\\Cart.lambda")]
    [InlineData("", "{closure}", "/srv/Cart.php", "php", "cart.php", false)]
    [InlineData("", "Shop\\{closure}", "/srv/Cart.php", "php", "cart.php", false)]
    [InlineData("", "{closure:Shop\\Cart::total():12}", "/srv/Cart.php", "php", "cart.php Shop\\Cart::total.lambda")]
    [InlineData("", "Shop\\Cart->total", "/srv/Cart.php", "php", "cart.php Shop\\Cart->total")]
    [InlineData(
        "", "shop::cart::Cart::total::h0123456789abcdef", "cart.rs", "native",
        "cart.rs shop::cart::Cart::total")]
    [InlineData("", "shop::cart::total::{{closure}}", "cart.rs", "native", "cart.rs shop::cart::total.lambda")]
    [InlineData("", "<shop::cart::Cart as shop::Total>::total", "cart.rs", "native", "cart.rs shop::cart::Cart::total")]
    [InlineData("", "<impl shop::Total for shop::Cart>::total", "cart.rs", "native", "cart.rs shop::Cart::total")]
    [InlineData(
        "", "shop::cart::<impl shop::Cart>::total", "cart.rs", "native",
        "cart.rs shop::cart::shop::Cart::total")]
    [InlineData(
        "", "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once", "boxed.rs", "native",
        "boxed.rs alloc::boxed::Box::call_once")]
    [InlineData(
        "", "core::ops::function::FnOnce::call_once{{vtable.shim}}", "x.rs", "native",
        "x.rs core::ops::function::FnOnce::call_once")]
    [InlineData("", "alloc::vec::Vec<T>::push", "x.rs", "native", "x.rs alloc::vec::Vec::push")]
    [InlineData("", "shop[a1b2c3d4]::cart::total::{closure#0}", "x.rs", "native", "x.rs shop::cart::total.lambda")]
    [InlineData("", "shop::cart::{impl#3}::total", "x.rs", "native", "x.rs shop::cart::total")]
    [InlineData("", "shop::cart::total::<i32>", "x.rs", "native", "x.rs shop::cart::total")]
    [InlineData("", "shop::Cart::total(int) const", "cart.cpp", "native", "cart.cpp shop::Cart::total")]
    [InlineData(
        "", "std::vector<int, std::allocator<int>>::at(unsigned long)", "x.cpp", "native",
        "x.cpp std::vector::at")]
    [InlineData("", "void shop::run<int>(int)", "x.cpp", "native", "x.cpp shop::run")]
    [InlineData("", "(anonymous namespace)::foo(int)", "x.cpp", "native", "x.cpp foo")]
    [InlineData("", "shop::(anonymous namespace)::foo()", "x.cpp", "native", "x.cpp shop::foo")]
    [InlineData("", "foo(int) [clone .cold]", "x.cpp", "native", "x.cpp foo")]
    [InlineData("", "foo.cold", "x.cpp", "native", "x.cpp foo")]
    [InlineData("", "foo.isra.0", "x.cpp", "native", "x.cpp foo")]
    [InlineData("", "shop::run()::$_0::operator()(int) const", "x.cpp", "native", "x.cpp shop::run.lambda")]
    [InlineData(
        "", "shop::run() const::{lambda(int)#1}::operator()(int) const", "x.cpp", "native",
        "x.cpp shop::run.lambda")]
    [InlineData("", "shop::run()::'lambda'(int)::operator()(int) const", "x.cpp", "native", "x.cpp shop::run.lambda")]
    [InlineData("", "std::ostream& operator<< <char>(std::ostream&, char)", "x.cpp", "native", "x.cpp operator<<")]
    [InlineData("", "bool operator<(Cart const&, Cart const&)", "x.cpp", "native", "x.cpp operator<")]
    [InlineData("", "shop::Cart::operator bool() const", "x.cpp", "native", "x.cpp shop::Cart::operator bool")]
    [InlineData("", "shop::Cart::~Cart()", "x.cpp", "native", "x.cpp shop::Cart::~Cart")]
    [InlineData("", "non-virtual thunk to shop::Cart::total()", "x.cpp", "native", "x.cpp shop::Cart::total")]
    [InlineData("", "`anonymous namespace'::foo", "x.cpp", "native", "x.cpp foo")]
    [InlineData("", "`shop::run'::`2'::<lambda_1>::operator()", "x.cpp", "native", "x.cpp shop::run.lambda")]
    [InlineData("", "-[Cart total:with:]", "Cart.m", "cocoa", "cart.m Cart.total:with:")]
    [InlineData("", "-[Cart(Money) total]", "Cart.m", "cocoa", "cart.m Cart.total")]
    [InlineData("", "__29-[Cart total]_block_invoke_2", "Cart.m", "cocoa", "cart.m Cart.total.lambda")]
    [InlineData("", "Shop.Cart.total(Swift.Int) -> Swift.String", "Cart.swift", "cocoa", "cart.swift Shop.Cart.total")]
    [InlineData(
        "", "closure #1 (Swift.Int) -> () in Shop.Cart.total(for: Swift.Int) -> Swift.Int", "Cart.swift", "cocoa",
        "cart.swift Shop.Cart.total.lambda")]
    [InlineData("", "closure #1 in Cart.total()", "Cart.swift", "cocoa", "cart.swift Cart.total.lambda")]
    [InlineData(
        "", "partial apply for closure #1 in Cart.total()", "Cart.swift", "cocoa",
        "cart.swift Cart.total.lambda")]
    [InlineData(
        "", "static Shop.Cart.shared.getter : Shop.Cart", "Cart.swift", "cocoa",
        "cart.swift Shop.Cart.shared.getter")]
    [InlineData("", "@objc Shop.Cart.total() -> ()", "Cart.swift", "cocoa", "cart.swift Shop.Cart.total")]
    [InlineData(
        "", "(1) suspend resume partial function for Shop.Cart.load() async throws -> ()", "Cart.swift", "cocoa",
        "cart.swift Shop.Cart.load")]
    [InlineData("", "specialized Cart.total()", "Cart.swift", "cocoa", "cart.swift Cart.total")]
    [InlineData(
        "", "protocol witness for Shop.Total.total() -> () in conformance Shop.Cart", "Cart.swift", "cocoa",
        "cart.swift Shop.Total.total")]
    [InlineData("Elixir.Shop.Cart", "Shop.Cart.total/2", "lib/cart.ex", "elixir", "Shop.Cart total")]
    [InlineData("Shop.Cart", "anonymous fn/1 in Shop.Cart.total/2", "lib/cart.ex", "elixir", "Shop.Cart total.lambda")]
    [InlineData("Elixir.Shop.Cart", "-total/2-fun-0-", "lib/cart.ex", "elixir", "Shop.Cart total.lambda")]
    [InlineData("", "Shop::Cart::total", "Cart.pm", "perl", "cart.pm Shop::Cart::total")]
    [InlineData("", "main::__ANON__", "x.pl", "perl", "x.pl main.lambda")]
    [InlineData("", "Cart.total.<anonymous closure>", "cart.dart", "dart", "cart.dart Cart.total.lambda")]
    [InlineData("", "_Cart@12345.total", "cart.dart", "dart", "cart.dart _Cart.total")]
    [InlineData("", "function <game.lua:12>", "game.lua", "lua", "game.lua", false)]
    [InlineData("", "lambda_method123(Closure , Object )", "x.cs", "csharp", "x.cs lambda_method")]
    [InlineData("", "Cart_Total_m9A8B7C6D5E4F", "x.cs", "csharp", "x.cs Cart_Total")]
    public void a_function_is_what_its_author_called_it(
        string module, string function, string file, string platform, string key, bool isStrong = true)
    {
        var place = Place.Of(new(OrNone(module), OrNone(function), OrNone(file), OrNone(platform)));
        Assert.Equal((key, isStrong), (place.Key, place.IsStrong));
    }

    private static string? OrNone(string text) => text.Length == 0 ? null : text;

    [Property]
    public void any_names_make_a_place(string? module, string? function, string? file)
    {
        var place = PlaceCache.Of(new(module, function, file, null));
        Assert.Equal(place, Place.Of(new(module, function, file, null)));
    }

    [Theory]
    [InlineData("<")]
    [InlineData("(")]
    [InlineData("{closure:")]
    [InlineData("<<a>b__")]
    [InlineData("::<impl a for b as c>")]
    [InlineData("$")]
    [InlineData("`'")]
    [InlineData("block in ")]
    [InlineData(" of closure #1 in ")]
    [InlineData("partial apply for ")]
    public void names_that_are_signs_again_and_again_are_taken(string unit)
    {
        var name = string.Concat(Enumerable.Repeat(unit, 200));
        for (var length = 0; length < name.Length; length += 7)
            Assert.NotNull(Place.Of(new(name[length..], name[length..], name[length..], null)).Key);
    }
}

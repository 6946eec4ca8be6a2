//! Recipes: fields that are named once for a site, and a record for each item of a page.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::scrape::{Run, Scrape};
use crate::support::{Answer, Site, scrape};

const LAMPS: &str = r#"<!doctype html><title>Lamps</title><base href="/img/">
<h1>Lamps</h1>
<article class=product data-id=1><h2>Lamp</h2><p class=price>€ 12,50</p>
  <a href=/lamps/1>More</a><img src=a.png><img src=b.png>
  <p class=seller><b>Ann</b> <a href=/ann>more of hers</a></p>
  <ul><li class=offer>red <i>1</i><li class=offer>blue <i>2</i></ul></article>
<article class=product><p>An advertisement</p></article>
<article class=product data-id=2><h2>Small lamp</h2><p class=price>sold out</p></article>
<h2>Not an item's</h2>"#;

const RECIPE: &str = r#"
[[recipe]]
match = "/lamps*"
items = "article.product"
required = ["name"]
page = { category = "h1" }

[recipe.fields]
name = "h2"
price = ".price | number"
id = ":scope@data-id"
more = "./a/@href"
"images[]" = "img@src"
seller = { items = ".seller", fields = { name = "b", url = "a@href" } }
"offers[]" = { items = ".//li", fields = { color = "./text() | trim", price = "i | number" } }

[[recipe]]
match = ["*/api", "re:/api/\\d$"]
items = "$.items[*]"
fields = { name = "$.name", price = "$.price", stock = "$.stock | default(0)" }

[[recipe]]
fields = { heading = "h1" }
"#;

const ANSWER: &str =
    r#"{"items": [{"name": "Lamp", "price": 12.5}, {"name": "Small lamp", "price": null, "stock": 3}]}"#;

fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/lamps" => Answer::html(LAMPS),
        "/lamps/none" => Answer::html("<title>None</title><h1>No lamps</h1>"),
        "/lamps/advertisements" => Answer::html("<h1>Lamps</h1><article class=product><p>ad</article>"),
        "/api" | "/api/1" => Answer::typed("application/json", ANSWER),
        _ => Answer::html("<h1>Welcome</h1><h2>Here</h2>"),
    })
}

/// A run with these recipes in `shop.toml`.
fn run_with(recipes: &str, args: &[&str]) -> Run {
    scrape(["-f", "jsonl", "--ordered", "-r", "shop.toml"]).args(args).file("shop.toml", recipes).run()
}

fn fields(run: &Run, site: &Site) -> Vec<Value> {
    let all = Value::from(run.records().iter().map(|record| record["fields"].clone()).collect::<Vec<_>>());
    let text = all.to_string().replace(&site.url(""), "http://site");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_item_is_a_record_with_the_facts_of_its_page() {
    let site = site();
    let run = run_with(RECIPE, &["-x", "h1", "-s", "n=count(//article)", &site.url("/lamps")]).succeeds();
    for record in run.records() {
        assert_eq!(record["title"], "Lamps");
        assert_eq!(record["url"], site.url("/lamps"));
    }
    let lamp = json!({
        "category": "Lamps", "name": "Lamp", "price": 12.5, "id": "1", "more": "http://site/lamps/1",
        "images": ["http://site/img/a.png", "http://site/img/b.png"],
        "seller": {"name": "Ann", "url": "http://site/ann"},
        "offers": [{"color": "red", "price": 1}, {"color": "blue", "price": 2}],
        "stock": null, "heading": null, "h1": "Lamps", "n": 3,
    });
    let small = json!({
        "category": "Lamps", "name": "Small lamp", "price": null, "id": "2", "more": null, "images": [], "seller": null,
        "offers": [], "stock": null, "heading": null, "h1": "Lamps", "n": 3,
    });
    assert_eq!(fields(&run, &site), [lamp, small]);
    let keys = r#""fields":{"category":"Lamps","name":"Lamp","price":12.5,"id":"1""#;
    assert!(run.stdout.contains(keys), "{}", run.stdout);
    assert!(run.stdout.lines().all(|line| line.ends_with(r#""stock":null,"heading":null,"h1":"Lamps","n":3}}"#)));
}

#[test]
fn the_first_recipe_that_fits_the_url_is_the_one_that_is_used() {
    let site = site();
    let urls = ["/api", "/api/1", "/api/x"].map(|path| site.url(path));
    let run = run_with(RECIPE, &urls.each_ref().map(String::as_str)).succeeds();
    let found: Vec<_> = fields(&run, &site);
    let of = |name: &str| found.iter().map(|fields| fields[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("name"), [json!("Lamp"), json!("Small lamp"), json!("Lamp"), json!("Small lamp"), Value::Null]);
    assert_eq!(of("stock"), [json!(0), json!(3), json!(0), json!(3), Value::Null]);
    assert_eq!(of("heading"), [Value::Null, Value::Null, Value::Null, Value::Null, json!("Welcome")]);
    assert_eq!(of("category"), vec![Value::Null; 5]);
}

#[test]
fn a_page_that_no_recipe_fits_has_null_fields() {
    let site = site();
    let recipe = "[[recipe]]\nmatch = \"/lamps*\"\nfields = { h = \"h1\" }\nrequired = [\"h\"]";
    let run = run_with(recipe, &["-x", "h1", &site.url("/other")]).succeeds();
    assert_eq!(fields(&run, &site), [json!({"h": null, "h1": "Welcome"})]);
}

#[test]
fn a_redirected_page_has_the_recipe_of_the_url_that_answered() {
    let site = Site::start(|hit| match &*hit.path {
        "/old" => Answer::status(302).header("Location", "/lamps"),
        _ => Answer::html(LAMPS),
    });
    let run = run_with(RECIPE, &[&site.url("/old")]).succeeds();
    assert_eq!(run.records().len(), 2);
}

#[test]
fn a_page_without_items_still_has_a_record() {
    let site = site();
    let recipe = RECIPE.replace("required = [\"name\"]", "");
    let run = run_with(&recipe, &[&site.url("/lamps/none")]).succeeds();
    let found = fields(&run, &site);
    assert_eq!((found.len(), &found[0]["category"], &found[0]["name"]), (1, &json!("No lamps"), &Value::Null));
    assert_eq!(run_with(&recipe, &[&site.url("/lamps")]).succeeds().records().len(), 3);
}

#[test]
fn a_page_that_lacks_what_is_required_is_a_failure_with_what_it_has() {
    let site = site();
    let failure = |recipe: &str, path: &str| {
        let run = run_with(recipe, &[&site.url(path)]).exits(4);
        let record = run.record();
        assert_eq!(record["error"]["kind"], "missing", "{record}");
        assert_eq!(record["status"], 200);
        (record["error"]["message"].as_str().unwrap().to_owned(), fields(&run, &site).remove(0))
    };
    let (message, found) = failure(RECIPE, "/lamps/none");
    assert_eq!((&*message, &found["category"]), ("the page has no items", &json!("No lamps")));
    let (message, found) = failure(RECIPE, "/lamps/advertisements");
    assert_eq!((&*message, &found["category"]), ("no item has all of `name`", &json!("Lamps")));
    let one = "[[recipe]]\nrequired = [\"h\", \"p\"]\nfields = { h = \"h1\", p = \"p\" }";
    assert_eq!(failure(one, "/"), ("the page has no `p`".to_owned(), json!({"h": "Welcome", "p": null})));
    let page = "[[recipe]]\nitems = \"h2\"\nrequired = [\"p\"]\npage = { p = \"p\" }\nfields = { h = \":scope\" }";
    assert_eq!(failure(page, "/"), ("the page has no `p`".to_owned(), json!({"h": "Here", "p": null})));
    let list = "[[recipe]]\nrequired = [\"p\"]\nfields = { \"p[]\" = \"p\" }";
    assert_eq!(failure(list, "/"), ("the page has no `p`".to_owned(), json!({"p": []})));
}

#[test]
fn what_a_recipe_expects_is_judged_by_its_own_records() {
    let site = site();
    let expecting = |lamps: &str, api: &str| {
        let recipe = RECIPE.replace("match = \"/lamps*\"", &format!("match = \"/lamps*\"\nexpect = [{lamps}]"));
        recipe.replace("items = \"$.items[*]\"", &format!("items = \"$.items[*]\"\nexpect = [{api}]"))
    };
    let urls = ["/lamps", "/api", "/"].map(|path| site.url(path));
    let urls = urls.each_ref().map(String::as_str);
    let holds = expecting("'items == 2', 'id != \"\"', 'fill(price) >= 50%'", "'items >= 2', 'name ~ /lamp/i'");
    run_with(&holds, &urls).succeeds();
    let broken = expecting("'items >= 3', 'id != \"\"'", "'price > 0'");
    let run = run_with(&broken, &[&urls[..], &["--summary", "s.json", "--expect", "items == 5"]].concat()).exits(3);
    let (line, api) = (4, 21);
    assert_eq!(
        run.stderr,
        format!(
            "scrape: expectation broken: shop.toml:{line}: items >= 3: 2\n\
             scrape: expectation broken: shop.toml:{api}: price > 0 at {} (1 of 2 records)\n",
            urls[1]
        )
    );
    let summary: Value = serde_json::from_str(&run.file("s.json")).unwrap();
    let told = |n: usize| ["expect", "place", "held"].map(|key| summary["expectations"][n][key].clone());
    assert_eq!(told(0), [json!("items == 5"), Value::Null, json!(true)]);
    assert_eq!(told(1), [json!("items >= 3"), json!(format!("shop.toml:{line}")), json!(false)]);
    assert_eq!(told(2)[2], true);
    // Where no page is read by it, a recipe expects nothing.
    run_with(&broken, &[urls[2]]).succeeds();
}

#[test]
fn an_expectation_that_is_none_is_refused_with_file_line_and_caret() {
    let recipe = "[[recipe]]\nexpect = [\n  'items >= 2',\n  'prize > 0',\n]\nfields = { price = 'b' }\n";
    let run = run_with(recipe, &["http://127.0.0.1:1/"]).exits(2);
    let lines: Vec<_> = run.stderr.lines().collect();
    assert_eq!(lines[0], "scrape: shop.toml:4: not an expectation: there is no `prize`");
    assert_eq!(lines[1..3], ["    'prize > 0',", "     ^"]);
    assert!(lines[3].starts_with("hint: of a record: price, v, url"), "{}", run.stderr);
    let escaped = recipe.replace("'prize > 0'", "\"price\\u0020!> 0\"");
    let run = run_with(&escaped, &["http://127.0.0.1:1/"]).refused_over("an operator is missing");
    assert!(run.stderr.contains("\n  price !> 0\n        ^\n"), "{}", run.stderr);
}

#[test]
fn items_that_are_left_out_are_told_in_the_summary() {
    let site = site();
    let args = ["--progress", "log", "--summary", "s.json", &site.url("/lamps"), &site.url("/api")];
    let run = run_with(RECIPE, &args).exits(0);
    assert!(run.stderr.contains("\n  omitted  1 item without what is required\n"), "{}", run.stderr);
    assert_eq!(serde_json::from_str::<Value>(&run.file("s.json")).unwrap()["left_out"], 1);
}

#[test]
fn the_log_tells_of_items_that_are_left_out() {
    let site = site();
    let run = run_with(RECIPE, &["-v", &site.url("/lamps")]).exits(0);
    assert!(run.stderr.contains("left out: a required field is missing"), "{}", run.stderr);
    assert!(run.stderr.contains("items=1"), "{}", run.stderr);
}

#[test]
fn all_stands_for_what_no_recipe_has() {
    let site = site();
    let recipe = "[[recipe]]\nfields = { description = \"h2\" }";
    let run = run_with(recipe, &["-x", "all", &site.url("/")]).succeeds();
    assert_eq!(run.record()["fields"]["description"], "Here");
}

#[test]
fn a_field_that_is_asked_for_twice_is_refused() {
    let site = site();
    run_with(RECIPE, &["-s", "name=h3", &site.url("/")]).refused_over("two fields are called `name`");
    run_with("[[recipe]]\nfields = { h1 = \"h1\" }", &["-x", "h1", &site.url("/")]).refused_over("called `h1`");
    assert!(site.hits().is_empty());
}

#[test]
fn a_recipe_that_means_nothing_is_refused_with_file_line_and_caret() {
    let refused = |recipes: &str| {
        let run = run_with(recipes, &["http://127.0.0.1:1/"]).exits(2);
        assert_eq!(run.stdout, "");
        run.stderr
    };
    assert_eq!(
        refused("[[recipe]]\n[recipe.fields]\nname = \"h1\"\nprice = \".price | nummer\"\n"),
        "scrape: shop.toml:4: no transform is called \"nummer\"\n  price = \".price | nummer\"\n                    ^\n\
         hint: transforms are date, default, html, join, lower, number, re, split, text, trim, upper, url\n"
    );
    let head = "[[recipe]]\nfields = { a = \"h1\" }\n";
    for (recipes, line, caret, what) in [
        ("[[recipe]]\nitmes = \"li\"\n".to_owned(), 2, 0, "unknown field `itmes`"),
        (head.to_owned() + "match = \"a.test\"", 3, 15, "a path is missing"),
        (head.to_owned() + "match = [\"/a\", \"/b c\"]", 3, 18, "' ' is in no URL"),
        (head.to_owned() + "match = []", 3, 8, "this fits no URL"),
        (head.to_owned() + "match = 're:a('", 3, 13, "not a regular expression"),
        (head.to_owned() + "items = \"h1 | trim\"", 3, 9, "no elements"),
        (head.to_owned() + "items = \"a@href\"", 3, 9, "no elements"),
        (head.to_owned() + "items = \"count(//a)\"", 3, 9, "no elements"),
        (head.to_owned() + "required = [\"a\", \"b\"]", 3, 17, "no field has this name"),
        (head.to_owned() + "page = { b = \"h1\" }", 3, 9, "`page` is for a recipe with `items`"),
        (head.to_owned() + "items = \"li\"\npage = { a = \"h1\" }", 2, 11, "two fields are called `a`"),
        ("[[recipe]]\nfields = { 1a = \"p\" }".to_owned(), 2, 11, "this is no name"),
        ("[[recipe]]\nfields = { a = \"p\", \"a[]\" = \"p\" }".to_owned(), 2, 20, "two fields are called `a`"),
        ("[[recipe]]\nfields = { a = 1 }".to_owned(), 2, 15, "expected an expression"),
        ("[[recipe]]\nfields = { a = { field = {} } }".to_owned(), 2, 17, "unknown field `field`"),
        ("[[recipe]]\nfields = { \"a[]\" = { fields = { b = \"p\" } } }".to_owned(), 2, 11, "needs `items`"),
        ("[[recipe]]\nfields = { a = { fields = { b = \"p..q\" } } }".to_owned(), 2, 34, "not a CSS selector"),
        ("[[recipe]]\nfields = { a = \"p\\u0020p..q\" }".to_owned(), 2, 3, "not a CSS selector"),
        ("[[recipe]]\nmatch = \"/\"\n".to_owned(), 1, 0, "missing field `fields`"),
        (head.repeat(2), 1, 0, "for every URL"),
        ("recipe = 1\n[[".to_owned(), 2, 2, ""),
        ("[[recipe]]\nitems = \"li\"\nfields = { a = \"$.b\" }".to_owned(), 3, 16, "there is no JSON in an element"),
        ("[[recipe]]\nitems = \"li\"\npage = { a = \"jq:.b\" }\nfields = {}".to_owned(), 3, 14, "there is no JSON in"),
        ("[[recipe]]\nitems = \"$.a\"\nfields = { a = \"b\" }".to_owned(), 3, 16, "there are no elements in JSON"),
        (
            "[[recipe]]\nitems = \"$.a\"\nnext = \"a@href\"\nfields = {}".to_owned(),
            3,
            8,
            "there are no elements in JSON",
        ),
        (
            "[[recipe]]\nitems = \"li\"\nfields = { a = { items = \"$.b\", fields = {} } }".to_owned(),
            3,
            26,
            "there is no JSON in an element",
        ),
        (
            "[[recipe]]\nfields = { \"a[]\" = { items = \"$.b\", fields = { c = \"p\" } } }".to_owned(),
            2,
            52,
            "there are no elements in JSON",
        ),
        (String::new(), 1, 0, "there is no recipe in it"),
        ("recipe = []".to_owned(), 1, 0, "there is no recipe in it"),
        ("[recipe]\nfields = { a = \"h1\" }".to_owned(), 1, 0, "expected [[recipe]]"),
        (head.to_owned() + "required = \"a\"", 3, 11, "expected a list, such as"),
        (head.to_owned() + "expect = \"a > 1\"", 3, 9, "expected a list, such as"),
    ] {
        let stderr = refused(&recipes);
        let lines: Vec<_> = stderr.lines().collect();
        assert!(lines[0].starts_with(&format!("scrape: shop.toml:{line}: ")), "{stderr}");
        assert!(lines[0].contains(what), "{stderr}");
        assert_eq!(lines[2], format!("  {:caret$}^", ""), "{stderr}");
        assert!(lines[3].starts_with("hint: "), "{stderr}");
    }
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_refused() {
    let run = |run: Scrape| run.args(["-r", "shop.toml", "http://127.0.0.1:1/"]).run();
    run(scrape::<&str>([])).refused_over("cannot read shop.toml, a file of recipes");
    run(scrape::<&str>([]).file("shop.toml", [0xff])).refused_over("cannot read shop.toml");
    run(scrape::<&str>([]).file("shop.toml", "")).refused_over("there is no recipe in it");
}

#[test]
fn a_hostile_recipe_does_nothing_to_a_terminal() {
    let run = run_with("[[recipe]]\n'\u{202e}\u{9b}2J' = 1 # \u{1b}", &["http://127.0.0.1:1/"]).exits(2);
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{:?}", run.stderr);
}

#[test]
fn records_that_would_fill_the_memory_are_given_up_and_harm_no_other_page() {
    let deep = format!("<h1>deep</h1>{}{}", "<div>".repeat(400), "text ".repeat(100_000));
    let many = format!("<h1>{}</h1>{}", "x".repeat(100_000), "<p>item".repeat(10_000));
    let site = Site::start(move |hit| match &*hit.path {
        "/deep" => Answer::html(deep.clone()),
        "/many" => Answer::html(many.clone()),
        _ => Answer::html("<h1>Page</h1><div>one<p>two"),
    });
    let recipes = "[[recipe]]\nmatch = '/many'\nitems = 'p'\npage = { h = 'h1' }\nfields = { d = ':scope' }\n\
                   [[recipe]]\nitems = 'div'\npage = { h = 'h1' }\n\
                   fields = { d = ':scope', o = { items = ':scope', fields = { d = ':scope' } } }";
    let urls = ["/deep", "/many", "/page"].map(|path| site.url(path));
    let run = run_with(recipes, &urls.each_ref().map(String::as_str)).exits(1);
    for path in ["/deep", "/many"] {
        let record = run.record_of(path);
        assert_eq!(record["error"]["kind"], "too_complex", "{path}");
        assert_eq!(record["fields"], json!({"h": null, "d": null, "o": null}));
    }
    let page = run.record_of("/page");
    assert_eq!(page["fields"], json!({"h": "Page", "d": "one two", "o": {"d": "one two"}}));
}

#[test]
fn items_in_each_other_are_items_each() {
    let site = Site::start(|_| Answer::html("<div><p>a</p><div><p>b</p></div></div>"));
    let recipe =
        "[[recipe]]\nitems = '//div'\nfields = { 'p[]' = 'p', 'own[]' = ':scope > p', 'x[]' = './p', 'all[]' = '//p' }";
    let run = run_with(recipe, &[&site.url("/")]).succeeds();
    let outer = json!({"p": ["a", "b"], "own": ["a"], "x": ["a"], "all": ["a", "b"]});
    let inner = json!({"p": ["b"], "own": ["b"], "x": ["b"], "all": ["a", "b"]});
    assert_eq!(fields(&run, &site), [outer, inner]);
}

#[test]
fn the_schema_has_the_fields_of_all_recipes() {
    let run = scrape(["schema", "-r", "shop.toml"]).file("shop.toml", RECIPE).run().succeeds();
    let schema: Value = serde_json::from_str(&run.stdout).unwrap();
    let fields = &schema["properties"]["fields"];
    let names = ["category", "heading", "id", "images", "more", "name", "offers", "price", "seller", "stock"];
    assert_eq!(fields["required"], json!(names));
    let seller = &fields["properties"]["seller"]["anyOf"][0];
    assert_eq!(seller["properties"]["url"]["type"], json!(["string", "null"]));
    let site = site();
    let urls = ["/lamps", "/api", "/", "/lamps/none"].map(|path| site.url(path));
    let run = run_with(RECIPE, &urls.each_ref().map(String::as_str)).exits(1);
    assert_eq!(run.records().len(), 6);
    for record in run.records() {
        assert!(jsonschema::is_valid(&schema, &record), "{record}");
    }
}

#[test]
fn a_recipe_may_be_a_setting() {
    let site = site();
    let config = "recipe = \"shop.toml\"";
    let run = scrape(["-f", "jsonl", &site.url("/lamps")]).file("scrape.toml", config).file("shop.toml", RECIPE);
    assert_eq!(run.run().succeeds().records().len(), 2);
}

/// The fields of a worked recipe on its saved pages, each with the path that it is served from. The first is asked for.
fn worked(name: &str, pages: &'static [(&str, &str)]) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recipes");
    let recipe = folder.join(format!("{name}.toml"));
    let site = Site::start(move |hit| {
        let Some((_, file)) = pages.iter().find(|(path, _)| *path == hit.path) else { return Answer::status(404) };
        let body = std::fs::read_to_string(folder.join(file)).unwrap();
        if file.contains(".json") { Answer::typed("application/json", body) } else { Answer::html(body) }
    });
    let args = ["-f", "jsonl", "--ordered", "-r", recipe.to_str().unwrap(), &site.url(pages[0].0)];
    fields(&scrape(args).run().succeeds(), &site)
}

#[test]
fn the_recipe_for_a_shop_reads_its_listing() {
    let pages = &[("/lamps?page=1", "shop.html"), ("/lamps?page=2", "shop-2.html")];
    let [heron, wren, crane] = &worked("shop", pages)[..] else { panic!("three products") };
    let wanted = json!({
        "category": "Lamps", "sku": "L-100", "name": "Heron desk lamp", "url": "http://site/lamps/heron",
        "price": 1049.5, "old_price": null, "currency": "€", "rating": 4.6, "in_stock": "in stock",
        "images": ["http://site/img/heron-1.jpg", "http://site/img/heron-2.jpg"],
        "variants": [{"color": "black", "price": 0}, {"color": "brass", "price": 12}],
        "description": null,
    });
    assert_eq!(*heron, wanted);
    assert_eq!((&wren["name"], &wren["price"]), (&json!("Wren clip lamp"), &json!(19.9)));
    assert_eq!((&crane["name"], &crane["price"]), (&json!("Crane floor lamp"), &json!(249)));
    assert_eq!((&wren["rating"], &wren["in_stock"], &wren["variants"]), (&Value::Null, &Value::Null, &json!([])));
}

#[test]
fn the_recipe_for_a_news_index_reads_its_stories() {
    let [ferry, market] = &worked("news", &[("/", "news.html")])[..] else { panic!("two stories") };
    let wanted = json!({
        "section": "Front page", "updated": "2026-03-14T09:30:00+01:00",
        "headline": "Ferry runs again after the storm", "url": "http://site/2026/03/14/ferry",
        "summary": "The first crossing left the pier at seven.", "published": "2026-03-14T08:05:00+01:00",
        "authors": ["Mira Holm", "Jon Aker"], "paid": false, "comments": 14,
    });
    assert_eq!(*ferry, wanted);
    assert_eq!((&market["published"], &market["paid"]), (&json!("2026-03-13"), &json!(true)));
    assert_eq!((&market["authors"], &market["comments"]), (&json!([]), &json!(0)));
}

#[test]
fn the_recipe_for_a_json_api_reads_its_items() {
    let found = worked("api", &[("/v1/releases?page=1", "api.json")]);
    let wanted = json!([
        {
            "total": 3, "id": 9_007_199_254_740_993_u64, "version": "2.1.0", "released": "2026-02-03T10:15:00Z",
            "author": "mira", "notes": "Faster.", "labels": ["stable", "linux"], "bytes": 120_034,
            "files": [{"name": "tool.tar.gz", "bytes": 120_034, "url": "http://site/files/2.1.0/tool.tar.gz"}],
        },
        {
            "total": 3, "id": 40, "version": "2.0.9", "released": "2025-11-20T08:00:00Z",
            "author": null, "notes": "", "labels": [], "bytes": 0, "files": [],
        },
    ]);
    assert_eq!(Value::from(found), wanted);
}

#[test]
fn the_recipe_for_a_documentation_site_reads_a_page() {
    let wanted = json!([{
        "heading": "Installing", "version": "2.1", "path": ["Docs", "Getting started"],
        "sections": [
            {"id": "linux", "title": "On Linux", "code": ["tar xf tool.tar.gz", "./tool --version"]},
            {"id": "source", "title": "From source", "code": []},
        ],
        "edit": "https://code.example/tool/edit/docs/install.md", "next": "http://site/docs/configure/",
        "changed": "2026-03-14",
    }]);
    assert_eq!(Value::from(worked("docs", &[("/docs/install/", "docs.html")])), wanted);
}

/// The schema that editors complete recipe files with.
fn schema_of_recipes() -> Value {
    serde_json::from_str(&scrape(["schema", "--recipe"]).run().succeeds().stdout).unwrap()
}

fn as_json(toml: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(toml).unwrap()).unwrap()
}

#[test]
fn every_worked_recipe_is_what_the_schema_of_recipe_files_describes() {
    let schema = schema_of_recipes();
    assert!(jsonschema::meta::is_valid(&schema));
    for name in ["api", "docs", "news", "shop"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/recipes/{name}.toml"));
        let recipe = as_json(&std::fs::read_to_string(file).unwrap());
        let errors: Vec<_> =
            jsonschema::validator_for(&schema).unwrap().iter_errors(&recipe).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    assert!(jsonschema::is_valid(&schema, &as_json(RECIPE)));
}

#[test]
fn what_the_program_refuses_in_a_recipe_file_the_schema_refuses_too() {
    let schema = schema_of_recipes();
    let fine = "[[recipe]]\nitems = 'li'\nfields = { a = 'h1' }\n";
    assert!(jsonschema::is_valid(&schema, &as_json(fine)));
    for wrong in [
        "x = 1\n[[recipe]]\nfields = {}".to_owned(),
        format!("{fine}itmes = 'li'"),
        format!("{fine}next = {{ query = 'p', form = 1 }}"),
        format!("{fine}next = {{ from = 1 }}"),
        format!("{fine}next = {{ query = 'p', step = 0 }}"),
        format!("{fine}next = 1"),
        format!("{fine}pages = 3"),
        format!("{fine}next = 'a@href'\npages = 0"),
        format!("{fine}match = []"),
        format!("{fine}expect = 'items > 1'"),
        format!("{fine}next = {{ query = '' }}"),
        "recipe = []".to_owned(),
        "[[recipe]]\nitems = 'li'".to_owned(),
        "[[recipe]]\npage = { a = 'h1' }\nfields = {}".to_owned(),
        "[[recipe]]\nfields = { 1a = 'p' }".to_owned(),
        "[[recipe]]\nfields = { a = 1 }".to_owned(),
        "[[recipe]]\nfields = { a = { field = {} } }".to_owned(),
    ] {
        run_with(&wrong, &["http://127.0.0.1:1/"]).exits(2);
        assert!(!jsonschema::is_valid(&schema, &as_json(&wrong)), "{wrong}");
    }
}

#[test]
fn the_schema_of_recipe_files_has_every_key_with_a_description() {
    let schema = schema_of_recipes();
    // The parser names the keys that it knows.
    let known = |recipe: &str| {
        let stderr = run_with(recipe, &["http://127.0.0.1:1/"]).exits(2).stderr;
        let names = stderr.lines().next().unwrap().split_once("expected").unwrap().1.to_owned();
        let mut names: Vec<_> = names.split('`').skip(1).step_by(2).map(String::from).collect();
        names.sort_unstable();
        names
    };
    for (place, recipe) in [
        ("", "x = 1"),
        ("/$defs/recipe", "[[recipe]]\nx = 1"),
        ("/$defs/counter", "[[recipe]]\nnext = { x = 1 }"),
        ("/$defs/object", "[[recipe]]\nfields = { a = { x = 1 } }"),
    ] {
        let properties = schema.pointer(&format!("{place}/properties")).unwrap().as_object().unwrap();
        let mut keys: Vec<_> = properties.keys().cloned().collect();
        keys.sort_unstable();
        assert_eq!(keys, known(recipe), "{place}");
        assert!(properties.values().all(|key| key["description"].is_string()), "{place}");
    }
}

#[test]
fn every_worked_recipe_is_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recipes");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let recipes = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut names: Vec<_> = recipes.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["api", "docs", "news", "shop"]);
}

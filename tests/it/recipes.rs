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
    run(scrape::<&str>([])).refused_over("cannot read shop.toml, the file of --recipe");
    run(scrape::<&str>([]).file("shop.toml", [0xff])).refused_over("cannot read shop.toml");
    run(scrape::<&str>([]).file("shop.toml", "")).refused_over("missing field `recipe`");
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

/// The fields of a worked recipe on its saved page, as it is served from `path`.
fn worked(name: &str, page: &str, path: &'static str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recipes");
    let body = std::fs::read_to_string(folder.join(page)).unwrap();
    let is_json = page == "api.json";
    let site = Site::start(move |hit| match &*hit.path {
        known if known != path => Answer::status(404),
        _ if is_json => Answer::typed("application/json", body.clone()),
        _ => Answer::html(body.clone()),
    });
    let recipe = folder.join(format!("{name}.toml"));
    let run = scrape(["-f", "jsonl", "-r", recipe.to_str().unwrap(), &site.url(path)]).run().succeeds();
    fields(&run, &site)
}

#[test]
fn the_recipe_for_a_shop_reads_its_listing() {
    let [heron, wren] = &worked("shop", "shop.html", "/lamps?page=1")[..] else { panic!("two products") };
    let wanted = json!({
        "category": "Lamps", "sku": "L-100", "name": "Heron desk lamp", "url": "http://site/lamps/heron",
        "price": 1049.5, "old_price": null, "currency": "€", "rating": 4.6, "in_stock": "in stock",
        "images": ["http://site/img/heron-1.jpg", "http://site/img/heron-2.jpg"],
        "variants": [{"color": "black", "price": 0}, {"color": "brass", "price": 12}],
        "description": null,
    });
    assert_eq!(*heron, wanted);
    assert_eq!((&wren["name"], &wren["price"]), (&json!("Wren clip lamp"), &json!(19.9)));
    assert_eq!((&wren["rating"], &wren["in_stock"], &wren["variants"]), (&Value::Null, &Value::Null, &json!([])));
}

#[test]
fn the_recipe_for_a_news_index_reads_its_stories() {
    let [ferry, market] = &worked("news", "news.html", "/")[..] else { panic!("two stories") };
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
    let found = worked("api", "api.json", "/v1/releases?page=1");
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
    assert_eq!(Value::from(worked("docs", "docs.html", "/docs/install/")), wanted);
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

//! `scrape check`: a file of recipes, and what one of them finds in a page.

use serde_json::{Value, json};

use crate::support::scrape::{Run, Scrape, scrape};
use crate::support::{Answer, Site};

const SHOP: &str = r#"[[recipe]]
match = "*/lamps*"
items = "article"
required = ["name"]
next = "a.next@href"
pages = 9
expect = ["items >= 2", "fill(price) >= 50%"]
fields = { name = "h2", price = "./p | number", "offers[]" = { items = "li", fields = { color = "b" } } }

[[recipe]]
items = "$.items[*]"
next = { query = "page" }
fields = { name = "$.name" }
"#;

const LAMPS: &str = "<title>Lamps</title><article><h2>Heron \u{1b}[31m</h2><p>12,50</p><li><b>red</b><li><b>blue</b></article>\
                     <article>ad</article><article><h2>Wren</h2></article><a class=next href=/lamps?page=2>Next</a>";

fn check(args: &[&str]) -> Scrape {
    let files = [("shop.toml", SHOP), ("lamps.html", LAMPS), ("api.json", r#"{"items": [{"name": "Lamp"}]}"#)];
    files.iter().fold(scrape(["check"]).args(args), |run, (name, text)| run.file(name, text))
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_file_that_is_fine_is_described() {
    let run = check(&["shop.toml"]).run().succeeds();
    let lines: Vec<_> = run.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let first = [
        "shop.toml:1",
        "match */lamps*",
        "items article",
        "fields name, price, offers",
        "required name",
        "next a.next@href; at most 9 pages",
        "expect items >= 2",
        "fill(price) >= 50%",
    ];
    assert_eq!(lines[..first.len()], first);
    assert_eq!(
        lines[first.len()..],
        ["", "shop.toml:10", "match every URL", "items $.items[*]", "fields name", lines[13].as_str()]
    );
    assert_eq!(lines[13], "next page from 1 in steps of 1; at most 100 pages");
    let check = json_of(&check(&["shop.toml", "-f", "json"]).run().succeeds());
    assert_eq!((&check["v"], &check["page"]), (&json!(1), &Value::Null));
    assert_eq!((&check["recipes"][0]["required"], &check["recipes"][1]["pages"]), (&json!(["name"]), &json!(100)));
}

#[test]
fn a_file_that_is_wrong_is_refused_with_file_line_and_caret() {
    let wrong = |recipe: &str| scrape(["check", "shop.toml"]).file("shop.toml", recipe).run();
    let run = wrong("[[recipe]]\nfields = { a = \"p..q\" }").refused_over("shop.toml:2: not a CSS selector");
    assert!(run.stderr.contains("\n  fields = { a = \"p..q\" }\n                   ^\nhint: "), "{}", run.stderr);
    wrong("[[recipe]]\nexpect = ['b > 1']\nfields = { a = 'p' }").refused_over("shop.toml:2: not an expectation");
    scrape(["check", "none.toml"]).run().refused_over("cannot read none.toml");
}

#[test]
fn a_saved_page_shows_what_each_selector_finds() {
    let check =
        json_of(&check(&["shop.toml", "lamps.html", "--url", "http://a.test/lamps", "-f", "json"]).run().succeeds());
    let page = &check["page"];
    assert_eq!((&page["recipe"], &page["records"], &page["left_out"]), (&json!("shop.toml:1"), &json!(2), &json!(1)));
    let told = |field: &Value| (field["name"].clone(), field["selector"].clone(), field["matches"].clone());
    let fields: Vec<_> = page["fields"].as_array().unwrap().iter().map(told).collect();
    let row = |name: &str, selector: &str, matches: u64| (json!(name), json!(selector), json!(matches));
    let wanted =
        [row("name", "h2", 2), row("price", "./p | number", 1), row("offers", "li", 2), row("offers.color", "b", 2)];
    assert_eq!(fields, wanted);
    assert_eq!((&page["items"]["matches"], &page["fields"][1]["values"]), (&json!(3), &json!([12.5, null])));
    assert_eq!(page["fields"][1]["first_match"], "html > body > article > p");
    assert_eq!(page["next"], "http://a.test/lamps?page=2");
    assert_eq!(page["expectations"][1]["held"], true);
}

#[test]
fn a_file_without_a_url_is_read_by_the_recipe_that_finds_what_it_requires() {
    for (page, recipe) in [("lamps.html", "shop.toml:1"), ("api.json", "shop.toml:10")] {
        let check = json_of(&check(&["shop.toml", page, "-f", "json"]).run().succeeds());
        assert_eq!(check["page"]["recipe"], recipe);
    }
}

#[test]
fn a_page_may_come_from_standard_input() {
    let run = check(&["shop.toml", "-", "--url", "http://a.test/lamps"]).stdin(LAMPS).run().succeeds();
    assert!(run.stdout.contains("2 records") && run.stdout.contains("http://a.test/lamps?page=2"), "{}", run.stdout);
    let run = check(&["shop.toml", "-", "-f", "json"]).stdin(r#"{"items": [{"name": "Lamp"}]}"#).run().succeeds();
    let found = json_of(&run);
    assert_eq!((&found["page"]["recipe"], &found["page"]["records"]), (&json!("shop.toml:10"), &json!(1)));
}

#[test]
fn a_page_on_a_site_is_fetched_alone_and_shown_harmlessly() {
    let site = Site::start(|_| Answer::html(LAMPS));
    let run = check(&["shop.toml", &site.url("/lamps")]).run().succeeds();
    for part in ["items >= 2 holds", "2 records", "Heron", "3 matches; 1 left out", "2 matches: li", "/lamps?page=2"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    assert_eq!(site.paths(), ["/lamps"]);
}

#[test]
fn what_a_page_lacks_is_told_by_the_exit_status() {
    let page = |body: &'static str, url: &str| {
        let run = check(&["shop.toml", "page.html", "--url", url, "-f", "json"]).file("page.html", body).run().exits(3);
        json_of(&run)["page"].clone()
    };
    let missing = page("<article>ad</article>", "http://a.test/lamps");
    assert_eq!(missing["error"], json!({"kind": "missing", "message": "no item has all of `name`"}));
    let few = page("<article><h2>One</h2><p>1</p></article>", "http://a.test/lamps");
    assert_eq!((&few["error"], &few["expectations"][0]["held"]), (&Value::Null, &json!(false)));
    let few = check(&["shop.toml", "page.html", "--url", "http://a.test/lamps"])
        .file("page.html", "<article><h2>One</h2><p>1</p></article>");
    let few = few.run().exits(3).stdout;
    assert!(few.contains("\n  expect       broken: shop.toml:7: items >= 2: 1\n"), "{few}");
    let only = "[[recipe]]\nmatch = '/lamps'\nfields = { a = 'h1' }";
    let run =
        scrape(["check", "r.toml", "p.html", "--url", "http://a.test/"]).file("r.toml", only).file("p.html", "<h1>A");
    assert!(run.run().exits(3).stdout.contains("none is for this URL"));
}

#[test]
fn a_page_that_cannot_be_had_is_told() {
    let site = Site::start(|_| Answer::status(404));
    let run = check(&["shop.toml", &site.url("/lamps"), "--retry", "0"]).run().exits(4);
    assert!(run.stderr.contains("404 Not Found"), "{}", run.stderr);
    let run = check(&["shop.toml", "none.html"]).run().exits(5);
    assert!(run.stderr.contains("cannot read none.html"), "{}", run.stderr);
}

//! Fields that a user describes: selectors of three kinds, and what can be done with what they find.

use ::scrape::extract::expression::TRANSFORMS;
use serde_json::{Value, json};

use crate::support::{Answer, Site, fetch, scrape};

const PAGE: &str = r#"<!doctype html>
<html lang=en>
<head><base href="/base/"><title>Shop</title></head>
<body>
  <h1> Two   <em>lamps</em> </h1>
  <article><h2>Lamp</h2><p class=price>€ 1.234,50</p><time datetime="2024-05-17T10:30:00+02:00">May</time>
    <a class=more href=lamp.html data-image="img/lamp.png">More</a><p class=tags> red, tall ,LED </p></article>
  <article><h2>Small lamp</h2><p class=price>sold out</p><time>03/04/2024</time>
    <a class=more href=small.html>More</a></article>
</body></html>"#;

const ANSWER: &str = r#"{
  "total": 2, "next": "/items?page=2",
  "items": [
    {"name": "Lamp", "price": 1234.5, "stock": -1, "tags": ["red", "tall"], "seen": "Fri, 17 May 2024 10:30:00 GMT"},
    {"name": "Small lamp", "price": null, "stock": 9007199254740993, "tags": []}
  ]
}"#;

fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/json" => Answer::typed("application/json", ANSWER),
        "/plain" => Answer::typed("text/plain", ANSWER),
        "/broken" => Answer::typed("application/json", &ANSWER[..100]),
        "/deep" => Answer::typed("application/json", "[".repeat(1000)),
        "/xml" => Answer::typed("application/xml", "<h1>x</h1>"),
        "/binary" => Answer::typed("image/png", "\u{89}PNG"),
        _ => Answer::html(PAGE),
    })
}

/// The one field of a page, whatever its name.
#[track_caller]
fn field(path: &str, field: &str) -> Value {
    let site = site();
    let record = fetch(["-s", field, &site.url(path)]);
    assert_eq!(record["error"], Value::Null, "{record}");
    let text = record["fields"].as_object().unwrap().values().next().unwrap().to_string();
    serde_json::from_str(&text.replace(&site.url(""), "http://site")).unwrap()
}

#[test]
fn css_xpath_and_jsonpath_find_what_they_name() {
    assert_eq!(field("/", "x=h1"), "Two lamps");
    assert_eq!(field("/", "x=//h1"), "Two lamps");
    assert_eq!(field("/", "x=//article[2]/h2"), "Small lamp");
    assert_eq!(field("/", "x=(//a)[2]/@href"), "http://site/base/small.html");
    assert_eq!(field("/", "x[]=//article/h2"), json!(["Lamp", "Small lamp"]));
    assert_eq!(field("/", "x=count(//article)"), 2);
    assert_eq!(field("/", "x=//h1 = 'Two'"), false);
    assert_eq!(field("/json", "x=$.items[1].name"), "Small lamp");
    assert_eq!(field("/json", "x[]=$.items[?@.price > 1000].name"), json!(["Lamp"]));
}

#[test]
fn json_keeps_its_types_and_its_order() {
    assert_eq!(field("/json", "x=$.total"), 2);
    assert_eq!(field("/json", "x[]=$..stock").to_string(), "[-1,9007199254740993]");
    assert_eq!(field("/json", "x[]=$..price").to_string(), "[1234.5,null]");
    let site = site();
    let run = scrape(["-f", "jsonl", "-s", "x=$.items[0]", &site.url("/json")]).run().succeeds();
    let item =
        r#""x":{"name":"Lamp","price":1234.5,"stock":-1,"tags":["red","tall"],"seen":"Fri, 17 May 2024 10:30:00 GMT"}"#;
    assert!(run.stdout.contains(item), "{}", run.stdout);
}

/// Each transform, once through the program: a field, and what it is.
const EXAMPLES: &[(&str, &str, &str, &str)] = &[
    ("date", "/", "x=time@datetime | date", r#""2024-05-17T10:30:00+02:00""#),
    ("date", "/", "x[]=time | date", "[null,null]"),
    ("date", "/", "x[]=time | date(dmy)", r#"[null,"2024-04-03"]"#),
    ("date", "/json", "x=$..seen | date", r#""2024-05-17T10:30:00Z""#),
    ("default", "/", "x[]=.price | number | default(0)", "[1234.5,0]"),
    ("default", "/", "x=.none | default(\"none\")", r#""none""#),
    ("html", "/", "x=h1 | html", r#"" Two   <em>lamps</em> ""#),
    ("join", "/", "x[]=h2 | join(\" & \")", r#""Lamp & Small lamp""#),
    ("join", "/json", "x=$.items[0].tags | join(\"|\")", r#""red|tall""#),
    ("lower", "/", "x=//h2 | lower", r#""lamp""#),
    ("number", "/", "x=.price | number", "1234.5"),
    ("number", "/", "x=.price | number(\".\")", "null"),
    ("re", "/", "x=h1 | re:(\\w+)$ | upper", r#""LAMPS""#),
    ("re", "/", "x=time@datetime | re:(\\d+)-(\\d+) | number", "[2024,5]"),
    ("re", "/", "x[]=h2 | re:Small|Large", r#"[null,"Small"]"#),
    ("split", "/", "x=.tags | split(\",\") | trim | lower", r#"["red","tall","led"]"#),
    ("text", "/json", "x=$.total | text", r#""2""#),
    ("trim", "/", "x=.more | trim", r#""More""#),
    ("upper", "/", "x=h2 | upper", r#""LAMP""#),
    ("url", "/", "x=.more@data-image | url", r#""http://site/base/img/lamp.png""#),
    ("url", "/json", "x=$.next | url", r#""http://site/items?page=2""#),
];

#[test]
fn every_transform_does_what_it_says() {
    for (_, path, expression, wanted) in EXAMPLES {
        assert_eq!(field(path, expression).to_string(), *wanted, "{expression}");
    }
    for transform in TRANSFORMS {
        assert!(EXAMPLES.iter().any(|(name, ..)| *name == transform.name), "{} has no example", transform.name);
    }
}

#[test]
fn numbers_are_numbers_in_every_format() {
    let site = site();
    let args = ["-s", "p=.price | number", "-s", "n[]=$.x", "-s", "c=count(//h2)"];
    let csv = scrape(args).args(["-f", "csv", &site.url("/")]).run().succeeds();
    assert!(csv.stdout.trim_end().ends_with(",1234.5,,2"), "{}", csv.stdout);
    let tsv = scrape(args).args(["-f", "tsv", &site.url("/")]).run().succeeds();
    assert!(tsv.stdout.ends_with("\t1234.5\t\t2\n"), "{}", tsv.stdout);
    let table = scrape(args).args(["-f", "table", &site.url("/")]).run();
    assert!(table.stdout.contains("1234.5"), "{}", table.stdout);
    let jsonl = scrape(args).args(["-f", "jsonl", &site.url("/")]).run().succeeds();
    assert!(jsonl.stdout.contains(r#""fields":{"p":1234.5,"n":null,"c":2}"#), "{}", jsonl.stdout);
}

#[test]
fn what_a_selector_is_not_for_is_null() {
    for path in ["/json", "/xml", "/binary", "/plain"] {
        assert_eq!(field(path, "x=h1"), Value::Null, "{path}");
        assert_eq!(field(path, "x[]=//h1 | lower"), Value::Null, "{path}");
        assert_eq!(field(path, "x=h1 | default('-')"), "-", "{path}");
    }
    for path in ["/", "/xml", "/binary", "/broken"] {
        assert_eq!(field(path, "x=$.total"), Value::Null, "{path}");
    }
    assert_eq!(field("/plain", "x=$.total"), 2);
}

#[test]
fn an_expression_that_means_nothing_is_refused_with_a_caret_before_the_first_fetch() {
    let site = site();
    let refused = |expression: &str| {
        let run = scrape(["-s", expression, &site.url("/")]).run().exits(2);
        assert_eq!(run.stdout, "");
        run.stderr
    };
    assert_eq!(
        refused("price=.price | nummer"),
        "scrape: --select: no transform is called \"nummer\"\n  price=.price | nummer\n                 ^\n\
         hint: transforms are date, default, html, join, lower, number, re, split, text, trim, upper, url\n"
    );
    for (expression, caret) in [
        ("a=//p[", 6),
        ("a=$.b[", 6),
        ("a=p | re:(", 9),
        ("a=日本 p..q", 8),
        ("a=p | trim(1)", 11),
        ("a=e\u{301}[", 3),
        ("a=jq:.x | number", 10),
    ] {
        let stderr = refused(expression);
        let lines: Vec<_> = stderr.lines().collect();
        assert_eq!(lines[1..3], [format!("  {expression}"), format!("  {:caret$}^", "")], "{stderr}");
        assert!(lines[3].starts_with("hint: "), "{stderr}");
    }
    assert!(site.hits().is_empty());
}

#[test]
fn a_hostile_expression_does_nothing_to_a_terminal() {
    let run = scrape(["-s", "a=p\u{1b}[2J\u{202e}\u{200b}\u{e0041}\tp..q", "http://127.0.0.1:1/"]).run().exits(2);
    let picture = run.stderr.lines().nth(1).unwrap();
    assert_eq!(picture, "  a=p [2J\u{fffd}\u{fffd}\u{fffd} p..q");
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}', '\u{200b}', '\t']));
}

#[test]
fn a_page_that_takes_too_long_harms_no_other() {
    let rows = format!("<title>big</title>{}", "<p>x</p>".repeat(30_000));
    let site = Site::start(move |hit| match &*hit.path {
        "/big" => Answer::html(rows.clone()),
        "/deep" => Answer::typed("application/json", "[".repeat(1000)),
        _ => Answer::html(PAGE),
    });
    let expressions = ["-s", "n=count(//p[count(following::p) > 1])", "-s", "h=h1", "-s", "j=$.x"];
    let urls = ["/big", "/deep", "/"].map(|path| site.url(path));
    let run = scrape(["-f", "jsonl", "--ordered"]).args(expressions).args(&urls).run().exits(1);
    let [big, deep, page] = ["/big", "/deep", "/"].map(|path| run.record_of(&site.url(path)));
    for record in [&big, &deep] {
        assert_eq!(record["error"]["kind"], "too_complex");
        assert_eq!(record["fields"], json!({"n": null, "h": null, "j": null}));
    }
    assert_eq!(big["title"], "big");
    assert_eq!((&page["error"], &page["fields"]["h"]), (&Value::Null, &json!("Two lamps")));
}

#[test]
fn the_schema_tells_the_types_of_fields() {
    let args =
        ["schema", "-s", "p=.price | number", "-s", "d[]=time | date", "-s", "t=h1 | default('')", "-s", "j=$.x"];
    let schema: Value = serde_json::from_str(&scrape(args).run().succeeds().stdout).unwrap();
    let fields = &schema["properties"]["fields"]["properties"];
    let kind = |name: &str| fields[name]["anyOf"][0]["type"].clone();
    assert_eq!(kind("p"), json!(["number", "null"]));
    assert_eq!(kind("d"), json!(["array", "null"]));
    assert_eq!(fields["d"]["anyOf"][0]["items"], json!({"type": ["string", "null"]}));
    assert_eq!(kind("t"), json!("string"));
    assert_eq!(kind("j"), Value::Null);
    let site = site();
    let record = fetch(args[1..].iter().copied().chain([&*site.url("/")]));
    assert!(jsonschema::is_valid(&schema, &record), "{record}");
}

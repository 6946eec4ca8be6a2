//! What is expected of a run is checked over the run.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::scrape::Scrape;
use crate::support::{Answer, Gate, Run, Site, scrape};

/// A shop: `/PRICE` is a product that costs so much, `/none` has no price, `/404` does not exist; with any query.
fn shop() -> Site {
    Site::start(|hit| {
        let price = match hit.path[1..].split('?').next().unwrap() {
            "404" => return Answer::title("Not found").with_status(404),
            "none" => String::new(),
            price => format!("<b class=price>{price}</b>"),
        };
        Answer::html(format!("<title>A shop</title><h1>Lamp</h1>{price}<a href=/a>a</a><a href=/b>b</a>"))
    })
}

/// A run over these pages of the shop, with the fields that the tests name.
fn visit(site: &Site, expectations: &[&str], pages: &[&str]) -> Scrape {
    let list: String = pages.iter().map(|page| site.url(&format!("/{page}\n"))).collect();
    let run = scrape(["-f", "jsonl", "--retry", "0", "-c", "1", "-s", "price=.price", "-s", "tags[]=i", "-x", "links"]);
    expectations.iter().fold(run, |run, expectation| run.args(["--expect", expectation])).stdin(list)
}

fn summary(run: &Run) -> Value {
    serde_json::from_str(&run.file("summary.json")).unwrap()
}

#[test]
fn nothing_is_said_while_all_holds() {
    let site = shop();
    let expectations = ["price != \"\"", "price > 5", "fill(price) >= 100%", "items == 2"];
    assert_eq!(visit(&site, &expectations, &["9.50", "20"]).run().succeeds().records().len(), 2);
}

#[test]
fn what_broke_is_told_with_its_urls_and_is_3() {
    let site = shop();
    let pages = ["9.50", "none", "none?2", "none?3", "none?4", "none?5"];
    let site_pages = |page: &str| site.url(&format!("/{page}"));
    let run = visit(&site, &["price != \"\"", "title ~ /shop/", "items >= 20"], &["9.50", "none"]).run().exits(3);
    let expected = format!(
        "scrape: expectation broken: price != \"\" at {} (1 of 2 records)\n\
         scrape: expectation broken: items >= 20: 2\n",
        site_pages("none")
    );
    assert_eq!(run.stderr, expected);
    assert_eq!(run.records().len(), 2, "the records are there all the same");
    let several = Site::start(|_| Answer::title("A shop"));
    let run = visit(&several, &["fill(price) > 50%"], &pages).run().exits(3);
    let urls: Vec<_> = pages[..3].iter().map(|page| several.url(&format!("/{page}"))).collect();
    let words = format!("fill(price) > 50%: 0%, blank at {} (6 of 6 records)\n", urls.join(", "));
    assert_eq!(run.stderr, format!("scrape: expectation broken: {words}"));
}

#[test]
fn every_operator_holds_and_breaks() {
    let site = shop();
    let pairs = [
        ("price == 9.5", "price == 9"),
        ("price == \"9.50\"", "price == \"9.5\""),
        ("price != \"\"", "price == ''"),
        ("price < 10", "price < 9.5"),
        ("price <= 9.5", "price <= 9"),
        ("price > 9", "price > 9.5"),
        ("price >= 9.5", "price >= 10"),
        ("title ~ /^a SHOP$/i", "title ~ /^a SHOP$/"),
        ("title !~ /error/", "title !~ /shop/"),
        ("title < \"B\"", "title >= \"B\""),
        ("links >= 2", "links > 2"),
        ("tags == 0", "tags != ''"),
        ("status == 200", "status != 200"),
        ("length > 50", "length > 5000"),
        ("price < 9 or links == 2", "price < 9 or links == 3"),
        ("fields.price > 9 or record.title == ''", "fields.price > 10 or record.title == ''"),
        ("items <= 1", "items > 1"),
        ("fill(tags) <= 5%", "fill(tags) >= 5%"),
        ("fill(title) >= 95%", "fill(title) < 95%"),
    ];
    let holding: Vec<_> = pairs.iter().map(|(holding, _)| *holding).collect();
    visit(&site, &holding, &["9.50"]).run().succeeds();
    let breaking: Vec<_> = pairs.iter().map(|(_, breaking)| *breaking).collect();
    let told = visit(&site, &breaking, &["9.50"]).run().exits(3).stderr;
    let told: Vec<_> = told.lines().map(|line| line.strip_prefix("scrape: expectation broken: ").unwrap()).collect();
    assert_eq!(told.len(), breaking.len(), "{told:#?}");
    assert!(told.iter().zip(&breaking).all(|(told, breaking)| told.starts_with(breaking)), "{told:#?}");
}

#[test]
fn a_pattern_takes_linear_time() {
    let site = Site::start(|_| Answer::title(&format!("{}b", "a".repeat(50_000))));
    scrape([&site.url("/"), "--expect", "title !~ /^(a+)+$/", "--expect", "title ~ /^(a|a?)+b$/"]).run().exits(0);
}

#[test]
fn of_several_statuses_the_gravest_is_told() {
    let site = shop();
    let broken = ["price != \"\""];
    visit(&site, &broken, &["none", "404"]).run().exits(3);
    visit(&site, &[], &["none", "404"]).run().exits(1);
    visit(&site, &broken, &["9.50", "404"]).run().exits(1);
    visit(&site, &broken, &["none", "404"]).args(["--fail-on", "none"]).run().exits(3);
    visit(&site, &["items >= 1"], &["404"]).run().exits(4);
    visit(&site, &["items >= 1"], &["404"]).args(["--fail-on", "none"]).run().exits(3);
    visit(&site, &broken, &["none"]).args(["--summary", "/dev/full"]).run().exits(5);
}

#[test]
fn pages_that_failed_are_not_judged() {
    let site = shop();
    let expectations = ["status == 200", "price != ''", "fill(price) >= 100%", "items == 1"];
    let run = visit(&site, &expectations, &["9.50", "404", "404?2"]).args(["--fail-on", "none"]).run();
    run.succeeds();
    let run = visit(&site, &["price != ''"], &["404"]).args(["--ok-status", "404"]).run();
    assert!(run.exits(3).stderr.contains("/404 (1 of 1 records)"), "what counts as fetched is judged");
}

#[test]
fn a_page_that_has_no_fields_is_judged_and_may_be_excepted() {
    let site = Site::start(|_| Answer::typed("image/png", "\u{1}\u{2}"));
    visit(&site, &["price != ''"], &["x"]).run().exits(3);
    visit(&site, &["content_type !~ /html/ or price != ''"], &["x"]).run().succeeds();
}

#[test]
fn what_is_no_expectation_is_refused_before_the_first_fetch() {
    let site = shop();
    let refused = |expectation: &str| {
        let run = visit(&site, &["items >= 1", expectation], &["9.50"]).args(["-o", "old.jsonl"]);
        let run = run.file("old.jsonl", "old").run().refused_over("not an expectation");
        assert_eq!(run.file("old.jsonl"), "old");
        run.stderr
    };
    assert_eq!(
        refused("price = 3"),
        "scrape: not an expectation: an operator is missing\n  price = 3\n        ^\n\
         hint: one of == != <= >= !~ < > ~\n"
    );
    let unknown = refused("price > 0 or prise > 1");
    assert!(unknown.contains("there is no `prise`\n  price > 0 or prise > 1\n               ^\nhint: "), "{unknown}");
    assert!(["price", "links", "status", "items", "fill(NAME)"].iter().all(|name| unknown.contains(name)), "{unknown}");
    assert!(refused("title ~ /(/").contains("unclosed group"));
    assert!(refused("title ~ /(x{1000}){1000}/").contains("size limit"));
    assert!(refused("").contains("a name is missing"));
    assert!(site.hits().is_empty());
}

#[test]
fn a_name_that_means_two_things_is_refused() {
    let site = shop();
    let run = |expectation| visit(&site, &[expectation], &["9.50"]).args(["-s", "title=h1", "-s", "items[]=a"]).run();
    run("title == 'Lamp'").refused_over("write fields.title or record.title");
    run("items >= 1").refused_over("write fields.items or run.items");
    run("fields.title == 'Lamp'").succeeds();
    run("record.title == 'A shop'").succeeds();
    run("fields.items == 2").succeeds();
    run("run.items == 1").succeeds();
}

#[test]
fn the_summary_has_what_came_of_each_expectation_and_how_full_each_field_was() {
    let site = shop();
    let expectations = ["price != ''", "title ~ /shop/", "fill(price) >= 75%", "items < 9"];
    let pages = ["9.50", "20", "none", "404"];
    let run = visit(&site, &expectations, &pages).args(["--summary", "summary.json"]).run().exits(3);
    let summary = summary(&run);
    let part = 2.0 / 3.0;
    assert_eq!((&summary["records"], &summary["exit_status"]), (&json!(3), &json!(3)));
    assert_eq!(summary["fill"], json!({"price": part, "tags": 0.0, "links": 1.0}));
    let urls = [site.url("/none")];
    assert_eq!(
        summary["expectations"],
        json!([
            {"expect": "price != ''", "held": false, "place": null, "measured": null, "broken": 1, "urls": urls},
            {"expect": "title ~ /shop/", "held": true, "place": null, "measured": null, "broken": 0, "urls": []},
            {"expect": "fill(price) >= 75%", "held": false, "place": null, "measured": part, "broken": 1, "urls": urls},
            {"expect": "items < 9", "held": true, "place": null, "measured": 3.0, "broken": 0, "urls": []},
        ])
    );
}

#[test]
fn few_urls_are_kept_however_many_broke() {
    let site = shop();
    let pages: Vec<_> = (0..50).map(|n| format!("none?{n}")).collect();
    let pages: Vec<_> = pages.iter().map(String::as_str).collect();
    let run = visit(&site, &["price != ''"], &pages).args(["--summary", "summary.json"]).run().exits(3);
    let expectation = &summary(&run)["expectations"][0];
    assert_eq!((&expectation["broken"], expectation["urls"].as_array().unwrap().len()), (&json!(50), 10));
    assert!(run.stderr.ends_with("(50 of 50 records)\n") && run.stderr.matches("http://").count() == 3, "{run:?}");
}

#[test]
fn nothing_changes_without_expectations() {
    let site = shop();
    let run = visit(&site, &[], &["none"]).args(["--summary", "summary.json"]).run().succeeds();
    let summary = summary(&run);
    assert_eq!((&summary["expectations"], &summary["exit_status"]), (&json!([]), &json!(0)));
    assert_eq!(summary["fill"], json!({"price": 0.0, "tags": 0.0, "links": 1.0}));
    let run = scrape([&site.url("/none"), "--summary", "summary.json"]).run().succeeds();
    assert_eq!(self::summary(&run)["fill"], json!({}), "no field was asked for");
    let run = visit(&site, &[], &["404"]).args(["--summary", "summary.json"]).run().exits(4);
    assert_eq!(self::summary(&run)["fill"]["price"], Value::Null, "of no records there is no part");
}

#[test]
fn the_fill_rates_are_shown_in_a_terminal_the_worst_first() {
    let site = shop();
    let urls = [site.url("/1"), site.url("/2"), site.url("/none")];
    let fields = ["-x", "links", "-s", "price=.price", "-s", "old=.old"];
    let shown = scrape(fields).args(&urls).args(["--expect", "price != ''"]).run_in_terminal();
    assert!(shown.contains("  filled  old 0%  price 66.6%  links 100%\r\n"), "{shown}");
    let broken = format!("expectation broken: price != '' at {} (1 of 3 records)\r\n", urls[2]);
    assert!(shown.ends_with(&broken), "{shown}");
    assert!(!scrape(&urls).run_in_terminal().contains("filled"));
}

#[test]
fn quiet_hides_no_broken_expectation() {
    let site = shop();
    let run = visit(&site, &["price != ''"], &["none", "404"]).args(["-q"]).run().exits(3);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(run.stderr.starts_with("scrape: expectation broken: "), "{run:?}");
    visit(&site, &["price != ''"], &["1"]).args(["-q"]).run().succeeds();
}

#[test]
fn a_terminal_acts_on_nothing_that_a_broken_expectation_quotes() {
    let site = shop();
    let expectation = "price != '\u{9b}31m\n' or price == '\u{202e}'";
    let url = site.url("/none?\u{202e}\u{9b}31m");
    let shown = scrape([&url, "--expect", expectation, "--expect", "price != ''"]).args(["-s", "price=.price"]);
    let shown = shown.args(["--progress", "none"]).env("NO_COLOR", "1").run_in_terminal();
    assert!(shown.contains("expectation broken: price != ''"), "{shown:?}");
    assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{1b}']), "{shown:?}");
}

#[test]
fn expectations_come_from_settings_too() {
    let site = shop();
    let here = "expect = [\"price != ''\", \"items >= 1\"]\n";
    visit(&site, &[], &["none"]).file("scrape.toml", here).run().exits(3);
    visit(&site, &["items >= 1"], &["none"]).file("scrape.toml", here).run().succeeds();
    visit(&site, &[], &["none"]).env("SCRAPE_EXPECT", "price != ''").run().exits(3);
    let run = visit(&site, &[], &["none"]).env("SCRAPE_EXPECT", "prise != ''").run();
    run.refused_over("prise");
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_run_well() {
    let site = shop();
    let list: String = (0..1000).map(|n| site.url(&format!("/none?{n}\n"))).collect();
    let options = "-f jsonl -s price=.price --expect 'price != \"\"' --expect 'items >= 5000'";
    let script = format!("{{ \"$scrape\" {options}; echo $? >&2; }} | head -n 1");
    let run = Scrape::in_shell(&script).stdin(list).run();
    assert_eq!((&*run.stderr, run.records().len()), ("0\n", 1));
}

#[test]
fn a_run_that_a_limit_ended_is_judged_as_a_whole() {
    let site = shop();
    let run = visit(&site, &["items >= 2"], &["1", "2", "3"]).args(["--limit", "1"]).run().exits(3);
    assert_eq!(run.stderr, "scrape: expectation broken: items >= 2: 1\n");
}

#[test]
fn an_empty_list_has_no_records() {
    let run = visit(&shop(), &["price != ''", "fill(price) >= 95%", "items >= 1"], &[]).run().exits(3);
    assert_eq!(run.stderr.lines().count(), 2, "a warning, and {run:?}");
    assert!(run.stderr.ends_with("scrape: expectation broken: items >= 1: 0\n"), "{run:?}");
}

#[test]
fn a_run_that_was_stopped_is_not_judged_as_a_whole() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |_| Answer::title("no price").after(Duration::from_millis(50)).behind(&held));
    let fields = ["-c", "2", "-s", "price=.price", "--summary", "summary.json"];
    let expectations = ["items >= 200", "fill(price) >= 95%", "title != ''", "price != ''"];
    let run = expectations.iter().fold(scrape(fields), |run, expectation| run.args(["--expect", expectation]));
    let mut run = run.spawn();
    run.write(&(0..200).map(|n| site.url(&format!("/{n}\n"))).collect::<String>());
    site.wait_for(2);
    run.signal(Signal::INT);
    gate.open();
    let run = run.finish().exits(130);
    let held: Vec<_> =
        summary(&run)["expectations"].as_array().unwrap().iter().map(|one| one["held"].clone()).collect();
    assert_eq!(held, [json!(null), json!(null), json!(null), json!(false)], "{run:?}");
    assert_eq!(run.stderr.matches("expectation broken: ").count(), 1, "{run:?}");
}

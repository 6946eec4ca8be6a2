//! What the README says is what the program does.

use std::fs;
use std::path::Path;

use scrape::extract::FIELDS;
use scrape::extract::expression::{TRANSFORMS, Transform};
use scrape::failure::Kind;
use scrape::record::COLUMNS;
use serde_json::{Value, json};

use crate::support::scrape::{Scrape, scrape};
use crate::support::{Answer, Site};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The section under a heading.
fn section(heading: &str) -> String {
    let readme = readme();
    let (_, rest) = readme.split_once(&format!("\n## {heading}\n")).expect("the heading");
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

/// The code blocks of a text, by language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let blocks = text.split("\n```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n').map(String::from)).collect()
}

#[test]
fn the_options_are_those_of_the_help() {
    let help = scrape(["--help"]).run().succeeds().stdout;
    let shown = blocks(&section("Options"), "text").remove(0);
    assert_eq!(shown.trim_end(), help.trim_end(), "copy the output of `scrape --help` into the README");
}

#[test]
fn the_record_is_that_of_the_table_of_columns() {
    let rows = COLUMNS.iter().map(|column| format!("| `{}` | {} |\n", column.name, column.help));
    let table: String = rows.collect();
    assert!(section("The record").contains(&table), "the README's table should be:\n{table}");
}

#[test]
fn the_fields_are_those_of_the_table_of_fields() {
    let rows = FIELDS.iter().map(|field| format!("| `{}` | {} |\n", field.name, field.help));
    let table: String = rows.collect();
    assert!(section("The record").contains(&table), "the README's table should be:\n{table}");
}

#[test]
fn the_transforms_are_those_of_the_table_of_transforms() {
    let rows = TRANSFORMS.iter().map(|Transform { usage, help, example: [given, call, gives], .. }| {
        format!("| {usage} | {help} | `{given}` by `{call}`: `{gives}` |\n")
    });
    let table: String = rows.collect();
    assert!(section("Fields by selector").contains(&table), "the README's table should be:\n{table}");
}

#[test]
fn all_kinds_of_failure_are_named() {
    let section = section("The record");
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !section.contains(&format!("`{kind}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_configuration_is_accepted() {
    let toml = blocks(&section("Options"), "toml").remove(0);
    scrape(["-"]).file("scrape.toml", &toml).stdin("").run().exits(0);
}

#[test]
fn the_recipe_file_is_accepted() {
    let toml = blocks(&section("Recipe files"), "toml").remove(0);
    let page = "<h1>Lamps</h1><article class=product><h2>Lamp</h2><p class=price>12.50</p><a href=/1>More</a></article>\
                <article class=product>An advertisement</article>";
    let site = Site::start(move |hit| match &*hit.path {
        "/lamps/" => Answer::html(page),
        _ => Answer::typed("application/json", r#"{"products": [{"name": "Lamp", "price": 12.5}]}"#),
    });
    let urls = ["/lamps/", "/api/products"].map(|path| site.url(path));
    let host = site.url("").replace("http://", "");
    let run = scrape(["-f", "jsonl", "--ordered", "-r", "shop.toml"]).args(&urls);
    let run = run.file("shop.toml", toml.replace("shop.example", &host)).run().succeeds();
    let [lamp, api] = &run.records()[..] else { panic!("{run:?}") };
    assert_eq!((&lamp["fields"]["name"], &lamp["fields"]["category"]), (&json!("Lamp"), &json!("Lamps")));
    assert_eq!((&lamp["fields"]["price"], &api["fields"]["price"]), (&json!(12.5), &json!(12.5)));
    assert_eq!((&lamp["fields"]["url"], &api["fields"]["url"]), (&json!(site.url("/1")), &Value::Null));
}

/// The recipes, each with an empty list in the place of every source: only the options are tried.
#[test]
fn the_recipes_are_accepted() {
    let section = section("Recipes");
    let commands = section.lines().filter(|line| !line.starts_with("**")).filter_map(|line| line.split_once("scrape "));
    let mut tried = 0;
    for (_, arguments) in commands {
        let arguments = arguments.split(['|', '>']).next().unwrap_or_default();
        let offline: Vec<_> = arguments.split(' ').filter(|word| !word.contains("://")).collect();
        let lists = [("urls.txt", ""), ("shops.csv", "website\n"), ("first.jsonl", ""), ("products.txt", "")];
        let run = Scrape::in_shell(&format!("exec \"$scrape\" {}", offline.join(" ")));
        lists.iter().fold(run, |run, (name, text)| run.file(name, text)).stdin("").run().exits(0);
        tried += 1;
    }
    assert_eq!(tried, 13, "recipes were found");
}

/// Those of crontab and systemd, with an empty list in the place of every source, and no wait.
#[test]
fn the_commands_of_the_examples_for_cron_are_accepted() {
    let mut tried = 0;
    for file in ["crontab", "scrape.service"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cron").join(file)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for (_, arguments) in lines.filter_map(|line| line.split_once("scrape ")) {
            let arguments =
                arguments.replace("\\%", "%").replace("/etc/scrape/", "").replace("--jitter 10m", "--jitter 0");
            let run = Scrape::in_shell(&format!("exec \"$scrape\" {arguments}"));
            run.file("urls.txt", "").file("long.txt", "").run().exits(0);
            tried += 1;
        }
    }
    assert_eq!(tried, 3, "commands were found");
}

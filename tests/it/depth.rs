//! How far a crawl goes, where the shorter way to a page is the slower one.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Answer, Gate, Hit, Run, Site, scrape};

/// A page that links to others.
fn page(links: &[&str]) -> Answer {
    let links: Vec<_> = links.iter().map(|link| format!("<p><a href=\"{link}\">{link}</a>")).collect();
    Answer::html(format!("<!doctype html><title>A page</title>{}", links.concat()))
}

/// A site where three links lead to `/far`, behind which there are others, and `slow` leads there by a shorter way. Of two
/// requests at a time one is for that, so that `/far` has been answered once `/last` is asked for: only then it answers.
fn site(slow: (&'static str, fn(&Hit) -> Answer)) -> Site {
    let gate = Gate::shut();
    Site::start(move |hit| match &*hit.path {
        path if path == slow.0 => slow.1(hit).behind(&gate),
        "/" => page(&["/slow", "/1"]),
        "/1" => page(&["/2"]),
        "/2" => page(&["/far", "/last"]),
        "/last" => {
            gate.open();
            page(&["/never"])
        }
        "/far" => page(&["/far/1", "/1"]),
        "/far/1" => page(&["/far/2", "/"]),
        "/far/2" => page(&["/far/3"]),
        "/far/3" => page(&["/far/4"]),
        _ => Answer::title("Missing").with_status(404),
    })
}

fn crawl(site: &Site, args: &str) -> Run {
    scrape(["-f", "jsonl", "--per-host", "2", &site.url("/")]).args(args.split_whitespace()).run()
}

/// The paths that were asked for, each once.
fn paths(site: &Site) -> BTreeSet<String> {
    let mut paths = site.paths();
    paths.retain(|path| path != "/robots.txt");
    let once: BTreeSet<_> = paths.iter().cloned().collect();
    assert_eq!(once.len(), paths.len(), "{paths:?}");
    once
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|&path| path.to_owned()).collect()
}

const NEAR: [&str; 6] = ["/", "/1", "/2", "/far", "/last", "/slow"];

fn with_near(paths: &[&str]) -> BTreeSet<String> {
    &set(&NEAR) | &set(paths)
}

#[test]
fn a_page_is_as_near_as_its_shortest_way_though_a_longer_one_was_faster() {
    let site = site(("/slow", |_| page(&["/far"])));
    let run = crawl(&site, "--depth 3").succeeds();
    assert_eq!(paths(&site), with_near(&["/far/1"]));
    assert_eq!(run.records().len(), 7);
    let last = run.record_of("/far/1");
    assert_eq!((&last["depth"], &last["referrer"]), (&json!(3), &json!(site.url("/far"))));
    assert_eq!(run.record_of("/last")["links_found"], json!(null), "it is too deep for its links to matter");
}

#[test]
fn a_redirect_makes_all_nearer_that_lies_behind_its_target() {
    let site = site(("/slow", |_| Answer::status(302).header("Location", "/far")));
    crawl(&site, "--depth 3").succeeds();
    assert_eq!(paths(&site), with_near(&["/far/1", "/far/2"]));
}

#[test]
fn a_page_that_a_slow_sitemap_names_is_as_near_as_a_seed() {
    let site = site(("/sitemap.xml", |hit| {
        let url = format!("http://{}/far", hit.header("host").unwrap());
        Answer::typed("application/xml", format!("<urlset><url><loc>{url}</loc></url></urlset>"))
    }));
    crawl(&site, &format!("--depth 3 --sitemap {}", site.url("/sitemap.xml"))).succeeds();
    assert_eq!(paths(&site), with_near(&["/far/1", "/far/2", "/far/3", "/sitemap.xml"]));
}

#[test]
fn a_seed_that_comes_late_is_one_though_a_link_had_led_there() {
    let site = site(("/nowhere", |_| Answer::status(404)));
    let mut run = scrape(["-f", "jsonl", "--per-host", "1", "--depth", "3", "-"]).spawn();
    run.write(&format!("{}\n", site.url("/")));
    site.wait_until(|hits| hits.iter().any(|hit| hit.path == "/last"));
    run.write_bytes(site.url("/far").into_bytes());
    let run = run.finish();
    assert_eq!(paths(&site), with_near(&["/far/1", "/far/2", "/far/3"]));
    assert_eq!(run.records().len(), 9);
}

#[test]
fn links_are_checked_behind_all_pages_within_the_depth() {
    let site = site(("/slow", |_| page(&["/far"])));
    let run = crawl(&site, "--depth 5 --check-links").exits(1);
    let broken: BTreeSet<_> = run.records().iter().map(|record| record["url"].as_str().unwrap().to_owned()).collect();
    assert_eq!(broken, [site.url("/far/4"), site.url("/never")].into(), "the first is a link of a page at depth 5");
}

//! `--check-links`: every link's status, and where it is found.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Answer, Hit, Run, Site, scrape};

/// A page that links to others.
fn page(links: &[String]) -> Answer {
    let links: Vec<_> = links.iter().map(|link| format!("<p><a href=\"{link}\">x</a>")).collect();
    Answer::html(format!("<!doctype html><title>A page</title>{}", links.concat()))
}

/// The number of the host that was asked.
fn host(hit: &Hit) -> u8 {
    let IpAddr::V4(address) = hit.host else { panic!("{:?}", hit.host) };
    address.octets()[3] - 1
}

fn port(hit: &Hit) -> String {
    hit.header("host").unwrap().rsplit(':').next().unwrap().to_owned()
}

/// A site at host 0 that links to host 1: two of its links are broken, one of them on two pages.
fn site() -> Site {
    Site::with_hosts(2, |hit| {
        let away = |path: &str| format!("http://127.0.0.2:{}{path}", port(hit));
        match (&*hit.path, host(hit)) {
            ("/robots.txt", 1) => Answer::typed("text/plain", "User-agent: *\nDisallow: /private"),
            ("/", 0) => {
                page(&["/a".into(), "/gone".into(), away("/fine"), away("/private"), "mailto:me@a.test".into()])
            }
            ("/a", 0) => page(&["/".into(), "/gone".into(), away("/broken"), away("/fine")]),
            ("/fine", 1) => page(&["/never".into()]),
            _ => Answer::title("Missing").with_status(404),
        }
    })
}

fn check(site: &Site, args: &str) -> Run {
    scrape(["--check-links", "-f", "jsonl", &site.url_at(1, "/")]).args(args.split_whitespace()).run()
}

/// The path of each record, and of its referrer.
fn found(run: &Run) -> Vec<(String, String)> {
    let path = |value: &Value| {
        value.as_str().map_or_else(String::new, |url| format!("/{}", url.splitn(4, '/').last().unwrap()))
    };
    let mut found: Vec<_> = run.records().iter().map(|it| (path(&it["url"]), path(&it["referrer"]))).collect();
    found.sort();
    found
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

fn paths(site: &Site) -> Vec<String> {
    let mut paths = site.paths();
    paths.retain(|path| path != "/robots.txt");
    paths.sort();
    paths
}

#[test]
fn broken_links_are_records_and_what_is_elsewhere_is_asked_for_once_and_not_followed() {
    let site = site();
    let run = check(&site, "").exits(1);
    assert_eq!(found(&run), pairs(&[("/broken", "/a"), ("/gone", "/")]));
    assert_eq!(paths(&site), ["/", "/a", "/broken", "/fine", "/gone"]);
    assert_eq!(
        run.stderr,
        "scrape: 5 links checked: 2 broken; 1 not asked for, as robots.txt forbids it or the run ended\n"
    );
}

#[test]
fn all_links_are_records_where_that_is_asked_for() {
    let run = check(&site(), "-v").exits(1);
    let all = [("/", ""), ("/a", "/"), ("/broken", "/a"), ("/fine", "/"), ("/gone", "/"), ("/private", "/")];
    assert_eq!(found(&run), pairs(&all));
}

#[test]
fn a_person_is_told_page_by_page_where_they_are() {
    let site = site();
    let run = scrape(["--check-links", "-f", "table", &site.url_at(1, "/")]).run().exits(1);
    let text = run.stdout.replace(&site.url_at(1, ""), "http://here").replace(&site.url_at(2, ""), "http://there");
    insta::assert_snapshot!(text, @r"
    http://here/
      404 Not Found  http://here/gone
    http://here/a
      404 Not Found  http://here/gone
      404 Not Found  http://there/broken
    ");
}

#[test]
fn a_site_whose_links_all_lead_somewhere_is_a_success() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => page(&["/a".into(), "/moved".into()]),
        "/moved" => Answer::redirect(301, "/a"),
        "/robots.txt" => Answer::status(404),
        _ => Answer::title("There"),
    });
    let run = scrape(["--check-links", &*site.url("/")]).run().exits(0);
    assert_eq!((&*run.stdout, &*run.stderr), ("", "scrape: 3 links checked, none broken\n"));
}

#[test]
fn without_a_depth_to_go_the_links_of_the_given_pages_are_checked_alone() {
    let site = site();
    let run = check(&site, "--depth 0").exits(1);
    assert_eq!(found(&run), pairs(&[("/gone", "/")]));
    assert_eq!(paths(&site), ["/", "/a", "/fine", "/gone"]);
}

#[test]
fn what_is_excluded_is_not_asked_for() {
    let site = site();
    let run = check(&site, "--exclude /gone --exclude /broken --exclude /private").exits(0);
    assert_eq!((found(&run), paths(&site)), (Vec::new(), vec!["/".into(), "/a".into(), "/fine".into()]));
}

#[test]
fn broken_links_may_be_no_failure() {
    assert_eq!(found(&check(&site(), "--fail-on none").exits(0)).len(), 2);
}

#[test]
fn the_body_of_what_is_elsewhere_is_not_waited_for() {
    let site = Site::with_hosts(2, |hit| match (&*hit.path, host(hit)) {
        ("/", 0) => page(&[format!("http://127.0.0.2:{}/film", port(hit))]),
        ("/film", 1) => Answer::typed("video/mp4", vec![0; 100_000]).endless(),
        _ => Answer::status(404),
    });
    check(&site, "").exits(0);
    assert_eq!(site.hits_of("/film").len(), 1);
}

#[test]
fn a_link_that_comes_back_by_a_redirect_hides_no_page() {
    let site = Site::with_hosts(2, |hit| {
        let port = port(hit);
        match (&*hit.path, host(hit)) {
            ("/", 0) => page(&[format!("http://127.0.0.2:{port}/back"), "/slow".into()]),
            ("/back", 1) => Answer::redirect(302, &format!("http://127.0.0.1:{port}/page")),
            ("/slow", 0) => page(&["/page".into()]).after(Duration::from_millis(300)),
            ("/page", 0) => page(&["/gone".into()]),
            _ => Answer::status(404),
        }
    });
    let run = check(&site, "").exits(1);
    assert_eq!(found(&run), pairs(&[("/gone", "/page")]), "{run:#?}");
}

#[test]
fn a_cache_tells_nothing_of_what_is_there() {
    scrape(["--check-links", "--cache", "kept", "http://a.test/"]).run().refused_over("--check-links");
}

#[test]
fn a_link_that_is_redirected_away_is_followed_to_its_end_and_no_further() {
    let site = Site::with_hosts(2, |hit| match (&*hit.path, host(hit)) {
        ("/", 0) => page(&["/out".into(), "/lost".into()]),
        ("/out" | "/lost", 0) => Answer::redirect(302, &format!("http://127.0.0.2:{}{}", port(hit), hit.path)),
        ("/out", 1) => page(&["/never".into()]),
        _ => Answer::status(404),
    });
    let run = check(&site, "").exits(1);
    assert_eq!(found(&run), pairs(&[("/lost", "/")]));
    assert_eq!(paths(&site), ["/", "/lost", "/lost", "/out", "/out"]);
}

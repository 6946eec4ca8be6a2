//! `--check-links`: every link's status, and where it is found.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

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
      404 Not Found  line 1  http://here/gone  x
    http://here/a
      404 Not Found  line 1  http://here/gone  x
      404 Not Found  line 1  http://there/broken  x
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

/// A site of pages with these bodies.
fn site_of(pages: &'static [(&'static str, &'static str)]) -> Site {
    Site::start(|hit| match pages.iter().find(|(path, _)| *path == hit.path) {
        Some((_, body)) => Answer::html(format!("<!doctype html><title>A page</title>{body}")),
        None => Answer::status(404),
    })
}

/// The links to places that are not there, and a page that has each.
fn missing(run: &Run) -> Vec<(String, String)> {
    assert!(run.records().iter().all(|record| record["error"]["kind"] == "fragment"), "{run:#?}");
    found(run)
}

#[test]
fn a_link_to_a_place_that_its_page_has_not_is_broken() {
    let site = site_of(&[
        ("/", "<p id=one><a href='#one'>x</a><a href='#two'>x</a><a href='/a#three'>x</a><a href='/a#four'>x</a>"),
        ("/a", "<p id=four><a href='/#one'>x</a><a href='/#five'>x</a><a href='/#two'>x</a><a href='a#four'>x</a>"),
    ]);
    let run = check(&site, "").exits(1);
    let all = pairs(&[("/#five", "/a"), ("/#two", "/"), ("/a#three", "/")]);
    assert_eq!(missing(&run), all);
    assert_eq!(run.stderr, "scrape: 7 links checked: 3 broken\n");
    let record = run.records().into_iter().find(|record| record["url"].as_str().unwrap().ends_with("#five")).unwrap();
    assert_eq!(record["error"]["message"], "no element has the id \"five\"");
    assert_eq!((&record["depth"], &record["source"]["line"]), (&2.into(), &1.into()));
    assert_eq!(paths(&site), ["/", "/a"]);
}

#[test]
fn a_place_is_named_as_it_stands_or_decoded_and_the_top_is_everywhere() {
    let site = site_of(&[(
        "/",
        "<a name=old>x</a><p id='\u{fc} x'><p id='a%20b'><form name=form></form><template><p id=shade></template>\
         <a href='#old'>x</a><a href='#%C3%BC%20x'>x</a><a href='#\u{fc} x'>x</a><a href='#a%20b'>x</a><a href='#'>x</a>\
         <a href='#top'>x</a><a href='#TOP'>x</a><a href='#:~:text=x'>x</a><a href='#old:~:text=x'>x</a>\
         <a href='#form'>x</a><a href='#shade'>x</a><a href='#Old'>x</a><area href='#area'>",
    )]);
    let all = ["/#Old", "/#area", "/#form", "/#shade"].map(|url| (url, "/"));
    assert_eq!(missing(&check(&site, "").exits(1)), pairs(&all));
}

#[test]
fn a_person_is_told_all_pages_that_name_a_missing_place() {
    let site = site_of(&[
        ("/", "<a href='/a'>x</a><a href='/a#x'>x</a><a href='#y'>x</a><a href='/gone#z'>x</a>"),
        ("/a", "<a href='#x'>x</a><a href='/a#x'>x</a>"),
    ]);
    let run = scrape(["--check-links", "-f", "table", &site.url("/")]).run().exits(1);
    insta::assert_snapshot!(run.stdout.replace(&site.url(""), "http://here"), @r"
    http://here/
      no such id     line 1  http://here/#y  x
      no such id     line 1  http://here/a#x  x
      404 Not Found  line 1  http://here/gone  x
    http://here/a
      no such id  line 1  http://here/a#x  x
    ");
}

#[test]
fn a_place_is_looked_for_where_redirects_lead() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => page(&["/moved#one".into(), "/moved#two".into(), "/new".into(), "/twice#two".into()]),
        "/moved" => Answer::redirect(301, "/new"),
        "/twice" => Answer::redirect(302, "/moved"),
        "/new" => Answer::html("<title>x</title><p id=one>"),
        _ => Answer::status(404),
    });
    assert_eq!(missing(&check(&site, "").exits(1)), pairs(&[("/moved#two", "/"), ("/twice#two", "/")]));
}

#[test]
fn what_is_no_page_or_is_not_read_is_not_judged() {
    let site = Site::with_hosts(2, |hit| match (&*hit.path, host(hit)) {
        ("/", 0) => page(&[
            "/text#L1".into(),
            "/drawing.svg#x".into(),
            "/book.pdf#page=2".into(),
            format!("http://127.0.0.2:{}/page#x", port(hit)),
        ]),
        ("/text", 0) => Answer::typed("text/plain", "x"),
        ("/drawing.svg", 0) => Answer::typed("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("/book.pdf", 0) => Answer::typed("application/pdf", "%PDF-1.7"),
        ("/page", 1) => page(&[]),
        _ => Answer::status(404),
    });
    let run = check(&site, "").exits(0);
    assert_eq!((&*run.stdout, &*run.stderr), ("", "scrape: 5 links checked, none broken\n"));
}

#[test]
fn a_crawl_that_checks_no_links_judges_no_places() {
    let site = site_of(&[("/", "<a href='#x'>x</a><a href='/a#y'>x</a>"), ("/a", "")]);
    let run = scrape(["--depth", "all", "-f", "jsonl", &site.url("/")]).run().exits(0);
    assert_eq!(found(&run), pairs(&[("/", ""), ("/a", "/")]));
}

#[test]
fn a_missing_place_is_no_node_of_a_graph_and_has_a_record_beside_all_others() {
    let site = site_of(&[("/", "<a href='#x'>x</a>")]);
    let scratch = tempfile::tempdir().unwrap();
    let graph = scratch.path().join("links.jsonl");
    let run = check(&site, &format!("-v --graph {}", graph.display())).exits(1);
    assert_eq!(found(&run), pairs(&[("/", ""), ("/#x", "/")]));
    assert!(!std::fs::read_to_string(graph).unwrap().contains('#'));
}

#[test]
fn links_that_redirect_to_each_other_are_broken() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => page(&["/a".into(), "/b".into(), "/fine".into()]),
        "/a" => Answer::redirect(302, "/b"),
        "/b" => Answer::redirect(302, "/a"),
        "/fine" => Answer::redirect(302, "/"),
        _ => Answer::title("Missing").with_status(404),
    });
    let run = check(&site, "").exits(1);
    assert_eq!(found(&run), pairs(&[("/a", "/"), ("/b", "/")]));
    assert!(run.records().iter().all(|record| record["error"]["kind"] == "redirect"));
}

#[test]
fn a_page_that_lies_within_one_crawl_and_outside_of_another_is_walked() {
    let site = Site::with_hosts(2, |hit| match (&*hit.path, host(hit)) {
        ("/", 0) => page(&[format!("http://127.0.0.2:{}/p", port(hit))]),
        // It comes behind the page that is merely checked from the other host.
        ("/", 1) => page(&["/p".into()]).after(Duration::from_millis(200)),
        ("/p", 1) => page(&["/broken".into()]),
        _ => Answer::title("Missing").with_status(404),
    });
    let seeds = [site.url_at(1, "/"), site.url_at(2, "/")];
    let run = scrape(["--check-links", "-f", "jsonl"]).args(seeds).run().exits(1);
    assert_eq!(found(&run), pairs(&[("/broken", "/p")]));
}

#[test]
fn a_link_that_is_no_url_is_broken_where_it_stands() {
    let site = site_of(&[
        (
            "/",
            "<a href='http://<servername>/x'>x</a><a href='/a'>x</a><a href='mailto:a@b c'>x</a><a href='tel:1'>x</a>",
        ),
        ("/a", "\n<a href='http://<servername>/x'>again</a><a href='https://'>none</a><a href='javascript:x('>x</a>"),
    ]);
    let run = check(&site, "").exits(1);
    assert_eq!(run.stderr, "scrape: 4 links checked: 2 broken\n");
    let told: Vec<_> =
        run.records().iter().map(|it| format!("{} {} {}", it["url"], it["error"], it["depth"])).collect();
    let server = r#"{"kind":"invalid_url","link":{"line":1,"text":"x"},"message":"not a URL: invalid international domain name"}"#;
    let empty = r#"{"kind":"invalid_url","link":{"line":2,"text":"none"},"message":"not a URL: empty host"}"#;
    assert_eq!(told, [format!("\"http://<servername>/x\" {server} 1"), format!("\"https://\" {empty} 2")]);
    assert_eq!(run.records().iter().map(|it| &it["referrer"]).collect::<Vec<_>>(), [&site.url("/"), &site.url("/a")]);
    assert_eq!(paths(&site), ["/", "/a"]);
    let run = scrape(["--check-links", "-f", "table", &site.url("/")]).run().exits(1);
    insta::assert_snapshot!(run.stdout.replace(&site.url(""), "http://here"), @r"
    http://here/
      invalid_url  line 1  http://<servername>/x  x
    http://here/a
      invalid_url  line 2  http://<servername>/x  again
      invalid_url  line 2  https://  none
    ");
}

#[test]
fn a_crawl_that_checks_no_links_tells_of_none_that_is_no_url() {
    let site = site_of(&[("/", "<a href='http://<servername>/'>x</a><a href='/gone'>x</a>")]);
    let run = scrape(["--depth", "all", "-f", "jsonl", &site.url("/")]).run().exits(0);
    assert_eq!(found(&run), pairs(&[("/", ""), ("/gone", "/")]));
    assert!(run.records()[1]["error"].get("link").is_none());
}

/// Where a page has the link that led to a record.
fn place(run: &Run, path: &str) -> Value {
    let record = run.records().into_iter().find(|record| record["url"].as_str().unwrap().ends_with(path)).unwrap();
    record["error"]["link"].clone()
}

#[test]
fn a_broken_link_is_told_with_its_text_and_its_line() {
    let body = "\n<p><a\nhref='/gone'> The\n <b>gone</b>\tpage </a><a href='#no'>no &amp; place</a>\n<area href=/area alt='an area'>\
                <a href=/moved>moved</a>";
    let site = Site::start(move |hit| match &*hit.path {
        "/" => Answer::html(body),
        "/moved" => Answer::redirect(302, "/lost"),
        _ => Answer::status(404),
    });
    let run = check(&site, "-v").exits(1);
    for (path, text, line) in
        [("/gone", "The gone page", 2), ("/#no", "no & place", 4), ("/area", "an area", 5), ("/moved", "moved", 5)]
    {
        assert_eq!(place(&run, path), json!({"text": text, "line": line}), "{path}");
    }
    let home = &run.records()[0];
    assert_eq!((&home["error"], &home["referrer"]), (&Value::Null, &Value::Null));
    let run = check(&site, "--follow a[href]").exits(1);
    assert_eq!(place(&run, "/gone"), json!({"text": "The gone page", "line": null}));
}

#[test]
fn a_given_page_that_is_not_there_was_led_to_by_no_link() {
    let site = site_of(&[]);
    assert_eq!(place(&check(&site, "").exits(4), "/"), Value::Null);
}

#[test]
fn a_report_tells_where_a_page_has_a_broken_link() {
    let site = site_of(&[("/", "\n<a href='/gone'>The <b>gone</b> page</a><a href='http://<x>/'>no URL</a>")]);
    let run = check(&site, "-o broken.html -o broken.jsonl").exits(1);
    let page = run.file("broken.html");
    assert!(page.contains("<bdi>line 2: The gone page</bdi>") && page.contains("<bdi>line 2: no URL</bdi>"), "{page}");
    let again =
        scrape(["report", "broken.jsonl", "-o", "again.html"]).file("broken.jsonl", run.file("broken.jsonl")).run();
    assert!(again.file("again.html").contains("<bdi>line 2: The gone page</bdi>"));
}

#[test]
fn the_text_of_a_link_does_nothing_on_a_terminal() {
    let site = site_of(&[("/", "<a href='/gone'>a\u{1b}[31mred\u{202e}</a>")]);
    let run = scrape(["--check-links", "-f", "table", &site.url("/")]).run().exits(1);
    assert!(run.stdout.ends_with("a\u{fffd}[31mred\u{fffd}\n"), "{run:?}");
}

#[test]
fn what_is_known_only_at_the_end_stands_when_a_run_is_gone_on_with() {
    let site = site_of(&[("/", "<a href='#x'>x</a><a href='http://<x>/'>x</a><a href='/gone'>x</a>")]);
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).display().to_string();
    let args = format!("--state {} -o {}", path("run.db"), path("broken.jsonl"));
    check(&site, &args).exits(1);
    let written = std::fs::read_to_string(path("broken.jsonl")).unwrap();
    assert_eq!(written.lines().count(), 3, "{written}");
    check(&site, &format!("{args} --resume"));
    assert_eq!(std::fs::read_to_string(path("broken.jsonl")).unwrap(), written);
    check(&site, &format!("{args} --resume --retry-failed"));
    let again = std::fs::read_to_string(path("broken.jsonl")).unwrap();
    let kinds = |text: &str| -> BTreeSet<_> {
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.map(|record| record["error"]["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((again.lines().count(), kinds(&again)), (3, kinds(&written)), "{again}");
}

#[test]
fn a_link_that_fails_behind_all_others_is_told_with_its_text_and_its_line() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => page(&["/busy".into()]),
        "/busy" => Answer::status(503),
        _ => Answer::status(404),
    });
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).display().to_string();
    let args = format!("--retry 0 --state {} -o {}", path("run.db"), path("broken.jsonl"));
    check(&site, &args).exits(1);
    let written = std::fs::read_to_string(path("broken.jsonl")).unwrap();
    let record: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(record["error"]["link"], json!({"text": "x", "line": 1}));
}

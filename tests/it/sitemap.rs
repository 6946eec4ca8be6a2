//! Pages that sitemaps and feeds name: `--sitemap`, `--since`, `--sample`, and `scrape map`.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::coding::gzip;
use crate::support::{Answer, Hit, Run, Site, scrape};

/// A site with these files, in which `{B}` is its own origin; all else are pages.
fn site_of(files: &'static [(&'static str, &'static str)]) -> Site {
    site(files, |hit| Answer::title(&hit.path))
}

/// A site with these files, in which `{B}` is its own origin; all else is up to `otherwise`.
fn site(
    files: &'static [(&'static str, &'static str)],
    otherwise: impl Fn(&Hit) -> Answer + Send + Sync + 'static,
) -> Site {
    Site::with_hosts(2, move |hit| {
        let base = format!("http://{}", hit.header("Host").unwrap());
        match files.iter().find(|(path, _)| *path == hit.path) {
            Some((_, text)) => Answer::untyped(text.replace("{B}", &base)),
            None => otherwise(hit),
        }
    })
}

fn nothing(_: &Hit) -> Answer {
    Answer::status(404)
}

fn run(args: &[&str]) -> Run {
    scrape(args).args(["-f", "jsonl", "--retry", "0"]).run()
}

/// The paths of the records' URLs, sorted.
fn paths(run: &Run) -> Vec<String> {
    let path = |record: Value| {
        let url = record["url"].as_str().unwrap();
        url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap()
    };
    let mut paths: Vec<_> = run.records().into_iter().map(path).collect();
    paths.sort_unstable();
    paths
}

/// The paths that were asked for, each as often as it was.
fn asked(site: &Site) -> Vec<String> {
    let mut paths = site.paths();
    paths.sort_unstable();
    paths
}

const PLAIN: &str = "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\
    <url><loc>{B}/1</loc><lastmod>2024-05-17</lastmod><priority>0.8</priority></url>\
    <url><loc>{B}/2</loc></url></urlset>";

#[test]
fn the_pages_of_a_sitemap_are_fetched_and_tell_what_it_says() {
    let site = site(&[("/s.xml", PLAIN), ("/robots.txt", "")], |hit| Answer::title(&hit.path));
    let sitemap = site.url("/s.xml");
    let run = run(&["--sitemap", &sitemap]).succeeds();
    assert_eq!(paths(&run), ["/1", "/2"]);
    let first = run.record_of("/1");
    assert_eq!(first["input"], json!({"sitemap": sitemap, "lastmod": "2024-05-17", "priority": 0.8}));
    assert_eq!(first["title"], "/1");
    assert_eq!(run.record_of("/2")["input"], json!({"sitemap": sitemap, "lastmod": null, "priority": null}));
    assert_eq!(asked(&site), ["/1", "/2", "/robots.txt", "/s.xml"]);
}

#[test]
fn the_sitemaps_of_a_site_are_those_that_its_robots_txt_names() {
    const INDEX: &str = "<sitemapindex><sitemap><loc>{B}/a.xml</loc></sitemap><sitemap><loc>{B}/index.xml</loc></sitemap>\
        <sitemap><loc>{B}/b.txt</loc></sitemap></sitemapindex>";
    let site = site_of(&[
        ("/robots.txt", "User-agent: *\nDisallow: /secret\nSitemap: {B}/index.xml\nSitemap: {B}/a.xml\n"),
        ("/index.xml", INDEX),
        ("/a.xml", "<urlset><url><loc>{B}/1</loc></url><url><loc>{B}/start</loc></url></urlset>"),
        ("/b.txt", "{B}/1\n{B}/3\n{B}/secret\n"),
    ]);
    let run = run(&[&site.url("/start"), "--sitemap"]).succeeds();
    assert_eq!(paths(&run), ["/1", "/3", "/secret", "/start"]);
    assert_eq!(run.record_of("/secret")["error"]["kind"], "robots");
    assert_eq!(asked(&site), ["/1", "/3", "/a.xml", "/b.txt", "/index.xml", "/robots.txt", "/start"]);
}

#[test]
fn where_none_is_named_sitemaps_are_where_they_usually_are() {
    let site = site(&[("/sitemap_index.xml", PLAIN)], |hit| match hit.path.as_str() {
        "/" | "/1" | "/2" => Answer::title(&hit.path),
        _ => Answer::status(404),
    });
    let run = run(&[&site.url("/"), "--sitemap"]).succeeds();
    assert_eq!(paths(&run), ["/", "/1", "/2"]);
    assert!(asked(&site).contains(&"/sitemap.xml".to_owned()));
}

#[test]
fn each_site_of_a_list_is_asked_once() {
    let site = site_of(&[("/robots.txt", "Sitemap: {B}/s.xml"), ("/s.xml", "{B}/3")]);
    let list: String = [(1, "/1"), (1, "/2"), (2, "/1")].map(|(host, path)| site.url_at(host, path) + "\n").concat();
    let run = scrape(["urls.txt", "--sitemap", "-f", "jsonl"]).file("urls.txt", list).run().succeeds();
    assert_eq!(paths(&run), ["/1", "/1", "/2", "/3", "/3"]);
    for path in ["/robots.txt", "/s.xml"] {
        let hosts: Vec<_> = site.hits_of(path).into_iter().map(|hit| hit.host).collect();
        assert!(hosts.len() == 2 && hosts[0] != hosts[1], "{path}: {hosts:?}");
    }
}

#[test]
fn the_root_of_a_site_stands_for_its_sitemaps_and_is_not_fetched() {
    let site = site_of(&[("/robots.txt", "Sitemap: {B}/s.xml"), ("/s.xml", "{B}/1")]);
    let run = run(&["--sitemap", &site.url("/")]).succeeds();
    assert_eq!(paths(&run), ["/1"]);
    assert_eq!(asked(&site), ["/1", "/robots.txt", "/s.xml"]);
}

/// A site whose robots.txt names a sitemap with a page of its own and one at 127.0.0.2.
fn site_with_a_neighbour() -> (Site, String) {
    static NEIGHBOUR: OnceLock<String> = OnceLock::new();
    let neighbour: &'static OnceLock<String> = &NEIGHBOUR;
    let site = Site::with_hosts(2, move |hit| {
        let base = format!("http://{}", hit.header("Host").unwrap());
        match hit.path.as_str() {
            "/robots.txt" => Answer::untyped(format!("Sitemap: {base}/s.txt")),
            "/s.txt" => Answer::untyped(format!("{base}/own\n{}/foreign\n", neighbour.get().unwrap())),
            path => Answer::title(path),
        }
    });
    let url = site.url_at(2, "");
    NEIGHBOUR.set(url.clone()).unwrap();
    (site, url)
}

#[test]
fn a_site_may_name_its_own_pages_and_a_list_of_the_users_any() {
    let (site, _) = site_with_a_neighbour();
    let found = run(&[&site.url("/"), "--sitemap"]).exits(0);
    assert_eq!(paths(&found), ["/", "/own"]);
    assert!(found.stderr.contains("pages=1"), "{found:#?}");
    assert!(site.hits().iter().all(|hit| hit.host.to_string() == "127.0.0.1"));
    let url = site.url("/s.txt").replace("://", "://me:sesame@");
    let named = run(&["--sitemap", &url]).succeeds();
    assert_eq!(paths(&named), ["/foreign", "/own"]);
    let authorized = |path| site.hits_of(path).iter().any(|hit| hit.header("Authorization").is_some());
    assert!(authorized("/own") && !authorized("/foreign"), "credentials stay at home");
    assert!(!named.stdout.contains("sesame"));
}

#[test]
fn a_sitemap_that_the_user_named_and_that_fails_is_a_record() {
    let site = site(&[("/page.xml", "<!doctype html><html><title>Oops</title><p>no such thing")], nothing);
    let missing = run(&["--sitemap", &site.url("/s.xml")]).exits(4);
    assert_eq!(missing.record()["error"]["message"], "404 Not Found");
    let page = run(&["--sitemap", &site.url("/page.xml")]).exits(4).record();
    assert_eq!(page["error"], json!({"kind": "missing", "message": "it is a page, and no sitemap"}));
    let down = run(&["--sitemap", "http://127.0.0.1:9/"]).exits(4).record();
    assert_eq!(down["error"]["kind"], "connect");
}

#[test]
fn a_sitemap_that_others_named_and_that_fails_is_a_line_in_the_log() {
    let site = site(&[("/robots.txt", "Sitemap: {B}/gone.xml\nSitemap: {B}/s.txt"), ("/s.txt", "{B}/1")], |hit| {
        if hit.path == "/gone.xml" { Answer::status(404) } else { Answer::title(&hit.path) }
    });
    let run = run(&[&site.url("/"), "--sitemap"]).exits(0);
    assert_eq!(paths(&run), ["/", "/1"]);
    assert!(run.stderr.contains("/gone.xml") && run.stderr.contains("404"), "{run:#?}");
}

#[test]
fn what_is_whole_of_a_damaged_sitemap_counts() {
    let site = site(&[("/robots.txt", "")], |hit| {
        let base = format!("http://{}", hit.header("Host").unwrap());
        let text = PLAIN.replace("{B}", &base);
        let cut = text.len() - "<url><loc>".len() - 20;
        match hit.path.as_str() {
            "/unclosed.xml" => Answer::untyped(&text.as_bytes()[..cut]),
            "/broken.xml.gz" => {
                let mut packed = gzip(format!("{}{}", text, " ".repeat(100_000)).as_bytes());
                packed.truncate(packed.len() - 20);
                Answer::untyped(packed)
            }
            "/cut.xml" => Answer::untyped(text).cut_after(cut),
            path => Answer::title(path),
        }
    });
    for (path, status) in [("/unclosed.xml", 0), ("/broken.xml.gz", 0), ("/cut.xml", 1)] {
        let run = run(&["--sitemap", &site.url(path)]).exits(status);
        assert!(paths(&run).contains(&"/1".to_owned()), "{path}: {run:#?}");
        assert!(run.stderr.contains(path) || run.stdout.contains("truncated"), "{path}: {run:#?}");
    }
}

#[test]
fn a_sitemap_may_be_compressed_twice_over_and_larger_than_a_page() {
    let site = Site::start(|hit| {
        let base = format!("http://{}", hit.header("Host").unwrap());
        let padding = " ".repeat(100_000);
        match hit.path.as_str() {
            "/s.xml.gz" => {
                Answer::untyped(gzip(&gzip(format!("{padding}{base}/1").as_bytes()))).header("Content-Encoding", "gzip")
            }
            "/robots.txt" => Answer::status(404),
            path => Answer::title(path),
        }
    });
    let run = run(&["--sitemap", &site.url("/s.xml.gz"), "--max-body", "1k"]).succeeds();
    assert_eq!(paths(&run), ["/1"]);
}

#[test]
fn what_real_sites_get_wrong_is_put_up_with() {
    const NAMES: [&str; 11] =
        ["mark", "space", "entity", "cdata", "relative", "base", "crlf", "guid", "atom", "packed", "index"];
    let site = Site::start(|hit| {
        let base = format!("http://{}", hit.header("Host").unwrap());
        let file = |text: &str| Answer::untyped(text.replace("{B}", &base));
        match hit.path.as_str() {
            "/mark" => {
                file("\u{feff}\r\n<?xml version='1.0'?><urlset xmlns='urn:wrong'><url><loc>{B}/1</loc></url></urlset>")
            }
            "/space" => {
                file("<urlset><url><loc>\r\n\t {B}/1\n </loc></url></urlset>").header("Content-Type", "text/html")
            }
            "/entity" => file("<urlset><url><loc>{B}/1?a=1&amp;b=&#50;&c=3</loc></url></urlset>"),
            "/cdata" => file("<urlset><url><loc><![CDATA[{B}/1]]></loc></url></urlset>"),
            "/relative" => file("<urlset><url><loc>/1</loc></url></urlset>"),
            "/base" => file("<feed xml:base='{B}/x/'><entry xml:base='y/'><link href='1'/></entry></feed>"),
            "/crlf" => file("{B}/1\r\n\r\n{B}/2\r\n").header("Content-Type", "application/xml"),
            "/guid" => file(
                "<rss><channel><item><guid isPermaLink='true'>{B}/1</guid></item><item><guid>{B}/2</guid></item>\
                 <item><guid isPermaLink='false'>{B}/3</guid></item></channel></rss>",
            ),
            "/atom" => file(
                "<feed><link rel='self' href='/atom'/><entry><link rel='edit' href='/0'/><link rel='alternate' href='/1'/></entry></feed>",
            ),
            "/packed" => Answer::untyped(gzip(format!("{base}/1\n").as_bytes())).header("Content-Type", "text/plain"),
            "/index" => file(
                "<sitemapindex><sitemap><loc>{B}/index</loc></sitemap><sitemap><loc>{B}/inner</loc></sitemap>\
                 <sitemap><loc>{B}/page</loc></sitemap></sitemapindex>",
            ),
            "/inner" => file(
                "<sitemapindex><sitemap><loc>{B}/index</loc></sitemap><sitemap><loc>/mark</loc></sitemap></sitemapindex>",
            ),
            "/page" => file("<!DOCTYPE html><html><a href=/0>Not found</a></html>"),
            _ => Answer::status(404),
        }
    });
    let expected = |name| match name {
        "entity" => vec!["/1?a=1&b=2&c=3"],
        "base" => vec!["/x/y/1"],
        "crlf" | "guid" => vec!["/1", "/2"],
        _ => vec!["/1"],
    };
    for name in NAMES {
        let run = scrape(["map", "--sitemap", &site.url(&format!("/{name}"))]).run().exits(0);
        let found: BTreeSet<_> = run.stdout.lines().map(String::from).collect();
        assert_eq!(found, expected(name).into_iter().map(|path| site.url(path)).collect(), "{name}: {run:#?}");
        assert_eq!(run.stderr.contains("it is a page, and no sitemap"), name == "index", "{run:#?}");
    }
}

#[test]
fn so_many_pages_of_a_host_come_in_and_those_that_matter_most_first() {
    let page = |n: usize| format!("<url><loc>{{B}}/{n}</loc><priority>0.{n}</priority></url>");
    let text: &'static str = (0..10).map(page).collect::<String>().leak();
    let files = [("/robots.txt", ""), ("/s.xml", text)];
    let site = site_of(Vec::from(files).leak());
    let few = run(&["--sitemap", &site.url("/s.xml"), "--max-per-host", "3"]).exits(0);
    assert_eq!(few.records().len(), 3);
    let all = run(&["--sitemap", &site.url("/s.xml"), "--priority", "sitemap", "-c", "1"]).succeeds();
    let paths: Vec<_> = all.records().iter().map(|record| record["input"]["priority"].as_f64().unwrap()).collect();
    assert!(paths.len() == 10 && paths.is_sorted_by(|a, b| a > b), "{paths:?}");
}

#[test]
fn sitemaps_are_asked_for_by_get_whatever_pages_are() {
    for option in [&["--head"][..], &["--data", "x=1"]] {
        let site = site_of(&[("/robots.txt", ""), ("/s.txt", "{B}/1")]);
        let run = scrape(option).args(["--sitemap", &site.url("/s.txt"), "-f", "jsonl"]).run().succeeds();
        assert_eq!(paths(&run), ["/1"]);
        let hit = &site.hits_of("/s.txt")[0];
        assert_eq!((&*hit.method, hit.body.len()), ("GET", 0));
    }
}

#[test]
fn feeds_are_sitemaps() {
    let site = site_of(&[
        ("/robots.txt", ""),
        (
            "/rss",
            "<rss><channel><link>{B}/</link><item><link>{B}/1</link><pubDate>Fri, 17 May 2024 10:00:00 GMT</pubDate></item></channel></rss>",
        ),
        (
            "/atom",
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><link rel='alternate' href='/2'/><updated>2024-05-18T00:00:00Z</updated></entry></feed>",
        ),
    ]);
    let run = run(&["--sitemap", &site.url("/rss"), "--sitemap", &site.url("/atom")]).succeeds();
    assert_eq!(paths(&run), ["/1", "/2"]);
    assert_eq!(run.record_of("/1")["input"]["lastmod"], "2024-05-17T10:00:00Z");
    assert_eq!(run.record_of("/2")["input"]["lastmod"], "2024-05-18T00:00:00Z");
}

#[test]
fn what_has_not_changed_since_is_left_where_it_is() {
    let site = site_of(&[
        ("/robots.txt", ""),
        (
            "/index.xml",
            "<sitemapindex><sitemap><loc>{B}/old.xml</loc><lastmod>2001-01-01</lastmod></sitemap>\
             <sitemap><loc>{B}/new.xml</loc></sitemap></sitemapindex>",
        ),
        (
            "/new.xml",
            "<urlset><url><loc>{B}/old</loc><lastmod>2001-01-01</lastmod></url>\
             <url><loc>{B}/new</loc><lastmod>2999-01-01</lastmod></url><url><loc>{B}/silent</loc></url></urlset>",
        ),
    ]);
    let run = run(&["--sitemap", &site.url("/index.xml"), "--since", "7d"]).succeeds();
    assert_eq!(paths(&run), ["/new", "/silent"]);
    assert_eq!(asked(&site), ["/index.xml", "/new", "/new.xml", "/robots.txt", "/silent"]);
}

#[test]
fn sitemaps_that_are_made_up_as_they_are_asked_for_end() {
    let site = Site::start(|hit| {
        let base = format!("http://{}{}", hit.header("Host").unwrap(), hit.path);
        Answer::untyped(format!("<sitemapindex><sitemap><loc>{base}x</loc></sitemap></sitemapindex>"))
    });
    let run = run(&["--sitemap", &site.url("/s")]).exits(0);
    assert!(run.stderr.contains("too many lead to one another"), "{run:#?}");
    assert!(site.count() < 20, "{}", site.count());
}

#[test]
fn a_sitemap_may_be_a_file() {
    let site = site_of(&[("/robots.txt", "User-agent: *\nDisallow: /")]);
    let text = PLAIN.replace("{B}", &site.url(""));
    let run = scrape(["--sitemap", "s.xml", "-f", "jsonl"]).file("s.xml", text).run().succeeds();
    assert_eq!(paths(&run), ["/1", "/2"]);
    let first = run.record_of("/1");
    assert_eq!((&first["input"]["sitemap"], &first["source"]), (&json!("s.xml"), &json!({"file": "s.xml", "line": 1})));
    let none = scrape(["--sitemap", "s.xml", "-f", "jsonl"]).run().exits(5);
    assert!(none.stderr.contains("s.xml: no such file"), "{none:#?}");
}

#[test]
fn the_columns_of_a_seeds_line_come_along() {
    let site = site_of(&[("/robots.txt", "Sitemap: {B}/s.txt"), ("/s.txt", "{B}/1")]);
    let table = format!("site,owner\n{},me\n", site.url("/"));
    let args = ["t.csv", "--column", "site", "--sitemap", "-f", "jsonl"];
    let run = scrape(args).file("t.csv", table).run().succeeds();
    let input = &run.record_of("/1")["input"];
    assert_eq!((&input["owner"], &input["sitemap"]), (&json!("me"), &json!(site.url("/s.txt"))));
}

#[test]
fn limits_count_the_pages_that_are_listed() {
    const MANY: &str = "{B}/1\n{B}/2\n{B}/3\n{B}/4\n{B}/5\n";
    let site = site_of(&[("/robots.txt", ""), ("/s.txt", MANY)]);
    for option in ["--limit", "--max-pages"] {
        let run = run(&["--sitemap", &site.url("/s.txt"), option, "2"]).succeeds();
        assert_eq!(run.records().len(), 2, "{option}");
    }
}

#[test]
fn a_run_that_has_its_pages_asks_for_no_more_sitemaps() {
    let site = Site::start(|hit| {
        let base = format!("http://{}", hit.header("Host").unwrap());
        let sitemap = |n| format!("<sitemap><loc>{base}/s{n}</loc></sitemap>");
        match hit.path.as_str() {
            "/robots.txt" => Answer::untyped(""),
            "/index.xml" => Answer::untyped(format!("<sitemapindex>{}", (0..200).map(sitemap).collect::<String>())),
            path if path.starts_with("/s") => Answer::untyped(format!("{base}/page{path}/1\n{base}/page{path}/2\n")),
            path => Answer::title(path),
        }
    });
    for option in ["--limit", "--max-pages"] {
        let before = site.count();
        let run = run(&["--sitemap", &site.url("/index.xml"), option, "20"]).exits(0);
        assert_eq!(run.records().len(), 20, "{option}");
        assert!(site.count() - before < 200, "{option}: {} requests", site.count() - before);
    }
}

#[test]
fn a_sample_is_of_all_that_is_named_and_nothing_else_is_fetched() {
    let site =
        site_of(&[("/robots.txt", "Sitemap: {B}/s.txt"), ("/s.txt", "{B}/1\n{B}/2\n{B}/3\n{B}/4\n{B}/5\n{B}/6\n")]);
    let list: String = ["/7", "/8", "/9"].map(|path| site.url(path) + "\n").concat() + "::\n";
    let draw = |args: &[&str]| {
        let run = scrape(["u.txt", "--sitemap", "--sample", "4", "-f", "jsonl"]).args(args).file("u.txt", &list).run();
        assert_eq!(run.records().len(), 4, "{run:#?}");
        run.records().into_iter().map(|record| record["url"].to_string()).collect::<BTreeSet<_>>()
    };
    let drawn = draw(&["--sample-seed", "7"]);
    let fetched = site.hits().iter().filter(|hit| hit.path.len() == 2).count();
    assert_eq!(fetched, drawn.iter().filter(|url| !url.contains("::")).count());
    assert_eq!(draw(&["--sample-seed", "7"]), drawn);
    assert!((0..20).any(|seed| draw(&["--sample-seed", &seed.to_string()]) != drawn));
}

#[test]
fn a_sample_of_a_small_list_is_all_of_it_in_its_order() {
    let site = site_of(&[]);
    let urls: Vec<_> = (0..9).map(|n| site.url(&format!("/{n}"))).collect();
    let run = scrape(&urls).args(["--sample", "9", "--ordered", "-f", "jsonl"]).run().succeeds();
    let found: Vec<_> = run.records().into_iter().map(|record| record["url"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, urls);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let refused = |args: &[&str], word| scrape(["http://127.0.0.1:9/"]).args(args).run().refused_over(word);
    refused(&["--since", "7d"], "--sitemap");
    refused(&["--sitemap", "--ordered"], "--ordered");
    refused(&["--sitemap", "--keep-duplicates"], "--keep-duplicates");
    refused(&["--sample", "3", "--limit", "3"], "--limit");
    refused(&["--sample", "0"], "--sample");
    refused(&["--sample-seed", "3"], "--sample");
}

#[test]
fn a_setting_may_ask_for_sitemaps() {
    let site = site_of(&[("/robots.txt", "Sitemap: {B}/s.txt"), ("/s.txt", "{B}/1")]);
    let run = scrape([&site.url("/"), "-f", "jsonl"].map(String::from)).env("SCRAPE_SITEMAP", "true").run().succeeds();
    assert_eq!(paths(&run), ["/", "/1"]);
}

const LINKS: &str = "<!doctype html><a href=/1#top>one</a><a href=/3>three</a><a href='http://elsewhere.test/'>away</a>\
    <a href='mailto:a@b.test'>mail</a>";

fn mapped() -> Site {
    site_of(&[("/robots.txt", "Sitemap: {B}/s.xml"), ("/s.xml", PLAIN), ("/", LINKS)])
}

#[test]
fn a_map_lists_what_is_in_sitemaps_and_on_the_page_and_fetches_nothing_else() {
    let site = mapped();
    let run = scrape(["map", &site.url("/")]).run().succeeds();
    let lines: BTreeSet<_> = run.stdout.lines().map(String::from).collect();
    assert_eq!(lines, ["/", "/1", "/2", "/3"].map(|path| site.url(path)).into());
    assert_eq!(run.stdout.lines().count(), 4, "each once");
    assert_eq!(asked(&site), ["/", "/robots.txt", "/s.xml"]);
}

#[test]
fn a_map_lists_what_belongs_to_the_owner_of_the_site_whatever_its_links_say() {
    const PAGE: &str = "<!doctype html><a href=/1 rel=nofollow>one</a><a href='/1#x'>one</a><iframe src=/2></iframe>\
        <meta name=robots content=nofollow><a href='http://127.0.0.2/3'>away</a><a href='http://u:p@127.0.0.1/4'>there</a>";
    let site = site_of(&[("/robots.txt", ""), ("/", PAGE)]);
    let run = scrape(["map", &site.url("/")]).run().succeeds();
    let lines: BTreeSet<_> = run.stdout.lines().map(String::from).collect();
    let here = ["/", "/1", "/2"].map(|path| site.url(path));
    assert_eq!(lines, here.into_iter().chain(["http://127.0.0.1/4".into()]).collect());
    assert!(asked(&site).iter().all(|path| path == "/" || path.contains("robots") || path.contains("sitemap")));
}

#[test]
fn a_map_in_json_tells_where_each_url_was_found() {
    let site = mapped();
    let run = scrape(["map", "--sitemap", &site.url("/s.xml"), "-f", "jsonl"]).run().succeeds();
    let expected = json!({
        "url": site.url("/1"), "lastmod": "2024-05-17", "priority": 0.8, "found_in": site.url("/s.xml"),
    });
    assert_eq!(run.record_of("/1"), expected);
    assert_eq!(run.records().len(), 2);
    assert_eq!(asked(&site), ["/s.xml"]);
}

#[test]
fn a_map_whose_reader_has_seen_enough_ends_well() {
    let site = Site::start(|hit| {
        let base = format!("http://{}", hit.header("Host").unwrap());
        let (sitemap, pages) =
            (|n: usize| format!("Sitemap: {base}/s{n}\n"), |n: usize| format!("{base}{}/{n}\n", hit.path));
        match hit.path.as_str() {
            "/robots.txt" => Answer::untyped((0..20).map(sitemap).collect::<String>()),
            _ => Answer::untyped((0..5_000).map(pages).collect::<String>()),
        }
    });
    let mut run = scrape(["map", &site.url("/")]).spawn();
    run.line();
    run.close_stdout();
    run.finish().exits(0);
}

#[test]
fn a_map_of_a_site_that_is_down_fails() {
    let run = scrape(["map", "http://127.0.0.1:9/", "--retry", "0"]).run().exits(4);
    assert!(run.stdout.is_empty() && run.stderr.contains("connect"), "{run:#?}");
    scrape(["map"]).run().refused_over("URL");
}

//! Sites walked by their links.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::coding::gzip;
use crate::support::{Answer, Gate, Hit, Run, Site, scrape};

/// A page that links to others.
fn page(title: &str, links: &[&str]) -> Answer {
    let links: Vec<_> = links.iter().map(|link| format!("<p><a href=\"{link}\">{link}</a>")).collect();
    Answer::html(format!("<!doctype html><title>{title}</title>{}", links.concat()))
}

fn missing() -> Answer {
    Answer::title("Missing").with_status(404)
}

/// A site of six pages, one of which robots.txt forbids, and one of which is not there.
fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/robots.txt" => Answer::typed("text/plain", "User-agent: *\nDisallow: /private"),
        "/" => page("home", &["/a/", "/private", "/gone", "/#top", "mailto:me@a.test"]),
        "/a/" => page("a", &["b", "../", "b#part"]),
        "/a/b" => page("b", &["c/", "/a/"]),
        "/a/c/" => page("c", &[]),
        _ => missing(),
    })
}

/// Runs a crawl of what is at `/`.
fn crawl(site: &Site, args: &str) -> Run {
    scrape(["-f", "jsonl", &site.url("/")]).args(args.split_whitespace()).run()
}

/// The paths of the pages that were asked for, robots.txt aside.
fn paths(site: &Site) -> Vec<String> {
    let mut paths = site.paths();
    paths.retain(|path| path != "/robots.txt");
    paths.sort();
    paths
}

fn paths_of(run: &Run) -> BTreeSet<String> {
    let path = |record: &Value| record["url"].as_str().unwrap().splitn(4, '/').nth(3).unwrap().to_owned();
    run.records().iter().map(path).collect()
}

#[test]
fn a_site_is_walked_and_each_page_is_asked_for_once() {
    let site = site();
    let run = crawl(&site, "--depth all").succeeds();
    assert_eq!(paths(&site), ["/", "/a/", "/a/b", "/a/c/", "/gone"]);
    assert_eq!(site.hits_of("/robots.txt").len(), 1);
    let of = |path: &str| {
        let record = run.records().into_iter().find(|record| record["url"] == site.url(path)).unwrap();
        json!([record["depth"], record["referrer"], record["links_found"], record["error"]["kind"]])
    };
    assert_eq!(of("/"), json!([0, null, 4, null]), "no mail, and no page twice");
    assert_eq!(of("/a/"), json!([1, site.url("/"), 2, null]));
    assert_eq!(of("/a/b"), json!([2, site.url("/a/"), 2, null]));
    assert_eq!(of("/a/c/"), json!([3, site.url("/a/b"), 0, null]));
    assert_eq!(of("/gone"), json!([1, site.url("/"), null, "status"]));
    assert_eq!(of("/private"), json!([1, site.url("/"), null, "robots"]));
    assert_eq!(run.record_of("/private")["attempts"], 0);
    assert_eq!(run.records().len(), 6);
}

#[test]
fn without_a_depth_nothing_is_followed_and_no_rules_are_asked_for() {
    let site = site();
    let run = crawl(&site, "").succeeds();
    assert_eq!(site.paths(), ["/"]);
    assert_eq!((&run.record()["depth"], &run.record()["links_found"]), (&json!(0), &json!(null)));
}

#[test]
fn links_are_followed_so_far_and_no_further() {
    let site = site();
    crawl(&site, "--depth 2").succeeds();
    assert_eq!(paths(&site), ["/", "/a/", "/a/b", "/gone"]);
}

#[test]
fn what_a_crawl_comes_by_does_not_make_it_a_failed_run_but_its_seeds_do() {
    let site = site();
    crawl(&site, "--depth all").exits(0);
    let seeds = [site.url("/"), site.url("/nothing")];
    scrape(["--depth", "1"]).args(seeds).run().exits(1);
}

#[test]
fn a_crawl_stays_on_its_host_unless_it_is_told_otherwise() {
    let site = Site::with_hosts(2, |hit| match (&*hit.path, hit.host.to_string().as_str()) {
        ("/", _) => {
            let port = hit.header("host").unwrap().rsplit_once(':').unwrap().1;
            page("home", &["/x", &format!("http://127.0.0.2:{port}/y")])
        }
        ("/x" | "/y", _) => page("leaf", &[]),
        _ => missing(),
    });
    crawl(&site, "--depth all").succeeds();
    assert!(site.hits().iter().all(|hit| hit.host.to_string() == "127.0.0.1"));
    crawl(&site, "--depth all --scope any").succeeds();
    let abroad: Vec<_> =
        site.hits().into_iter().filter(|hit| hit.host.to_string() == "127.0.0.2").map(|hit| hit.path).collect();
    assert_eq!(abroad, ["/robots.txt", "/y"]);
}

#[test]
fn the_scope_may_be_a_folder_or_a_page_or_what_patterns_say() {
    let site = Site::start(|hit| match &*hit.path {
        "/docs/" => page("docs", &["a", "a.pdf", "../blog", "sub/b?sid=1", "sub/b?sid=2"]),
        "/robots.txt" => missing(),
        _ => page("leaf", &[]),
    });
    let walk = |args: &str| {
        let before = site.count();
        scrape(["--depth", "all", &site.url("/docs/")]).args(args.split_whitespace()).run().succeeds();
        let mut paths = site.paths().split_off(before);
        paths.retain(|path| path != "/robots.txt");
        paths.sort();
        paths
    };
    assert_eq!(walk("--scope prefix"), ["/docs/", "/docs/a", "/docs/a.pdf", "/docs/sub/b?sid=1", "/docs/sub/b?sid=2"]);
    assert_eq!(walk("--scope page"), ["/docs/"]);
    assert_eq!(walk("--exclude *.pdf --exclude /blog --strip-query sid"), ["/docs/", "/docs/a", "/docs/sub/b"]);
    assert_eq!(walk("--include re:/docs/a$"), ["/docs/", "/docs/a"]);
    assert_eq!(walk("--max-per-host 1"), ["/docs/", "/docs/a"]);
}

#[test]
fn a_crawl_is_where_the_redirects_of_its_seed_lead() {
    let site = Site::with_hosts(2, |hit| {
        let port = hit.header("host").unwrap().rsplit_once(':').unwrap().1.to_owned();
        match (&*hit.host.to_string(), &*hit.path) {
            ("127.0.0.1", "/") => Answer::redirect(301, &format!("http://127.0.0.2:{port}/")),
            ("127.0.0.2", "/") => page("home", &["/x"]),
            ("127.0.0.2", "/x") => page("x", &[]),
            _ => missing(),
        }
    });
    let run = crawl(&site, "--depth all").succeeds();
    assert_eq!(run.records().len(), 2, "{}", run.stdout);
    assert_eq!(run.record_of("/x")["status"], 200);
}

#[test]
fn a_redirect_to_a_page_of_the_crawl_or_out_of_it_is_no_page_of_its_own() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => page("home", &["/known", "/new", "/out", "/loop"]),
        "/known" => Answer::redirect(302, "/"),
        "/new" => Answer::redirect(302, "/target"),
        "/target" => page("target", &["/target"]),
        "/out" => Answer::redirect(302, "http://127.0.0.9:1/"),
        "/loop" => Answer::redirect(302, "/loop"),
        _ => missing(),
    });
    let run = crawl(&site, "--depth all -v").exits(0);
    assert_eq!(paths_of(&run), ["", "loop", "new"].map(String::from).into());
    assert_eq!(run.record_of("/new")["final_url"], site.url("/target"));
    assert_eq!(run.record_of("/loop")["error"]["kind"], "redirect");
    assert_eq!(site.hits_of("/target").len(), 1);
    assert!(run.stderr.contains("2 redirected elsewhere"), "{}", run.stderr);
}

#[test]
fn a_page_that_limits_kept_out_comes_in_where_another_one_redirects_to_it() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => page("home", &["/a", "/b"]),
        "/a" => Answer::redirect(302, "/b"),
        "/b" => page("b", &[]),
        _ => missing(),
    });
    let run = crawl(&site, "--depth all --max-per-host 1 --per-host 1").succeeds();
    assert_eq!(run.record_of("/a")["final_url"], site.url("/b"));
    assert_eq!(run.records().len(), 2);
}

#[test]
fn rules_may_be_obeyed_for_typed_urls_as_well_and_for_none() {
    let site = site();
    let typed = site.url("/private");
    scrape([&*typed]).run().exits(4);
    assert_eq!(site.paths(), ["/private"], "who types a URL means it");
    let run = scrape([&*typed, "-f", "jsonl", "--robots", "always"]).run().exits(4);
    assert_eq!((run.record()["error"]["kind"].as_str(), site.hits_of("/private").len()), (Some("robots"), 1));
    let run = crawl(&site, "--depth 1 --robots ignore -v").exits(0);
    assert_eq!((site.hits_of("/private").len(), site.hits_of("/robots.txt").len()), (2, 1));
    assert!(run.stderr.contains("robots.txt was ignored"), "{}", run.stderr);
}

#[test]
fn rules_that_cannot_be_had_forbid_everything_and_missing_ones_nothing() {
    for (status, kind) in [(503, Some("robots")), (404, None), (403, None)] {
        let site = Site::start(move |hit| match &*hit.path {
            "/robots.txt" => Answer::status(status),
            "/" => page("home", &["/a"]),
            _ => page("a", &[]),
        });
        let run = crawl(&site, "--depth 1 --retry 1 --retry-delay 0.01").succeeds();
        assert_eq!(run.record_of("/a")["error"]["kind"].as_str(), kind, "{status}");
        assert_eq!(site.hits_of("/robots.txt").len(), if status == 503 { 2 } else { 1 }, "{status}");
    }
}

/// Walks a site of three pages, `/a`, `/b` and `/c`, whose rules are those, and tells which of the pages were asked for.
fn allowed(rules: &Answer, args: &str) -> (Vec<String>, usize) {
    let rules = rules.clone();
    let site = Site::start(move |hit| match &*hit.path {
        "/robots.txt" => rules.clone(),
        "/" => page("home", &["/a", "/b", "/c"]),
        _ => page("leaf", &[]),
    });
    crawl(&site, args).succeeds();
    (paths(&site).split_off(1), site.hits_of("/robots.txt").len())
}

/// So many bytes of comments, a whole number of lines.
fn comments(bytes: usize) -> String {
    format!("#{}\n", "-".repeat(98)).repeat(bytes / 100)
}

#[test]
fn of_rules_that_are_too_long_the_start_counts_and_the_limit_of_a_page_is_none_for_them() {
    let start = "User-agent: *\nDisallow: /a\n";
    let short = format!("{start}{}Disallow: /b\n", comments(5 << 10));
    let long = format!("{short}{}Disallow: /c\n", comments(2 << 20));
    for (text, args, expected) in [
        (&long, "", vec!["/c"]),
        (&long, "--max-body 1K", vec!["/c"]),
        (&long, "--cache cached", vec!["/c"]),
        (&short, "--max-body 1K", vec!["/c"]),
        (&short, "--max-body 1K --cache cached", vec!["/c"]),
    ] {
        for rules in [Answer::typed("text/plain", &**text), Answer::typed("text/plain", &**text).chunked()] {
            let (pages, asked) = allowed(&rules, &format!("--depth 1 {args}"));
            assert_eq!((pages, asked), (expected.iter().map(ToString::to_string).collect(), 1), "{args}");
        }
        let coded = Answer::typed("text/plain", gzip(text.as_bytes())).header("content-encoding", "gzip");
        assert_eq!(allowed(&coded, &format!("--depth 1 {args}")).0, expected, "{args}, coded");
    }
}

#[test]
fn rules_that_break_off_are_asked_for_again_and_then_what_came_counts_in_whole_lines() {
    let text = "User-agent: *\nDisallow: /a\nDisallow: /b\nDisallow: /c\n";
    let args = "--depth 1 --retry 2 --retry-delay 0.01";
    let within = |line: &str| text.find(line).unwrap() + line.len() - 2;
    let whole = Answer::typed("text/plain", text);
    let cut = whole.clone().cut_after(within("Disallow: /b"));
    assert_eq!(allowed(&cut, args), (vec!["/b".to_owned(), "/c".to_owned()], 3), "half a line is none");
    assert_eq!(allowed(&whole.clone().cut_after(5), args), (Vec::new(), 3), "not one line came: nothing is known");
    assert_eq!(allowed(&whole.cut_after(5).with_status(404), args).0, ["/a", "/b", "/c"], "there are none");
    let mut damaged = gzip(format!("{text}{}", comments(100 << 10)).as_bytes());
    let end = damaged.len();
    damaged[end - 8] ^= 1;
    let damaged = Answer::typed("text/plain", damaged).header("content-encoding", "gzip");
    assert_eq!(allowed(&damaged, args).0, Vec::<String>::new(), "all lines came, but for the checksum");
}

#[test]
fn rules_are_those_for_the_name_that_this_crawler_goes_by() {
    let site = Site::start(|hit| match &*hit.path {
        "/robots.txt" => Answer::typed("text/plain", "User-agent: *\nDisallow: /a\n\nUser-agent: mybot\nDisallow: /b"),
        "/" => page("home", &["/a", "/b"]),
        _ => page("leaf", &[]),
    });
    crawl(&site, "--depth 1").succeeds();
    crawl(&site, "--depth 1 -A MyBot/2.0").succeeds();
    assert_eq!(paths(&site), ["/", "/", "/a", "/b"]);
    assert_eq!(site.hits_of("/a")[0].header("user-agent"), Some("MyBot/2.0"));
}

#[test]
fn the_rules_of_a_redirected_page_are_those_of_where_it_leads() {
    let site = Site::with_hosts(2, |hit| {
        let port = hit.header("host").unwrap().rsplit_once(':').unwrap().1.to_owned();
        match (&*hit.host.to_string(), &*hit.path) {
            ("127.0.0.1", "/") => page("home", &["/hop"]),
            ("127.0.0.1", "/hop") => Answer::redirect(302, &format!("http://127.0.0.2:{port}/private")),
            ("127.0.0.2", "/robots.txt") => Answer::typed("text/plain", "User-agent: *\nDisallow: /"),
            _ => missing(),
        }
    });
    let run = crawl(&site, "--depth 1 --scope any").succeeds();
    assert_eq!(run.record_of("/hop")["error"]["kind"], "robots");
    assert!(site.hits_of("/private").is_empty());
}

#[test]
fn while_rules_are_asked_for_their_host_waits_and_no_other_does() {
    let gate = Gate::shut();
    let rules = gate.clone();
    let site = Site::with_hosts(2, move |hit| match &*hit.path {
        "/robots.txt" if hit.host.to_string() == "127.0.0.1" => Answer::status(404).behind(&rules),
        "/" => page("home", &["/a", "/b"]),
        _ => page("leaf", &[]),
    });
    let seeds = [site.url_at(1, "/"), site.url_at(2, "/")];
    let run = scrape(["-f", "jsonl", "--depth", "1"]).args(seeds).spawn();
    let is_at = |host: &str, path: &str, hits: &[Hit]| {
        hits.iter().filter(|hit| hit.host.to_string() == host && hit.path == path).count()
    };
    site.wait_until(|hits| is_at("127.0.0.2", "/a", hits) == 1 && is_at("127.0.0.2", "/b", hits) == 1);
    site.wait_until(|hits| is_at("127.0.0.1", "/robots.txt", hits) == 1);
    assert_eq!(is_at("127.0.0.1", "/a", &site.hits()), 0);
    gate.open();
    assert_eq!(run.finish().succeeds().records().len(), 6);
}

#[test]
fn two_origins_whose_rules_redirect_to_each_other_do_not_wait_for_ever() {
    let site = Site::with_hosts(2, |hit| {
        let port = hit.header("host").unwrap().rsplit_once(':').unwrap().1.to_owned();
        let other = if hit.host.to_string() == "127.0.0.1" { "127.0.0.2" } else { "127.0.0.1" };
        match &*hit.path {
            "/robots.txt" => Answer::redirect(302, &format!("http://{other}:{port}/robots.txt")),
            "/" => page("home", &["/a"]),
            _ => page("leaf", &[]),
        }
    });
    let seeds = [site.url_at(1, "/"), site.url_at(2, "/")];
    let run = scrape(["-f", "jsonl", "--depth", "1", "--per-host", "1"]).args(seeds).run().succeeds();
    assert_eq!(run.records().len(), 4);
    assert!(run.records().iter().all(|record| record["error"].is_null()), "what no five redirects reach is not there");
}

#[test]
fn a_crawl_delay_lies_between_all_starts_that_follow() {
    let site = Site::start(|hit| match &*hit.path {
        "/robots.txt" => Answer::typed("text/plain", "User-agent: *\nCrawl-delay: 0.2"),
        "/" => page("home", &["/a", "/b", "/c"]),
        _ => page("leaf", &[]),
    });
    crawl(&site, "--depth 1").succeeds();
    let times: Vec<_> = site.hits().into_iter().filter(|hit| hit.path.len() == 2).map(|hit| hit.at).collect();
    assert_eq!(times.len(), 3);
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] > Duration::from_millis(150), "{:?}", pair[1] - pair[0]);
    }
}

#[test]
fn so_many_pages_are_fetched_and_not_one_more() {
    let site = Site::start(|hit| match hit.path.trim_start_matches('/').parse::<u32>() {
        _ if hit.path == "/robots.txt" => missing(),
        Ok(n) if n % 3 == 0 => missing(),
        n => {
            let n = n.unwrap_or(0);
            let links: Vec<_> = (1..=9).map(|k| format!("/{}", 10 * n + k)).collect();
            page("node", &links.iter().map(String::as_str).collect::<Vec<_>>())
        }
    });
    let run = crawl(&site, "--depth all --max-pages 25 -c 8 --summary summary.json --allow-traps").exits(0);
    let fetched = run.records().iter().filter(|record| record["error"].is_null()).count();
    assert_eq!(fetched, 25);
    let answered = site.hits().iter().filter(|hit| hit.path != "/robots.txt").count();
    assert_eq!(answered, run.records().len(), "nothing else was asked for");
    let summary: Value = serde_json::from_str(&run.file("summary.json")).unwrap();
    assert_eq!(summary["ended_by"], "max-pages");
}

/// Each page of a trap leads to some new ones that are in it as well.
fn trap(hit: &Hit) -> Answer {
    let (path, query) = hit.path.split_once('?').unwrap_or((&hit.path, ""));
    let n = hit.nth;
    match path.split('/').nth(1).unwrap_or_default() {
        "" => page("home", &["/calendar/2024/01/01", "/session/?sid=1", "/deep/", "/again/x/y/", "/list?a=1&b=2"]),
        "calendar" => {
            let mut date = path.rsplit('/').map(|part| part.parse::<i64>().unwrap());
            let (day, month, year) = (date.next().unwrap(), date.next().unwrap(), date.next().unwrap());
            let next = format!("/calendar/{}/{month:02}/{:02}", year + i64::from(day == 28), day % 28 + 1);
            let after = format!("/calendar/{}/{month:02}/{day:02}", year + 1);
            page("calendar", &[&next, &after])
        }
        "session" => {
            let id: u64 = query.trim_start_matches("sid=").parse().unwrap();
            page("session", &[&format!("/session/?sid={}", id * 2 + 1), &format!("/session/?sid={}", id * 2 + 2)])
        }
        "deep" => page("deep", &[&format!("{path}{n}a/"), &format!("{path}{n}b/")]),
        "again" => page("again", &[&format!("{path}x/y/")]),
        "list" => {
            let sort = |by: &str| format!("/list?{query}&sort={by}");
            page("list", &[&sort("a"), &sort("b"), "/list?b=2&a=1", &format!("/list?{query}&a={}", query.len())])
        }
        _ => missing(),
    }
}

#[test]
fn a_site_of_traps_comes_to_an_end_and_they_are_told() {
    let site = Site::start(trap);
    let run = crawl(&site, "--depth all -v --summary summary.json --max-pages 20000").exits(0);
    let summary: Value = serde_json::from_str(&run.file("summary.json")).unwrap();
    assert_eq!(summary["ended_by"], json!(null), "it ended by itself");
    let told = summary["crawl"]["trapped"].as_array().unwrap();
    for place in ["/calendar/", "/session/", "/deep/", "/again/"] {
        assert!(told.iter().any(|trap| trap["pattern"].as_str().unwrap().contains(place)), "{place}: {told:?}");
    }
    assert!(run.stderr.contains("trapped") && run.stderr.contains("--allow-traps"), "{}", run.stderr);
}

/// Every host leads to two more of its owner; the first one to many ports of its own.
fn hosts(hit: &Hit) -> Answer {
    let host = hit.path.strip_prefix("http://h").and_then(|rest| rest.split(['.', ':']).next()).unwrap();
    let host: u64 = host.parse().unwrap();
    let next = [1, 2].map(|more| format!("http://h{}.trap.test/", 2 * host + more));
    let ports = (8001..=8060).filter(|_| host == 0).map(|port| format!("http://h0.trap.test:{port}/"));
    let links: Vec<_> = next.into_iter().chain(ports).collect();
    if hit.path.ends_with("/robots.txt") {
        return missing();
    }
    page("host", &links.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Crawls from the first of these hosts, with the site as the proxy: the hosts, with their ports, that were asked.
fn crawl_hosts(site: &Site, options: &str) -> (BTreeSet<String>, Run) {
    let run = scrape(["http://h0.trap.test/", "--proxy", &site.url(""), "--summary", "summary.json"]);
    let run = run.args(options.split_whitespace()).run().exits(0);
    let asked = site.paths().into_iter().map(|url| url.split('/').nth(2).unwrap().to_owned()).collect();
    (asked, run)
}

#[test]
fn endless_hosts_and_ports_come_to_an_end_and_are_told() {
    let site = Site::start(hosts);
    let (asked, run) = crawl_hosts(&site, "--depth all --scope domain -v --max-pages 20000");
    let (ports, names): (Vec<_>, Vec<_>) = asked.into_iter().partition(|place| place.contains(':'));
    assert_eq!((ports.len(), names.len()), (10, 1 + 1000));
    let summary: Value = serde_json::from_str(&run.file("summary.json")).unwrap();
    assert_eq!(summary["ended_by"], json!(null), "it ended by itself");
    let told = summary["crawl"]["trapped"].as_array().unwrap();
    for (pattern, why) in [("*.trap.test", "ever more hosts"), ("h0.trap.test:*", "ever more ports")] {
        assert!(told.iter().any(|trap| trap["pattern"] == pattern && trap["why"] == why), "{pattern}: {told:?}");
    }
    assert!(run.stderr.contains("50 URLs under h0.trap.test:*: ever more ports (--allow-traps)"), "{}", run.stderr);
}

#[test]
fn who_wants_all_ports_gets_them() {
    let site = Site::start(hosts);
    let (asked, _) = crawl_hosts(&site, "--depth 1 --scope domain --allow-traps --include re:h0");
    assert_eq!(asked.len(), 61);
}

#[test]
fn each_page_is_asked_for_once_by_128_bits_too() {
    let site = site();
    crawl(&site, "--depth all --dedupe-bits 128").succeeds();
    assert_eq!(paths(&site), ["/", "/a/", "/a/b", "/a/c/", "/gone"]);
}

#[test]
fn another_port_is_another_host() {
    let other = Site::start(|_| page("other", &[]));
    let leads_on = other.url("/");
    let site = Site::start(move |hit| match &*hit.path {
        "/robots.txt" => missing(),
        _ => page("home", &[&leads_on, "/x"]),
    });
    let run = crawl(&site, "--depth all").succeeds();
    assert_eq!((run.records().len(), other.hits().len()), (2, 0));
    let run = crawl(&site, "--depth all --scope domain").succeeds();
    assert_eq!((run.records().len(), other.hits().len()), (3, 2), "and its robots.txt");
}

#[test]
fn pages_close_to_the_seed_or_the_root_may_go_first() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => page("home", &["/a/b/c/1", "/a/2", "/3"]),
        "/robots.txt" => missing(),
        _ => page("leaf", &[]),
    });
    crawl(&site, "--depth 1 --per-host 1 --priority path").succeeds();
    let order = site.paths();
    assert_eq!(order, ["/", "/robots.txt", "/3", "/a/2", "/a/b/c/1"]);
}

#[test]
fn what_is_for_the_seeds_origin_goes_nowhere_else() {
    let site = Site::with_hosts(2, |hit| {
        let port = hit.header("host").unwrap().rsplit_once(':').unwrap().1.to_owned();
        match &*hit.path {
            "/" => page("home", &["/x", &format!("http://127.0.0.2:{port}/y")]),
            _ => page("leaf", &[]),
        }
    });
    crawl(&site, "--depth 1 --scope any -u me:sesame -H Token:1").succeeds();
    for hit in site.hits() {
        let is_home = hit.host.to_string() == "127.0.0.1";
        assert_eq!(hit.header("authorization").is_some(), is_home, "{hit:?}");
        assert_eq!(hit.header("token").is_some(), is_home, "{hit:?}");
        assert_eq!(hit.header("cookie"), None);
    }
}

#[test]
fn what_a_crawl_cannot_be_combined_with_is_refused() {
    for (args, word) in [
        ("--depth 1 --keep-duplicates", "--keep-duplicates"),
        ("--depth 1 --ordered", "--ordered"),
        ("--depth 1 --resume -o x.jsonl", "--state"),
        ("--depth some", "--depth"),
        ("--depth 1 --include docs", "--include"),
        ("--depth 1 --follow a[", "--follow"),
        ("--depth 1 --exclude re:(", "--exclude"),
    ] {
        scrape(["http://127.0.0.1:1/"]).args(args.split_whitespace()).run().refused_over(word);
    }
}

//! How many requests are made at one time, and how soon after one another.

use std::fs::File;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::scrape::Scrape;
use crate::support::site::closed_port;
use crate::support::{Answer, Gate, Hit, Run, Site, scrape};

/// What a server needs for an answer: long enough for requests to overlap.
const LATENCY: Duration = Duration::from_millis(20);

/// A site whose first `burst` answers wait for each other, so that so many are surely in flight at once.
fn bursting(hosts: u8, gate: &Gate) -> Site {
    let gate = gate.clone();
    Site::with_hosts(hosts, move |hit| Answer::title(&hit.path).after(LATENCY).behind(&gate))
}

fn list(site: &Site, hosts: u8, pages: usize) -> String {
    let url = |n: usize, host| site.url_at(host, &format!("/{n}\n"));
    (0..pages).flat_map(|n| (1..=hosts).map(move |host| (n, host))).map(|(n, host)| url(n, host)).collect()
}

/// Runs `args` over `pages` pages of each host, the gate opening when `burst` requests are there.
fn burst(args: &str, (hosts, pages): (u8, usize), burst: usize) -> (Site, Run) {
    let gate = Gate::shut();
    let site = bursting(hosts, &gate);
    let mut run = scrape(args.split_whitespace()).args(["-f", "jsonl"]).spawn();
    run.write(&list(&site, hosts, pages));
    site.wait_for(burst);
    gate.open();
    let run = run.finish().succeeds();
    assert_eq!(run.records().len(), usize::from(hosts) * pages);
    (site, run)
}

#[test]
fn never_more_than_the_concurrency_are_in_flight_and_that_many_are() {
    let (site, _) = burst("-c 5 --per-host 5", (1, 40), 5);
    assert_eq!(site.most_in_flight(), 5);
}

#[test]
fn the_concurrency_holds_across_hosts() {
    let (site, _) = burst("-c 6 --per-host 4", (4, 12), 6);
    assert_eq!(site.most_in_flight(), 6);
}

#[test]
fn never_more_than_per_host_are_in_flight_at_one_host_and_that_many_are() {
    let (site, _) = burst("--per-host 3", (2, 15), 6);
    assert_eq!((site.most_in_flight_at(1), site.most_in_flight_at(2)), (3, 3));
    assert_eq!(site.most_in_flight(), 6);
}

#[test]
fn by_default_a_host_is_asked_for_eight_pages_at_a_time() {
    let (site, _) = burst("", (1, 30), 8);
    assert_eq!(site.most_in_flight(), 8);
}

#[test]
fn by_default_64_requests_are_made_at_a_time() {
    let (site, _) = burst("", (10, 12), 64);
    assert_eq!(site.most_in_flight(), 64);
    assert!((1..=10).all(|host| site.most_in_flight_at(host) <= 8));
}

#[test]
fn the_limits_hold_for_retries() {
    let site = Site::start(|hit| match hit.nth {
        0 => Answer::status(500).after(LATENCY),
        _ => Answer::title("ok").after(LATENCY),
    });
    let run = scrape(["--per-host", "2", "--retry-delay", "1ms", "-f", "jsonl"]).stdin(list(&site, 1, 12)).run();
    assert_eq!(run.succeeds().records().len(), 12);
    assert_eq!(site.hits().len(), 24);
    assert_eq!(site.most_in_flight(), 2);
}

#[test]
fn the_limits_hold_for_redirects_to_another_host() {
    let site = Site::with_hosts(5, |hit| {
        let port = hit.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
        match hit.path.strip_prefix("/from") {
            Some(rest) => Answer::redirect(302, &format!("http://127.0.0.1:{port}/to{rest}{}", hit.host)),
            None => Answer::title("here").after(LATENCY),
        }
    });
    let seeds: String = (0..6)
        .flat_map(|n| (2..=5).map(move |host| (n, host)))
        .fold(String::new(), |list, (n, host)| list + &site.url_at(host, &format!("/from{n}\n")));
    let run = scrape(["--per-host", "2", "-f", "jsonl"]).stdin(seeds).run().succeeds();
    assert_eq!(run.records().len(), 24);
    assert_eq!(site.most_in_flight_at(1), 2);
}

#[test]
fn the_limits_are_exact_in_a_burst_of_redirects_and_retries_over_many_hosts() {
    // Every page is at a host that sends the first who ask away with a 503 or a reset, and the others to another host.
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::with_hosts(12, move |hit| {
        let port = hit.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
        let n: usize = hit.path.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        match (hit.path.starts_with("/from"), hit.nth) {
            (true, 0) if n.is_multiple_of(3) => Answer::status(503).after(LATENCY).behind(&held),
            (true, 0) if n.is_multiple_of(5) => Answer::reset().after(LATENCY).behind(&held),
            (true, _) => Answer::redirect(302, &format!("http://127.0.0.{}:{port}/to{n}", 1 + n % 4))
                .after(LATENCY)
                .behind(&held),
            (false, _) => Answer::title(&hit.path).after(LATENCY),
        }
    });
    let seeds: String =
        (0..180).map(|n| site.url_at(u8::try_from(1 + n % 12).unwrap(), &format!("/from{n}\n"))).collect();
    let limits = ["-c", "20", "--per-host", "3", "--retry-delay", "1ms", "-f", "jsonl"];
    let mut run = scrape(limits).spawn();
    run.write(&seeds);
    site.wait_for(20);
    gate.open();
    let records = run.finish().succeeds().records();
    assert_eq!(records.len(), 180);
    assert!(records.iter().all(|record| record["redirects"].as_array().unwrap().len() == 1));
    assert_eq!(site.most_in_flight(), 20);
    let most: Vec<_> = (1..=12).map(|host| site.most_in_flight_at(host)).collect();
    assert!(most.iter().all(|&most| most <= 3), "{most:?}");
}

#[test]
fn a_host_is_its_name_whatever_the_port() {
    let gate = Gate::shut();
    let held = gate.clone();
    let first = Site::start(move |_| Answer::title("first").behind(&held));
    let second = Site::start(|_| Answer::title("second"));
    let other = Site::with_hosts(2, |_| Answer::title("other"));
    let mut run = scrape(["--per-host", "1", "-f", "jsonl"]).spawn();
    run.write(&format!("{}\n", first.url("/")));
    first.wait_for(1);
    run.write(&format!("{}\n", second.url("/")));
    // Requests at another host, one after the other: time enough for the second site to be asked, were that allowed.
    run.write(&(0..20).map(|n| other.url_at(2, &format!("/{n}\n"))).collect::<String>());
    other.wait_for(20);
    assert!(second.hits().is_empty());
    gate.open();
    run.finish().succeeds();
    assert_eq!(second.hits().len(), 1);
}

#[test]
fn a_slow_host_does_not_delay_others() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::with_hosts(2, move |hit| match hit.host.to_string().as_str() {
        "127.0.0.1" => Answer::title("slow").behind(&held),
        _ => Answer::title("fast"),
    });
    let mut run = scrape(["-f", "jsonl"]).spawn();
    run.write(&(0..200).map(|n| site.url(&format!("/{n}\n"))).collect::<String>());
    run.write(&(0..50).map(|n| site.url_at(2, &format!("/{n}\n"))).collect::<String>());
    for _ in 0..50 {
        assert!(run.line().contains("127.0.0.2"));
    }
    assert_eq!(site.hits().iter().filter(|hit| hit.host.to_string() == "127.0.0.1").count(), 8);
    gate.open();
    assert_eq!(run.finish().succeeds().records().len(), 200);
}

#[test]
fn a_url_that_waits_for_its_retry_occupies_no_slot() {
    let site = Site::with_hosts(2, |hit| match (&*hit.path, hit.nth) {
        ("/busy", 0) => Answer::status(503).header("Retry-After", "1"),
        (path, _) => Answer::title(path),
    });
    let seeds = [site.url("/busy"), site.url_at(2, "/1"), site.url_at(2, "/2"), site.url_at(2, "/3")].join("\n");
    scrape(["-c", "1", "-f", "jsonl"]).stdin(seeds).run().succeeds();
    assert_eq!(site.paths(), ["/busy", "/1", "/2", "/3", "/busy"]);
}

/// Asserts that the n-th request came no earlier than n delays after `start`, and that no two came at once.
fn assert_spaced(hits: &[Hit], start: Instant, delay: Duration) {
    for (n, hit) in hits.iter().enumerate() {
        let earliest = start + delay * u32::try_from(n).unwrap();
        assert!(hit.at >= earliest, "request {n} came {:?} too early", earliest - hit.at);
    }
    for pair in hits.windows(2) {
        // The first of two may have been seen late, but hardly by half the delay.
        assert!(pair[1].at - pair[0].at >= delay / 2, "only {:?} apart", pair[1].at - pair[0].at);
    }
}

#[test]
fn between_starts_on_one_host_the_delay_passes() {
    let site = Site::with_hosts(2, |_| Answer::title("ok"));
    let start = Instant::now();
    scrape(["--delay", "150ms", "-f", "jsonl"]).stdin(list(&site, 2, 4)).run().succeeds();
    for host in ["127.0.0.1", "127.0.0.2"] {
        let hits: Vec<_> = site.hits().into_iter().filter(|hit| hit.host.to_string() == host).collect();
        assert_eq!(hits.len(), 4);
        assert_spaced(&hits, start, Duration::from_millis(150));
    }
}

#[test]
fn the_delay_of_one_host_does_not_delay_another() {
    let site = Site::with_hosts(2, |_| Answer::title("ok"));
    let mut run = scrape(["--delay", "20s", "-f", "jsonl"]).spawn();
    run.write(&format!("{}\n{}\n{}\n", site.url("/1"), site.url("/2"), site.url_at(2, "/3")));
    let lines = [run.line(), run.line()].concat();
    assert!(lines.contains(&site.url("/1")) && lines.contains(&site.url_at(2, "/3")), "{lines}");
    assert_eq!(site.hits().len(), 2);
}

#[test]
fn the_delay_holds_for_redirects_and_retries() {
    let site = Site::start(|hit| match (&*hit.path, hit.nth) {
        ("/a", _) => Answer::redirect(302, "/b"),
        ("/b", 0) => Answer::status(500),
        _ => Answer::title("ok"),
    });
    let start = Instant::now();
    scrape(["--delay", "150ms", "--retry-delay", "1ms", "-f", "jsonl", &site.url("/a")]).run().succeeds();
    assert_eq!(site.paths(), ["/a", "/b", "/b"]);
    assert_spaced(&site.hits(), start, Duration::from_millis(150));
}

#[test]
fn the_rate_holds_over_all_hosts() {
    let site = Site::with_hosts(3, |_| Answer::title("ok"));
    let start = Instant::now();
    scrape(["--rate", "10", "-f", "jsonl"]).stdin(list(&site, 3, 2)).run().succeeds();
    assert_eq!(site.hits().len(), 6);
    assert_spaced(&site.hits(), start, Duration::from_millis(100));
}

#[test]
fn a_host_that_is_asked_too_much_is_asked_for_half_as_much() {
    let gate = Gate::shut();
    let held = gate.clone();
    let burst = Gate::shut();
    let bursting = burst.clone();
    let site = Site::with_hosts(2, move |hit| match (hit.host.to_string().as_str(), hit.nth) {
        ("127.0.0.2", _) => Answer::title("other"),
        (_, 0) => Answer::status(429).behind(&bursting),
        _ => Answer::title("ok").behind(&held),
    });
    let mut run = scrape(["--per-host", "4", "--retry-delay", "1ms", "-f", "jsonl"]).spawn();
    run.write(&(0..4).map(|n| site.url(&format!("/{n}\n"))).collect::<String>());
    site.wait_for(4);
    burst.open();
    site.wait_for(5);
    run.write(&(0..40).map(|n| site.url_at(2, &format!("/{n}\n"))).collect::<String>());
    site.wait_until(|hits| hits.iter().filter(|hit| hit.host.to_string() == "127.0.0.2").count() == 40);
    let again = site.hits().iter().filter(|hit| hit.host.to_string() == "127.0.0.1").count() - 4;
    assert!((1..=2).contains(&again), "{again} requests at one time");
    gate.open();
    assert_eq!(run.finish().succeeds().records().len(), 44);
}

#[test]
fn the_concurrency_is_lowered_to_what_the_open_file_limit_allows() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let run = Scrape::in_shell("ulimit -n 64; exec \"$scrape\" -c 500 --per-host 500 -f jsonl")
        .stdin(list(&site, 1, 200))
        .run()
        .exits(0);
    assert!(run.stderr.starts_with("scrape: ") && run.stderr.contains("500"), "{}", run.stderr);
    assert!(run.records().iter().all(|record| record["error"].is_null()), "{}", run.stdout);
    assert!(site.most_in_flight() < 64);
}

#[test]
fn idle_connections_do_not_use_up_the_open_file_limit() {
    let site = Site::with_hosts(250, |hit| Answer::title(&hit.path));
    let run = Scrape::in_shell("ulimit -n 64; exec \"$scrape\" -f jsonl").stdin(list(&site, 250, 1)).run().exits(0);
    assert_eq!(run.records().len(), 250);
    for record in run.records() {
        let facts = (record["status"].as_u64(), record["error"].is_null(), record["attempts"].as_u64());
        assert_eq!(facts, (Some(200), true, Some(1)), "{record}");
    }
}

#[test]
fn a_slow_host_at_the_start_of_the_list_does_not_take_every_slot() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::with_hosts(21, move |hit| match hit.host.to_string().as_str() {
        "127.0.0.1" => Answer::title("slow").behind(&held),
        _ => Answer::title("fast"),
    });
    let slow = (0..40).map(|n| site.url(&format!("/{n}\n")));
    let fast = (2..=21).map(|host| site.url_at(host, "/\n"));
    let mut run = scrape(["-c", "20", "--per-host", "20", "-f", "jsonl"]).spawn();
    run.write(&slow.chain(fast).collect::<String>());
    for _ in 2..=21 {
        assert!(run.line().contains("fast"));
    }
    gate.open();
    assert_eq!(run.finish().succeeds().records().len(), 40);
}

/// A line that names a page at a port where nobody listens.
fn dead_url(port: u16, n: usize) -> String {
    format!("http://127.0.0.1:{port}/{n}\n")
}

#[test]
fn a_dead_host_is_given_up_and_the_others_do_not_wait_for_it() {
    let site = Site::with_hosts(2, |hit| Answer::title(&hit.path));
    let dead = closed_port();
    let alive = |n: usize| site.url_at(2, &format!("/{n}\n"));
    let list: String = (0..300).flat_map(|n| [dead_url(dead, n), alive(n)]).collect();
    let args = ["--retry-delay", "10ms", "-f", "jsonl", "--progress", "log", "--summary", "totals.json"];
    let run = scrape(args).stdin(list).run().exits(1);
    assert_eq!(site.count(), 300);
    let kinds: Vec<_> = run.records().iter().map(|record| record["error"]["kind"].clone()).collect();
    let count = |kind: Value| kinds.iter().filter(|&one| *one == kind).count();
    let (refused, down) = (count(json!("connect")), count(json!("host_down")));
    assert_eq!((count(Value::Null), refused + down), (300, 300));
    assert!((1..=14).contains(&refused), "{refused} were asked for to their last attempt");
    let totals: Value = serde_json::from_str(&run.file("totals.json")).unwrap();
    assert_eq!(totals["given_up"], json!([{"origin": format!("http://127.0.0.1:{dead}"), "urls": down}]));
    let told = format!("given up  http://127.0.0.1:{dead} after 10 connection failures, {down} URLs");
    assert!(run.stderr.contains(&told), "{}", run.stderr);
}

#[test]
fn urls_of_a_dead_host_are_tried_again_by_a_run_that_resumes() {
    let dead = closed_port();
    let list: String = (0..30).map(|n| dead_url(dead, n)).collect();
    let args = ["--retry-delay", "1ms", "-o", "pages.jsonl", "urls.txt"];
    let first = scrape(args).file("urls.txt", &list).run().exits(4);
    let text = first.file("pages.jsonl");
    assert!(text.lines().filter(|line| line.contains("host_down")).count() >= 16, "{text}");
    let again = scrape(args).args(["--resume", "--summary", "totals.json"]);
    let again = again.file("urls.txt", &list).file("pages.jsonl", &text).run().exits(4);
    let totals: Value = serde_json::from_str(&again.file("totals.json")).unwrap();
    assert_eq!((&totals["targets"], &totals["done_before"]), (&json!(30), &json!(0)));
    assert_eq!(again.file("pages.jsonl").lines().count(), 30);
}

#[test]
fn ctrl_c_ends_what_waits_for_a_dead_host_at_once() {
    let site = Site::with_hosts(2, |hit| Answer::title(&hit.path));
    let dead = closed_port();
    let mut run = scrape(["--retry", "0", "--retry-delay", "50s", "--per-host", "1", "-v", "-f", "jsonl"]).spawn();
    run.write(&(0..50).map(|n| dead_url(dead, n)).collect::<String>());
    for _ in 0..10 {
        assert!(run.line().contains("connect"));
    }
    // What comes after the tenth is parked: this one is asked for behind it.
    run.write(&site.url_at(2, "/\n"));
    assert!(run.line().contains("127.0.0.2"));
    run.signal(Signal::INT);
    assert!(run.ends_within(Duration::from_secs(20)), "it waits for the probe");
    assert_eq!(run.finish().exits(130).records().len(), 0);
}

#[test]
fn a_host_that_throttles_is_named_in_the_summary() {
    let site = Site::start(|hit| match hit.nth {
        0 => Answer::status(429),
        _ => Answer::title("ok"),
    });
    let args = ["--retry-delay", "1ms", "-f", "jsonl", "--progress", "log", "--summary", "totals.json"];
    let run = scrape(args).stdin(list(&site, 1, 12)).run().exits(0);
    let totals: Value = serde_json::from_str(&run.file("totals.json")).unwrap();
    let [slowed] = &totals["slowed"].as_array().unwrap()[..] else { panic!("{totals}") };
    assert_eq!((&slowed["host"], &slowed["by_status"]), (&json!("127.0.0.1"), &json!({"429": 12})));
    let limit = slowed["limit"].as_u64().unwrap();
    assert!((1..=4).contains(&limit), "{limit}");
    let told = format!("slowed  127.0.0.1 (429 ×12, limit {limit})");
    assert!(run.stderr.contains(&told), "{}", run.stderr);
}

#[test]
fn hosts_of_one_domain_share_their_limit_where_that_is_wanted() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    let names = ["a.shop.test", "b.shop.test", "other.test"];
    let resolve = names.iter().flat_map(|name| ["--resolve".to_owned(), site.resolve(name)]);
    let mut run = scrape(["--limit-by", "domain", "--per-host", "2", "-f", "jsonl"]).args(resolve).spawn();
    run.write(&(0..5).flat_map(|n| names.map(|name| site.url_of(name, &format!("/{n}\n")))).collect::<String>());
    site.wait_for(4);
    gate.open();
    assert_eq!(run.finish().succeeds().records().len(), 15);
    let of_shop = |hit: &Hit| hit.header("host").unwrap().contains("shop.test");
    assert_eq!(site.hits()[..4].iter().filter(|&hit| of_shop(hit)).count(), 2, "{:?}", site.paths());
    scrape(["--limit-by", "planet", "http://127.0.0.1:9/"]).run().refused_over("domain");
}

#[test]
fn hosts_at_one_address_share_their_limit_where_that_is_wanted() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::with_hosts(2, move |hit| Answer::title(&hit.path).behind(&held));
    let names = ["one.test", "two.test", "far.test"];
    let at = |name: &str| if name == "far.test" { "127.0.0.2" } else { "127.0.0.1" };
    let resolve = names
        .iter()
        .flat_map(|name| ["--resolve".to_owned(), site.resolve(name).replace("127.0.0.1", at(name))])
        .collect::<Vec<_>>();
    let mut run = scrape(["--limit-by", "ip", "--per-host", "2", "-f", "jsonl"]).args(&resolve).spawn();
    run.write(&(0..5).flat_map(|n| names.map(|name| site.url_of(name, &format!("/{n}\n")))).collect::<String>());
    run.write(&site.url_at(1, "/literal\n"));
    site.wait_for(4);
    gate.open();
    let run = run.finish().succeeds();
    assert!(run.records().iter().all(|record| record["attempts"] == 1) && run.records().len() == 16);
    let first = &site.hits()[..4];
    let near = first.iter().filter(|hit| hit.host.to_string() == "127.0.0.1").count();
    assert_eq!(near, 2, "{:?}", site.paths());
    let mut names: Vec<_> = site.hits().iter().map(|hit| hit.path.clone()).collect();
    names.sort();
    assert_eq!(names.len(), 16, "nothing is asked for twice");
}

#[test]
fn a_name_that_has_no_address_fails_by_itself_and_one_that_is_there_is_not_kept_waiting() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let nowhere = "http://nowhere.invalid/";
    let run = scrape(["--limit-by", "ip", "--retry", "0", "-f", "jsonl", nowhere, &site.url("/a")]).run().exits(1);
    assert_eq!(run.record_of("/a")["status"], 200);
    let failed = run.records().into_iter().find(|record| record["url"] == nowhere).unwrap();
    assert_eq!(failed["error"]["kind"], "dns");
}

#[test]
fn a_crawl_of_hosts_at_one_address_asks_each_for_its_rules_and_ends() {
    let site = Site::start(|hit| {
        let host = hit.header("host").unwrap().to_owned();
        let (name, port) = host.split_once(':').unwrap();
        let other = if name == "one.test" { "two.test" } else { "one.test" };
        match &*hit.path {
            "/robots.txt" => Answer::redirect(302, &format!("http://{other}:{port}/rules")),
            "/rules" => Answer::typed("text/plain", "User-agent: *\nDisallow: /private"),
            "/" => {
                let link = |name: &str, path: &str| format!("<a href=\"http://{name}:{port}{path}\">x</a>");
                Answer::html(
                    [link(name, "/a"), link(other, "/b"), link("new.test", "/c"), link(other, "/private")].concat(),
                )
            }
            _ => Answer::title("leaf"),
        }
    });
    let resolve =
        ["one.test", "two.test", "new.test"].iter().flat_map(|name| ["--resolve".to_owned(), site.resolve(name)]);
    let seeds = ["one.test", "two.test"].map(|name| site.url_of(name, "/"));
    let args = ["--limit-by", "ip", "--per-host", "1", "--depth", "1", "--scope", "any", "-f", "jsonl"];
    let run = scrape(args).args(resolve).args(seeds).run().succeeds();
    let denied = run.records().iter().filter(|record| record["error"]["kind"] == "robots").count();
    assert_eq!((run.records().len(), denied), (9, 2), "{}", run.stdout);
    assert_eq!(site.hits_of("/rules").len(), 3);
}

/// Two runs at once over `pages` pages each of one site, that share their clocks.
fn two_at_once(site: &Site, pages: usize, args: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let clocks = folder.path().join("clocks");
    let runs = ["a", "b"].map(|name| {
        let mut run = scrape(["--shared-politeness", clocks.to_str().unwrap(), "-f", "jsonl"]).args(args).spawn();
        run.write(&(0..pages).map(|n| site.url(&format!("/{name}/{n}\n"))).collect::<String>());
        run
    });
    for run in runs {
        assert_eq!(run.finish().succeeds().records().len(), pages);
    }
}

#[test]
fn two_runs_that_share_their_clocks_keep_the_delay_between_them_and_take_turns() {
    let site = Site::start(|_| Answer::title("ok"));
    let start = Instant::now();
    two_at_once(&site, 6, &["--delay", "200ms"]);
    let hits = site.hits();
    assert_eq!(hits.len(), 12);
    assert_spaced(&hits, start, Duration::from_millis(200));
    // Both went on: neither had all its turns before the other.
    let last_of = |name| hits.iter().rposition(|hit| hit.path.starts_with(name)).unwrap();
    assert!(last_of("/a/").abs_diff(last_of("/b/")) <= 4, "{:?}", site.paths());
}

#[test]
fn what_a_host_asks_one_run_for_the_other_one_grants_it_too() {
    let site = Site::start(|hit| match (&*hit.path, hit.nth) {
        ("/a/0", 0) => Answer::status(429).header("Retry-After", "2"),
        _ => Answer::title("ok"),
    });
    let folder = tempfile::tempdir().unwrap();
    let args = ["-f", "jsonl", "--shared-politeness", folder.path().to_str().unwrap()];
    let mut first = scrape(args).spawn();
    first.write(&site.url("/a/0\n"));
    site.wait_for(1);
    let asked = site.hits()[0].at;
    // The pause is entered when the answer has been taken: the file says so.
    let is_entered = || {
        std::fs::read_dir(folder.path()).unwrap().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.get(..8).is_some_and(|next| {
                let next = u64::from_le_bytes(next.try_into().unwrap());
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
                u128::from(next) > now
            })
        })
    };
    while !is_entered() {
        assert!(asked.elapsed() < Duration::from_secs(2), "it was not entered");
        std::thread::yield_now();
    }
    scrape(args).args([site.url("/b")]).run().succeeds();
    assert!(site.hits_of("/b")[0].at - asked >= Duration::from_millis(1900));
    first.finish().succeeds();
}

#[test]
fn a_folder_for_clocks_that_cannot_be_is_told_before_the_first_request() {
    let site = Site::start(|_| Answer::title("ok"));
    let run = scrape(["--shared-politeness", "taken", &site.url("/")]).file("taken", "").run().exits(5);
    assert!(run.stderr.contains("--shared-politeness"), "{run:?}");
    assert_eq!(site.count(), 0);
}

#[test]
fn sigusr1_asks_how_the_run_and_its_hosts_stand() {
    for (format, expected) in [("text", "  127.0.0.1  8 in flight  4 queued\n"), ("json", "\"in_flight\":8")] {
        let gate = Gate::shut();
        let held = gate.clone();
        let site = Site::start(move |_| Answer::title("ok").behind(&held));
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let script = format!("exec \"$scrape\" -f jsonl --log-format {format} 2> {}", said.display());
        let mut run = Scrape::in_shell(&script).spawn();
        run.write(&list(&site, 1, 12));
        site.wait_for(8);
        run.signal(Signal::USR1);
        let since = Instant::now();
        let told = loop {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut File::open(&said).unwrap(), &mut text).unwrap();
            if text.ends_with('\n') || since.elapsed() > Duration::from_secs(20) {
                break text;
            }
            std::thread::yield_now();
        };
        assert!(told.contains(expected), "{told}");
        if format == "json" {
            let object: Value = serde_json::from_str(&told).unwrap();
            assert_eq!((&object["in_flight"], &object["hosts"][0]["host"]), (&json!(8), &json!("127.0.0.1")));
            assert_eq!((&object["hosts"][0]["queued"], &object["hosts"][0]["state"]), (&json!(4), &Value::Null));
        }
        gate.open();
        assert_eq!(run.finish().exits(0).records().len(), 12);
    }
}

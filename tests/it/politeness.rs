//! How many requests are made at one time, and how soon after one another.

use std::time::{Duration, Instant};

use crate::support::scrape::Scrape;
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

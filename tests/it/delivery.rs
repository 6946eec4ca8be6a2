//! What hears of a run when it has ended: `--notify` and `--webhook`.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::scrape::{Scrape, parse};
use crate::support::site::{PATIENCE, closed_port};
use crate::support::{Answer, Gate, Hit, Site, scrape};

/// Pages, and at `/hook` a receiver whose statuses are these, one after the other, and then 200.
fn site(statuses: &'static [u16]) -> Site {
    Site::start(move |hit| match &*hit.path {
        "/hook" => Answer::status(statuses.get(hit.nth).copied().unwrap_or(200)),
        path => Answer::title(path),
    })
}

fn list(site: &Site, pages: usize) -> String {
    (0..pages).map(|n| site.url(&format!("/{n}\n"))).collect()
}

fn urls(hits: &[Hit]) -> Vec<String> {
    let records = hits.iter().flat_map(|hit| {
        let body: Value = serde_json::from_slice(&hit.body).unwrap();
        assert_eq!(body["v"], 1);
        body["records"].as_array().unwrap().clone()
    });
    let mut urls: Vec<_> = records.map(|record| record["url"].as_str().unwrap().to_owned()).collect();
    urls.sort();
    urls
}

#[test]
fn a_command_gets_the_records_and_the_facts() {
    let site = Site::start(|hit| if hit.path == "/404" { Answer::status(404) } else { Answer::title("t") });
    let command = "cat > told.jsonl; env | grep ^SCRAPE_ | sort > facts; echo said";
    let run = scrape([&site.url("/1"), &site.url("/404"), "--notify", command, "-o", "out.csv"]);
    let run = run.env("SCRAPE_WEBHOOK_SECRET", "sesame").run().exits(1);
    let told = parse(&run.file("told.jsonl"));
    assert_eq!(told.len(), 2);
    assert!(told.iter().any(|record| record["error"]["kind"] == "status"));
    let facts = run.file("facts");
    let bytes = "<!doctype html><title>t</title>".len();
    assert_eq!(
        facts,
        format!(
            "SCRAPE_BYTES={bytes}\nSCRAPE_FAILED=1\nSCRAPE_FETCHED=1\nSCRAPE_RECORDS=1\nSCRAPE_STATUS=1\nSCRAPE_TARGETS=2\n"
        )
    );
    assert!(run.stderr.contains("said\n") && run.stdout.is_empty(), "{run:?}");
}

#[test]
fn there_is_no_command_where_there_is_nothing_to_tell() {
    let site = site(&[]);
    let args = ["urls.txt", "-o", "out.jsonl", "--resume", "--notify", "echo told"];
    let script = "\"$scrape\" \"$@\" 2>first; exec \"$scrape\" \"$@\"";
    let run = Scrape::in_shell(script).args(["sh"]).args(args).file("urls.txt", list(&site, 1)).run();
    assert_eq!(run.file("first"), "told\n");
    run.succeeds();
}

#[test]
fn a_command_that_fails_is_told() {
    let site = site(&[]);
    let run = scrape([&site.url("/"), "--notify", "exit 7"]).run().exits(5);
    assert!(run.stderr.contains("--notify failed: exit status: 7"), "{run:?}");
    assert_eq!(run.stdout.lines().count(), 1);
}

#[test]
fn a_command_that_does_not_read_is_fine() {
    let page = format!("<title>t</title><p>{}", "x".repeat(100_000));
    let site = Site::start(move |_| Answer::html(page.clone()));
    let run = scrape(["-", "-x", "text", "-o", "out.jsonl", "--notify", "exec true"]);
    run.stdin(list(&site, 50)).run().succeeds();
}

#[test]
fn a_command_that_takes_too_long_is_killed_with_all_that_it_started() {
    let site = site(&[]);
    let started = Instant::now();
    // Both of them hold standard error open, which is read to its end.
    let command = "sleep 600 & sleep 600";
    let run = scrape([&site.url("/"), "--notify", command, "--notify-timeout", "100ms"]).run().exits(5);
    assert!(run.stderr.contains("took longer than 0.1 s and was killed"), "{run:?}");
    assert!(started.elapsed() < Duration::from_secs(50));
}

#[test]
fn a_command_may_take_longer_than_what_is_in_flight_at_the_end() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    let run = scrape(["-", "-o", "out.jsonl", "--notify", "read go < go; wc -l > lines"]);
    let go = run.path("go");
    assert!(Command::new("mkfifo").arg(&go).status().unwrap().success());
    let mut run = run.spawn();
    run.write(&site.url("/1\n"));
    site.wait_for(1);
    run.signal(Signal::INT);
    gate.open();
    // What is in flight is given 5 s, and the last records 1 s.
    assert!(!run.ends_within(Duration::from_secs(7)), "it was cut off");
    fs::write(go, "go\n").unwrap();
    let run = run.finish().exits(130);
    assert_eq!(run.file("lines").trim(), "1");
}

#[test]
fn records_are_posted_in_batches_and_nothing_stays() {
    let site = site(&[]);
    let run = scrape(["-", "-o", "out.jsonl", "--webhook", &site.url("/hook")]).stdin(list(&site, 250)).run();
    let run = run.succeeds();
    let hits = site.hits_of("/hook");
    assert_eq!((hits.len(), urls(&hits).len()), (3, 250));
    let mut expected: Vec<_> = list(&site, 250).lines().map(String::from).collect();
    expected.sort();
    assert_eq!(urls(&hits), expected);
    for hit in &hits {
        assert_eq!((hit.method.as_str(), hit.header("content-type")), ("POST", Some("application/json")));
        assert!(hit.header("webhook-signature").is_none(), "there is no secret");
    }
    assert!(!run.path("out.jsonl.outbox").exists());
}

#[test]
fn what_the_receiver_cannot_take_now_is_posted_again_with_the_same_id() {
    let site = site(&[503, 429, 500]);
    let args = ["--webhook", &site.url("/hook"), "--retry", "3", "--retry-delay", "1ms"];
    scrape([&site.url("/1")]).args(args).run().succeeds();
    let hits = site.hits_of("/hook");
    assert_eq!(hits.len(), 4);
    assert!(
        hits.iter().all(|hit| hit.body == hits[0].body && hit.header("webhook-id") == hits[0].header("webhook-id"))
    );
    assert_eq!(hits[0].header("webhook-id").unwrap().len(), 64);
}

/// HMAC as RFC 2104 has it.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |byte: u8| (0..64).map(|n| key.get(n).unwrap_or(&0) ^ byte).collect::<Vec<_>>();
    let inner = digest(&SHA256, &[pad(0x36), text.to_vec()].concat());
    digest(&SHA256, &[&pad(0x5c), inner.as_ref()].concat()).as_ref().to_vec()
}

#[test]
fn what_is_posted_is_signed_and_the_secret_is_shown_to_nobody() {
    let secret = "a secret of my own";
    let encoded = format!("whsec_{}\n", STANDARD.encode(secret));
    let configure: [fn(Scrape, &str, &str) -> Scrape; 3] = [
        |run, _, encoded| run.file("secret", encoded).args(["--webhook-secret", "@secret"]),
        |run, _, encoded| run.env("SCRAPE_WEBHOOK_SECRET", encoded.trim()),
        |run, secret, _| run.env("SCRAPE_WEBHOOK_SECRET", secret),
    ];
    for configure in configure {
        let site = site(&[500]);
        let run = scrape([&site.url("/1"), "--webhook", &site.url("/hook"), "-vv", "--retry-delay", "1ms"]);
        let run = configure(run, secret, &encoded).run().exits(0);
        let hits = site.hits_of("/hook");
        let hit = hits.last().unwrap();
        let (id, time) = (hit.header("webhook-id").unwrap(), hit.header("webhook-timestamp").unwrap());
        let signed = [format!("{id}.{time}.").as_bytes(), &hit.body].concat();
        let signature = format!("v1,{}", STANDARD.encode(hmac(secret.as_bytes(), &signed)));
        assert_eq!(hit.header("webhook-signature"), Some(&*signature));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(time.parse().unwrap()) <= 120, "{time}");
        assert!(!run.stderr.contains(secret) && !run.stderr.contains("whsec_") && !run.stderr.contains(&signature));
        assert!(hits[0].header("webhook-signature").is_some() && site.hits_of("/1")[0].header("webhook-id").is_none());
    }
}

/// The program in a folder that outlives it.
fn scrape_in(folder: &TempDir, args: &[&str]) -> Scrape {
    let script = format!("cd '{}' && exec \"$scrape\" \"$@\"", folder.path().display());
    Scrape::in_shell(&script).args(["sh"]).args(args)
}

#[test]
fn what_could_not_be_delivered_is_kept_and_posted_by_the_next_run() {
    let site = site(&[200, 400, 503]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("urls.txt"), list(&site, 250)).unwrap();
    let (secret, outbox) = (site.url("/hook"), folder.path().join("out.jsonl.outbox"));
    let args = ["urls.txt", "-o", "out.jsonl", "--resume", "--retry", "0", "--webhook", &secret];
    let run = scrape_in(&folder, &args).run().exits(5);
    assert!(run.stderr.contains("took 100 records, but not the next 100 (status: 400)"), "{run:?}");
    assert!(run.stderr.contains("out.jsonl.outbox") && !run.stderr.contains("/hook"), "{run:?}");
    assert_eq!(fs::read_to_string(&outbox).unwrap().lines().count(), 150);
    assert_eq!(urls(&site.hits_of("/hook")[..1]).len(), 100);
    fs::write(folder.path().join("urls.txt"), list(&site, 251)).unwrap();
    let run = scrape_in(&folder, &args).run().exits(5);
    assert!(run.stderr.contains("took 0 records, but not the next 100 (status: 503)"), "{run:?}");
    scrape_in(&folder, &args).run().succeeds();
    assert!(!outbox.exists());
    let hits = site.hits_of("/hook");
    let id = |n: usize| hits[n].header("webhook-id").unwrap();
    assert_eq!((id(1), id(2)), (id(2), id(3)), "the receiver knows it again");
    let taken = [&hits[..1], &hits[3..]].concat();
    let mut expected: Vec<_> = list(&site, 251).lines().map(String::from).collect();
    expected.sort();
    assert_eq!(urls(&taken), expected, "each once");
}

#[test]
fn what_a_killed_run_had_is_delivered_by_the_next_one() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match &*hit.path {
        "/held" => Answer::title("held").behind(&held),
        path => Answer::title(path),
    });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("urls.txt"), list(&site, 20) + &site.url("/held")).unwrap();
    let hook = site.url("/hook");
    let args = ["urls.txt", "-o", "out.jsonl", "--resume", "--webhook", &hook];
    let mut run = scrape_in(&folder, &args).spawn();
    site.wait_for(21);
    run.signal(Signal::KILL);
    assert!(run.ends_within(PATIENCE));
    gate.open();
    scrape_in(&folder, &args).run().succeeds();
    let delivered = urls(&site.hits_of("/hook"));
    let done = parse(&fs::read_to_string(folder.path().join("out.jsonl")).unwrap());
    assert_eq!(done.len(), 21);
    for record in &done {
        assert!(delivered.iter().any(|url| *url == record["url"]), "{} is lost", record["url"]);
    }
}

/// What a question to the state has for an answer.
fn query(folder: &TempDir, sql: &str) -> rusqlite::Result<i64> {
    let connection = Connection::open_with_flags(folder.path().join("s.db"), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.query_row(sql, [], |row| row.get(0))
}

/// How many records wait in the state.
fn waiting(folder: &TempDir) -> i64 {
    query(folder, "SELECT count(*) FROM outbox").unwrap()
}

#[test]
fn with_a_state_what_could_not_be_delivered_is_kept_in_it() {
    let site = site(&[200, 400, 503]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("urls.txt"), list(&site, 250)).unwrap();
    let hook = site.url("/hook");
    let args = ["urls.txt", "--state", "s.db", "--changed", "-o", "out.jsonl", "--retry", "0", "--webhook", &hook];
    let run = scrape_in(&folder, &args).run().exits(5);
    assert!(run.stderr.contains("took 100 records, but not the next 100 (status: 400)"), "{run:?}");
    assert!(run.stderr.contains("are kept in s.db") && !run.stderr.contains("/hook"), "{run:?}");
    assert_eq!(waiting(&folder), 150);
    scrape_in(&folder, &args[..args.len() - 2]).run().succeeds();
    assert_eq!((waiting(&folder), site.hits_of("/hook").len()), (150, 2), "nobody was told, and nothing is forgotten");
    fs::write(folder.path().join("urls.txt"), list(&site, 251)).unwrap();
    scrape_in(&folder, &args).run().exits(5);
    assert_eq!(waiting(&folder), 151);
    scrape_in(&folder, &args).run().succeeds();
    assert_eq!(waiting(&folder), 0);
    let hits = site.hits_of("/hook");
    let id = |n: usize| hits[n].header("webhook-id").unwrap();
    assert_eq!((id(1), id(2)), (id(2), id(3)), "the receiver knows it again");
    let mut expected: Vec<_> = list(&site, 251).lines().map(String::from).collect();
    expected.sort();
    assert_eq!(urls(&[&hits[..1], &hits[3..]].concat()), expected, "each once");
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["out.jsonl", "s.db", "urls.txt"]);
}

#[test]
fn two_runs_do_not_deliver_one_state() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match &*hit.path {
        "/hook" => Answer::status(200).behind(&held),
        path => Answer::title(path),
    });
    let folder = tempfile::tempdir().unwrap();
    let hook = site.url("/hook");
    let args = [&*site.url("/1"), "--state", "s.db", "--webhook", &hook];
    let first = scrape_in(&folder, &args).spawn();
    site.wait_for(2);
    scrape_in(&folder, &args).run().exits(75);
    gate.open();
    assert_eq!(first.finish().code, Some(0));
    assert_eq!((urls(&site.hits_of("/hook")).len(), waiting(&folder)), (1, 0));
}

#[test]
fn what_the_state_knows_of_a_killed_run_is_posted_by_the_next_one() {
    for args in [&["--changed", "-o", "out.jsonl"][..], &["--resume", "-o", "out.jsonl"], &["--changed"]] {
        let gate = Gate::shut();
        let held = gate.clone();
        let site = Site::start(move |hit| match &*hit.path {
            "/held" => Answer::title("held").behind(&held),
            path => Answer::title(path),
        });
        let folder = tempfile::tempdir().unwrap();
        // More than are told to the state at once.
        fs::write(folder.path().join("urls.txt"), list(&site, 300) + &site.url("/held")).unwrap();
        let hook = site.url("/hook");
        let run = || scrape_in(&folder, &[&["urls.txt", "--state", "s.db", "--webhook", &hook], args].concat());
        let mut first = run().spawn();
        let is_known = || query(&folder, "SELECT count(*) FROM pages").is_ok_and(|pages| pages > 0);
        while !is_known() {
            assert!(!first.ends_within(Duration::from_millis(1)), "it waits for one page more");
        }
        first.signal(Signal::KILL);
        assert_eq!(first.finish().code, None);
        assert!(site.hits_of("/hook").is_empty());
        gate.open();
        assert_eq!(run().run().code, Some(0));
        let told = urls(&site.hits_of("/hook"));
        assert!(told.windows(2).all(|pair| pair[0] != pair[1]), "told twice without need: {args:?}");
        assert_eq!((told.len(), waiting(&folder)), (301, 0), "{args:?}");
    }
}

/// Kills a run with these arguments again and again, while it fetches or delivers, until one comes to its end: by then the
/// receiver has been told of each page.
fn kill_and_deliver(args: &[&str], seed: u64) {
    const PAGES: usize = 150;
    const KILLS: usize = 8;
    let mut random = fastrand::Rng::with_seed(seed);
    let (site, folder) = (site(&[]), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("urls.txt"), list(&site, PAGES)).unwrap();
    let hook = site.url("/hook");
    let run = || scrape_in(&folder, &[&["urls.txt", "--state", "s.db", "--webhook", &hook], args].concat());
    let mut killed = 0;
    for _ in 0..KILLS {
        let until = site.count() + random.usize(..PAGES + 8);
        let mut run = run().spawn();
        while site.count() < until && !run.ends_within(Duration::from_micros(200)) {}
        if !run.ends_within(Duration::ZERO) {
            run.signal(Signal::KILL);
            assert_eq!(run.finish().code, None);
            killed += 1;
        }
    }
    assert_eq!(run().run().code, Some(0));
    assert_eq!(waiting(&folder), 0);
    let mut told = urls(&site.hits_of("/hook"));
    told.dedup();
    assert_eq!(told.len(), PAGES, "a change is lost: seed {seed}, {killed} kills");
    assert!(killed > 0, "no run was killed: seed {seed}");
}

#[test]
fn whenever_it_is_killed_each_change_is_posted() {
    kill_and_deliver(&["--changed", "-f", "jsonl"], fastrand::u64(..));
    kill_and_deliver(&["--changed", "-o", "out.jsonl"], fastrand::u64(..));
    kill_and_deliver(&["--resume", "-o", "out.jsonl"], fastrand::u64(..));
}

#[test]
fn a_receiver_that_is_not_there_or_leads_elsewhere_takes_nothing() {
    let site = Site::start(|hit| match &*hit.path {
        "/hook" => Answer::redirect(307, "/elsewhere"),
        path => Answer::title(path),
    });
    let nobody = format!("http://127.0.0.1:{}/secret-path", closed_port());
    for hook in [nobody, site.url("/hook")] {
        let run = scrape([&site.url("/1"), "--webhook", &hook, "--retry", "1", "--retry-delay", "1ms"]).run().exits(5);
        assert_eq!(parse(&run.file("scrape.outbox")).len(), 1);
        assert!(!run.stderr.contains("secret-path") && !run.stderr.contains("/hook"), "{run:?}");
    }
    assert!(site.hits_of("/elsewhere").is_empty());
}

#[test]
fn two_runs_do_not_deliver_one_outbox() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    let folder = tempfile::tempdir().unwrap();
    let hook = site.url("/hook");
    let args = [&*site.url("/1"), "-o", "out.jsonl", "--webhook", &hook];
    let first = scrape_in(&folder, &args).spawn();
    site.wait_for(1);
    let second = scrape_in(&folder, &args).run().exits(75);
    assert!(second.stderr.contains("out.jsonl.outbox"), "{second:?}");
    gate.open();
    first.finish().succeeds();
    assert_eq!(urls(&site.hits_of("/hook")).len(), 1);
}

#[test]
fn what_is_wrong_is_refused_before_the_first_fetch_and_not_quoted() {
    let site = site(&[]);
    let url = site.url("/1");
    let run = scrape([&url, "--webhook", "ftp://me:sesame@a.test/"]).run().refused_over("--webhook");
    assert!(!run.stderr.contains("sesame"), "{run:?}");
    let hook = site.url("/hook");
    scrape([&url, "--webhook", &hook, "--webhook-secret", "@none"]).run().refused_over("none");
    let run = scrape([&url, "--webhook", &hook]).env("SCRAPE_WEBHOOK_SECRET", "whsec_?sesame?").run();
    assert!(!run.refused_over("--webhook-secret").stderr.contains("sesame"));
    for args in [&["--webhook-secret", "sesame"][..], &["--webhook-secret=sesame"], &["--webhook-secret", ""]] {
        let run = scrape([&url, "--webhook", &hook]).args(args).run().refused_over("all users of this machine");
        assert!(!run.stderr.contains("sesame") && run.stderr.contains("@FILE"), "{run:?}");
    }
    for line in ["notify = \"touch bad\"", "webhook = \"http://a.test/\"", "webhook-secret = \"x\""] {
        let run = scrape([&url]).file("scrape.toml", line).run().refused_over(line.split(' ').next().unwrap());
        assert!(!run.path("bad").exists());
    }
    assert!(site.hits().is_empty());
}

//! A list of which one URL in ten is at a hostile server. `cargo bench --bench soak` does the same with a long one.

use std::collections::HashMap;

use serde_json::Value;

use crate::support::scrape::{parse, scrape};

#[path = "../../benches/soak/world.rs"]
mod world;

use world::{MAX_BODY, Manner, World};

#[test]
fn a_world_of_which_a_tenth_is_hostile_gives_one_record_for_each_url_and_the_right_one() {
    const PAGES: usize = 600;
    let world = World::start(12, 1).unwrap();
    let pages = world.pages(PAGES);
    let limits = ["-f", "jsonl", "-c", "64", "-m", "3", "--max-body", MAX_BODY, "--max-memory", "64M"];
    let mut run = scrape(limits).args(["--retry", "1", "--retry-delay", "1ms"]).spawn();
    run.write(&pages.iter().map(|page| page.url.clone() + "\n").collect::<String>());
    let lines: String = (0..PAGES).map(|_| run.line()).collect();
    let peak = run.peak_memory();
    assert!(peak < 128 << 20, "{} MiB", peak >> 20);
    assert_eq!(run.finish().exits(1).stdout, "", "a record too many");

    let records: HashMap<_, _> =
        parse(&lines).into_iter().map(|record| (record["url"].as_str().unwrap().to_owned(), record)).collect();
    assert_eq!(records.len(), PAGES, "a URL has two records, and another one none");
    for page in pages {
        let record = &records[&page.url];
        match page.manner.kind() {
            None => {
                assert_eq!((&record["error"], record["title"].as_str()), (&Value::Null, Some(&*page.path)), "{record}");
            }
            Some(kind) => assert_eq!(record["error"]["kind"], kind, "{:?}: {record}", page.manner),
        }
    }
    assert_eq!(records.values().filter(|record| record["error"].is_null()).count(), PAGES * 9 / 10);
    assert_eq!(Manner::HOSTILE.len() * 5, PAGES / 10, "each manner five times");
}

//! A source of any bytes, as a list, as a table and as JSON Lines.
//!
//! It comes to its end and gives at most one entry a line, in order. The URL of a seed is http or https and has no
//! credentials; what a record shows of any entry is bounded.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use futures::StreamExt;
use futures::executor::block_on;
use libfuzzer_sys::fuzz_target;
use scrape::seeds::{self, Options, Source};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fn check(path: PathBuf, column: Option<&str>, lines: u64) {
    let options = Options { column: column.map(str::to_owned), ..Options::default() };
    let Ok(mut seeds) = seeds::open(vec![Source::File(path)], options) else { return };
    let mut last = 0;
    while let Some(entry) = block_on(seeds.next()) {
        let target = entry.as_ref().map_or_else(|rejected| &rejected.target, |seed| &seed.target);
        match &entry {
            Ok(seed) => {
                assert!(matches!(seed.url.scheme(), "http" | "https") && seed.url.has_host());
                assert!(seed.url.username().is_empty() && seed.url.password().is_none());
                assert!(target.given.len() <= 65_536 + "https://".len());
            }
            Err(rejected) => {
                assert!(target.given.chars().count() <= 2_000 && rejected.reason.len() <= 1_000, "{rejected:?}");
            }
        }
        assert!(last < target.at.line);
        last = target.at.line;
        assert!(last <= lines);
    }
}

fuzz_target!(|data: &[u8]| {
    let lines = data.split(|byte| b"\r\n".contains(byte)).count() as u64;
    for (name, column) in [("list", None), ("table.csv", Some("url")), ("table.jsonl", Some("url"))] {
        let path = FOLDER.path().join(name);
        fs::write(&path, data).expect("a file");
        check(path, column, lines);
    }
});

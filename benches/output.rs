//! What a record costs in each format: a page without fields, and one with a hundred links.

use std::hint::black_box;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use criterion::{Criterion, Throughput};
use jiff::Timestamp;
use scrape::job::{End, Facts, HostHint, Location, Outcome, Target, Trail};
use scrape::sink::{Format, Lines, Options};
use scrape::value::{Row, Table, Value};
use url::Url;

/// Records between two moments in which nothing waits.
const BATCH: u64 = 64;

fn page(id: u64, values: Vec<Value<'static>>) -> Outcome {
    let given = format!("https://www.example.com/catalogue/2026/item-{id}.html");
    let mut trail = Trail::new(Url::parse(&given).expect("a URL"), None);
    trail.spent = Duration::from_millis(87);
    let facts = Facts {
        status: 200,
        content_type: Some("text/html; charset=utf-8".into()),
        charset: Some("UTF-8"),
        length: Some(27_113),
        bytes: Some(27_402),
        title: Some("Item – the “Example” catalogue of 2026".into()),
        signature: None,
        links_found: None,
        fragments: None,
        recipe: None,
        validators: None,
    };
    let at = Location { file: Some("urls.txt".into()), line: id + 1 };
    Outcome {
        target: Target { id, given: given.into(), at, input: None },
        trail: Some(trail),
        fetched_at: Some(Timestamp::UNIX_EPOCH),
        facts: Some(facts),
        end: End::Done { rows: vec![Row(values)], failure: None },
        links: Vec::new(),
        hint: HostHint::default(),
        exchange: None,
        listing: None,
        mention: None,
    }
}

/// A hundred links, as `-x links` gives them.
fn links() -> Value<'static> {
    let mut links = Table::new(&["url", "text", "rel", "nofollow"], 100);
    for n in 0..100 {
        links.push_text(Some(&format!("https://www.example.com/catalogue/2026/section-{n}/index.html")));
        links.push_text(Some(&format!("Section {n}: what else there is")));
        links.push_text(None);
        links.push_bool(false);
    }
    Value::Table(links)
}

/// Throws away what it counts.
#[derive(Clone, Default)]
struct Count(Arc<AtomicU64>);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let small: Vec<_> = (0..BATCH).map(|id| page(id, Vec::new())).collect();
    let large: Vec<_> = (0..BATCH).map(|id| page(id, vec![links()])).collect();
    for (rows, pages, fields) in [("small", small, Vec::new()), ("links", large, vec!["links".into()])] {
        for format in Format::ALL {
            let written = Count::default();
            let options = Options { fields: fields.clone().into(), ..Options::default() };
            let mut sink = format.sink(Lines::new("nowhere", written.clone()), &options);
            let mut write = || {
                pages.iter().try_for_each(|page| sink.accept(black_box(page))).expect("written");
                sink.idle().expect("written");
            };
            write(); // a header, if there is one
            let before = written.0.load(Ordering::Relaxed);
            write();
            let bytes = written.0.load(Ordering::Relaxed) - before;
            let mut group = criterion.benchmark_group(format!("{format}, {rows}"));
            for (unit, throughput) in [("records", Throughput::Elements(BATCH)), ("bytes", Throughput::Bytes(bytes))] {
                group.throughput(throughput).bench_function(unit, |bencher| bencher.iter(&mut write));
            }
            group.finish();
        }
    }
    criterion.final_summary();
}

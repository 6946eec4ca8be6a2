//! What the page of a report shows, as words and lengths.

use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Serialize;

use super::changes::{Changed, Changes};
use super::chart::{Chart, Column};
use super::hosts::Host;
use super::sample::Row;
use super::site::{self, Broken, DEEPEST, Listing, Moved, Site};
use super::statistics::{ROWS, Statistics, Totals};
use super::timeline::{Part, Timeline};
use crate::histogram::{self, Histogram};
use crate::sink::expect::{Fill, percentage};
use crate::sink::{cut, grouped, human_duration, human_latency, human_size, rate};

/// The columns of a field's name that are shown.
const COLUMNS: usize = 80;

/// All of it.
#[derive(Serialize)]
pub(super) struct View {
    heading: String,
    /// From when to when.
    period: Option<[String; 2]>,
    /// In how many parts, where there are several.
    parts: Option<String>,
    tiles: Vec<Tile>,
    breakdown: Breakdown,
    latency: Option<Latency>,
    throughput: Option<Throughput>,
    hosts: Vec<HostLine>,
    other_hosts: Option<HostLine>,
    site: Option<SiteMap>,
    slowest: Vec<Line>,
    largest: Vec<Line>,
    changes: Option<ChangesView>,
    pages: Pages,
}

/// A number, and what it is.
#[derive(Serialize)]
struct Tile {
    label: &'static str,
    value: String,
    note: String,
    is_bad: bool,
}

#[derive(Serialize)]
struct Breakdown {
    statuses: Vec<Share>,
    kinds: Vec<Failures>,
    fields: Vec<Share>,
}

/// A part of all.
#[derive(Serialize)]
struct Share {
    name: String,
    count: String,
    percent: String,
    /// In percent, of a bar.
    length: f64,
    is_bad: bool,
}

/// Failures of a kind, with one of them.
#[derive(Serialize)]
struct Failures {
    share: Share,
    first: Line,
}

#[derive(Serialize)]
struct Latency {
    answers: String,
    percentiles: Vec<(String, String)>,
    chart: Chart,
}

#[derive(Serialize)]
struct Throughput {
    width: String,
    has_failures: bool,
    chart: Chart,
}

#[derive(Serialize)]
struct HostLine {
    name: String,
    pages: String,
    failed: String,
    has_failed: bool,
    p50: String,
    p95: String,
    throttled: String,
    was_throttled: bool,
    given_up: String,
    was_given_up: bool,
}

/// What a crawl tells of a site.
#[derive(Serialize)]
struct SiteMap {
    depths: Vec<Share>,
    broken: Table<[Line; 2]>,
    moved: Table<[Line; 2]>,
    orphans: Table<Line>,
}

/// Lines, and how many there are.
#[derive(Serialize)]
struct Table<T> {
    rows: Vec<T>,
    /// Both in words, where not all are shown.
    shown: Option<[String; 2]>,
}

/// A page in a table.
#[derive(Serialize)]
struct Line {
    link: Option<Box<str>>,
    url: Box<str>,
    title: Option<Box<str>>,
    /// Its status, its kind of failure, or both.
    outcome: String,
    is_bad: bool,
    message: Option<Box<str>>,
    millis: String,
    bytes: String,
    attempts: String,
}

#[derive(Serialize)]
struct Pages {
    rows: Vec<Line>,
    shown: String,
    /// How many there are, where not all are shown.
    drawn_from: Option<String>,
}

/// What changed.
#[derive(Serialize)]
struct ChangesView {
    counts: Vec<(&'static str, String)>,
    rows: Vec<ChangeLine>,
    /// How many pages there are of which these are the first.
    first_of: Option<String>,
}

/// A page that changed.
#[derive(Serialize)]
struct ChangeLine {
    change: &'static str,
    page: Line,
    /// Field, old and new value.
    differences: Vec<(Box<str>, Box<str>, Box<str>)>,
    /// What is left out of these.
    more: Option<String>,
}

impl View {
    pub(super) fn of(statistics: &Statistics) -> Self {
        let totals = &statistics.totals;
        let (known, others) = statistics.hosts.ranked();
        let rows: Vec<_> = statistics.sample.rows().into_iter().map(Line::of).collect();
        let seen = statistics.sample.seen();
        Self {
            heading: counted(totals.pages, "page"),
            period: totals.times.map(|(first, last)| [first, last].map(|at| at.strftime("%F %T").to_string())),
            parts: (totals.resumed > 0).then(|| grouped(totals.resumed + 1)),
            tiles: tiles(totals, &statistics.latency),
            breakdown: Breakdown::of(statistics),
            latency: (statistics.latency.count() > 0).then(|| Latency::of(&statistics.latency)),
            throughput: totals.times.map(|times| Throughput::of(&statistics.timeline, times)),
            hosts: known.into_iter().map(|(name, host)| HostLine::of(name, host)).collect(),
            other_hosts: others.map(|host| HostLine::of("all others", &host)),
            site: statistics.site.is_known().then(|| SiteMap::of(&statistics.site, totals.pages)),
            slowest: statistics.slowest.rows().map(Line::of).collect(),
            largest: statistics.largest.rows().map(Line::of).collect(),
            changes: ChangesView::of(&statistics.changes),
            pages: Pages {
                shown: grouped(rows.len() as u64),
                rows,
                drawn_from: (seen > ROWS as u64).then(|| grouped(seen)),
            },
        }
    }
}

fn tiles(totals: &Totals, latency: &Histogram) -> Vec<Tile> {
    let tile = |label, value, note| Tile { label, value, note, is_bad: false };
    let (pages, failed) = (totals.pages, totals.failed());
    let mut tiles = vec![
        tile(
            "Fetched",
            grouped(totals.fetched),
            format!("{} of {}", percentage(totals.fetched, pages), counted(pages, "page")),
        ),
        Tile { is_bad: failed > 0, ..tile("Failed", grouped(failed), percentage(failed, pages)) },
    ];
    if let (Some(p50), Some(p95)) = (latency.percentile(50), latency.percentile(95)) {
        tiles.push(tile("Median time", human_latency(p50), format!("95% within {}", human_latency(p95))));
    }
    if let Some((first, last)) = totals.times {
        let elapsed = last.duration_since(first).unsigned_abs();
        let note = if elapsed.is_zero() { String::new() } else { rate(pages, elapsed) };
        tiles.push(tile("Duration", human_duration(elapsed), note));
    }
    tiles.push(tile("Data", human_size(totals.bytes), "codings undone".into()));
    tiles.push(tile("Tried again", grouped(totals.retried), percentage(totals.retried, pages)));
    tiles
}

impl Breakdown {
    fn of(statistics: &Statistics) -> Self {
        let pages = statistics.totals.pages;
        let mut statuses: Vec<_> = statistics.by_status.iter().collect();
        statuses.sort_by_key(|&(_, count)| std::cmp::Reverse(*count));
        let name = |status: u16| match StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
            Some(reason) => format!("{status} {reason}"),
            None => status.to_string(),
        };
        let statuses =
            statuses.into_iter().map(|(&status, &count)| Share::of(name(status), count, pages, status >= 400));
        let mut kinds: Vec<_> = statistics.by_kind.iter().collect();
        kinds.sort_by_key(|(_, failed)| std::cmp::Reverse(failed.count));
        let kinds = kinds.into_iter().map(|(kind, failed)| Failures {
            share: Share::of(cut(kind, COLUMNS), failed.count, pages, true),
            first: Line::of(&failed.first),
        });
        let field = |fill: &Fill| Share::of(cut(&fill.field, COLUMNS), fill.filled, fill.records, false);
        Self {
            statuses: statuses.collect(),
            kinds: kinds.collect(),
            fields: statistics.fills.iter().map(field).collect(),
        }
    }
}

impl Share {
    #[expect(clippy::cast_precision_loss, reason = "it is the length of a bar")]
    fn of(name: String, count: u64, all: u64, is_bad: bool) -> Self {
        let length = (1000.0 * count as f64 / all.max(1) as f64).round() / 10.0;
        Self { name, count: grouped(count), percent: percentage(count, all), length, is_bad }
    }
}

impl ChangesView {
    /// None where nothing changed, or nobody asked.
    fn of(changes: &Changes) -> Option<Self> {
        let all: u64 = changes.counts.values().sum();
        let line = |changed: &Changed| ChangeLine {
            change: changed.change.name(),
            page: Line::of(&changed.row),
            differences: changed
                .differences
                .iter()
                .map(|it| (it.field.clone(), it.old.clone(), it.new.clone()))
                .collect(),
            more: (changed.more > 0).then(|| counted(changed.more as u64, "more field")),
        };
        let is_cut = all > changes.rows.len() as u64;
        (all > 0).then(|| Self {
            counts: changes.counts.iter().map(|(change, &count)| (change.name(), grouped(count))).collect(),
            rows: changes.rows.iter().map(line).collect(),
            first_of: is_cut.then(|| grouped(all)),
        })
    }
}

impl Latency {
    fn of(latency: &Histogram) -> Self {
        let percentiles = [50, 75, 90, 95, 99].map(|percent| (format!("{percent}%"), latency.percentile(percent)));
        let percentiles = percentiles.into_iter().chain([("all".into(), latency.max())]);
        let percentiles: Vec<_> = percentiles.filter_map(|(name, time)| Some((name, human_latency(time?)))).collect();
        let bars = latency.bars();
        let edges = bars.iter().map(|bar| bar.from).chain(bars.last().map(|bar| bar.to)).map(human_latency);
        let edges: Vec<_> = edges.collect();
        let words = percentiles.iter().map(|(part, time)| format!("{part} within {time}")).collect::<Vec<_>>();
        let summary = format!("How many answers took how long: {}.", words.join(", "));
        let chart = Chart::new(bars.iter().map(column_of_bar).collect(), &edges, summary);
        Self { answers: counted(latency.count(), "answer"), percentiles, chart }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is the height of a bar")]
fn column_of_bar(bar: &histogram::Bar) -> Column {
    let span = format!("{} to {}", human_latency(bar.from), human_latency(bar.to));
    Column { values: [bar.count as f64, 0.0], text: format!("{span}: {}", counted(bar.count, "page")) }
}

impl Throughput {
    fn of(timeline: &Timeline, (first, last): (Timestamp, Timestamp)) -> Self {
        let (parts, width) = (timeline.parts(), timeline.width());
        let is_short = last.duration_since(first).as_hours() < 24;
        let time = |at: Timestamp| at.strftime(if is_short { "%T" } else { "%F %H:%M" }).to_string();
        let peak = parts.iter().map(|part| part.pages()).max().unwrap_or(0);
        let summary =
            format!("Pages a second from {} to {}: {} at most.", time(first), time(last), per_second(peak, width));
        let has_failures = parts.iter().any(|part| part.failed > 0);
        let columns = parts.iter().map(|part| column_of_part(*part, width)).collect();
        let chart = Chart::new(columns, &[time(first), time(last)], summary);
        Self { width: format!("{width}"), has_failures, chart }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is the height of a bar")]
fn column_of_part(part: Part, width: f64) -> Column {
    let values = [part.fetched, part.failed].map(|count| count as f64 / width);
    let failed = if part.failed > 0 { format!(", {} failed", grouped(part.failed)) } else { String::new() };
    Column { values, text: format!("{}{failed}", counted(part.pages(), "page")) }
}

fn per_second(count: u64, width: f64) -> String {
    rate(count, std::time::Duration::from_secs_f64(width))
}

impl HostLine {
    fn of(name: &str, host: &Host) -> Self {
        let millis = |percent| host.latency.percentile(percent).map(grouped_millis).unwrap_or_default();
        Self {
            name: cut(name, COLUMNS),
            pages: grouped(host.pages),
            failed: grouped(host.failed),
            has_failed: host.failed > 0,
            p50: millis(50),
            p95: millis(95),
            throttled: grouped(host.throttled),
            was_throttled: host.throttled > 0,
            given_up: grouped(host.given_up),
            was_given_up: host.given_up > 0,
        }
    }
}

impl SiteMap {
    fn of(site: &Site, pages: u64) -> Self {
        let depth = |(depth, &count): (usize, &u64)| {
            let name = if depth > DEEPEST { format!("{} and more", DEEPEST + 1) } else { depth.to_string() };
            Share::of(name, count, pages, false)
        };
        Self {
            depths: site.depths.iter().enumerate().map(depth).collect(),
            broken: Table::of(&site.broken, |Broken { page, referrer }| [page, referrer].map(Line::of)),
            moved: Table::of(&site.moved, |Moved { from, to }| [from, to].map(Line::of)),
            orphans: Table::of(&site.orphans(), |row| Line::of(row)),
        }
    }
}

impl<T> Table<T> {
    fn of<R>(listing: &Listing<R>, line: impl Fn(&R) -> T) -> Self {
        let shown =
            (listing.count > site::ROWS as u64).then(|| [listing.rows.len() as u64, listing.count].map(grouped));
        Self { rows: listing.rows.iter().map(line).collect(), shown }
    }
}

fn grouped_millis(time: std::time::Duration) -> String {
    let millis = (time.as_micros() + 500) / 1000;
    grouped(u64::try_from(millis).unwrap_or(u64::MAX))
}

impl Line {
    fn of(row: &Row) -> Self {
        let status = row.status.map(|status| status.to_string());
        // That a status is no success, it says itself.
        let kind = row.kind.as_deref().filter(|kind| *kind != "status" || status.is_none());
        let outcome = status.into_iter().chain(kind.map(String::from)).collect::<Vec<_>>().join(" ");
        Self {
            link: row.link.clone(),
            url: row.url.clone(),
            title: row.title.clone(),
            outcome,
            is_bad: row.kind.is_some(),
            message: row.message.clone(),
            millis: row.millis.map(grouped).unwrap_or_default(),
            bytes: row.bytes.map(grouped).unwrap_or_default(),
            attempts: grouped(row.attempts),
        }
    }
}

/// A number of things.
fn counted(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(count), if count == 1 { "" } else { "s" })
}

//! The end of a run in words.

use std::cmp::Reverse;
use std::fmt::Display;

use super::{Conclusion, Crawled, Ending};
use crate::frontier::{GivenUp, Slowed};
use crate::histogram::Histogram;
use crate::job::Summary;
use crate::sink::expect::Fill;
use crate::sink::{Tally, grouped, human_duration, human_latency, human_size, neutralise, rate};

/// How many fields a person is told the fill rates of.
const FIELDS: usize = 8;

/// How many hosts a person is told of that were in trouble.
const HOSTS: usize = 5;

/// The heights of a bar, in a terminal that knows Unicode and in one that does not.
const HEIGHTS: [[char; 5]; 2] = [['▁', '▂', '▃', '▅', '▇'], ['.', ':', '-', '=', '#']];

/// How many traps a person is told.
const TRAPS: usize = 5;

/// The lines at the end of a run in a terminal, which may know Unicode.
pub(in crate::cli) fn lines(conclusion: &Conclusion, is_utf8: bool) -> String {
    let summary = &conclusion.totals;
    let Summary { targets, fetched, cached, duplicates, done_before, bytes, elapsed, .. } = *summary;
    let mut totals = vec![
        format!("{} of {} fetched in {}", grouped(fetched), grouped(targets), human_duration(elapsed)),
        rate(targets, elapsed),
        human_size(bytes),
    ];
    if cached > 0 {
        totals.push(format!("{} from the cache", grouped(cached)));
    }
    if duplicates > 0 {
        totals.push(format!("{} named again", grouped(duplicates)));
    }
    if done_before > 0 {
        totals.push(format!("{} done before", grouped(done_before)));
    }
    let mut lines = vec![totals.join("  ")];
    if !summary.by_status.is_empty() {
        lines.push(format!("  status  {}", counts(summary.by_status.iter())));
    }
    if !summary.by_kind.is_empty() {
        lines.push(format!("  failed  {}", counts(summary.by_kind.iter())));
    }
    if let Some(changes) = &conclusion.changes {
        let told = if conclusion.has_changes() { counts(changes.iter()) } else { "none".into() };
        lines.push(format!("  changes {told}"));
    }
    if !conclusion.slowed.is_empty() {
        lines.push(format!("  slowed  {}", some(&conclusion.slowed, slowed)));
    }
    if !conclusion.given_up.is_empty() {
        lines.push(format!("  given up  {}", some(&conclusion.given_up, given_up)));
    }
    lines.extend(latency(&summary.latency, is_utf8).map(|latency| format!("  took    {latency}")));
    if summary.left_out + summary.cut > 0 {
        lines.push(format!("  omitted  {}", omitted(summary)));
    }
    lines.extend(conclusion.crawl.lines(summary));
    match summary.sitemaps_failed {
        0 => {}
        1 => lines.push("  listed   1 sitemap could not be read".into()),
        count => lines.push(format!("  listed   {} sitemaps could not be read", grouped(count))),
    }
    if let Some(end) = conclusion.ended_by.and_then(Ending::of_limit) {
        lines.push(format!("  ended   by {end}"));
    }
    if conclusion.records > 0 && !conclusion.fills.is_empty() {
        lines.push(format!("  filled  {}", fills(&conclusion.fills)));
    }
    lines.join("\n")
}

/// One line for a log or a mail, where something failed.
pub(in crate::cli) fn complaint(summary: &Summary) -> String {
    let (failed, all) = (grouped(summary.failed()), grouped(summary.targets));
    format!("{failed} of {all} failed: {}", counts(summary.by_kind.iter()))
}

/// What came of checking links, in a line.
pub(in crate::cli) fn links(tally: &Tally) -> String {
    let checked = tally.checked();
    let links = format!("{} link{} checked", grouped(checked), if checked == 1 { "" } else { "s" });
    let broken = match tally.broken() {
        0 => ", none broken".into(),
        broken => format!(": {} broken", grouped(broken)),
    };
    let unknown = match tally.unknown() {
        0 => String::new(),
        unknown => format!("; {} not asked for, as robots.txt forbids it or the run ended", grouped(unknown)),
    };
    links + &broken + &unknown
}

impl Crawled {
    /// The lines for a person.
    fn lines(&self, totals: &Summary) -> Vec<String> {
        let mut lines = Vec::new();
        if self.is_one {
            let seeds = totals.targets - totals.discovered;
            let elsewhere = (self.elsewhere > 0).then(|| format!("{} redirected elsewhere", grouped(self.elsewhere)));
            let found = format!("{} found from {} given", grouped(totals.discovered), grouped(seeds));
            lines.push(format!("  crawl   {}", [found].into_iter().chain(elsewhere).collect::<Vec<_>>().join("  ")));
        }
        for trap in self.trapped.iter().take(TRAPS) {
            let (count, place) = (grouped(trap.count), neutralise(&trap.pattern));
            let place = if place.is_empty() { "in many places".into() } else { format!("under {place}") };
            lines.push(format!("  trapped  {count} URLs {place}: {} (--allow-traps)", trap.kind.words()));
        }
        let rest: u64 = self.trapped.iter().skip(TRAPS).map(|trap| trap.count).sum();
        if rest > 0 {
            lines.push(format!("  trapped  {} URLs elsewhere (--allow-traps)", grouped(rest)));
        }
        if self.beyond_host > 0 {
            lines.push(format!("  omitted  {} links by --max-per-host", grouped(self.beyond_host)));
        }
        lines.extend(self.checked.iter().map(|tally| format!("  links   {}", links(tally))));
        if self.ignores_robots {
            lines.push("  robots.txt was ignored".into());
        }
        lines
    }
}

/// The first of several, and how many more there are.
fn some<T>(all: &[T], told: fn(&T) -> String) -> String {
    let more = all.len().saturating_sub(HOSTS);
    let rest = (more > 0).then(|| format!("and {} more", grouped(more as u64)));
    all.iter().take(HOSTS).map(told).chain(rest).collect::<Vec<_>>().join("  ")
}

/// Why a host was asked for less, and for how little at least.
fn slowed(host: &Slowed) -> String {
    let statuses = host.by_status.iter().map(|(status, &count)| (status.to_string(), count));
    let others = [("timeout", host.timeouts), ("slow", host.slow)].map(|(name, count)| (name.to_owned(), count));
    let whys = statuses.chain(others).filter(|&(_, count)| count > 0);
    let whys = whys.map(|(name, count)| format!("{name} ×{}", grouped(count))).collect::<Vec<_>>().join(", ");
    format!("{} ({whys}, limit {})", neutralise(&host.host), host.limit)
}

/// Why a host was not asked any more, and what that cost.
fn given_up(host: &GivenUp) -> String {
    let urls = if host.urls == 1 { "1 URL".into() } else { format!("{} URLs", grouped(host.urls)) };
    format!("{} after {} connection failures, {urls}", neutralise(&host.origin), GivenUp::FAILURES)
}

/// How long answers took, and how many took how long; none where that is the time of the whole run.
fn latency(latency: &Histogram, is_utf8: bool) -> Option<String> {
    let [p50, p95] = [50, 95].map(|percent| latency.percentile(percent).map(human_latency));
    let told = format!("p50 {}  p95 {}  max {}", p50?, p95?, human_latency(latency.max()?));
    (latency.count() > 1).then(|| format!("{}  {told}", skyline(latency, is_utf8)))
}

/// A bar for each part of the times, the parts of equal width on a logarithmic scale.
fn skyline(latency: &Histogram, is_utf8: bool) -> String {
    let heights = HEIGHTS[usize::from(!is_utf8)];
    let bars = latency.bars();
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let height = |count: u64| match usize::try_from(u128::from(count) * heights.len() as u128 / u128::from(most)) {
        _ if count == 0 => ' ',
        Ok(height) => heights[height.min(heights.len() - 1)],
        Err(_) => heights[0],
    };
    bars.into_iter().map(|bar| height(bar.count)).collect()
}

/// What recipes leave out, and where they go no further.
fn omitted(summary: &Summary) -> String {
    let told = |count: u64, one: &str, several: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{} {several}", grouped(count))),
    };
    let items = told(summary.left_out, "item without what is required", "items without what is required");
    let lists = told(summary.cut, "list cut at its limit of pages", "lists cut at their limit of pages");
    items.into_iter().chain(lists).collect::<Vec<_>>().join(", ")
}

/// Each field with its fill rate, the worst first.
fn fills(fills: &[Fill]) -> String {
    let mut fills: Vec<_> = fills.iter().collect();
    fills.sort_by_key(|fill| fill.filled);
    let more = fills.len().saturating_sub(FIELDS);
    let shown = fills.iter().take(FIELDS).map(|fill| format!("{} {}", neutralise(&fill.field), fill.percentage()));
    let rest = (more > 0).then(|| format!("and {more} more"));
    shown.chain(rest).collect::<Vec<_>>().join("  ")
}

/// Each name with its count, the most frequent first.
fn counts<'a, N: Display + 'a>(counts: impl Iterator<Item = (N, &'a u64)>) -> String {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by_key(|&(_, count)| Reverse(*count));
    counts.into_iter().map(|(name, &count)| format!("{name} ×{}", grouped(count))).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use crate::frontier::Limit;
    use crate::store::Change;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn conclusion(fills: &[(&str, u64)]) -> Conclusion {
        let totals = Summary {
            targets: 1003,
            discovered: 0,
            discovered_failed: 0,
            fetched: 1000,
            cached: 0,
            duplicates: 2,
            left_out: 0,
            cut: 0,
            sitemaps_failed: 0,
            done_before: 0,
            by_status: [(404, 1), (200, 1000)].into(),
            by_kind: [(Kind::Timeout, 2), (Kind::Status, 1)].into(),
            bytes: 12_300_000,
            latency: Histogram::default(),
            elapsed: Duration::from_millis(2100),
        };
        let fills = fills.iter().map(|&(field, filled)| Fill { field: field.into(), filled, records: 1000 });
        Conclusion {
            totals,
            records: 1000,
            fills: fills.collect(),
            verdicts: Vec::new(),
            changes: None,
            ended_by: None,
            crawl: Crawled::default(),
            slowed: Vec::new(),
            given_up: Vec::new(),
        }
    }

    #[test]
    fn the_most_frequent_comes_first() {
        let conclusion = conclusion(&[]);
        insta::assert_snapshot!(lines(&conclusion, true), @"
        1,000 of 1,003 fetched in 2.1 s  478/s  12.3 MB  2 named again
          status  200 ×1,000  404 ×1
          failed  timeout ×2  status ×1
        ");
        insta::assert_snapshot!(complaint(&conclusion.totals), @"3 of 1,003 failed: timeout ×2  status ×1");
    }

    #[test]
    fn sitemaps_that_failed_are_counted() {
        let mut conclusion = conclusion(&[]);
        assert!(!lines(&conclusion, true).contains("sitemap"));
        conclusion.totals.sitemaps_failed = 1200;
        assert!(lines(&conclusion, true).ends_with("\n  listed   1,200 sitemaps could not be read"));
    }

    #[test]
    fn what_is_left_out_is_told_shortly() {
        let of = |left_out, cut| omitted(&Summary { cut, left_out, ..Summary::default() });
        assert_eq!(of(1200, 1), "1,200 items without what is required, 1 list cut at its limit of pages");
        assert_eq!(
            (&*of(1, 0), &*of(0, 2)),
            ("1 item without what is required", "2 lists cut at their limit of pages")
        );
        let mut conclusion = conclusion(&[]);
        assert!(!lines(&conclusion, true).contains("omitted"));
        conclusion.totals.left_out = 3;
        assert!(lines(&conclusion, true).ends_with("\n  omitted  3 items without what is required"));
    }

    #[test]
    fn the_times_of_answers_are_drawn_and_told() {
        let mut conclusion = conclusion(&[]);
        let latency = &mut conclusion.totals.latency;
        latency.record(Duration::from_micros(1_200));
        assert!(!lines(&conclusion, true).contains("took"), "one answer took as long as the run");
        let latency = &mut conclusion.totals.latency;
        (10..60).for_each(|millis| latency.record(Duration::from_millis(millis)));
        latency.record(Duration::from_millis(1_234));
        let drawn = |is_utf8| lines(&conclusion, is_utf8).lines().nth(3).unwrap_or_default().to_owned();
        insta::assert_snapshot!(drawn(true), @"  took    ▁     ▃▃▅▇▇       ▁  p50 34 ms  p95 58 ms  max 1.2 s");
        insta::assert_snapshot!(drawn(false), @"  took    .     --=##       .  p50 34 ms  p95 58 ms  max 1.2 s");
    }

    #[test]
    fn what_was_done_before_and_what_ended_the_run_are_told() {
        let mut conclusion = conclusion(&[]);
        conclusion.totals.done_before = 4000;
        conclusion.ended_by = Some(Ending::Limit(Limit::Pages));
        insta::assert_snapshot!(lines(&conclusion, true), @"
        1,000 of 1,003 fetched in 2.1 s  478/s  12.3 MB  2 named again  4,000 done before
          status  200 ×1,000  404 ×1
          failed  timeout ×2  status ×1
          ended   by --max-pages
        ");
        conclusion.ended_by = Some(Ending::Signal);
        assert!(!lines(&conclusion, true).contains("ended"), "who sent it knows");
    }

    #[test]
    fn changes_are_told_where_they_were_asked_for() {
        let mut conclusion = conclusion(&[]);
        let told = |conclusion: &Conclusion| lines(conclusion, true).lines().nth(3).map(String::from);
        assert_eq!(told(&conclusion), None);
        conclusion.changes = Some(BTreeMap::new());
        assert_eq!(told(&conclusion).as_deref(), Some("  changes none"));
        conclusion.changes = Some([(Change::New, 2), (Change::Gone, 1200)].into());
        assert_eq!(told(&conclusion).as_deref(), Some("  changes gone ×1,200  new ×2"));
    }

    #[test]
    fn the_emptiest_field_comes_first_and_full_ones_give_way() {
        let last = |fills: &[_]| lines(&conclusion(fills), true).lines().last().unwrap_or_default().to_owned();
        assert_eq!(
            last(&[("name", 1000), ("price", 913), ("sku", 999)]),
            "  filled  price 91.3%  sku 99.9%  name 100%"
        );
        let many: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(|name| (name, 1000)).into();
        assert!(last(&many).ends_with("h 100%  and 2 more"), "{}", last(&many));
    }
}

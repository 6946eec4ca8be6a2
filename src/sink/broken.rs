//! Links that lead nowhere, for a run that checks links.
//!
//! What was decided:
//! - A link is broken if nobody answers as should be. What robots.txt forbids, and what was not waited for, is not known, and so is
//!   not broken; a page that lacks what a recipe requires is there. A place that its page has not is a broken link.
//! - A person is told page by page, all links of each; a program gets the usual records, one for each broken link, as soon as it is
//!   known, with the first page that has it as its `referrer`.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::width::width;
use super::{Lines, cut, grouped, neutralise};
use crate::engine::Sink;
use crate::failure::{Failure, Kind};
use crate::job::{Anchor, End, LinkKind, Location, Outcome, Role, Written};

/// So many pages are told with their links.
const PAGES: usize = 1_000;

/// The columns of a status, and of a URL at least.
const WHY: usize = 32;

/// What is wrong with a link, if that is known.
fn fault(outcome: &Outcome) -> Option<&Failure> {
    let is_fault = |failure: &&Failure| !is_unknown(failure) && failure.kind != Kind::Missing;
    outcome.failure().filter(is_fault)
}

/// Whether a failure tells nothing of what is there.
fn is_unknown(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Robots | Kind::Cancelled | Kind::Offline)
}

/// How many links were checked. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<[AtomicU64; 3]>);

impl Tally {
    const CHECKED: usize = 0;
    const BROKEN: usize = 1;
    const UNKNOWN: usize = 2;

    /// Links that were asked for.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.0[Self::CHECKED].load(Ordering::Relaxed)
    }

    /// Those of them that are broken.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.0[Self::BROKEN].load(Ordering::Relaxed)
    }

    /// Links of which nothing is known.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.0[Self::UNKNOWN].load(Ordering::Relaxed)
    }

    /// Counts a link that is fine and has no outcome of its own.
    pub(super) fn count_fine(&self) {
        self.count(Self::CHECKED);
    }

    fn count(&self, which: usize) {
        self.0[which].fetch_add(1, Ordering::Relaxed);
    }
}

impl Sink for Tally {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let is_link = outcome.trail.as_ref().is_none_or(|trail| trail.role == Role::Page);
        if !is_link || matches!(outcome.end, End::Beyond) {
            return Ok(());
        }
        if outcome.failure().is_some_and(is_unknown) {
            self.count(Self::UNKNOWN);
        } else {
            self.count(Self::CHECKED);
        }
        if fault(outcome).is_some() {
            self.count(Self::BROKEN);
        }
        Ok(())
    }

    fn recall(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.accept(outcome)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// Hands on what tells of broken links, and nothing else.
pub(super) struct OnlyBroken(pub(super) Box<dyn Sink>);

impl Sink for OnlyBroken {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        if fault(outcome).is_some() { self.0.accept(outcome) } else { Ok(()) }
    }

    fn idle(&mut self) -> io::Result<()> {
        self.0.idle()
    }

    fn commit(&mut self) -> io::Result<()> {
        self.0.commit()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.finish()
    }
}

/// Tells at the end, page by page, which links are broken. What leads where is in a temporary file until then.
pub(super) struct Grouped {
    lines: Lines,
    width: usize,
    broken: HashMap<u64, Broken>,
    /// The key of a link, its line, the page that has it, and its text, a line each.
    links: Option<BufWriter<File>>,
}

/// A broken link in a page.
struct Place {
    key: u64,
    /// None where that is not known.
    line: Option<u64>,
    text: String,
}

struct Broken {
    url: Box<str>,
    why: String,
    /// Where it was named, if it was given.
    given: Option<String>,
}

impl Grouped {
    pub(super) fn new(lines: Lines, width: usize) -> Self {
        Self { lines, width, broken: HashMap::new(), links: None }
    }

    fn note(&mut self, key: u64, from: &str, anchor: &Anchor) -> io::Result<()> {
        let links = match &mut self.links {
            Some(links) => links,
            empty => empty.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        writeln!(links, "{key:x} {} {from} {}", anchor.line.unwrap_or(0), anchor.text)
    }

    /// The broken links of each page, and how many more pages have some.
    fn pages(&mut self) -> io::Result<(BTreeMap<String, Vec<Place>>, u64)> {
        let mut pages: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        let mut left_out = 0;
        for (&key, broken) in &self.broken {
            let place = || Place { key, line: None, text: String::new() };
            broken.given.iter().for_each(|given| pages.entry(given.clone()).or_default().push(place()));
        }
        let Some(links) = self.links.take() else { return Ok((pages, left_out)) };
        let mut file = links.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let (mut last, mut is_left_out) = (String::new(), false);
        for line in BufReader::new(file).lines() {
            let line = line?;
            let Some((place, from)) = Place::read(&line).filter(|(place, _)| self.broken.contains_key(&place.key))
            else {
                continue;
            };
            if from != last {
                (last, is_left_out) = (from.to_owned(), pages.len() >= PAGES && !pages.contains_key(from));
                left_out += u64::from(is_left_out);
            }
            if !is_left_out {
                pages.entry(from.to_owned()).or_default().push(place);
            }
        }
        Ok((pages, left_out))
    }
}

impl Place {
    /// Reads what was noted of a link, and the page that has it.
    fn read(noted: &str) -> Option<(Self, &str)> {
        let mut parts = noted.splitn(4, ' ');
        let key = u64::from_str_radix(parts.next()?, 16).ok()?;
        let line = parts.next()?.parse().ok().filter(|&line| line > 0);
        let (from, text) = (parts.next()?, parts.next()?.to_owned());
        Some((Self { key, line, text }, from))
    }
}

impl Sink for Grouped {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let (trail, why) = (&outcome.trail, fault(outcome).map(words));
        if let Some(why) = why {
            let url = trail.as_ref().map_or(&*outcome.target.given, |trail| trail.first_url().as_str());
            let given = outcome.referrer().is_none().then(|| place(&outcome.target.at));
            // Lines may repeat each other, and each is told of.
            let key = if trail.is_none() && given.is_some() { self.broken.len() as u64 } else { key(url) };
            self.broken.insert(key, Broken { url: url.into(), why, given });
        }
        let Some(trail) = trail else { return Ok(()) };
        let (from, nowhere) = (trail.url.as_str(), Anchor::default());
        let fragments = outcome.facts.as_ref().and_then(|facts| facts.fragments.as_ref());
        for Written { to, anchor } in fragments.iter().flat_map(|fragments| &fragments.links) {
            let url = to.as_ref().map_or_else(|no_url| &*no_url.written, Url::as_str);
            self.note(key(url), from, anchor)?;
        }
        let is_new = |kind: &LinkKind| fragments.is_none() || !matches!(kind, LinkKind::Crawled | LinkKind::Checked);
        let mut leads = outcome.leads().filter(|link| is_new(&link.kind));
        leads.try_for_each(|link| self.note(key(link.url.as_str()), from, &nowhere))
    }

    fn recall(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.accept(outcome)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let (pages, left_out) = self.pages()?;
        for (page, places) in pages {
            let mut links: Vec<_> = places.iter().filter_map(|it| Some((self.broken.get(&it.key)?, it))).collect();
            links.sort_unstable_by(|(one, _), (other, _)| one.url.cmp(&other.url));
            let room = links.iter().map(|(link, _)| link.why.chars().count()).max().unwrap_or(0);
            let digits = places.iter().filter_map(|place| place.line).max().map_or(0, |line| line.to_string().len());
            let width = self.width;
            self.lines.push(|out| {
                writeln!(out, "{}", neutralise(&page))?;
                links.iter().try_for_each(|(link, place)| {
                    let line = line_of(place, digits);
                    let left = width.saturating_sub(room + 4 + line.len());
                    let url = cut(&link.url, left.max(WHY));
                    let text = cut(&place.text, left.saturating_sub(self::width(&url) + 2));
                    let gap = if text.is_empty() { "" } else { "  " };
                    writeln!(out, "  {:room$}  {line}{url}{gap}{text}", link.why)
                })
            })?;
        }
        if left_out > 0 {
            self.lines.push(|out| writeln!(out, "and more on {} other pages", grouped(left_out)))?;
        }
        self.lines.finish()
    }
}

/// Where a link stands, in as many columns for each of its page.
fn line_of(place: &Place, digits: usize) -> String {
    match place.line {
        _ if digits == 0 => String::new(),
        Some(line) => format!("line {line:digits$}  "),
        None => " ".repeat("line   ".len() + digits),
    }
}

/// What stands for a link: that to a place of a page is another one than that to the page.
fn key(link: &str) -> u64 {
    xxh3_64(link.as_bytes())
}

fn words(failure: &Failure) -> String {
    match failure.kind {
        Kind::Status => cut(&failure.message, WHY),
        Kind::Fragment => "no such id".into(),
        kind => kind.to_string(),
    }
}

fn place(at: &Location) -> String {
    match &at.file {
        Some(file) => format!("{file}:{}", at.line),
        None => format!("argument {}", at.line),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::job::{Link, Trail, Trust};
    use crate::sink::sample::{Tape, page_at, rejected, with_failure};
    use crate::sink::{Format, Options, Wanted};

    fn link(url: &str) -> Link {
        let kind = LinkKind::Checked;
        Link { url: Url::parse(url).unwrap(), trust: Trust::Chosen { by: None }, kind, input: None, is_admitted: true }
    }

    fn page(url: &str, links: &[&str]) -> Outcome {
        Outcome { links: links.iter().map(|url| link(url)).collect(), ..page_at(url, 200, 9, Duration::ZERO) }
    }

    fn broken(url: &str, kind: Kind, message: &str) -> Outcome {
        let home = Trail::new(Url::parse("http://a.test/").unwrap(), None);
        let trail = home.follow(&link(url), &home.departure());
        Outcome { trail, ..with_failure(page_at(url, 404, 9, Duration::ZERO), kind, message) }
    }

    fn run() -> Vec<Outcome> {
        vec![
            page("http://a.test/", &["http://a.test/b", "http://gone.test/", "http://a.test/private"]),
            broken("http://gone.test/", Kind::Dns, "no such host"),
            broken("http://a.test/private", Kind::Robots, "robots.txt forbids it"),
            page("http://a.test/b", &["http://gone.test/", "http://a.test/missing", "http://a.test/"]),
            broken("http://a.test/missing", Kind::Status, "404 Not Found"),
            rejected("x y", "there is a space"),
        ]
    }

    fn write(format: Format, outcomes: &[Outcome]) -> String {
        let tape = Tape::default();
        let options = Options { wanted: Wanted::Broken, ..Options::default() };
        let mut sink = format.sink(Lines::new("out", tape.clone()), &options);
        for outcome in outcomes {
            sink.accept(outcome).unwrap();
        }
        sink.finish().unwrap();
        tape.text()
    }

    #[test]
    fn a_person_is_told_page_by_page() {
        insta::assert_snapshot!(write(Format::Table, &run()), @r"
        http://a.test/
          dns  http://gone.test/
        http://a.test/b
          404 Not Found  http://a.test/missing
          dns            http://gone.test/
        urls.txt:1
          invalid_url  x y
        ");
        assert_eq!(write(Format::Table, &run()[..1]), "");
    }

    #[test]
    fn a_program_gets_a_record_of_each_broken_link() {
        let records = write(Format::Jsonl, &run());
        let urls: Vec<_> =
            records.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect();
        let urls: Vec<_> = urls.iter().map(|record| record["url"].as_str().unwrap()).collect();
        assert_eq!(urls, ["http://gone.test/", "http://a.test/missing", "x y"]);
    }

    #[test]
    fn what_is_not_known_is_counted_apart() {
        let tally = Tally::default();
        let mut sink = tally.clone();
        for outcome in run() {
            sink.accept(&outcome).unwrap();
        }
        assert_eq!((tally.checked(), tally.broken(), tally.unknown()), (5, 3, 1));
    }

    #[test]
    fn a_link_on_more_pages_than_are_told_is_told_of_those() {
        let mut outcomes: Vec<_> =
            (0..1200).map(|n| page(&format!("http://a.test/{n}"), &["http://gone.test/"])).collect();
        outcomes.push(broken("http://gone.test/", Kind::Dns, "no such host"));
        let text = write(Format::Table, &outcomes);
        assert_eq!(text.matches("  dns  http://gone.test/").count(), 1000);
        assert!(text.ends_with("and more on 200 other pages\n"));
    }
}

//! What says when a page was published or changed, weighed.

use super::stamp::Stamp;
use super::words::{MODIFIED_METAS, MODIFIED_WORDS, PUBLISHED_KEYS, PUBLISHED_METAS, PUBLISHED_WORDS};
use crate::dates::{Dates, Order};
use crate::extract::bylines::{Evidence, Kind, Mark};
use crate::extract::structured::schema_org;

/// How much of a marked element is searched for a date, in bytes.
const MARKED: usize = 200;

/// How long a line may be that is there for its date, in bytes.
const LINE: usize = 150;

/// How far before a date it is looked for what says what it is, in bytes.
const LABEL: usize = 50;

/// What the text says a date to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    None,
    Published,
    Modified,
}

impl Evidence<'_> {
    /// When the page was published, as ISO 8601.
    pub(in crate::extract) fn published(&self) -> Option<String> {
        let stamp = self
            .jsonld(&["datePublished", "dateCreated", "uploadDate"])
            .or_else(|| self.meta(PUBLISHED_METAS))
            .or_else(|| self.marked(Kind::Published))
            .or_else(|| self.url())
            .or_else(|| self.nearest(Label::Published))
            .or_else(|| self.scripted())
            .or_else(|| self.changed());
        stamp.map(|stamp| stamp.text)
    }

    /// When the page was changed last, as ISO 8601.
    pub(in crate::extract) fn modified(&self) -> Option<String> {
        self.changed().map(|stamp| stamp.text)
    }

    fn changed(&self) -> Option<Stamp> {
        self.jsonld(&["dateModified"])
            .or_else(|| self.meta(MODIFIED_METAS))
            .or_else(|| self.marked(Kind::Modified))
            .or_else(|| self.nearest(Label::Modified))
    }

    fn jsonld(&self, keys: &[&str]) -> Option<Stamp> {
        schema_org::texts(self.documents, keys).into_iter().find_map(|text| Stamp::parse(text, self.order()))
    }

    /// The date in the `<meta>` whose name comes first among `names`.
    fn meta(&self, names: &[&str]) -> Option<Stamp> {
        let dated = self.head.metas.iter().flat_map(|meta| {
            meta.names().filter_map(|name| {
                let letters = name.chars().filter(char::is_ascii_alphanumeric);
                let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
                let place = names.iter().position(|one| *one == name)?;
                Some((place, Stamp::parse(&meta.content, self.order())?))
            })
        });
        dated.min_by_key(|(place, _)| *place).map(|(_, stamp)| stamp)
    }

    /// The date in an element that is marked as `kind` and not beside the content: the one nearest to the headline.
    fn marked(&self, kind: Kind) -> Option<Stamp> {
        let is_own = |mark: &&Mark<'_>| mark.kind == kind && !self.bylines.is_beside(mark, self.headline);
        let marks = self.bylines.marks.iter().filter(is_own);
        let dated =
            marks.filter_map(|mark| Some((self.distance_of(mark), self.marked_dates(mark).into_iter().next()?.1)));
        dated.min().map(|(_, stamp)| stamp)
    }

    /// The dates in an element that is marked, each with what it is: what it says for machines, else what is seen.
    fn marked_dates(&self, mark: &Mark<'_>) -> Vec<(Label, Stamp)> {
        if let Some(stamp) = mark.value.as_deref().and_then(|value| Stamp::parse(value, self.order())) {
            return vec![(self.label(mark.at()), stamp)];
        }
        let own = mark.place(self.text, MARKED);
        let dates = self.dates(&self.text[own.clone()]);
        dates.map(|(place, stamp)| (self.label(own.start + place), stamp)).collect()
    }

    /// The date that stands nearest to the headline and is labelled so, or not labelled where it may be the publication's. One
    /// that is marked, or has a label, is nearer than it seems.
    fn nearest(&self, label: Label) -> Option<Stamp> {
        let is_wanted = |found: Label| found == label || label == Label::Published && found == Label::None;
        // Of those that say when something was published only what stands beside is left.
        let kinds = [(Kind::Published, 0), (Kind::Time, 0), (Kind::Dated, 100), (Kind::Byline, 200)];
        let marks = kinds.iter().flat_map(|(kind, penalty)| {
            let marks = self.bylines.marks.iter().filter(|mark| mark.kind == *kind);
            marks.filter_map(move |mark| {
                let (_, stamp) = self.marked_dates(mark).into_iter().find(|(found, _)| is_wanted(*found))?;
                Some((self.distance_of(mark) + penalty, stamp))
            })
        });
        let lines = self.lines().flat_map(|(at, line)| {
            let distance = self.distance(at, self.bylines.is_aside(at, self.headline));
            self.dates(line).filter_map(move |(place, stamp)| {
                let found = self.label(at + place);
                // Of a line without a label nearly nothing may be left beside the date.
                let penalty = if found == Label::None { 200 + 4 * line.len() } else { 100 };
                (is_wanted(found) && !line.contains('©')).then_some((distance + penalty, stamp))
            })
        });
        marks.chain(lines).min().map(|(_, stamp)| stamp)
    }

    /// What stands before a date in the text and says what it is.
    fn label(&self, at: usize) -> Label {
        let end = self.text.floor_char_boundary(at);
        let before = &self.text[self.text.floor_char_boundary(end.saturating_sub(LABEL))..end];
        // What stands before another number belongs to that.
        let before = before.rsplit(|c: char| c.is_ascii_digit()).next().unwrap_or_default().to_lowercase();
        let last = |words: &[&str]| words.iter().filter_map(|word| before.rfind(word)).max();
        match (last(PUBLISHED_WORDS), last(MODIFIED_WORDS)) {
            (None, None) => Label::None,
            (published, modified) if modified > published => Label::Modified,
            _ => Label::Published,
        }
    }

    /// The date in the data of a script: of what a page shows by script, and of JSON-LD that cannot be mended.
    fn scripted(&self) -> Option<Stamp> {
        PUBLISHED_KEYS.iter().find_map(|key| {
            let (_, rest) = self.source.split_once(key)?;
            let value = rest.trim_start_matches(['"', '\\', ' ', ':']);
            let value = &value[..value.floor_char_boundary(MARKED)];
            Stamp::parse(value.split(['"', '\\', ',', '}']).next()?, self.order())
        })
    }

    fn order(&self) -> Order {
        Order::of(self.head.lang.as_deref())
    }

    /// The plausible dates in a text, each with its place.
    fn dates<'t>(&self, text: &'t str) -> impl Iterator<Item = (usize, Stamp)> + use<'t> {
        let dates = Dates::new(text, self.order());
        dates.filter_map(|(day, place)| Some((place.start, Stamp::of_day(day)?)))
    }

    /// How far a place in the text is from the headline: what comes before it is rather about something else, and so is
    /// what stands beside.
    fn distance(&self, at: usize, is_beside: bool) -> usize {
        /// Farther than anything that is not beside.
        const ASIDE: usize = usize::MAX / 2;
        let headline = self.headline;
        let beside = if is_beside { ASIDE } else { 0 };
        beside + if at >= headline { at - headline } else { 2 * (headline - at) }
    }

    fn distance_of(&self, mark: &Mark<'_>) -> usize {
        self.distance(mark.at(), self.bylines.is_beside(mark, self.headline))
    }

    /// The date in the path of one of the page's URLs: `/2024/05/17/`, `/2024-05-17-`.
    fn url(&self) -> Option<Stamp> {
        self.urls.iter().find_map(|url| {
            let path = url.split(['?', '#']).next().unwrap_or_default();
            self.dates(path).next().map(|(_, stamp)| stamp)
        })
    }

    /// The short lines of the text, each with its place.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().filter(|line| line.len() <= LINE);
        let start = self.text.as_ptr().addr();
        lines.map(move |line| (line.as_ptr().addr() - start, line))
    }
}

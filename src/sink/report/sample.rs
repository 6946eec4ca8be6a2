//! Some of the pages: the first of an order, and a uniform sample.

use std::cmp::Reverse;

use super::page::Page;
use crate::sink::width::{cut, cut_url};

/// A URL that is longer, in bytes, is no link.
const LONGEST: usize = 2000;

/// The columns of a URL, a title and a message that are shown.
pub(super) const COLUMNS: usize = 120;

/// A page to show.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// What a click leads to; none where the URL is none of the web's.
    pub(super) link: Option<Box<str>>,
    pub(super) url: Box<str>,
    pub(super) title: Option<Box<str>>,
    pub(super) status: Option<u16>,
    pub(super) kind: Option<Box<str>>,
    pub(super) message: Option<Box<str>>,
    pub(super) millis: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) attempts: u64,
}

impl Row {
    /// A URL of which no more is told than the status that it answered with.
    pub(super) fn of_url(url: &str, status: Option<u16>) -> Self {
        let link = url::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        Self {
            link: link.map(String::from).filter(|url| url.len() <= LONGEST).map(Box::from),
            url: cut_url(url, COLUMNS).into(),
            title: None,
            status,
            kind: None,
            message: None,
            millis: None,
            bytes: None,
            attempts: 0,
        }
    }

    pub(super) fn of(page: &Page<'_>) -> Self {
        let failure = page.failure.as_ref();
        Self {
            title: page.title.as_deref().map(|title| cut(title, COLUMNS).into()),
            kind: failure.map(|(kind, _)| cut(kind, COLUMNS).into()),
            message: failure.map(|(_, message)| cut(message, COLUMNS).into()),
            millis: page.elapsed.and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok()),
            bytes: page.bytes,
            attempts: page.attempts,
            ..Self::of_url(&page.url, page.status)
        }
    }
}

/// The pages with the largest numbers. Of equal ones, the first to come.
#[derive(Debug)]
pub(super) struct Top {
    size: usize,
    /// In the order of their ranks.
    rows: Vec<(u64, Row)>,
}

impl Top {
    pub(super) fn new(size: usize) -> Self {
        Self { size, rows: Vec::new() }
    }

    pub(super) fn add(&mut self, number: u64, page: &Page<'_>) {
        let place = self.rows.partition_point(|(other, _)| Reverse(*other) <= Reverse(number));
        if place < self.size {
            self.rows.truncate(self.size - 1);
            self.rows.insert(place, (number, Row::of(page)));
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().map(|(_, row)| row)
    }
}

/// All pages, as long as they are not too many, and then a uniform sample of them, in their order (algorithm R of J. S. Vitter,
/// Random sampling with a reservoir, 1985). The same pages give the same sample.
#[derive(Debug)]
pub(super) struct Sample {
    size: usize,
    seen: u64,
    rows: Vec<(u64, Row)>,
    random: fastrand::Rng,
}

impl Sample {
    pub(super) fn new(size: usize) -> Self {
        Self { size, seen: 0, rows: Vec::new(), random: fastrand::Rng::with_seed(0) }
    }

    pub(super) fn add(&mut self, page: &Page<'_>) {
        let number = self.seen;
        self.seen += 1;
        if self.rows.len() < self.size {
            self.rows.push((number, Row::of(page)));
        } else if let Some(row) =
            usize::try_from(self.random.u64(..self.seen)).ok().and_then(|at| self.rows.get_mut(at))
        {
            *row = (number, Row::of(page));
        }
    }

    /// How many pages it is drawn from.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// The pages, in the order in which they came.
    pub(super) fn rows(&self) -> Vec<&Row> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|&&(number, _)| number);
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::sample::outcome;

    fn page(number: u64) -> String {
        format!("http://a.test/{number}")
    }

    fn add(number: u64, mut add: impl FnMut(&Page<'_>)) {
        let mut outcome = outcome(0);
        outcome.target.given = page(number).into();
        add(&Page::of(&outcome));
    }

    #[test]
    fn the_largest_come_first_and_of_equals_the_earliest() {
        let mut top = Top::new(3);
        for (name, number) in [(0, 5), (1, 9), (2, 5), (3, 1), (4, 9)] {
            add(name, |page| top.add(number, page));
        }
        let urls: Vec<_> = top.rows().map(|row| row.url.to_string()).collect();
        assert_eq!(urls, [1, 4, 0].map(page));
    }

    #[test]
    fn a_sample_is_uniform_in_order_and_the_same_each_time() {
        let draw = || {
            let mut sample = Sample::new(1000);
            (0..10_000).for_each(|number| add(number, |page| sample.add(page)));
            assert_eq!(sample.seen(), 10_000);
            sample.rows().into_iter().cloned().collect::<Vec<_>>()
        };
        let rows = draw();
        assert_eq!((rows.len(), &rows), (1000, &draw()));
        let numbers: Vec<u64> = rows.iter().map(|row| row.url.rsplit('/').next().unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted());
        // About 100 of each tenth: ten standard deviations are 95.
        let of_tenth = |tenth: u64| numbers.iter().filter(|&number| number / 1000 == tenth).count();
        assert!((0..10).all(|tenth| (50..150).contains(&of_tenth(tenth))), "{numbers:?}");
    }

    #[test]
    fn only_the_web_is_linked_to() {
        let link = |url: &str| {
            let mut outcome = outcome(0);
            outcome.target.given = url.into();
            Row::of(&Page::of(&outcome)).link.map(String::from)
        };
        assert_eq!(link("https://a.test/\"><b>"), Some("https://a.test/%22%3E%3Cb%3E".into()));
        for other in ["javascript:alert(1)", " jAvascript:1", "data:text/html,x", "file:///etc/passwd", "//a.test", "x"]
        {
            assert_eq!(link(other), None, "{other}");
        }
        assert_eq!(link(&format!("http://a.test/{}", "x".repeat(2000))), None);
    }
}

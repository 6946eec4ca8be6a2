//! What somebody else keeps for a run that is gone on with: a line of JSON for each outcome, and for the places that were told of.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use crate::failure::{Failure, Kind};
use crate::job::{
    Anchor, Departure, End, Facts, Found, Fragments, Hop, Job, LinkKind, Location, NoUrl, Outcome, Redirect, Start,
    Target, Trail, Written,
};

/// A line.
#[derive(Deserialize, Serialize)]
pub(super) enum Note {
    Outcome(Box<Gist>),
    /// What stands for links to places that were told of as broken.
    Told(Vec<u64>),
}

/// As much of an outcome as matters for others.
#[derive(Deserialize, Serialize)]
pub(super) struct Gist {
    id: u64,
    given: Box<str>,
    file: Option<Box<str>>,
    line: u64,
    input: Option<Box<RawValue>>,
    hops: Vec<(u16, Box<str>)>,
    url: Box<str>,
    /// The page that led there, and how many links lie between it and its seed.
    found: Option<(Box<str>, u32)>,
    end: Ended,
    said: Option<Said>,
}

/// How it ended.
#[derive(Deserialize, Serialize)]
enum Ended {
    Fine,
    Failed(Box<str>, String),
    Elsewhere(u16, Box<str>),
}

/// What its page says.
#[derive(Deserialize, Serialize)]
struct Said {
    places: Option<Vec<u64>>,
    links: Vec<(Result<Box<str>, NoUrl>, Anchor)>,
}

impl Note {
    /// Reads a line.
    pub(super) fn read(line: &[u8]) -> io::Result<Self> {
        serde_json::from_slice(line).map_err(|error| damaged(&error))
    }

    /// The line, with its end.
    pub(super) fn line(&self) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

impl Gist {
    pub(super) fn of(outcome: &Outcome, trail: &Trail) -> Self {
        let Target { id, given, at, input } = outcome.target.clone();
        let end = match (&outcome.end, outcome.failure()) {
            (_, Some(failure)) => Ended::Failed(failure.kind.slug().into(), failure.message.clone()),
            (End::Elsewhere(redirect), None) => Ended::Elsewhere(redirect.status, redirect.to.as_str().into()),
            _ => Ended::Fine,
        };
        let said = outcome.facts.as_ref().and_then(|facts| facts.fragments.as_deref());
        Self {
            id,
            given,
            file: at.file.as_deref().map(Box::from),
            line: at.line,
            input: input.as_deref().map(RawValue::to_owned),
            hops: trail.hops.iter().map(|hop| (hop.status, hop.url.as_str().into())).collect(),
            url: trail.url.as_str().into(),
            found: trail.referrer().map(|page| (page.as_str().into(), trail.depth())),
            end,
            said: said.map(Said::of),
        }
    }

    /// The outcome.
    pub(super) fn outcome(self) -> io::Result<Outcome> {
        let mut trail = Trail::new(url(&self.url)?, None);
        let hop = |(status, hop): (u16, Box<str>)| Ok(Hop { status, url: url(&hop)? });
        trail.hops = self.hops.into_iter().map(hop).collect::<io::Result<_>>()?;
        if let Some((page, depth)) = self.found {
            trail.found = Some(Box::new(found(url(&page)?, depth)));
        }
        let at = Location { file: self.file.map(Arc::from), line: self.line };
        let target = Target { id: self.id, given: self.given, at, input: self.input.map(Arc::from) };
        let fragments = self.said.map(Said::fragments).transpose()?.map(Box::new);
        let facts = fragments.map(|fragments| Facts { fragments: Some(fragments), ..Facts::default() });
        Ok(Outcome { facts, ..Outcome::ended(Job { target, trail }, self.end.end()?) })
    }
}

impl Ended {
    fn end(self) -> io::Result<End> {
        Ok(match self {
            Self::Fine => End::Done { rows: Vec::new(), failure: None },
            Self::Failed(slug, message) => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.slug() == &*slug);
                End::failed(Failure::new(kind.ok_or_else(|| damaged(&slug))?, message))
            }
            Self::Elsewhere(status, to) => {
                End::Elsewhere(Redirect { status, to: url(&to)?, rewrite_to_get: false, by: None })
            }
        })
    }
}

impl Said {
    fn of(fragments: &Fragments) -> Self {
        let link = |Written { to, anchor }: &Written| {
            let to = to.as_ref().map(|url| url.as_str().into()).map_err(Clone::clone);
            (to, anchor.clone())
        };
        Self { places: fragments.places.clone(), links: fragments.links.iter().map(link).collect() }
    }

    fn fragments(self) -> io::Result<Fragments> {
        let link = |(to, anchor): (Result<Box<str>, NoUrl>, Anchor)| {
            Ok(Written { to: to.map(|to| url(&to)).map_or_else(|no_url| Ok(Err(no_url)), |to| to.map(Ok))?, anchor })
        };
        Ok(Fragments { places: self.places, links: self.links.into_iter().map(link).collect::<io::Result<_>>()? })
    }
}

fn url(text: &str) -> io::Result<Url> {
    Url::parse(text).map_err(|error| damaged(&error))
}

/// How a page came in that one has led to: whatever else it came by makes no difference here.
pub(super) fn found(page: Url, depth: u32) -> Found {
    let start = Arc::new(Start { seed: page.clone(), landed: page.clone() });
    Found::new(Departure { start, page: Arc::new(page) }, LinkKind::Checked, depth)
}

fn damaged(what: &impl ToString) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::job::name_of_place;
    use crate::sink::sample::{page_at, with_failure};

    fn again(outcome: &Outcome) -> Outcome {
        let note = Note::Outcome(Box::new(Gist::of(outcome, outcome.trail.as_ref().unwrap())));
        let line = note.line().unwrap();
        assert_eq!(line.iter().position(|&byte| byte == b'\n'), Some(line.len() - 1));
        match Note::read(&line[..line.len() - 1]).unwrap() {
            Note::Outcome(gist) => gist.outcome().unwrap(),
            Note::Told(_) => panic!("it is none"),
        }
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn what_a_page_says_comes_back_with_the_way_to_it() {
        let links = [Ok(url("http://a.test/#x")), Err(NoUrl { written: "http://<\n>/".into(), reason: "none".into() })];
        let anchor = Anchor { text: "a \u{2028} text".into(), line: Some(7) };
        let links = links.map(|to| Written { to, anchor: anchor.clone() }).into();
        let fragments = Fragments { places: Some(vec![name_of_place("x"), u64::MAX]), links };
        let mut page = page_at("http://a.test/to", 200, 9, Duration::ZERO);
        page.facts.as_mut().unwrap().fragments = Some(Box::new(fragments.clone()));
        page.target.input = Some(Arc::from(RawValue::from_string("{\"a\":1}".into()).unwrap()));
        let trail = page.trail.as_mut().unwrap();
        trail.hops = vec![Hop { status: 301, url: url("http://a.test/from") }];
        trail.found = Some(Box::new(found(url("http://a.test/home"), 3)));
        let same = again(&page);
        let of = |page: &Outcome| {
            let trail = page.trail.clone().unwrap();
            let input = page.target.input.clone().unwrap().to_string();
            let at = (page.target.given.clone(), page.target.at.clone(), input);
            (trail.url.clone(), trail.hops.clone(), trail.referrer().cloned(), trail.depth(), at)
        };
        assert_eq!(of(&same), of(&page));
        assert!(same.is_record());
        assert_eq!(same.facts.unwrap().fragments.as_deref(), Some(&fragments));
    }

    #[test]
    fn how_it_ended_comes_back() {
        let page = page_at("http://a.test/", 404, 9, Duration::ZERO);
        for kind in Kind::ALL {
            let failed = with_failure(page.clone(), kind, "why");
            assert_eq!(again(&failed).failure(), Some(&Failure::new(kind, "why")));
        }
        let to = Redirect { status: 307, to: url("http://b.test/"), rewrite_to_get: false, by: None };
        let moved = Outcome { end: End::Elsewhere(to.clone()), ..page };
        assert!(matches!(again(&moved).end, End::Elsewhere(redirect) if redirect == to));
    }

    #[test]
    fn what_is_no_note_is_damaged() {
        for line in ["", "{}", "7", r#"{"Told":[-1]}"#, r#"{"Outcome":{"url":"x"}}"#] {
            assert_eq!(
                Note::read(line.as_bytes()).err().map(|error| error.kind()),
                Some(ErrorKind::InvalidData),
                "{line}"
            );
        }
    }
}

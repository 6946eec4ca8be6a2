//! Links as pages have them, for a run that checks links: those that are no URL, where broken ones stand, and those to places in
//! pages, judged at the end, as pages come before and after those that link to them.
//!
//! What was decided:
//! - Only a page that was read to its end is judged, and it is the one where redirects led: that is where a browser looks. If a
//!   redirect says a fragment of its own, that is not known here, and the link's is looked for.
//! - A link to a place is a link of its own, counted once however many pages have it. So is what is no URL.
//! - A run that is gone on with judges the places of all its parts: what was [left](Fragments::with_notes) of the earlier ones is
//!   [recalled](Fragments::recall) first. What was told then is not told again, but counts.
//!
//! What pages say is in a temporary file until then. Memory takes some 20 bytes for each page, for each redirect and for what is no
//! URL, and at the end about 60 for each place that is named and 20 for each page that has one; where notes are left, 30 more for
//! each place that is not there.

mod note;
mod pages;

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use self::note::{Gist, Note, found};
use self::pages::{Anchors, Page, Pages};
use super::{Tally, cut};
use crate::canonical::fingerprint;
use crate::engine::Sink;
use crate::failure::{Failure, Kind};
use crate::job::{Attempt, End, Job, Location, Mention, Outcome, Rejected, Role, Target, Trail, Written, places_named};

/// So much of a fragment is told.
const TOLD: usize = 100;

/// How many redirects may lead from a page to another that is asked for by itself.
const MOVES: usize = 20;

/// Hands on all that comes, of what failed with the link that led there, and behind it failures of its own: of kind `invalid_url`
/// for what a page links to that is no URL, and at the end of kind `fragment` for each link to a place that its page has not.
pub struct Fragments {
    inner: Vec<Box<dyn Sink>>,
    tally: Tally,
    pages: Option<Pages>,
    /// Where redirects led, by fingerprints.
    moved: HashMap<u64, u64>,
    /// What stands for that which is no URL and has been told of.
    refused: HashSet<u64>,
    /// What stands for the links to places that an earlier part of the run has told of.
    told: HashSet<u64>,
    /// Where a line for each outcome goes, for a run that is gone on with.
    notes: Option<Box<dyn Write + Send>>,
}

/// What a link to a place stands for.
struct Place {
    page: u64,
    names: [u64; 2],
}

impl Fragments {
    /// Tells each sink of `inner`, and counts in `tally`, which is one of them, what is fine.
    #[must_use]
    pub fn new(inner: Vec<Box<dyn Sink>>, tally: Tally) -> Self {
        let (moved, refused, told) = (HashMap::new(), HashSet::new(), HashSet::new());
        Self { inner, tally, pages: None, moved, refused, told, notes: None }
    }

    /// Leaves a line for each outcome in `notes`, before it is told, and one for all places that are told of as missing, behind
    /// these: what a run that is gone on with has to [recall](Self::recall).
    #[must_use]
    pub fn with_notes(self, notes: impl Write + Send + 'static) -> Self {
        Self { notes: Some(Box::new(notes)), ..self }
    }

    /// Takes a line that an earlier part of the run has [left](Self::with_notes), in their order. If it `is_taken_back`, an outcome
    /// that has failed is to come again: nothing is known then but what was told of the links of its page.
    ///
    /// # Errors
    /// It is no such line ([`io::ErrorKind::InvalidData`]), or what it says cannot be kept.
    pub fn recall(&mut self, line: &[u8], is_taken_back: bool) -> io::Result<()> {
        let outcome = match Note::read(line)? {
            Note::Outcome(gist) => gist.outcome()?,
            Note::Told(places) => {
                self.told.extend(places);
                return Ok(());
            }
        };
        let Some(trail) = &outcome.trail else { return Ok(()) };
        if !is_taken_back || outcome.failure().is_none() {
            self.note(&outcome, trail)?;
            self.inner.iter_mut().try_for_each(|sink| sink.recall(&outcome))?;
        }
        for refused in self.refused(&outcome, trail) {
            self.inner.iter_mut().try_for_each(|sink| sink.recall(&refused))?;
        }
        Ok(())
    }

    fn leave(&mut self, note: impl FnOnce() -> Note) -> io::Result<()> {
        self.notes.as_mut().map_or(Ok(()), |notes| notes.write_all(&note().line()?))
    }

    fn tell(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.accept(outcome))
    }

    fn note(&mut self, outcome: &Outcome, trail: &Trail) -> io::Result<()> {
        let (passed, last) = match &outcome.end {
            End::Elsewhere(redirect) => (Some(&trail.url), &redirect.to),
            _ => (None, &trail.url),
        };
        let passed = trail.hops.iter().map(|hop| &hop.url).chain(passed).map(fingerprint);
        self.moved.extend(passed.map(|from| (from, fingerprint(last))));
        let Some(fragments) = outcome.facts.as_ref().and_then(|facts| facts.fragments.as_ref()) else { return Ok(()) };
        let pages = match &mut self.pages {
            Some(pages) => pages,
            none => none.insert(Pages::new()?),
        };
        pages.push(outcome, trail, fragments)
    }

    /// The link that led to what has failed, if the page is known that has it.
    fn mention(&mut self, outcome: &Outcome) -> io::Result<Option<Mention>> {
        let failed = outcome.trail.as_ref().filter(|_| outcome.failure().is_some());
        let Some((trail, pages)) = failed.zip(self.pages.as_mut()) else { return Ok(None) };
        let Some(page) = trail.referrer() else { return Ok(None) };
        let anchor = pages.anchor(page, trail.first_url())?;
        Ok(anchor.map(|anchor| Mention { page: page.clone(), depth: trail.depth(), anchor }))
    }

    /// What a page links to that is no URL, and that no page has linked to before.
    fn refused(&mut self, outcome: &Outcome, trail: &Trail) -> Vec<Outcome> {
        let links = outcome.facts.iter().flat_map(|facts| &facts.fragments).flat_map(|fragments| &fragments.links);
        let no_urls = links.filter_map(|Written { to, anchor }| Some((to.as_ref().err()?, anchor)));
        let news = no_urls.filter(|(no_url, _)| self.refused.insert(xxh3_64(no_url.written.as_bytes())));
        let refused = news.map(|(no_url, anchor)| {
            let target = Target { given: no_url.written.clone(), ..outcome.target.clone() };
            let mention = Mention { page: trail.url.clone(), depth: trail.depth() + 1, anchor: anchor.clone() };
            let refused = Outcome::rejected(Rejected { target, reason: no_url.reason.to_string() });
            Outcome { mention: Some(Box::new(mention)), ..refused }
        });
        refused.collect()
    }

    /// The place that a link names.
    fn place(&self, link: &Url) -> Option<Place> {
        let names = places_named(link.fragment()?)?;
        let mut page = fingerprint(link);
        for _ in 0..MOVES {
            match self.moved.get(&page) {
                Some(&next) if next != page => page = next,
                _ => break,
            }
        }
        Some(Place { page, names: names.map(|name| in_page(page, name)) })
    }

    /// Tells of the links to places that are not there, of pages that came since it did so.
    fn judge(&mut self) -> io::Result<()> {
        let unjudged = self.pages.take_if(|pages| !pages.is_judged);
        let Some(mut pages) = unjudged else { return Ok(()) };
        let is_there = self.look_up(&mut pages)?;
        let (mut judged, has) = (HashSet::new(), |key: &u64| is_there.get(key) == Some(&true));
        let mut news = Vec::new();
        pages.each(|url, page, anchors| {
            let mut read = None;
            for link in page.links() {
                let key = xxh3_64(link.as_str().as_bytes());
                let place = self.place(&link).filter(|place| has(&place.page));
                let Some(place) = place.filter(|_| judged.insert(key)) else { continue };
                if place.names.iter().any(has) {
                    self.tally.count_fine();
                    continue;
                }
                let anchors = match &read {
                    Some(anchors) => anchors,
                    None => read.insert(Anchors::read(anchors)?),
                };
                let anchor = anchors.of(&link).cloned();
                let mention = anchor.map(|anchor| Mention { page: url.clone(), depth: page.depth + 1, anchor });
                let broken = Outcome { mention: mention.map(Box::new), ..broken(page, url, link) };
                if self.told.contains(&key) {
                    self.inner.iter_mut().try_for_each(|sink| sink.recall(&broken))?;
                    continue;
                }
                self.tell(&broken)?;
                news.push(key);
            }
            Ok(())
        })?;
        if !news.is_empty() {
            self.leave(|| Note::Told(news))?;
        }
        pages.is_judged = true;
        // What fails later still has its link there.
        self.pages = Some(pages);
        Ok(())
    }

    /// Which of the places that are named are there, and which of their pages.
    fn look_up(&self, pages: &mut Pages) -> io::Result<HashMap<u64, bool>> {
        let mut is_there: HashMap<u64, bool> = HashMap::new();
        pages.each(|_, page, _| {
            for Place { page, names } in page.links().filter_map(|link| self.place(&link)) {
                is_there.extend([page, names[0], names[1]].map(|key| (key, false)));
            }
            Ok(())
        })?;
        pages.each(|url, page, _| {
            let Some(places) = &page.places else { return Ok(()) };
            let key = fingerprint(url);
            for key in places.iter().map(|name| in_page(key, *name)).chain([key]) {
                is_there.entry(key).and_modify(|is_there| *is_there = true);
            }
            Ok(())
        })?;
        Ok(is_there)
    }
}

/// What stands for a place of a page.
fn in_page(page: u64, name: u64) -> u64 {
    xxh3_64([page.to_le_bytes(), name.to_le_bytes()].as_flattened())
}

/// The outcome of a link of `said` that leads to a place that is not there.
fn broken(said: &Page, page: &Url, link: Url) -> Outcome {
    let at = Location { file: said.file.as_deref().map(Arc::from), line: said.line };
    let input = said.input.clone().map(Arc::from);
    let found = Some(Box::new(found(page.clone(), said.depth + 1)));
    let fragment = link.fragment().unwrap_or_default();
    let name = cut(&percent_decode_str(fragment).decode_utf8_lossy(), TOLD);
    let failure = Failure::new(Kind::Fragment, format!("no element has the id {name:?}"));
    let target = Target { id: said.id, given: link.as_str().into(), at, input };
    Outcome::failed(Job { target, trail: Trail { found, ..Trail::new(link, None) } }, failure)
}

impl Sink for Fragments {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let Some(trail) = &outcome.trail else { return self.tell(outcome) };
        if trail.role == Role::Page {
            self.leave(|| Note::Outcome(Box::new(Gist::of(outcome, trail))))?;
        }
        self.note(outcome, trail)?;
        match self.mention(outcome)? {
            Some(mention) => self.tell(&Outcome { mention: Some(Box::new(mention)), ..outcome.clone() })?,
            None => self.tell(outcome)?,
        }
        self.refused(outcome, trail).iter().try_for_each(|refused| self.tell(refused))
    }

    fn attempt(&mut self, attempt: &Attempt) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.attempt(attempt))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.idle())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.commit())
    }

    fn conclude(&mut self) -> io::Result<()> {
        self.judge()?;
        self.inner.iter_mut().try_for_each(|sink| sink.conclude())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let judged = self.judge();
        self.inner.into_iter().map(Sink::finish).fold(judged, Result::and)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::job::{Anchor, Fragments as Said, Redirect, name_of_place};
    use crate::sink::sample::page_at;

    /// A page with these places, if they are known, that links to these.
    fn page(url: &str, places: Option<&[&str]>, links: &[&str]) -> Outcome {
        let mut page = page_at(url, 200, 9, Duration::ZERO);
        let places = places.map(|names| names.iter().map(|name| name_of_place(name)).collect());
        let written = |link: &&str| Written { to: Ok(Url::parse(link).unwrap()), anchor: Anchor::default() };
        let links = links.iter().map(written).collect();
        page.facts.as_mut().unwrap().fragments = Some(Box::new(Said { places, links }));
        page
    }

    fn moved(from: &str, to: &str) -> Outcome {
        let to = Url::parse(to).unwrap();
        let end = End::Elsewhere(Redirect { status: 301, to, rewrite_to_get: false, by: None });
        Outcome { end, ..page_at(from, 301, 0, Duration::ZERO) }
    }

    /// The broken links that are told of behind all these, and how many are fine.
    fn judge(outcomes: &[Outcome]) -> (Vec<String>, u64) {
        let (told, tally) = (Arc::new(Mutex::new(Vec::new())), Tally::default());
        let list = Arc::clone(&told);
        let inner = move |outcome: &Outcome| {
            list.lock().unwrap().push(outcome.target.given.to_string());
            Ok(())
        };
        let mut sink = Fragments::new(vec![Box::new(inner)], tally.clone());
        for outcome in outcomes {
            sink.accept(outcome).unwrap();
        }
        Box::new(sink).finish().unwrap();
        let told = told.lock().unwrap().split_off(outcomes.len());
        (told, tally.checked())
    }

    #[test]
    fn a_page_may_come_before_and_after_those_that_link_to_it() {
        let (a, b) = ("http://a.test/", "http://a.test/b");
        let links = ["http://a.test/b#x", "http://a.test/b#y", "http://a.test/#x", "http://a.test/c#x"];
        let run = [page(a, Some(&[]), &links), page(b, Some(&["x"]), &links)];
        let all = (vec!["http://a.test/b#y".into(), "http://a.test/#x".into()], 1);
        assert_eq!(judge(&run), all);
        assert_eq!(judge(&[run[1].clone(), run[0].clone()]), all);
    }

    #[test]
    fn a_page_that_was_not_read_to_its_end_is_not_judged() {
        assert_eq!(judge(&[page("http://a.test/", None, &["http://a.test/#x"])]), (Vec::new(), 0));
    }

    #[test]
    fn redirects_are_followed_and_end() {
        let links = ["http://a.test/1#x", "http://a.test/1#y", "http://a.test/3#x", "http://a.test/5#x"];
        let run = [
            moved("http://a.test/1", "http://a.test/2"),
            moved("http://a.test/2", "http://a.test/"),
            moved("http://a.test/3", "http://a.test/4"),
            moved("http://a.test/4", "http://a.test/3"),
            moved("http://a.test/5", "http://a.test/5"),
            page("http://a.test/", Some(&["x"]), &links),
        ];
        assert_eq!(judge(&run), (vec!["http://a.test/1#y".into()], 1));
    }
}

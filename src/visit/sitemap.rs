//! A sitemap or feed read, as a stream: it names pages to go on with, and sitemaps.
//!
//! What was decided: what the user named as a sitemap, and what it leads to, may name pages anywhere, as a list may. Those
//! that a site was asked for may name pages of that site: of the same owner, by the public-suffix list. sitemaps.org
//! allows no more than the same host; real sites also name `www.` and other schemes.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::Accepted;
use crate::canonical::{fingerprint, host_key, site};
use crate::failure::{Failure, Kind};
use crate::fetch::{Answer, Fetcher, Head, Origin, Taker, Unanswered};
use crate::frontier::Seen;
use crate::job::{End, Facts, HostHint, Job, Listing, Outcome, Trail, Trust, is_all_sitemaps};
use crate::page::declared_charset;
use crate::sitemap::{self, Entry, Notes, Reader, Report, Role};

/// How sitemaps are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What was changed before is passed over. What does not tell is not.
    pub since: Option<Timestamp>,
}

/// Reads the sitemap that a job is for.
pub(super) async fn read(fetcher: &Fetcher, options: Options, job: Job) -> Outcome {
    let Job { target, mut trail } = job;
    let started = Instant::now();
    let notes = Notes::new(trail.first_url().as_str(), target.input.as_deref());
    let reading = Shared(Arc::new(Mutex::new(Reading::new(&trail, notes, options))));
    let answer = fetcher.stream(&trail, &mut |head, by| reading.begin(&trail, head, by)).await;
    trail.spent += started.elapsed();
    let (listing, bytes, report, foreign) = reading.finish();
    let facts = |head: Head| Facts {
        status: head.status,
        content_type: head.content_type(),
        bytes: Some(bytes),
        links_found: report.map(|report| report.entries),
        ..Facts::default()
    };
    let (facts, end, hint) = match answer {
        Ok(Answer::Page(page, origin)) => {
            let hint = origin.hint(&page.head);
            if let Some(damage) = report.and_then(|report| report.damage) {
                tracing::warn!(url = %trail.url, %damage, entries = listing.len(), "sitemap damaged: what is whole counts");
            }
            if foreign > 0 {
                tracing::warn!(url = %trail.url, pages = foreign, "sitemap names pages of other sites: left out");
            }
            let failure = Accepted::default().judge(page.head.status).or_else(|| no_sitemap(report.as_ref()));
            (Some(facts(page.head)), failure.map_or(End::Listed, End::failed), hint)
        }
        Ok(Answer::Redirect(redirect, Origin { is_kept, .. })) => {
            (None, End::Redirect(redirect), HostHint { unasked: is_kept, ..HostHint::default() })
        }
        Err(Unanswered { failure, head, lack, .. }) => {
            let hint = head.as_ref().map(Head::hint).unwrap_or_default();
            let unasked = failure.kind == Kind::Offline;
            (head.map(facts), End::failed(failure), HostHint { lack, unasked, ..hint })
        }
    };
    let listing = Some(listing).filter(|listing| !listing.is_empty()).map(Box::new);
    Outcome { facts, listing, hint, ..Outcome::ended(Job { target, trail }, end) }
}

/// Why a file is no sitemap. One that is empty is.
fn no_sitemap(report: Option<&Report>) -> Option<Failure> {
    let report = report.filter(|report| report.entries == 0)?;
    let why = match report.kind? {
        sitemap::Kind::Html => "it is a page, and no sitemap",
        sitemap::Kind::Other => "it is no sitemap and no feed",
        sitemap::Kind::Text if report.invalid > 0 => "it is no sitemap: no line is a URL",
        _ => return None,
    };
    Some(Failure::new(Kind::Missing, why))
}

/// A sitemap while its body comes.
struct Reading {
    reader: Option<Reader>,
    found: Found,
    /// How long the body is so far.
    bytes: u64,
}

/// What was found in it.
struct Found {
    listing: Listing,
    /// The fingerprints of what was named.
    named: Seen,
    notes: Notes,
    since: Option<Timestamp>,
    /// The owner of the pages that may be named, where that matters.
    site: Option<Box<str>>,
    /// How many pages belong to others.
    foreign: u64,
}

impl Reading {
    fn new(trail: &Trail, notes: Notes, options: Options) -> Self {
        let start = trail.found.as_ref().map(|found| &found.from.start.seed);
        let asked = start.filter(|seed| is_all_sitemaps(seed));
        let site = asked.map(|seed| site(host_key(seed)).into());
        let listing = Listing::new(Trust::Chosen { by: None });
        let found = Found { listing, named: Seen::new(), notes, since: options.since, site, foreign: 0 };
        Self { reader: None, found, bytes: 0 }
    }

    fn take(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        if let Some(reader) = &mut self.reader {
            // What is wrong is told at the end.
            let _ = reader.push(piece, &mut |entry| self.found.take(&entry));
        }
    }
}

impl Found {
    fn take(&mut self, entry: &Entry) {
        if !entry.may_be_since(self.since) || !self.named.insert(fingerprint(&entry.url)) {
            return;
        }
        match entry.role {
            Role::Sitemap => self.listing.push_sitemap(&entry.url),
            Role::Page if self.site.as_deref().is_some_and(|owner| owner != site(host_key(&entry.url))) => {
                self.foreign += 1;
            }
            Role::Page => {
                let note = self.notes.write(entry);
                self.listing.push_page(&entry.url, entry.priority.map(percent), note.as_deref());
            }
        }
    }
}

fn percent(priority: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 100")]
    let percent = (priority.clamp(0., 1.) * 100.).round() as u8;
    percent
}

/// What the body goes to.
struct Shared(Arc<Mutex<Reading>>);

impl Shared {
    fn lock(reading: &Mutex<Reading>) -> MutexGuard<'_, Reading> {
        reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the body of an answer, unless that says that it has none to give.
    fn begin(&self, trail: &Trail, head: &Head, by: Option<IpAddr>) -> Taker {
        if Accepted::default().judge(head.status).is_none() {
            let charset = declared_charset(&head.headers);
            let mut reading = Self::lock(&self.0);
            reading.reader = Some(Reader::new(trail.url.clone(), charset));
            reading.found.listing = Listing::new(Trust::Chosen { by });
        }
        let reading = Arc::clone(&self.0);
        Box::new(move |piece| Self::lock(&reading).take(piece))
    }

    /// What was found, the length of the body, what there is to say of a file that was read, and how many pages were left out.
    fn finish(self) -> (Listing, u64, Option<Report>, u64) {
        let mut reading = Self::lock(&self.0);
        let Reading { reader, found, bytes } = &mut *reading;
        let report = reader.take().map(|reader| reader.finish(&mut |entry| found.take(&entry)));
        let nothing = Listing::new(Trust::Chosen { by: None });
        (std::mem::replace(&mut found.listing, nothing), *bytes, report, found.foreign)
    }
}

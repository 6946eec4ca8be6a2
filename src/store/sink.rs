//! What a run tells its state, and what it lets pass.

use std::fs::File;
use std::io::{self, Seek};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::changes::Finding;
use super::frontier::Advance;
use super::shape::Shape;
use super::untold::Untold;
use super::watch::Watch;
use super::writer::Observation;
use crate::canonical::fingerprint;
use crate::engine::Sink;
use crate::failure::Kind;
use crate::job::{Attempt, End, Outcome};
use crate::state::Kept;

/// How many outcomes are held back at most, some tens of megabytes. More stay where they come, and count as done.
const LATE: usize = 65_536;

/// How much memory versions share, in bytes.
const PIECE: usize = 1 << 15;

/// Tells the state of all that passes.
pub(super) struct Recorder {
    pub(super) downstream: Downstream,
    pub(super) untold: Untold,
    pub(super) shape: Arc<Shape>,
    pub(super) watch: Option<Watch>,
    pub(super) late: Late,
    pub(super) is_idempotent: bool,
    /// Whether it is told how far a crawl has come.
    pub(super) crawls: bool,
    /// Whether that checks links.
    pub(super) checks: bool,
    pub(super) pieces: Pieces,
}

/// Versions on their way to the thread that writes.
#[derive(Default)]
pub(super) struct Pieces {
    /// The last one: the next one is written where it is, and needs no memory of its own to grow in.
    json: Vec<u8>,
    /// Many of them share a piece of memory, which is freed there: for each to have its own takes both threads longer.
    piece: BytesMut,
}

impl Pieces {
    /// The version that an outcome is.
    fn find(&mut self, shape: &Shape, outcome: &Outcome) -> Finding {
        shape.version(outcome, &mut self.json);
        if self.piece.capacity() < self.json.len() {
            self.piece = BytesMut::with_capacity(self.json.len().max(PIECE));
        }
        self.piece.extend_from_slice(&self.json);
        Finding::Page(xxh3_64(&self.json), self.piece.split().freeze())
    }
}

/// The sinks that records pass to.
pub(super) struct Downstream {
    sinks: Vec<Box<dyn Sink>>,
    /// The files that some of them write records to, at their positions.
    files: Vec<File>,
    /// Whether one of them has failed. What it had gathered may be lost: nothing counts as done from then on.
    is_broken: bool,
}

/// What would be tried again: it is written behind what stands.
pub(super) struct Late {
    outcomes: Vec<Outcome>,
    /// What they say of their pages. It counts when the run is whole.
    held: Arc<Mutex<Vec<Observation>>>,
}

impl Downstream {
    pub(super) fn new(sinks: Vec<Box<dyn Sink>>, files: Vec<File>) -> Self {
        Self { sinks, files, is_broken: false }
    }

    /// Has each sink do something.
    fn each(&mut self, act: impl FnMut(&mut Box<dyn Sink>) -> io::Result<()>) -> io::Result<()> {
        let result = self.sinks.iter_mut().try_for_each(act);
        self.is_broken |= result.is_err();
        result
    }

    fn pass(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.each(|sink| sink.accept(outcome))
    }

    /// Has all that was passed written: how far the files have come with that.
    fn commit(&mut self) -> io::Result<Vec<u64>> {
        self.each(|sink| sink.commit())?;
        self.files.iter_mut().map(Seek::stream_position).collect()
    }
}

impl Late {
    pub(super) fn new(held: Arc<Mutex<Vec<Observation>>>) -> Self {
        Self { outcomes: Vec::new(), held }
    }

    fn is_full(&self) -> bool {
        self.outcomes.len() >= LATE
    }

    fn hold(&mut self, outcome: Outcome, observed: Option<Observation>) {
        self.outcomes.push(outcome);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).extend(observed);
    }
}

impl Recorder {
    /// What a final outcome says of its page; none where the run was stopped before it did.
    fn observe(&mut self, outcome: &Outcome) -> Option<Observation> {
        let status = outcome.facts.as_ref().map(|facts| facts.status);
        let found = match (&outcome.end, outcome.failure()) {
            (_, Some(failure)) if failure.kind == Kind::Cancelled => return None,
            (_, Some(failure)) if failure.kind == Kind::Status && matches!(status, Some(404 | 410)) => Finding::Gone,
            (_, Some(failure)) => Finding::Failed(failure.kind),
            (End::Unchanged, None) => Finding::Unchanged,
            (
                End::Redirect(_) | End::Robots { .. } | End::Address(_) | End::Listed | End::Elsewhere(_) | End::Beyond,
                None,
            ) => {
                return None;
            }
            (End::Done { .. }, None) => self.pieces.find(&self.shape, outcome),
        };
        let (key, url, final_url) = match &outcome.trail {
            Some(trail) => {
                let (first, last) = (trail.first_url(), &trail.url);
                (fingerprint(first), first.as_str(), (first != last).then(|| last.as_str().into()))
            }
            None => (xxh3_64(outcome.target.given.as_bytes()), &*outcome.target.given, None),
        };
        let may_end_otherwise = outcome.failure().is_some_and(|failure| failure.is_retryable(self.is_idempotent));
        let is_done = outcome.trail.is_some() && !may_end_otherwise || self.late.is_full();
        Some(Observation {
            key,
            url: url.into(),
            final_url,
            at: outcome.fetched_at.unwrap_or_else(Timestamp::now).as_millisecond(),
            status,
            found,
            validators: outcome.facts.as_ref().and_then(|facts| facts.validators.clone()),
            is_done,
        })
    }

    /// Tells the state what it was not told yet, with the positions up to which the files have its records. All of these are
    /// written before, to standard output, too: there they may come twice, but are never lost.
    fn tell(&mut self) -> io::Result<()> {
        let positions = self.downstream.commit()?;
        self.untold.tell(positions)
    }

    /// Tells the state the last of what stands.
    fn conclude(&mut self) -> io::Result<()> {
        self.downstream.each(|sink| sink.conclude())?;
        self.untold.note(true);
        self.tell()
    }

    /// Takes what is to be told of an outcome whose records are written.
    fn note(&mut self, observed: Option<Observation>, outcome: &Outcome) -> io::Result<()> {
        let may_come_again = match &observed {
            Some(page) => !page.is_done,
            None => outcome.failure().is_some(),
        };
        self.untold.note(!may_come_again);
        let moves_on = self.crawls && !may_come_again;
        let advance = if moves_on { Advance::of(outcome, (observed.is_some(), self.checks)) } else { None };
        self.untold.add(observed, advance);
        if self.untold.is_enough() { self.tell() } else { Ok(()) }
    }

    /// Keeps a page, where pages are kept.
    fn keep(&mut self, attempt: &Attempt) -> io::Result<()> {
        if !self.untold.keeps_pages() {
            return Ok(());
        }
        let Some((kept, body)) = Kept::of(attempt) else { return Ok(()) };
        if self.untold.has_no_room_for(body.len()) {
            // It may wait for memory then, but not with pages that nobody was told of.
            self.tell()?;
        }
        self.untold.keep(kept, body);
        Ok(())
    }

    /// Writes what was held back behind what stands.
    fn pass_late(&mut self) -> io::Result<()> {
        for outcome in std::mem::take(&mut self.late.outcomes) {
            self.downstream.pass(&outcome)?;
            self.untold.note(false);
        }
        if !self.untold.has_outbox() {
            return Ok(());
        }
        // The files have not come further with that.
        self.downstream.each(|sink| sink.idle())?;
        self.untold.tell_posts()
    }
}

impl Sink for Recorder {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let observed = self.observe(outcome);
        let marked = match (&self.watch, &observed) {
            (None, _) => None,
            (Some(_), None) => return self.note(None, outcome),
            (Some(watch), Some(page)) => match watch.judge(outcome, page)? {
                None => return self.note(observed, outcome),
                marked => marked,
            },
        };
        let (whole, outcome) = (outcome, marked.as_ref().unwrap_or(outcome));
        let is_late = outcome.failure().is_some() && observed.as_ref().is_none_or(|page| !page.is_done);
        if is_late && !self.downstream.files.is_empty() {
            self.late.hold(outcome.clone(), observed);
            return Ok(());
        }
        self.downstream.pass(outcome)?;
        self.note(observed, whole)
    }

    fn attempt(&mut self, attempt: &Attempt) -> io::Result<()> {
        // First, as the state may be told of what there is: nobody may have written what comes before the outcome that it is of.
        self.keep(attempt)?;
        self.downstream.each(|sink| sink.attempt(attempt))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.downstream.each(|sink| sink.idle())?;
        if self.untold.is_due() { self.tell() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let told = if self.downstream.is_broken { Ok(()) } else { self.conclude().and_then(|()| self.pass_late()) };
        // One that fails is no reason to lose what the others have gathered.
        self.downstream.sinks.into_iter().fold(told, |result, sink| result.and(sink.finish()))
    }
}

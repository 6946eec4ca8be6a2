//! What a run tells its state, and what it lets pass.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::Change;
use super::changes::{Finding, compare, judge};
use super::frontier::Advance;
use super::lookup::Lookup;
use super::outbox::Posts;
use super::session::Mark;
use super::shape::{Content, Shape};
use super::writer::{Batch, Observation, Teller};
use crate::canonical::fingerprint;
use crate::engine::{Sink, blocking};
use crate::failure::Kind;
use crate::job::{Attempt, End, Outcome};
use crate::seeds::budget::Budget;
use crate::state::Kept;
use crate::value::{Row, Value};

/// How many pages are told at once.
const PAGES: usize = 256;
/// After this time, fewer are.
const PATIENCE: Duration = Duration::from_millis(100);
/// The same where a file is compressed: records that are told of together are compressed together.
const LONG_PATIENCE: Duration = Duration::from_secs(5);
/// How many outcomes are held back at most, some tens of megabytes. More stay where they come, and count as done.
const LATE: usize = 65_536;

/// Bytes of pages to keep that are told at once, or one page.
const BODIES: usize = 1 << 20;

/// The pages that are to be kept. They have memory of their own: what is in flight has all of the fetcher's to hope for.
#[derive(Default)]
struct Keeper {
    budget: Arc<Budget>,
    pending: Vec<Kept>,
    bytes: usize,
}

/// What is wanted of changes.
pub(super) struct Watch {
    pub(super) lookup: Arc<Lookup>,
    pub(super) mark: Mark,
    pub(super) extraction: i64,
    /// How many there were.
    pub(super) counts: Arc<Mutex<BTreeMap<Change, u64>>>,
}

/// Tells the state of all that passes.
pub(super) struct Recorder {
    inner: Vec<Box<dyn Sink>>,
    /// The files that records are written to, at their positions.
    files: Vec<File>,
    shape: Arc<Shape>,
    teller: Teller,
    watch: Option<Watch>,
    /// Where one of `inner` leaves what is to be kept for the outbox.
    posts: Option<Posts>,
    is_idempotent: bool,
    keeper: Option<Keeper>,
    /// Whether it is told how far a crawl has come.
    crawls: bool,
    /// What was not told yet.
    pending: Batch,
    told_at: Instant,
    patience: Duration,
    /// What would be tried again: it is written behind what stands.
    late: Vec<Outcome>,
    held: Arc<Mutex<Vec<Observation>>>,
}

impl Recorder {
    pub(super) fn new(inner: Vec<Box<dyn Sink>>, files: Vec<File>, shape: Arc<Shape>, teller: Teller) -> Self {
        Self {
            inner,
            files,
            shape,
            teller,
            watch: None,
            posts: None,
            is_idempotent: true,
            keeper: None,
            crawls: false,
            pending: Batch::default(),
            told_at: Instant::now(),
            patience: PATIENCE,
            late: Vec::new(),
            held: Arc::default(),
        }
    }

    pub(super) fn with(self, watch: Option<Watch>, held: Arc<Mutex<Vec<Observation>>>, is_idempotent: bool) -> Self {
        Self { watch, is_idempotent, held, ..self }
    }

    /// The same, and pages are kept.
    pub(super) fn keeping(self) -> Self {
        Self { keeper: Some(Keeper::default()), ..self }
    }

    /// The same, for files of which some are compressed.
    pub(super) fn patient(self) -> Self {
        Self { patience: LONG_PATIENCE, ..self }
    }

    /// Tells, too, how far a crawl has come.
    pub(super) fn of_crawl(self, crawls: bool) -> Self {
        Self { crawls, ..self }
    }

    /// The same, and what is left in `posts` is kept for the outbox.
    pub(super) fn with_posts(self, posts: Option<Posts>) -> Self {
        Self { posts, ..self }
    }

    fn pass(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.accept(outcome))
    }

    /// What a final outcome says of its page; none where the run was stopped before it did.
    fn observe(&self, outcome: &Outcome) -> Option<Observation> {
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
            (End::Done { .. }, None) => {
                let version = self.shape.version(outcome);
                Finding::Page(xxh3_64(&version), version)
            }
        };
        let (key, url, final_url) = match &outcome.trail {
            Some(trail) => {
                let (first, last) = (trail.first_url(), &trail.url);
                (fingerprint(first), first.as_str(), (first != last).then(|| last.as_str().into()))
            }
            None => (xxh3_64(outcome.target.given.as_bytes()), &*outcome.target.given, None),
        };
        let may_end_otherwise = outcome.failure().is_some_and(|failure| failure.is_retryable(self.is_idempotent));
        let is_done = outcome.trail.is_some() && !may_end_otherwise || self.late.len() >= LATE;
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
        self.inner.iter_mut().try_for_each(|sink| sink.commit())?;
        let positions = self.files.iter_mut().map(Seek::stream_position).collect::<io::Result<_>>()?;
        self.told_at = Instant::now();
        let kept = self.keeper.as_mut().map(Keeper::take).unwrap_or_default();
        let pending = std::mem::take(&mut self.pending);
        self.teller.tell(Batch { kept, posts: self.take_posts(), positions, ..pending })
    }

    /// Takes what is to be told of an outcome whose records are written.
    fn note(&mut self, observed: Option<Observation>, outcome: &Outcome) -> io::Result<()> {
        let may_come_again = match &observed {
            Some(page) => !page.is_done,
            None => outcome.failure().is_some(),
        };
        if self.crawls && !may_come_again {
            self.pending.advances.extend(Advance::of(outcome, observed.is_some()));
        }
        self.pending.pages.extend(observed);
        if self.pending.weight() >= PAGES { self.tell() } else { Ok(()) }
    }

    fn take_posts(&self) -> Vec<u8> {
        self.posts.as_ref().map(Posts::take).unwrap_or_default()
    }

    /// Writes what was held back behind what stands.
    fn pass_late(&mut self) -> io::Result<()> {
        for outcome in std::mem::take(&mut self.late) {
            self.pass(&outcome)?;
        }
        if self.posts.is_none() {
            return Ok(());
        }
        // The files have not come further with that.
        self.inner.iter_mut().try_for_each(|sink| sink.idle())?;
        self.teller.tell(Batch { posts: self.take_posts(), ..Batch::default() })
    }

    /// Keeps the page of an attempt, if it is one to keep. Whoever writes may be far behind: then it waits, but not with pages
    /// that nobody was told of.
    fn keep(&mut self, attempt: &Attempt) -> io::Result<()> {
        let Some((kept, body)) = Kept::of(attempt) else { return Ok(()) };
        let is_too_much = |keeper: &Keeper| keeper.bytes > 0 && keeper.bytes + body.len() > BODIES;
        if self.keeper.as_ref().is_some_and(is_too_much) {
            self.tell()?;
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.bytes += body.len();
            let body = blocking(|| keeper.budget.hold(body.to_vec()));
            keeper.pending.push(kept.with_body(body));
        }
        Ok(())
    }
}

impl Keeper {
    fn take(&mut self) -> Vec<Kept> {
        self.bytes = 0;
        std::mem::take(&mut self.pending)
    }
}

impl Watch {
    /// The outcome as it is to be told of; none where nothing has changed.
    fn judge(&self, outcome: &Outcome, page: &Observation) -> io::Result<Option<Outcome>> {
        let before = self.lookup.before(page.key)?;
        let ruling = judge(before, &page.found, self.extraction);
        if !ruling.is_news(self.mark.error_after) {
            return Ok(None);
        }
        let Some(change) = ruling.change else { return Ok(Some(outcome.clone())) };
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(change).or_default() += 1;
        let diff = self.diff(change, page)?;
        Ok(Some(self.marked(outcome.clone(), change, diff)))
    }

    fn diff(&self, change: Change, page: &Observation) -> io::Result<Value<'static>> {
        let (Change::Changed | Change::Back, Finding::Page(_, content)) = (change, &page.found) else {
            return Ok(Value::Null);
        };
        let Some(old) = self.lookup.content(page.key)? else { return Ok(Value::Null) };
        let new: Content = serde_json::from_slice(content)?;
        let pair = |old, new| Value::Map(vec![("old".into(), old), ("new".into(), new)]);
        let json = |raw| Value::Json(std::borrow::Cow::Owned(raw));
        let differences = compare(&old, &new, self.lookup.names()).into_iter();
        Ok(Value::Map(differences.map(|it| (it.field.into(), pair(json(it.old), json(it.new)))).collect()))
    }

    /// The outcome with a change in each of its rows, of which there is one then, and the difference in the first.
    fn marked(&self, mut outcome: Outcome, change: Change, diff: Value<'static>) -> Outcome {
        if let End::Done { rows, .. } = &mut outcome.end {
            if rows.is_empty() {
                rows.push(Row::default());
            }
            let mut diff = Some(diff);
            for row in rows {
                let width = row.0.len().max(self.mark.field + 2);
                row.0.resize(width, Value::Null);
                row.0[self.mark.field] = change.name().into();
                row.0[self.mark.field + 1] = diff.take().unwrap_or_default();
            }
        }
        outcome
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
        if is_late && !self.files.is_empty() {
            self.late.push(outcome.clone());
            self.held.lock().unwrap_or_else(PoisonError::into_inner).extend(observed);
            return Ok(());
        }
        self.pass(outcome)?;
        self.note(observed, whole)
    }

    fn attempt(&mut self, attempt: &Attempt) -> io::Result<()> {
        // First, as the state may be told of what there is: nobody may have written what comes before the outcome that it is of.
        if self.keeper.is_some() {
            self.keep(attempt)?;
        }
        self.inner.iter_mut().try_for_each(|sink| sink.attempt(attempt))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.idle())?;
        let has_news = !self.pending.is_empty() || self.keeper.as_ref().is_some_and(|keeper| keeper.bytes > 0);
        let is_time = has_news && self.told_at.elapsed() >= self.patience;
        if is_time { self.tell() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let result = self.tell().and_then(|()| self.pass_late());
        // One that fails is no reason to lose what the others have gathered.
        self.inner.into_iter().fold(result, |result, sink| result.and(sink.finish()))
    }
}

//! Which job is next. A pure state machine: it reads no clock, waits for nothing and spawns nothing.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use url::Url;

use super::Options;
use super::lanes::Lanes;
use super::limits::{Limit, Spent};
use super::politeness::{Ended, Rate};
use super::scarcity::Scarcity;
use super::seen::Seen;
use crate::canonical::{fingerprint, host_key};
use crate::failure::{Failure, Kind};
use crate::job::{End, Job, Lack, Link, Outcome, Rejected, Seed, Target, Trail};

/// What the queue offers.
#[derive(Debug)]
pub enum Next {
    /// A job whose host may be asked now. It counts as in flight until it is settled.
    Visit(Box<Job>),
    /// A final outcome that needed no visit. It is not to be settled.
    Settled(Box<Outcome>),
}

/// How a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Targets so far, pages that are followed included; duplicates do not count.
    pub targets: u64,
    /// Targets with a final outcome.
    pub settled: u64,
    /// Jobs queued or waiting to be tried again.
    pub queued: usize,
    /// Jobs being visited.
    pub in_flight: usize,
    /// Seeds dropped because their page was admitted before.
    pub duplicates: u64,
    /// Chains that would have gone on beyond the limit of their pages.
    pub cut: u64,
    /// Whether no further target will come, as far as is known: the page of a seed may lead to others.
    /// Seeds dropped because their page was done by an earlier run.
    pub done_before: u64,
    /// Which limit ended the run.
    pub limit: Option<Limit>,
    /// Whether no further target will come.
    pub is_complete: bool,
}

/// The frontier's state: a lane for each host that has jobs, and what waits.
#[derive(Debug)]
pub struct Queue {
    options: Options,
    rate: Option<Rate>,
    seen: Option<Seen>,
    /// The pages that were done before this run.
    done: Option<Seen>,
    lanes: Lanes,
    retries: BinaryHeap<Retry>,
    settled: VecDeque<Box<Outcome>>,
    /// Jobs that ask nobody, and so wait for nobody.
    stored: VecDeque<Box<Job>>,
    /// The targets without a final outcome, where their order matters.
    open: Option<Open>,
    progress: Progress,
    /// Targets that the seeds came to. The others are pages that were followed.
    numbered: u64,
    /// Pages that were followed and have no final outcome.
    following: u64,
    spent: Spent,
    /// Bytes of what the lines of open targets carry along.
    carried: usize,
    first_look_until: Option<Instant>,
    scarcity: Scarcity,
    is_closed: bool,
}

/// Lines may carry along megabytes each. No more than so many bytes of that are held.
const CARRIED: usize = 64 << 20;

/// Which of the targets, numbered as they come, have no final outcome.
#[derive(Debug, Default)]
struct Open {
    /// The oldest one that has none; if all have one, the next to come.
    oldest: u64,
    /// Whether it and each one after it has none.
    are_open: VecDeque<bool>,
}

impl Open {
    /// The next target comes.
    fn add(&mut self) {
        self.are_open.push_back(true);
    }

    /// The target called `id` has its final outcome.
    fn remove(&mut self, id: u64) {
        let at = id.checked_sub(self.oldest).and_then(|at| usize::try_from(at).ok());
        if let Some(is_open) = at.and_then(|at| self.are_open.get_mut(at)) {
            *is_open = false;
        }
        while self.are_open.front() == Some(&false) {
            self.are_open.pop_front();
            self.oldest += 1;
        }
    }

    /// How many targets there are from the oldest one on.
    fn span(&self) -> usize {
        self.are_open.len()
    }
}

/// At the start nothing is known but the first lines of the list. If they all name one slow host, it would take every
/// slot there is. So for this long, unless the list has been read as far as it may be, each host gets one.
const FIRST_LOOK: Duration = Duration::from_millis(20);

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            rate: options.interval.map(Rate::new),
            seen: (!options.keep_duplicates).then(Seen::new),
            done: None,
            lanes: Lanes::default(),
            retries: BinaryHeap::new(),
            settled: VecDeque::new(),
            stored: VecDeque::new(),
            open: options.window.is_some().then(Open::default),
            progress: Progress::default(),
            numbered: 0,
            following: 0,
            spent: Spent::default(),
            carried: 0,
            first_look_until: None,
            scarcity: Scarcity::default(),
            is_closed: false,
            options,
        }
    }

    /// Whether another seed would be taken, now or later.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        !self.is_closed && self.limit().is_none()
    }

    /// The limit that is reached.
    fn limit(&self) -> Option<Limit> {
        self.options.limits.reached(self.numbered + self.progress.done_before, self.spent)
    }

    /// Whether there is room for another seed now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let ahead = self.progress.queued + self.progress.in_flight + self.settled.len();
        let is_within_window = match (&self.open, self.options.window) {
            (Some(open), Some(window)) => open.span() < window.get(),
            _ => true,
        };
        let is_allowed = is_within_window && self.leaves_room();
        ahead < self.options.look_ahead.get() && self.carried < CARRIED && is_allowed
    }

    /// Whether the limits allow one more page.
    fn leaves_room(&self) -> bool {
        let open = self.progress.targets - self.progress.settled;
        self.options.limits.leave_room(open, self.spent) && self.limit() != Some(Limit::Bytes)
    }

    /// Takes note that a page was done by an earlier run; whether that was news.
    pub fn skip(&mut self, url: &Url) -> bool {
        self.done.get_or_insert_with(Seen::new).insert(fingerprint(url))
    }

    /// Takes a seed; a page that was admitted, or done, before is counted and dropped.
    pub fn admit(&mut self, seed: Seed, now: Instant) {
        if self.is_closed {
            return;
        }
        if let Some(seen) = &mut self.seen
            && !seen.insert(fingerprint(&seed.url))
        {
            self.progress.duplicates += 1;
            return;
        }
        if self.done.as_ref().is_some_and(|done| done.contains(fingerprint(&seed.url))) {
            self.progress.done_before += 1;
            return;
        }
        let target = self.number(seed.target);
        self.progress.queued += 1;
        if let Some(stored) = seed.stored {
            self.stored.push_back(Box::new(Job { target, trail: Trail::to_stored(stored) }));
            return;
        }
        let job = Job { target, trail: Trail::new(seed.url, seed.auth) };
        let lane = self.lanes.of(host_key(&job.trail.url), self.options.per_host.get());
        self.lanes.queue(lane, Box::new(job), now);
    }

    /// Takes a line that is no URL.
    pub fn reject(&mut self, rejected: Rejected) {
        if self.is_closed {
            return;
        }
        let target = self.number(rejected.target);
        self.settled.push_back(Box::new(Outcome::rejected(Rejected { target, ..rejected })));
    }

    /// No further target will come.
    pub fn complete(&mut self) {
        self.progress.is_complete = true;
        self.progress.limit = self.progress.limit.or_else(|| self.limit());
    }

    /// Offers what is next, or tells when to ask again: at an instant, or (none) once something was admitted or
    /// settled.
    ///
    /// # Errors
    /// Nothing may start now.
    pub fn next(&mut self, now: Instant) -> Result<Next, Option<Instant>> {
        if let Some(outcome) = self.settled.pop_front() {
            self.count_final(&outcome);
            return Ok(Next::Settled(outcome));
        }
        if let Some(job) = self.stored.pop_front() {
            self.progress.queued -= 1;
            self.progress.in_flight += 1;
            return Ok(Next::Visit(job));
        }
        while self.retries.peek().is_some_and(|retry| retry.at <= now) {
            let Some(retry) = self.retries.pop() else { break };
            let Outcome { target, trail: Some(trail), .. } = *retry.outcome else { continue };
            self.enqueue_first(Job { target, trail: trail.retry() }, now);
        }
        self.lanes.wake(now);
        let Some(lane) = self.lanes.ready.first() else {
            let retry = self.retries.peek().map(|retry| retry.at);
            return Err([retry, self.lanes.wakes_at()].into_iter().flatten().min());
        };
        if self.scarcity.is_full(self.progress.in_flight) {
            return Err(None);
        }
        let rate = self.rate.as_mut().and_then(|rate| rate.ready_at(now));
        if let Some(at) = self.scarcity.ready_at(now).or(rate).or_else(|| self.waits_for_others(lane, now)) {
            return Err(Some(at));
        }
        let Some(job) = self.lanes.start(lane, now, &self.options) else { return Err(None) };
        if let Some(rate) = &mut self.rate {
            rate.start(now);
        }
        self.progress.queued -= 1;
        self.progress.in_flight += 1;
        Ok(Next::Visit(job))
    }

    /// Until when a host that has a request in flight must leave its next turn to hosts that the list has yet to name.
    fn waits_for_others(&mut self, lane: u32, now: Instant) -> Option<Instant> {
        let until = *self.first_look_until.get_or_insert(now + FIRST_LOOK);
        let more_may_come = !self.progress.is_complete && self.has_room();
        (now < until && more_may_come && self.lanes[lane].pace.in_flight() > 0).then_some(until)
    }

    /// Takes what came of a visit that [`next`](Self::next) offered. It comes back when it is final, with those of its links
    /// that became jobs; a redirect to follow and a failure to try again stay here as jobs.
    pub fn settle(&mut self, mut outcome: Outcome, now: Instant) -> Option<Outcome> {
        let is_stored = outcome.trail.as_mut().and_then(|trail| trail.stored.take()).is_some();
        let last = if is_stored {
            self.progress.in_flight -= 1;
            outcome
        } else {
            self.end_visit(&outcome, now);
            match self.what_follows(&outcome, now) {
                None => self.with_links_admitted(outcome, now),
                Some(follow) => self.follow(follow, outcome, now)?,
            }
        };
        self.count_final(&last);
        if self.options.limits.bytes.is_some() && self.limit() == Some(Limit::Bytes) {
            self.drop_unbegun(now);
        }
        Some(last)
    }

    /// Tells its host's lane that a visit is over.
    fn end_visit(&mut self, outcome: &Outcome, now: Instant) {
        let Some(trail) = &outcome.trail else { return };
        let lane = self.lanes.of(host_key(&trail.url), self.options.per_host.get());
        let pace = &mut self.lanes[lane].pace;
        if outcome.hint.unasked {
            pace.take_back();
            self.rate.iter_mut().for_each(Rate::take_back);
        } else {
            pace.finish(ended(outcome), now);
        }
        if self.options.connections < usize::MAX {
            pace.remember(now + self.options.idle_timeout);
        }
        if let Some(wait) = outcome.hint.retry_after {
            pace.pause(now + wait.min(self.options.retry.max_retry_after));
        }
        self.progress.in_flight -= 1;
        self.lanes.place(lane, now);
    }

    fn count_final(&mut self, outcome: &Outcome) {
        self.carried -= carried(&outcome.target);
        // A target is open until its chain ends.
        if let Some(open) = self.open.as_mut().filter(|_| outcome.links.is_empty()) {
            open.remove(outcome.target.id);
        }
        self.following -= u64::from(is_followed(outcome));
        self.progress.settled += 1;
        self.spent.count(outcome);
    }

    /// Makes jobs of a final outcome's links; those that become none are left out.
    fn with_links_admitted(&mut self, mut outcome: Outcome, now: Instant) -> Outcome {
        let mut links = std::mem::take(&mut outcome.links);
        links.retain(|link| self.admit_link(link, &outcome, now));
        Outcome { links, ..outcome }
    }

    /// Takes a page that `from` leads to, which then goes before what was not begun. False where there will be no visit: the
    /// run is closed, does not follow links, its chain ends here, or the page was admitted before.
    fn admit_link(&mut self, link: &Link, from: &Outcome, now: Instant) -> bool {
        let trail = from.trail.as_ref().filter(|_| self.options.follow && !self.is_closed);
        let Some(trail) = trail.and_then(|trail| trail.follow(link)) else { return false };
        if !self.leaves_room() {
            return false;
        }
        if trail.page() > link.pages.get() {
            tracing::info!(url = %link.url, pages = link.pages, "not followed: a chain has no more pages");
            self.progress.cut += 1;
            return false;
        }
        if self.seen.as_mut().is_some_and(|seen| !seen.insert(fingerprint(&link.url))) {
            return false;
        }
        let target = Target { given: link.url.as_str().into(), ..from.target.clone() };
        self.carried += carried(&target);
        self.progress.targets += 1;
        self.progress.queued += 1;
        self.following += 1;
        self.enqueue_first(Job { target, trail }, now);
        true
    }

    /// What follows from an outcome, unless it is final.
    fn what_follows(&mut self, outcome: &Outcome, now: Instant) -> Option<Follow> {
        match outcome.hint.lack {
            None => self.scarcity.sufficed(),
            Some(lack) if !self.is_closed && self.scarcity.lacked(lack, self.progress.in_flight, now) => {
                if let (Some(trail), Some(failure)) = (&outcome.trail, outcome.failure()) {
                    tracing::info!(url = %trail.url, %failure, "does not count");
                }
                return Some(Follow::Again);
            }
            Some(_) => {}
        }
        match (self.wait_before_retry(outcome), &outcome.end) {
            (Some(wait), _) => Some(Follow::Retry(wait)),
            (None, End::Redirect(_)) => Some(Follow::Hop),
            (None, End::Done { .. } | End::Beyond | End::Unchanged) => None,
        }
    }

    /// Makes the job that follows from an outcome. If there will be none, it was final all the same.
    fn follow(&mut self, follow: Follow, outcome: Outcome, now: Instant) -> Option<Outcome> {
        let job = match (follow, outcome) {
            (Follow::Retry(wait), outcome) => {
                self.progress.queued += 1;
                self.retries.push(Retry { at: now + wait, outcome: Box::new(outcome) });
                return None;
            }
            (Follow::Again, Outcome { target, trail: Some(trail), hint, .. }) => {
                let is_large = trail.is_large || hint.lack == Some(Lack::Memory);
                Job { target, trail: Trail { is_large, ..trail } }
            }
            (Follow::Hop, Outcome { target, trail: Some(trail), end: End::Redirect(redirect), .. }) => {
                let job = Job { target, trail: trail.hop(redirect) };
                if self.is_closed && self.lanes.makes_wait(host_key(&job.trail.url), now) {
                    return Some(stopped(job));
                }
                job
            }
            (_, outcome) => return Some(outcome),
        };
        self.progress.queued += 1;
        self.enqueue_first(job, now);
        None
    }

    fn wait_before_retry(&self, outcome: &Outcome) -> Option<Duration> {
        let (trail, failure) = (outcome.trail.as_ref()?, outcome.failure()?);
        if self.is_closed {
            return None;
        }
        let wait = self.options.retry.wait(trail, failure, outcome.hint)?;
        tracing::info!(url = %trail.url, attempt = trail.attempt, wait_ms = wait.as_millis(), %failure, "will try again");
        Some(wait)
    }

    /// Starts no more targets. What was never started is dropped; what waits to be tried again ends as it failed, what
    /// else was begun as cancelled. What is in flight goes on, redirects included unless they have to wait for their
    /// host. Closing once more ends also those that wait for the run's rate.
    pub fn close(&mut self, now: Instant) {
        self.is_closed = true;
        self.progress.is_complete = true;
        self.progress.queued -= self.stored.len();
        self.stored.clear();
        let retries = std::mem::take(&mut self.retries);
        self.progress.queued -= retries.len();
        self.settled.extend(retries.into_iter().map(|retry| retry.outcome));
        for job in self.lanes.take_all(now) {
            self.progress.queued -= 1;
            if is_begun(&job) {
                self.settled.push_back(Box::new(stopped(job)));
            }
        }
    }

    /// Drops the jobs that were never started. What was begun goes on to its end.
    fn drop_unbegun(&mut self, now: Instant) {
        // Each is put before those of its lane.
        for job in self.lanes.take_all(now).into_iter().rev() {
            if is_begun(&job) {
                self.enqueue_first(job, now);
            } else {
                self.progress.queued -= 1;
                self.progress.limit = Some(Limit::Bytes);
            }
        }
    }

    /// Whether the run is over: nothing will come, nothing is queued, nothing is in flight.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let Progress { queued, in_flight, is_complete, .. } = self.progress;
        is_complete && queued == 0 && in_flight == 0 && self.settled.is_empty()
    }

    /// How the run stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { is_complete: self.progress.is_complete && self.following == 0, ..self.progress }
    }

    #[cfg(test)]
    pub(super) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    fn number(&mut self, target: Target) -> Target {
        let id = self.numbered;
        self.numbered += 1;
        self.progress.targets += 1;
        self.carried += carried(&target);
        if let Some(open) = &mut self.open {
            open.add();
        }
        Target { id, ..target }
    }

    /// Work that was begun goes before work that was not.
    fn enqueue_first(&mut self, job: Job, now: Instant) {
        let lane = self.lanes.of(host_key(&job.trail.url), self.options.per_host.get());
        self.lanes.queue_first(lane, Box::new(job), now);
    }
}

/// What follows from an outcome that is not final.
enum Follow {
    /// The same request: this one does not count.
    Again,
    /// The next attempt, after a wait.
    Retry(Duration),
    /// The request that a redirect asks for.
    Hop,
}

/// What an outcome says to its host's pace.
fn ended(outcome: &Outcome) -> Ended {
    match (&outcome.end, &outcome.facts) {
        _ if outcome.hint.throttled => Ended::Throttled,
        (End::Redirect(_) | End::Beyond | End::Unchanged, _) | (_, Some(_)) => Ended::Content,
        _ => Ended::Unanswered,
    }
}

/// Whether no seed names it.
fn is_followed(outcome: &Outcome) -> bool {
    outcome.trail.as_ref().is_some_and(|trail| trail.chain.is_some())
}

fn carried(target: &Target) -> usize {
    target.input.as_deref().map_or(0, |input| input.get().len())
}

/// Whether a request was made for a job that waits.
fn is_begun(job: &Job) -> bool {
    job.trail.attempt > 1 || !job.trail.hops.is_empty() || job.trail.is_large
}

/// The outcome of a job that was begun and will not be ended.
fn stopped(job: Job) -> Outcome {
    Outcome::failed(job, Failure::new(Kind::Cancelled, "the run was stopped"))
}

/// An outcome that is not final: its job is tried again at an instant.
#[derive(Debug)]
struct Retry {
    at: Instant,
    outcome: Box<Outcome>,
}

impl Retry {
    fn key(&self) -> (Reverse<Instant>, Reverse<u64>) {
        (Reverse(self.at), Reverse(self.outcome.target.id))
    }
}

/// The earliest is the greatest, as a [`BinaryHeap`] wants it.
impl Ord for Retry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Retry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Retry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Retry {}

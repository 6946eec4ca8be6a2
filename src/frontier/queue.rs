//! Which job is next. A state machine: it reads no clock, waits for nothing and spawns nothing. All that it does beside
//! deciding is to put the pages of a large crawl into a [file](super::backlog).

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use url::Url;

use super::Options;
use super::circuits;
use super::depths::Depths;
use super::first_look::FirstLook;
use super::gates::{Gates, Verdict};
use super::health::Health;
use super::known::Known;
use super::lanes::Lanes;
use super::limits::{Limit, Spent};
use super::open::Open;
use super::order::Order;
use super::politeness::Rate;
use super::progress::Progress;
use super::quota::Quota;
use super::retry::Retries;
use super::sample::Sample;
use super::sampling::Candidate;
use super::scarcity::Scarcity;
use super::sharing::Sharing;
use super::sitemaps::Sitemaps;
use super::traps::Traps;
use crate::failure::{Failure, Kind};
use crate::job::{Job, LinkKind, Outcome, Role, Target, Trail};

/// What the queue offers.
#[derive(Debug)]
pub enum Next {
    /// A job whose host may be asked now. It counts as in flight until it is settled.
    Visit(Box<Job>),
    /// A final outcome that needed no visit. It is not to be settled.
    Settled(Box<Outcome>),
}

/// The frontier's state: a lane for each host that has jobs, and what waits.
#[derive(Debug)]
pub struct Queue {
    pub(super) options: Options,
    pub(super) rate: Option<Rate>,
    pub(super) gates: Gates,
    pub(super) health: Health,
    pub(super) sitemaps: Sitemaps,
    /// What is drawn of what is named, until all of that is known.
    pub(super) sample: Option<Sample<Candidate>>,
    pub(super) traps: Traps,
    pub(super) quota: Quota,
    pub(super) known: Known,
    /// How far pages are from their seeds, where that decides which are asked for.
    pub(super) depths: Option<Depths>,
    pub(super) lanes: Lanes,
    pub(super) retries: Retries,
    pub(super) settled: VecDeque<Box<Outcome>>,
    /// Jobs that ask nobody, and so wait for nobody.
    pub(super) stored: VecDeque<Box<Job>>,
    /// The targets without a final outcome, where their order matters.
    pub(super) open: Option<Open>,
    pub(super) progress: Progress,
    /// Targets that the seeds came to. The others are pages that were followed.
    pub(super) numbered: u64,
    /// Pages that were followed and have no final outcome.
    pub(super) following: u64,
    /// Pages that were asked for and have no final outcome.
    pub(super) begun: u64,
    pub(super) spent: Spent,
    /// Bytes of what the lines of open targets carry along.
    pub(super) carried: usize,
    pub(super) first_look: FirstLook,
    pub(super) scarcity: Scarcity,
    pub(super) is_closed: bool,
    pub(super) error: Option<io::Error>,
}

/// Lines may carry along megabytes each. No more than so many bytes of that are held.
pub(super) const CARRIED: usize = 64 << 20;

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            rate: options.interval.map(Rate::new),
            gates: Gates::new(options.obey, options.token.clone()),
            health: Health::default(),
            sitemaps: Sitemaps::default(),
            sample: options.sample.map(|draw| Sample::new(draw.size.get(), draw.seed)),
            traps: Traps::default(),
            quota: Quota::new(options.crawl.as_ref().and_then(|crawl| crawl.per_host)),
            known: Known::new(options.keep_duplicates, options.fingerprints),
            depths: depths(&options),
            lanes: Lanes::new(options.connections, options.backlog.clone(), Sharing::new(options.limit_by)),
            retries: Retries::default(),
            settled: VecDeque::new(),
            stored: VecDeque::new(),
            open: options.window.is_some().then(Open::default),
            progress: Progress::default(),
            numbered: 0,
            following: 0,
            begun: 0,
            spent: Spent::default(),
            carried: 0,
            first_look: FirstLook::default(),
            scarcity: Scarcity::default(),
            is_closed: false,
            error: None,
            options,
        }
    }

    /// Whether another seed would be taken, now or later.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        !self.is_closed && self.limit().is_none()
    }

    /// The limit that is reached.
    pub(super) fn limit(&self) -> Option<Limit> {
        self.options.limits.reached(self.numbered + self.progress.done_before, self.spent)
    }

    /// Whether there is room for another seed now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let backlog = self.lanes.backlog();
        // What waits there takes next to no memory, and is no reason to read no more seeds.
        let ahead = self.progress.queued - backlog.len() + self.progress.in_flight + self.settled.len();
        let is_within_window = match (&self.open, self.options.window) {
            (Some(open), Some(window)) => open.span() < window.get(),
            _ => true,
        };
        let is_allowed = is_within_window && self.leaves_room();
        ahead.max(backlog.starts()) < self.options.look_ahead.get()
            && self.carried + backlog.carried() < CARRIED
            && is_allowed
    }

    /// Whether the limits allow one more page to come in. In a crawl that is decided when it starts.
    pub(super) fn leaves_room(&self) -> bool {
        if self.options.crawl.is_some() {
            return self.limit() != Some(Limit::Bytes);
        }
        let open = self.progress.targets - self.progress.settled;
        self.options.limits.leave_room(open, self.spent) && self.limit() != Some(Limit::Bytes)
    }

    /// No further target will come.
    pub fn complete(&mut self) {
        self.progress.is_complete = true;
        self.look_for_ways();
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
        while let Some(outcome) = self.retries.pop(now) {
            if self.is_down(&outcome, now) {
                match self.end_begun(*outcome, now) {
                    Some(next) => return Ok(next),
                    None => continue,
                }
            }
            let Outcome { target, trail: Some(trail), .. } = *outcome else { continue };
            self.enqueue_first(Job { target, trail: trail.retry() }, now);
        }
        if let Some(next) = self.give_up(now) {
            return Ok(next);
        }
        self.let_in(now);
        self.lanes.wake(now);
        let brought = self.lanes.bring_others(self.order(), self.options.per_host.get(), now);
        self.note(brought, now);
        while let Some(lane) = self.lanes.ready.first() {
            if self.scarcity.is_full(self.progress.in_flight) {
                return Err(None);
            }
            let rate = self.rate.as_mut().and_then(|rate| rate.ready_at(now));
            if let Some(at) = self.scarcity.ready_at(now).or(rate).or_else(|| self.waits_for_others(lane, now)) {
                return Err(Some(at));
            }
            if let Some(next) = self.start(lane, now) {
                return Ok(next);
            }
        }
        Err([self.retries.next_at(), self.lanes.wakes_at()].into_iter().flatten().min())
    }

    /// Queues what waited for the sources to end, or for other pages to be fetched.
    fn let_in(&mut self, now: Instant) {
        self.take_sample_in(now);
        self.let_sitemaps_in(now);
    }

    /// Starts the next job of a lane that is ready; before that, the request that it has to wait for.
    fn start(&mut self, lane: u32, now: Instant) -> Option<Next> {
        let brought = self.lanes.bring(lane);
        if self.note(brought, now) {
            return None;
        }
        let front = self.lanes[lane].jobs.front()?;
        if self.lanes.sharing.needs_address(&front.trail.url) {
            let job = Job { target: front.target.clone(), trail: front.trail.to_address() };
            self.lanes.hold_for_address(lane);
            self.progress.in_flight += 1;
            return Some(Next::Visit(Box::new(job)));
        }
        match self.health.circuits.judge(&front.trail.url, now) {
            circuits::Verdict::Pass => {}
            circuits::Verdict::Wait(_) if self.is_closed => return self.end_first(lane, stopped(), now),
            circuits::Verdict::Wait(at) => {
                self.lanes.pause(lane, at, now);
                return None;
            }
            circuits::Verdict::Down => {
                self.health.fallen = Some(lane);
                return self.give_up(now);
            }
        }
        let front = self.lanes[lane].jobs.front()?;
        let job = match self.gates.judge(&front.trail, now) {
            Verdict::Pass(delay) => {
                let delay = self.options.delay.max(delay);
                let is_new = front.trail.role == Role::Page && !is_begun(front);
                if is_new && !self.may_begin() {
                    self.lanes.set_aside(lane);
                    return None;
                }
                if self.waits_for_its_turn(lane, delay, now) {
                    return None;
                }
                self.begun += u64::from(is_new);
                self.progress.queued -= 1;
                let mut job = self.lanes.start(lane, now, delay)?;
                self.shorten_way(&mut job.trail);
                job
            }
            Verdict::Unknown => {
                if self.waits_for_its_turn(lane, self.options.delay, now) {
                    return None;
                }
                let front = self.lanes[lane].jobs.front()?;
                let job = Job { target: front.target.clone(), trail: front.trail.to_robots() };
                self.lanes.hold(lane, Box::new(job));
                self.lanes.start(lane, now, self.options.delay)?
            }
            Verdict::Sitemaps => {
                let outcome = self.resolve_sitemaps(lane, now);
                self.let_in(now);
                let outcome = outcome?;
                self.count_final(&outcome);
                return Some(Next::Settled(Box::new(outcome)));
            }
            Verdict::Denied(failure) => return self.end_first(lane, failure, now),
        };
        self.health.circuits.start(&job.trail.url);
        if let Some(rate) = &mut self.rate {
            rate.start(now);
        }
        self.progress.in_flight += 1;
        Some(Next::Visit(job))
    }

    /// Whether another page may be asked for: in a crawl no more of them are open than may still be fetched.
    fn may_begin(&self) -> bool {
        self.options.crawl.is_none() || self.options.limits.leave_room(self.begun, self.spent)
    }

    /// Until when a host must leave its next turn to hosts that the list has yet to name.
    fn waits_for_others(&mut self, lane: u32, now: Instant) -> Option<Instant> {
        let until = self.first_look.holds(lane, self.lanes[lane].pace.in_flight(), now)?;
        let more_may_come = !self.progress.is_complete && self.has_room();
        more_may_come.then_some(until)
    }

    /// Why the run cannot go on, once: the file of the pages to come cannot be written or read.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Whether the run is over: nothing will come, nothing is queued, nothing is in flight.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let Progress { queued, in_flight, is_complete, .. } = self.progress;
        is_complete && queued == 0 && in_flight == 0 && self.settled.is_empty() && self.sample.is_none()
    }

    /// How the run stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let may_grow = self.following > 0 || !self.sitemaps.are_done() || self.sample.is_some();
        Progress { is_complete: self.progress.is_complete && !may_grow, ..self.progress }
    }

    #[cfg(test)]
    pub(super) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// The lane of a URL's host.
    pub(super) fn lane_of(&mut self, url: &Url) -> u32 {
        self.lanes.of(url, self.options.per_host.get())
    }

    /// Queues a job that was not begun.
    pub(super) fn enqueue(&mut self, job: Job, now: Instant) {
        let lane = self.lane_of(&job.trail.url);
        self.lanes.queue(lane, Box::new(job), now);
    }

    /// Queues a page that a crawl came by.
    pub(super) fn enqueue_found(&mut self, job: &Job, now: Instant) {
        let queued = self.lanes.queue_found(job, self.order(), self.options.per_host.get(), now);
        self.note(queued, now);
    }

    fn order(&self) -> Order {
        self.options.crawl.as_ref().map_or(Order::Breadth, |crawl| crawl.order)
    }

    /// Work that was begun goes before work that was not.
    pub(super) fn enqueue_first(&mut self, job: Job, now: Instant) {
        let lane = self.lane_of(&job.trail.url);
        self.lanes.queue_first(lane, Box::new(job), now);
    }
}

/// How far pages are from their seeds, where a crawl goes so far and no further, and each page is asked for once.
fn depths(options: &Options) -> Option<Depths> {
    let is_limited = options.crawl.as_ref().is_some_and(|crawl| (1..u32::MAX).contains(&crawl.depth));
    (is_limited && !options.keep_duplicates).then(|| Depths::new(options.fingerprints, &options.backlog))
}

/// Whether no seed names it.
pub(super) fn is_followed(trail: Option<&Trail>) -> bool {
    trail.is_some_and(|trail| trail.found.is_some() && trail.role == Role::Page)
}

/// Whether a crawl came by it, or a sitemap named it: what it carries along waits with it.
pub(super) fn is_found(trail: Option<&Trail>) -> bool {
    trail
        .and_then(|trail| trail.found.as_ref())
        .is_some_and(|found| matches!(found.kind, LinkKind::Crawled | LinkKind::Checked | LinkKind::Listed { .. }))
}

/// How many bytes the line of a target carries along.
pub(super) fn carried_by(target: &Target) -> usize {
    target.input.as_deref().map_or(0, |input| input.get().len())
}

/// Whether a request was made for a job that waits. What asks for the rules of an origin is made when it starts.
pub(super) fn is_begun(job: &Job) -> bool {
    let Trail { attempt, hops, is_large, role, .. } = &job.trail;
    *attempt > 1 || !hops.is_empty() || *is_large || *role == Role::Robots
}

/// Whether it is of a request for the rules of an origin.
pub(super) fn is_of_rules(outcome: &Outcome) -> bool {
    outcome.trail.as_ref().is_some_and(|trail| trail.role == Role::Robots)
}

/// Why a job that was begun will not be ended.
pub(super) fn stopped() -> Failure {
    Failure::new(Kind::Cancelled, "the run was stopped")
}

//! Which job is next. A state machine: it reads no clock, waits for nothing and spawns nothing. All that it does beside
//! deciding is to put the pages of a large crawl into a [file](super::backlog).

use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use url::Url;

use super::Options;
use super::admission::Order;
use super::circuits;
use super::gates::{Gates, Verdict};
use super::health::Health;
use super::lanes::Lanes;
use super::limits::{Limit, Spent};
use super::open::Open;
use super::politeness::{Ended, Rate};
use super::retry::Retry;
use super::sample::Sample;
use super::sampling::Candidate;
use super::scarcity::Scarcity;
use super::seen::Seen;
use super::sharing::Sharing;
use super::sitemaps::Sitemaps;
use super::slowed::is_timeout;
use super::traps::Traps;
use crate::canonical::host_key;
use crate::failure::{Failure, Kind};
use crate::job::{End, Job, Lack, LinkKind, Outcome, Role, Target, Trail};

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
    /// Seeds and links dropped because their page was done by an earlier run.
    pub done_before: u64,
    /// Links dropped because their host has enough pages.
    pub beyond_host: u64,
    /// Sitemaps that somebody named, and that could not be read to their end.
    pub sitemaps_failed: u64,
    /// Redirects that led out of the scope of the crawl, or to a page with a job of its own.
    pub elsewhere: u64,
    /// Which limit ended the run.
    pub limit: Option<Limit>,
    /// Whether no further target will come.
    pub is_complete: bool,
}

/// The frontier's state: a lane for each host that has jobs, and what waits.
#[derive(Debug)]
pub struct Queue {
    pub(super) options: Options,
    rate: Option<Rate>,
    pub(super) gates: Gates,
    pub(super) health: Health,
    pub(super) sitemaps: Sitemaps,
    /// What is drawn of what is named, until all of that is known.
    pub(super) sample: Option<Sample<Candidate>>,
    pub(super) traps: Traps,
    /// How many pages of each host came in, by its hash, where that is limited.
    pub(super) by_host: HashMap<u64, u64>,
    pub(super) seen: Option<Seen>,
    /// The pages that limits kept out.
    pub(super) refused: Option<Seen>,
    /// The pages that are asked for to check the links there, and not walked.
    pub(super) checked: HashSet<u64>,
    /// The pages that were done before this run.
    pub(super) done: Option<Seen>,
    /// What else was asked for before.
    pub(super) passed: Option<Seen>,
    pub(super) lanes: Lanes,
    retries: BinaryHeap<Retry>,
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
    spent: Spent,
    /// Bytes of what the lines of open targets carry along.
    pub(super) carried: usize,
    first_look_until: Option<Instant>,
    scarcity: Scarcity,
    pub(super) is_closed: bool,
    error: Option<io::Error>,
}

/// Lines may carry along megabytes each. No more than so many bytes of that are held.
const CARRIED: usize = 64 << 20;

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
            refused: None,
            checked: HashSet::new(),
            gates: Gates::new(options.obey, options.token.clone()),
            health: Health::default(),
            sitemaps: Sitemaps::default(),
            sample: options.sample.map(|draw| Sample::new(draw.size.get(), draw.seed)),
            traps: Traps::default(),
            by_host: HashMap::new(),
            done: None,
            passed: None,
            lanes: Lanes::new(options.connections, options.backlog.clone(), Sharing::new(options.limit_by)),
            retries: BinaryHeap::new(),
            settled: VecDeque::new(),
            stored: VecDeque::new(),
            open: options.window.is_some().then(Open::default),
            progress: Progress::default(),
            numbered: 0,
            following: 0,
            begun: 0,
            spent: Spent::default(),
            carried: 0,
            first_look_until: None,
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
            if self.is_down(&retry.outcome, now) {
                match self.end_begun(*retry.outcome, now) {
                    Some(next) => return Ok(next),
                    None => continue,
                }
            }
            let Outcome { target, trail: Some(trail), .. } = *retry.outcome else { continue };
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
        let retry = self.retries.peek().map(|retry| retry.at);
        Err([retry, self.lanes.wakes_at()].into_iter().flatten().min())
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
        if self.lanes.sharing.needs_address(host_key(&front.trail.url)) {
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
                self.lanes.start(lane, now, delay)?
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

    /// Until when a host that has a request in flight must leave its next turn to hosts that the list has yet to name.
    fn waits_for_others(&mut self, lane: u32, now: Instant) -> Option<Instant> {
        let until = *self.first_look_until.get_or_insert(now + FIRST_LOOK);
        let more_may_come = !self.progress.is_complete && self.has_room();
        (now < until && more_may_come && self.lanes[lane].pace.in_flight() > 0).then_some(until)
    }

    /// Takes what came of a visit that [`next`](Self::next) offered. It comes back when it is final, with those of its links
    /// that became jobs; a redirect to follow and a failure to try again stay here as jobs.
    pub fn settle(&mut self, mut outcome: Outcome, now: Instant) -> Option<Outcome> {
        if outcome.trail.as_ref().is_some_and(|trail| trail.role == Role::Address) {
            self.learn_address(&outcome, now);
            return None;
        }
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
        let role = last.trail.as_ref().map_or(Role::Page, |trail| trail.role);
        if role == Role::Robots {
            self.learn(&last, now);
            return None;
        }
        let last = if role == Role::Sitemap { self.conclude_sitemap(last) } else { last };
        if role == Role::Page && !is_stored {
            self.begun -= 1;
            self.lanes.take_back(now);
        }
        self.count_final(&last);
        if let Some(limit @ (Limit::Bytes | Limit::Pages)) = self.limit().filter(|_| self.may_end_amid()) {
            self.drop_unbegun(limit, now);
        }
        Some(last)
    }

    /// Whether a limit can be reached while jobs are queued that were never started.
    fn may_end_amid(&self) -> bool {
        self.options.limits.bytes.is_some() || self.options.crawl.is_some() && self.options.limits.pages.is_some()
    }

    /// Takes the rules of an origin, for which jobs wait.
    pub(super) fn learn(&mut self, outcome: &Outcome, now: Instant) {
        self.gates.learn(outcome, now);
        if let Some(trail) = &outcome.trail {
            let lane = self.lane_of(trail.first_url());
            self.lanes.release(lane, now);
        }
    }

    /// Takes the address of a host, for which its jobs wait.
    fn learn_address(&mut self, outcome: &Outcome, now: Instant) {
        self.progress.in_flight -= 1;
        let Some(trail) = &outcome.trail else { return };
        let address = if let End::Address(address) = outcome.end { address } else { None };
        self.lanes.learn((&trail.url, address), self.options.per_host.get(), now);
    }

    /// Tells its host's lane that a visit is over.
    fn end_visit(&mut self, outcome: &Outcome, now: Instant) {
        let Some(trail) = &outcome.trail else { return };
        let lane = self.lane_of(&trail.url);
        let pace = &mut self.lanes[lane].pace;
        let lowered = if outcome.hint.unasked {
            pace.take_back();
            self.rate.iter_mut().for_each(Rate::take_back);
            false
        } else {
            pace.finish(ended(outcome), now)
        };
        let limit = pace.limit();
        self.examine(lane, outcome, (lowered, limit), now);
        let pace = &mut self.lanes[lane].pace;
        if self.options.connections < usize::MAX {
            pace.remember(now + self.options.idle_timeout);
        }
        if let Some(wait) = outcome.hint.retry_after {
            let wait = wait.min(self.options.retry.max_retry_after);
            pace.pause(now + wait);
            self.health.share_pause(self.lanes.sharing.key(&trail.url), now, wait);
        }
        self.progress.in_flight -= 1;
        self.lanes.place(lane, now);
    }

    pub(super) fn count_final(&mut self, outcome: &Outcome) {
        self.spent.count(outcome);
        if let Some(trail) = outcome.trail.as_ref().filter(|trail| trail.role == Role::Sitemap) {
            self.progress.settled += u64::from(outcome.is_record());
            return self.forget_sitemap(&outcome.target, trail);
        }
        if !is_found(outcome.trail.as_ref()) {
            self.carried = self.carried.saturating_sub(carried_by(&outcome.target));
        }
        // A target is open until its chain ends.
        if let Some(open) = self.open.as_mut().filter(|_| !outcome.goes_on()) {
            open.remove(outcome.target.id);
        }
        self.following -= u64::from(is_followed(outcome.trail.as_ref()));
        if let (End::Elsewhere(_), Some(trail)) = (&outcome.end, &outcome.trail) {
            self.progress.elsewhere += 1;
            self.count_out(trail.first_url());
        }
        self.progress.settled += 1;
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
        match (self.wait_before_retry(outcome, now), &outcome.end) {
            (Some(wait), _) => Some(Follow::Retry(wait)),
            (None, End::Redirect(_)) => Some(Follow::Hop),
            (None, _) => None,
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
                let job = Job { target, trail: Trail { is_large, ..trail } };
                // It is as if it had not been started.
                if job.trail.role == Role::Page && !is_begun(&job) {
                    self.begun -= 1;
                    self.lanes.take_back(now);
                }
                job
            }
            (Follow::Hop, Outcome { trail: Some(trail), end: End::Redirect(redirect), target, .. })
                if self.has_own_job(&redirect.to, &trail) =>
            {
                return Some(Outcome::ended(Job { target, trail }, End::Elsewhere(redirect)));
            }
            (Follow::Hop, Outcome { target, trail: Some(trail), end: End::Redirect(redirect), .. }) => {
                let job = Job { target, trail: trail.hop(redirect) };
                if self.is_closed && self.lanes.makes_wait(&job.trail.url, now) {
                    return Some(Outcome::failed(job, stopped()));
                }
                job
            }
            (_, outcome) => return Some(outcome),
        };
        self.progress.queued += 1;
        self.enqueue_first(job, now);
        None
    }

    fn wait_before_retry(&self, outcome: &Outcome, now: Instant) -> Option<Duration> {
        let (trail, failure) = (outcome.trail.as_ref()?, outcome.failure()?);
        if self.is_closed || self.health.circuits.is_down(&trail.url, now) {
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
        self.sample = None;
        self.progress.queued -= self.sitemaps.drop_waiting();
        let retries = std::mem::take(&mut self.retries);
        self.progress.queued -= retries.len();
        for retry in retries {
            self.end(retry.outcome, now);
        }
        let (jobs, dropped) = self.lanes.take_all(now);
        self.drop_found(dropped);
        for job in jobs {
            self.progress.queued -= 1;
            if is_begun(&job) {
                self.end(Box::new(Outcome::failed(job, stopped())), now);
            } else {
                self.following -= u64::from(is_followed(Some(&job.trail)));
                self.sitemaps.let_go(&job.trail);
            }
        }
    }

    /// Ends what was begun and will not go on. Where that is of the rules of an origin, nobody waits for them any more.
    fn end(&mut self, outcome: Box<Outcome>, now: Instant) {
        match outcome.trail.as_ref().map(|trail| trail.role) {
            Some(Role::Robots) => self.learn(&outcome, now),
            // Nobody was asked for it, and it is never queued.
            Some(Role::Address) => {}
            Some(Role::Page) => {
                self.begun -= 1;
                self.settled.push_back(outcome);
            }
            Some(Role::Sitemap) => {
                let outcome = self.conclude_sitemap(*outcome);
                self.settled.push_back(Box::new(outcome));
            }
            None => self.settled.push_back(outcome),
        }
    }

    /// Drops the jobs that were never started. What was begun goes on to its end.
    fn drop_unbegun(&mut self, limit: Limit, now: Instant) {
        let (jobs, dropped) = self.lanes.take_all(now);
        if dropped > 0 {
            self.drop_found(dropped);
            self.progress.limit = Some(limit);
        }
        self.progress.queued -= self.sitemaps.drop_waiting();
        // Each is put before those of its lane.
        for job in jobs.into_iter().rev() {
            if is_begun(&job) {
                self.enqueue_first(job, now);
            } else {
                self.progress.queued -= 1;
                self.sitemaps.let_go(&job.trail);
                self.following -= u64::from(is_followed(Some(&job.trail)));
                self.progress.limit = Some(limit);
            }
        }
    }

    /// Takes note that so many pages that a crawl came by are dropped.
    fn drop_found(&mut self, count: usize) {
        self.progress.queued -= count;
        self.following -= count as u64;
    }

    /// Takes note of an error, which ends the run; whether there was one.
    fn note(&mut self, result: io::Result<()>, now: Instant) -> bool {
        let Err(error) = result else { return false };
        self.error.get_or_insert(error);
        self.close(now);
        true
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
    fn lane_of(&mut self, url: &Url) -> u32 {
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
        _ if outcome.hint.throttled || is_timeout(outcome) => Ended::Throttled,
        (End::Done { .. }, None) => Ended::Unanswered,
        _ => Ended::Content(outcome.hint.latency),
    }
}

/// Whether no seed names it.
fn is_followed(trail: Option<&Trail>) -> bool {
    trail.is_some_and(|trail| trail.found.is_some() && trail.role == Role::Page)
}

/// Whether a crawl came by it, or a sitemap named it: what it carries along waits with it.
fn is_found(trail: Option<&Trail>) -> bool {
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
fn stopped() -> Failure {
    Failure::new(Kind::Cancelled, "the run was stopped")
}

//! What hosts that are in trouble mean to their jobs.

use std::time::{Duration, Instant};

use super::circuits::{Circuits, GivenUp};
use super::clocks::Clocks;
use super::queue::{is_begun, is_of_rules};
use super::slowed::{Register, Slowed};
use super::{Next, Queue};
use crate::failure::Failure;
use crate::job::{Outcome, Role};

/// How the hosts of a run are.
#[derive(Debug, Default)]
pub(super) struct Health {
    pub(super) circuits: Circuits,
    slowed: Register,
    /// A lane whose next job may be of an origin that is given up.
    pub(super) fallen: Option<u32>,
    /// What other processes do.
    clocks: Option<Box<dyn Clocks>>,
}

impl Health {
    /// Tells other processes how long a host wants to be left alone.
    pub(super) fn share_pause(&mut self, host: &str, now: Instant, wait: Duration) {
        if let Some(clocks) = &mut self.clocks {
            clocks.pause(host, now, wait);
        }
    }
}

impl Queue {
    /// The hosts that were asked for less than the options allow, those that complained most first.
    #[must_use]
    pub fn slowed(&self) -> Vec<Slowed> {
        self.health.slowed.all()
    }

    /// The origins that were given up, those with the most URLs first.
    #[must_use]
    pub fn given_up(&self) -> Vec<GivenUp> {
        self.health.circuits.given_up()
    }

    /// Heeds what other processes do that have these clocks.
    pub fn share(&mut self, clocks: Box<dyn Clocks>) {
        self.health.clocks = Some(clocks);
    }

    /// Whether the next job of a lane must wait for another process. If not, it must start now.
    pub(super) fn waits_for_its_turn(&mut self, lane: u32, delay: Duration, now: Instant) -> bool {
        let (Some(clocks), Some(front)) = (&mut self.health.clocks, self.lanes.front(lane)) else { return false };
        let turn = clocks.reserve(self.lanes.sharing.key(&front.trail.url), now, delay);
        if let Some(at) = turn.filter(|&at| at > now) {
            self.lanes.pause(lane, at, now);
            return true;
        }
        false
    }

    /// Takes note of what an outcome says of its host, whose limit it may have `lowered`.
    pub(super) fn examine(&mut self, lane: u32, outcome: &Outcome, (lowered, limit): (bool, usize), now: Instant) {
        // Most have nothing to say.
        let is_fine = !lowered && !outcome.hint.throttled && outcome.failure().is_none();
        if is_fine && self.health.circuits.is_empty() {
            return;
        }
        let retry = &self.options.retry;
        if self.health.circuits.finish(outcome, now, |probe| retry.longest(probe)) {
            self.lanes[lane].pace.narrow(now);
        }
        if let Some(trail) = &outcome.trail {
            self.health.slowed.add(self.lanes.sharing.key(&trail.url), outcome, lowered, limit);
        }
    }

    /// Whether the origin of an outcome has been given up.
    pub(super) fn is_down(&self, outcome: &Outcome, now: Instant) -> bool {
        outcome.trail.as_ref().is_some_and(|trail| self.health.circuits.is_down(&trail.url, now))
    }

    /// Ends a job that waits to be tried again as it failed. None where that gives no outcome to tell of.
    pub(super) fn end_begun(&mut self, outcome: Outcome, now: Instant) -> Option<Next> {
        self.progress.queued -= 1;
        self.end_unasked(outcome, true, now)
    }

    /// Fails a job whose origin has been given up, if that is next in the lane where this happened last.
    pub(super) fn give_up(&mut self, now: Instant) -> Option<Next> {
        let lane = self.health.fallen?;
        while let Some(front) = self.lanes.front(lane)
            && self.health.circuits.is_down(&front.trail.url, now)
        {
            let failure = self.health.circuits.give_up(&front.trail.url);
            if let Some(next) = self.end_first(lane, failure, now) {
                return Some(next);
            }
        }
        self.health.fallen = None;
        None
    }

    /// Fails the next job of a lane without a request. None where that gives no outcome to tell of.
    pub(super) fn end_first(&mut self, lane: u32, failure: Failure, now: Instant) -> Option<Next> {
        let mut job = self.lanes.take_first(lane, now)?;
        self.progress.queued -= 1;
        let was_begun = is_begun(&job);
        // This attempt is none.
        job.trail.attempt -= 1;
        self.end_unasked(Outcome::failed(*job, failure), was_begun, now)
    }

    /// Tells of an outcome that comes without a visit, of a job for which one `was_begun` or not.
    fn end_unasked(&mut self, outcome: Outcome, was_begun: bool, now: Instant) -> Option<Next> {
        if is_of_rules(&outcome) {
            self.learn(&outcome, now);
            return None;
        }
        if was_begun && outcome.trail.as_ref().is_some_and(|trail| trail.role == Role::Page) {
            self.begun -= 1;
            self.lanes.take_back(now);
        }
        self.count_final(&outcome);
        Some(Next::Settled(Box::new(outcome)))
    }
}

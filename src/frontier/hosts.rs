//! How the hosts stand while a run goes on.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::Queue;
use super::lanes::Lane;

/// How a host stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name, or what it [shares](super::LimitBy) its limit by.
    pub name: Box<str>,
    /// Requests in flight.
    pub in_flight: usize,
    /// Jobs that wait for their turn; those that wait to be tried again do not count.
    pub queued: usize,
    /// How many requests may be in flight.
    pub limit: usize,
    /// The time between two starts.
    pub delay: Duration,
    /// How long nothing will start, where it has to wait.
    pub waits: Option<Duration>,
    /// What is up with it.
    pub state: HostState,
}

/// What is up with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostState {
    /// It is asked for as much as the options allow.
    Usual,
    /// It is asked for less.
    Slowed,
    /// It wants to be left alone for a while.
    BackingOff,
    /// No connection could be made, and it is tried once more after a wait.
    Parked,
}

impl HostState {
    /// A word for it; none where there is nothing to tell.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Usual => None,
            Self::Slowed => Some("slowed"),
            Self::BackingOff => Some("backing off"),
            Self::Parked => Some("parked"),
        }
    }
}

impl Queue {
    /// The hosts that have the most to do, at most so many: those with the most in flight first, then those with the most
    /// queued.
    #[must_use]
    pub fn hosts(&self, most: usize, now: Instant) -> Vec<Host> {
        let key = |lane: &&Lane| Reverse((lane.pace.in_flight(), lane.waiting()));
        let has_work = |lane: &&Lane| lane.pace.in_flight() + lane.waiting() > 0;
        let mut lanes: Vec<_> = self.lanes.iter().filter(has_work).collect();
        if lanes.len() > most {
            lanes.select_nth_unstable_by_key(most, key);
            lanes.truncate(most);
        }
        let mut hosts: Vec<_> = lanes.into_iter().filter_map(|lane| self.host(lane, now)).collect();
        // By name where all else is equal, so that those who look see them in the same places.
        hosts.sort_by(|one, other| {
            let order = (other.in_flight, other.queued).cmp(&(one.in_flight, one.queued));
            order.then_with(|| one.name.cmp(&other.name))
        });
        hosts
    }

    fn host(&self, lane: &Lane, now: Instant) -> Option<Host> {
        let front = lane.jobs.front();
        let delay = front.map_or(Duration::ZERO, |job| self.gates.delay(&job.trail)).max(self.options.delay);
        let waits = lane.pace.ready_at(now).map(|at| at - now);
        let state = if front.is_some_and(|job| self.health.circuits.is_parked(&job.trail.url)) {
            HostState::Parked
        } else if waits.is_some_and(|waits| waits > delay) {
            HostState::BackingOff
        } else if lane.pace.is_slowed() {
            HostState::Slowed
        } else {
            HostState::Usual
        };
        Some(Host {
            name: self.lanes.sharing.name(lane.name()?).into(),
            in_flight: lane.pace.in_flight(),
            queued: lane.waiting(),
            limit: lane.pace.limit(),
            delay,
            waits,
            state,
        })
    }
}

//! Which origins cannot be reached. A circuit breaker for each (Michael Nygard, "Release It!"). Pure: time is a parameter.
//!
//! What was decided:
//! - It is of an origin, as of two ports of a host, or of two hosts that share a limit, one may be dead and the other not.
//! - Failures in a row are those of first attempts: what is tried again says nothing new. So a list of fewer URLs than it takes
//!   to break a circuit ends as if there were none.
//! - The origin's jobs then wait in their lane, and one after the other is let through to see, after waits that double as
//!   those between retries do. Any answer, a 500 too, closes the circuit.
//! - An origin that is given up is forgotten after a while: a long run may come back to it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use url::{Position, Url};

use crate::failure::{Failure, Kind};
use crate::job::{End, Outcome};

/// So many failures in a row break a circuit.
const FAILURES: u32 = 10;

/// So many requests are made after that, one at a time, before the origin is given up.
const PROBES: u32 = 4;

/// When it is looked at again what waits for a probe to end.
const LOOK: Duration = Duration::from_secs(1);

/// How long an origin is given up.
const MEMORY: Duration = Duration::from_mins(30);

/// How many origins that fail are known at most. Where more do, those that are not parked are counted anew.
const KNOWN: usize = 65_536;

/// The origins that failed last.
#[derive(Debug, Default)]
pub(super) struct Circuits {
    known: HashMap<Box<str>, Circuit>,
}

#[derive(Debug)]
struct Circuit {
    state: State,
    /// Jobs that failed without anybody being asked.
    given_up: u64,
}

#[derive(Debug, PartialEq)]
enum State {
    /// It is asked as others are. So many first attempts failed in a row.
    Closed(u32),
    /// Nothing starts before `until` but a probe.
    Parked { probes: u32, until: Instant, is_probed: bool },
    /// Nothing starts before `until`.
    Down { until: Instant },
}

/// What an origin's circuit says to a job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may start.
    Pass,
    /// It has to wait.
    Wait(Instant),
    /// It fails.
    Down,
}

/// An origin that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Scheme, host and port: `https://a.test`.
    pub origin: Box<str>,
    /// How many URLs were not asked for.
    pub urls: u64,
}

impl GivenUp {
    /// How many connections failed in a row, before others were tried one by one.
    pub const FAILURES: u32 = FAILURES;
}

impl Circuits {
    /// Whether no origin failed last.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether the request for `url` may be made.
    pub(super) fn judge(&self, url: &Url, now: Instant) -> Verdict {
        if self.known.is_empty() {
            return Verdict::Pass;
        }
        match self.known.get(origin(url)).map(|circuit| &circuit.state) {
            Some(State::Parked { is_probed: true, .. }) => Verdict::Wait(now + LOOK),
            Some(&State::Parked { until, .. }) if until > now => Verdict::Wait(until),
            Some(&State::Down { until }) if until > now => Verdict::Down,
            _ => Verdict::Pass,
        }
    }

    /// A request starts. Where the origin is parked, it is the probe.
    pub(super) fn start(&mut self, url: &Url) {
        if self.known.is_empty() {
            return;
        }
        if let Some(State::Parked { is_probed, .. }) = self.known.get_mut(origin(url)).map(|known| &mut known.state) {
            *is_probed = true;
        }
    }

    /// Takes what came of a request. Whether that parks its origin for the first time; `wait` tells how long after how
    /// many probes.
    pub(super) fn finish(&mut self, outcome: &Outcome, now: Instant, wait: impl Fn(u32) -> Duration) -> bool {
        let Some(trail) = &outcome.trail else { return false };
        match reached(outcome) {
            Some(true) if !self.known.is_empty() => self.close(origin(&trail.url)),
            Some(false) => return self.fail(origin(&trail.url), trail.attempt, now, wait),
            // It says nothing, but the next one may be let through.
            None if !self.known.is_empty() => {
                let circuit = self.known.get_mut(origin(&trail.url));
                if let Some(State::Parked { is_probed, .. }) = circuit.map(|circuit| &mut circuit.state) {
                    *is_probed = false;
                }
            }
            _ => {}
        }
        false
    }

    fn close(&mut self, origin: &str) {
        match self.known.get_mut(origin) {
            Some(Circuit { given_up: 0, .. }) => drop(self.known.remove(origin)),
            Some(circuit) => circuit.state = State::Closed(0),
            None => {}
        }
    }

    fn fail(&mut self, origin: &str, attempt: u32, now: Instant, wait: impl Fn(u32) -> Duration) -> bool {
        if !self.known.contains_key(origin) {
            if self.known.len() >= KNOWN {
                self.known.retain(|_, circuit| circuit.given_up > 0 || !matches!(circuit.state, State::Closed(_)));
            }
            self.known.insert(origin.into(), Circuit { state: State::Closed(0), given_up: 0 });
        }
        let Some(circuit) = self.known.get_mut(origin) else { return false };
        match &mut circuit.state {
            State::Closed(failures) => {
                *failures += u32::from(attempt == 1);
                if *failures < FAILURES {
                    return false;
                }
                tracing::info!(origin, failures = FAILURES, "parked: no connection");
                circuit.state = State::Parked { probes: 0, until: now + wait(1), is_probed: false };
                true
            }
            State::Parked { probes, until, is_probed } => {
                // The others were in flight when it was parked.
                if std::mem::take(is_probed) {
                    *probes += 1;
                    *until = now + wait(*probes + 1);
                    if *probes == PROBES {
                        tracing::info!(origin, "given up: still no connection");
                        circuit.state = State::Down { until: now + MEMORY };
                    }
                }
                false
            }
            State::Down { until } => {
                if *until <= now {
                    circuit.state = State::Closed(u32::from(attempt == 1));
                }
                false
            }
        }
    }

    /// Whether an origin is given up.
    pub(super) fn is_down(&self, url: &Url, now: Instant) -> bool {
        self.judge(url, now) == Verdict::Down
    }

    /// Whether an origin waits to be tried once more.
    pub(super) fn is_parked(&self, url: &Url) -> bool {
        let state = self.known.get(origin(url)).map(|circuit| &circuit.state);
        matches!(state, Some(State::Parked { .. }))
    }

    /// Why a job of an origin that is down fails; it is counted.
    pub(super) fn give_up(&mut self, url: &Url) -> Failure {
        if let Some(circuit) = self.known.get_mut(origin(url)) {
            circuit.given_up += 1;
        }
        let failures = FAILURES + PROBES;
        Failure::new(Kind::HostDown, format!("not asked for: {failures} connections to its host failed in a row"))
    }

    /// The origins that were given up, those with the most URLs first.
    pub(super) fn given_up(&self) -> Vec<GivenUp> {
        let given_up = self.known.iter().filter(|(_, circuit)| circuit.given_up > 0);
        let mut given_up: Vec<_> =
            given_up.map(|(origin, circuit)| GivenUp { origin: origin.clone(), urls: circuit.given_up }).collect();
        given_up.sort_unstable_by(|one, other| (other.urls, &one.origin).cmp(&(one.urls, &other.origin)));
        given_up
    }
}

/// Whether somebody was reached; none where that cannot be told.
fn reached(outcome: &Outcome) -> Option<bool> {
    match (&outcome.end, outcome.failure().map(|failure| failure.kind)) {
        _ if outcome.hint.unasked || outcome.hint.lack.is_some() => None,
        _ if outcome.facts.is_some() => Some(true),
        (End::Robots { status: None, .. }, _) => None,
        (_, Some(Kind::Dns | Kind::Connect | Kind::Tls | Kind::Timeout | Kind::Reset)) => Some(false),
        (_, Some(_)) => None,
        (_, None) => Some(true),
    }
}

fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

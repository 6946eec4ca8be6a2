//! What the robots.txt of each origin lets a crawler do. Pure: somebody else asks for the files.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use url::{Position, Url};
use xxhash_rust::xxh3::xxh3_64;

use super::sitemaps::Named;
use crate::canonical::requestable;
use crate::failure::{Failure, Kind, Retry};
use crate::job::{End, Outcome, Role, Trail};
use crate::robots::{Access, Answer, LIFETIME};

/// Whose robots.txt is obeyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Obey {
    /// Nobody's.
    Never,
    /// That of each origin for the URLs that nobody typed: those that pages and sitemaps name.
    #[default]
    Discovered,
    /// That of each origin for each URL.
    Always,
}

/// The origins that were asked, and what they allow.
#[derive(Debug)]
pub(super) struct Gates {
    obey: Obey,
    token: Box<str>,
    /// By the hash of the origin.
    known: HashMap<u64, Gate>,
    /// Those that were known when there were too many of them, and `known` was begun anew.
    older: HashMap<u64, Gate>,
}

#[derive(Debug)]
struct Gate {
    access: Access,
    since: Instant,
    /// Why it has not answered.
    failure: Option<Box<Failure>>,
    /// The address that answered.
    by: Option<IpAddr>,
}

/// From so many origins on, those that were asked first are forgotten, and asked again when it is their turn: by then each of
/// the others has had a turn, as there are fewer lanes.
const ORIGINS: usize = 1 << 16;

/// What an origin says to a job.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It may start, and the next one so much later.
    Pass(Duration),
    /// It has to be asked first.
    Unknown,
    /// It may not.
    Denied(Failure),
    /// It stands for the sitemaps of its origin, which are known.
    Sitemaps,
}

impl Gates {
    pub(super) fn new(obey: Obey, token: Box<str>) -> Self {
        Self { obey, token, known: HashMap::new(), older: HashMap::new() }
    }

    /// Whether the request that `trail` stands for may be made.
    pub(super) fn judge(&self, trail: &Trail, now: Instant) -> Verdict {
        let is_asked_for = match self.obey {
            Obey::Never => false,
            Obey::Discovered => trail.found.as_ref().is_some_and(|found| found.kind.pages().is_none()),
            Obey::Always => true,
        };
        let is_to_all_sitemaps = trail.is_to_all_sitemaps();
        if (!is_asked_for || trail.role != Role::Page) && !is_to_all_sitemaps {
            return Verdict::Pass(self.delay(trail));
        }
        match self.find(&trail.url) {
            Some(_) if is_to_all_sitemaps => Verdict::Sitemaps,
            Some(gate) if now.duration_since(gate.since) < LIFETIME => gate.judge(&trail.url),
            _ => Verdict::Unknown,
        }
    }

    /// How far apart the origin wants its requests, as far as is known.
    pub(super) fn delay(&self, trail: &Trail) -> Duration {
        if self.known.is_empty() {
            return Duration::ZERO;
        }
        self.find(&trail.url).map_or(Duration::ZERO, Gate::delay)
    }

    fn find(&self, url: &Url) -> Option<&Gate> {
        let origin = origin(url);
        self.known.get(&origin).or_else(|| self.older.get(&origin))
    }

    /// The sitemaps that the robots.txt at `url` names.
    pub(super) fn sitemaps(&self, url: &Url) -> Result<Named, Failure> {
        let Some(gate) = self.find(url) else { return Ok(Named { urls: Vec::new(), by: None }) };
        let urls = match &gate.access {
            Access::Rules(rules) => rules.sitemaps(url).filter_map(|url| requestable(url).ok()).collect(),
            Access::All => Vec::new(),
            Access::NotNow => return Err(gate.unreachable()),
        };
        Ok(Named { urls, by: gate.by })
    }

    /// Takes what came of asking for an origin's rules.
    pub(super) fn learn(&mut self, outcome: &Outcome, now: Instant) {
        let Some(trail) = &outcome.trail else { return };
        let (answer, by, failure) = match &outcome.end {
            End::Robots { status: Some(status), body, by, .. } => (Answer::Status(*status, body), *by, None),
            _ => (Answer::Unreachable, None, outcome.failure().cloned().map(Box::new)),
        };
        let origin = origin(trail.first_url());
        let access = Access::of(answer, &self.token).unwrap_or(Access::All);
        // What was known is better than nothing.
        if matches!(access, Access::NotNow)
            && let Some(known) = self.known.get_mut(&origin).or_else(|| self.older.get_mut(&origin))
            && !matches!(known.access, Access::NotNow)
        {
            known.since = now;
            return;
        }
        if self.known.len() >= ORIGINS {
            self.older = std::mem::take(&mut self.known);
        }
        self.known.insert(origin, Gate { access, since: now, failure, by });
    }
}

impl Gate {
    fn judge(&self, url: &Url) -> Verdict {
        if self.access.allows(url) {
            return Verdict::Pass(self.delay());
        }
        Verdict::Denied(match self.access {
            Access::NotNow => self.unreachable(),
            _ => Failure::new(Kind::Robots, "robots.txt forbids it"),
        })
    }

    /// Why nothing may be asked for now.
    fn unreachable(&self) -> Failure {
        match &self.failure {
            // Nobody would have answered the page's request, either.
            Some(failure) if failure.kind != Kind::Status => {
                Failure::new(failure.kind, format!("robots.txt: {}", failure.message)).with_retry(failure.retry)
            }
            Some(failure) => {
                let message = format!("robots.txt cannot be had: {}", failure.message);
                Failure::new(Kind::Robots, message).with_retry(Retry::Always)
            }
            None => Failure::new(Kind::Robots, "robots.txt cannot be had").with_retry(Retry::Always),
        }
    }

    fn delay(&self) -> Duration {
        match &self.access {
            Access::Rules(rules) => rules.crawl_delay().unwrap_or_default(),
            Access::All | Access::NotNow => Duration::ZERO,
        }
    }
}

fn origin(url: &Url) -> u64 {
    xxh3_64(url[..Position::BeforePath].as_bytes())
}

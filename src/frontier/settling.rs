//! What comes of a visit: a final outcome, or the job that follows from it.

use std::time::{Duration, Instant};

use super::Queue;
use super::limits::Limit;
use super::politeness::{Ended, Rate};
use super::queue::{carried_by, is_begun, is_followed, is_found, stopped};
use super::slowed::is_timeout;
use crate::job::{End, Job, Lack, Outcome, Role, Trail};

impl Queue {
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
        let ended = ended(outcome);
        let lowered = if outcome.hint.unasked {
            pace.take_back();
            self.rate.iter_mut().for_each(Rate::take_back);
            false
        } else {
            pace.finish(ended, now)
        };
        let limit = pace.limit();
        if let Ended::Content(_) = ended {
            self.first_look.answer(lane);
        }
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
        outcome.trail.iter().for_each(|trail| self.close_way(trail));
        if let (End::Elsewhere(_), Some(trail)) = (&outcome.end, &outcome.trail) {
            self.progress.elsewhere += 1;
            self.quota.count_out(trail.first_url());
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
                self.retries.push(now + wait, Box::new(outcome));
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
            (Follow::Hop, Outcome { trail: Some(mut trail), end: End::Redirect(redirect), target, .. })
                if self.has_own_job(&redirect.to, &trail) =>
            {
                self.join_way(&target, &mut trail, &redirect, now);
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

//! The end of a run before its time: it is stopped, a limit is reached, or the file of the pages to come cannot be had.

use std::io;
use std::time::Instant;

use super::Queue;
use super::limits::Limit;
use super::queue::{is_begun, is_followed, stopped};
use crate::job::{Outcome, Role};

impl Queue {
    /// Starts no more targets. What was never started is dropped; what waits to be tried again ends as it failed, what
    /// else was begun as cancelled. What is in flight goes on, redirects included unless they have to wait for their
    /// host. Closing once more ends also those that wait for the run's rate.
    pub fn close(&mut self, now: Instant) {
        self.is_closed = true;
        self.progress.is_complete = true;
        self.progress.queued -= self.stored.len();
        self.stored.clear();
        self.sample = None;
        self.depths = None;
        self.progress.queued -= self.sitemaps.drop_waiting();
        let retries = self.retries.take();
        self.progress.queued -= retries.len();
        for outcome in retries {
            self.end(outcome, now);
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
    pub(super) fn drop_unbegun(&mut self, limit: Limit, now: Instant) {
        self.depths = None;
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
    pub(super) fn note(&mut self, result: io::Result<()>, now: Instant) -> bool {
        let Err(error) = result else { return false };
        self.error.get_or_insert(error);
        self.close(now);
        true
    }
}

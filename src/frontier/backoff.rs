//! Whether and when a failed job is tried again.

use std::time::Duration;

use crate::failure::Failure;
use crate::job::{HostHint, Trail};

/// No wait of our own grows beyond this.
const CEILING: Duration = Duration::from_mins(1);

/// The rules for trying again.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many times a job is tried again after the first time.
    pub retries: u32,
    /// The longest wait before the first retry; it doubles with each one.
    pub delay: Duration,
    /// The longest `Retry-After` that is waited for.
    pub max_retry_after: Duration,
    /// Whether the requests may be carried out twice without harm (RFC 9110, section 9.2.2).
    pub idempotent: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { retries: 2, delay: Duration::from_secs(1), max_retry_after: Duration::from_mins(2), idempotent: true }
    }
}

/// How long to wait before a job is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// As long as the host asked for.
    Exactly(Duration),
    /// Any time up to this one, at random.
    UpTo(Duration),
}

/// Why a failed job is not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The answer would be the same.
    Pointless,
    /// The request may have been carried out, and must not be twice.
    Unsafe,
    /// It was tried as often as it may be.
    Spent,
    /// The host asks to wait longer than anybody will.
    TooLong(Duration),
}

impl Options {
    /// Whether `trail` is tried again after a failure, and when.
    ///
    /// # Errors
    /// It is not; this is why.
    pub fn plan(&self, trail: &Trail, failure: &Failure, hint: HostHint) -> Result<Wait, Refusal> {
        let idempotent = self.idempotent || trail.rewrite_to_get;
        if !failure.is_retryable(idempotent) {
            return Err(if failure.is_retryable(true) { Refusal::Unsafe } else { Refusal::Pointless });
        }
        if trail.attempt > self.retries {
            return Err(Refusal::Spent);
        }
        match hint.retry_after {
            Some(wait) if wait > self.max_retry_after => Err(Refusal::TooLong(wait)),
            Some(wait) => Ok(Wait::Exactly(wait)),
            None => Ok(Wait::UpTo(self.longest(trail.attempt))),
        }
    }

    /// How long to wait before `trail` is tried again; none when it is not.
    pub(super) fn wait(&self, trail: &Trail, failure: &Failure, hint: HostHint) -> Option<Duration> {
        match self.plan(trail, failure, hint).ok()? {
            Wait::Exactly(wait) => Some(wait),
            Wait::UpTo(longest) => Some(longest.mul_f64(fastrand::f64())),
        }
    }

    /// Exponential back-off with full jitter (Marc Brooker, "Exponential Backoff And Jitter", 2015): any time up to
    /// the delay doubled for each attempt before.
    pub(super) fn longest(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.delay.saturating_mul(1 << doublings).min(CEILING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Kind, Retry};
    use url::Url;

    fn trail(attempt: u32) -> Trail {
        Trail { attempt, ..Trail::new(Url::parse("http://a.test/").unwrap(), None) }
    }

    fn after(seconds: u64) -> HostHint {
        HostHint { retry_after: Some(Duration::from_secs(seconds)), throttled: true, ..HostHint::default() }
    }

    #[test]
    fn the_wait_stays_within_a_bound_that_doubles() {
        let options = Options { retries: 40, ..Options::default() };
        let failure = Failure::new(Kind::Reset, "closed");
        for attempt in 1..=40 {
            let bound = Duration::from_secs(1).saturating_mul(1 << (attempt - 1).min(20)).min(CEILING);
            let wait = options.wait(&trail(attempt), &failure, HostHint::default()).unwrap();
            assert!(wait <= bound, "attempt {attempt}: {wait:?}");
        }
        assert_eq!(options.wait(&trail(41), &failure, HostHint::default()), None);
    }

    #[test]
    fn what_the_host_asks_for_is_waited_for_exactly_or_not_at_all() {
        let options = Options::default();
        let failure = Failure::new(Kind::Status, "503").with_retry(Retry::Always);
        assert_eq!(options.wait(&trail(1), &failure, after(120)), Some(Duration::from_mins(2)));
        assert_eq!(options.wait(&trail(1), &failure, after(121)), None);
        assert_eq!(options.plan(&trail(1), &failure, after(121)), Err(Refusal::TooLong(Duration::from_secs(121))));
    }

    #[test]
    fn what_is_not_tried_again_is_told_why() {
        let options = Options::default();
        let plan = |attempt, kind| options.plan(&trail(attempt), &Failure::new(kind, "x"), HostHint::default());
        assert_eq!(plan(2, Kind::Connect), Ok(Wait::UpTo(Duration::from_secs(2))));
        assert_eq!(plan(3, Kind::Connect), Err(Refusal::Spent));
        assert_eq!(plan(3, Kind::Tls), Err(Refusal::Pointless), "however often");
    }

    #[test]
    fn what_is_not_idempotent_is_asked_again_only_if_it_was_not_carried_out() {
        let options = Options { idempotent: false, ..Options::default() };
        let reset = Failure::new(Kind::Reset, "closed");
        assert_eq!(options.wait(&trail(1), &reset, HostHint::default()), None);
        assert!(options.wait(&trail(1), &Failure::new(Kind::Connect, "refused"), HostHint::default()).is_some());
        assert_eq!(options.plan(&trail(1), &reset, HostHint::default()), Err(Refusal::Unsafe));
        let get = Trail { rewrite_to_get: true, ..trail(1) };
        assert!(options.wait(&get, &reset, HostHint::default()).is_some(), "a redirect made it a GET");
    }
}

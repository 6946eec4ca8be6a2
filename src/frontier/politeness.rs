//! How one host may be asked: how many requests at once, how far apart, not before when. Pure: time is a parameter.

use std::time::{Duration, Instant};

use super::latency::Latency;

/// How long a host's answer of "too much" is remembered when nothing is queued for it.
const MEMORY: Duration = Duration::from_mins(1);

/// The pace of one host.
///
/// The number of requests in flight is bounded by a limit that halves when the host says that it is asked too much, or does
/// not answer in time, loses a quarter when its answers take [twice as long](Latency), and grows by one for each limit's
/// worth of other answers: additive increase, multiplicative decrease.
#[derive(Debug)]
pub(super) struct Pace {
    in_flight: usize,
    /// The most that were in flight at once: as many connections there may be.
    peak: usize,
    limit: usize,
    ceiling: usize,
    /// Answers since the limit last changed that had no complaint.
    content: usize,
    /// Requests that were in flight when the limit was last lowered: their complaints are the same one.
    stale: usize,
    latency: Latency,
    not_before: Option<Instant>,
    /// What the last start made of that, and what it was before.
    last_start: Option<(Option<Instant>, Option<Instant>)>,
    remember_until: Option<Instant>,
}

/// How a request ended, as far as its host's pace is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With an answer that had no complaint, after so long where that is known.
    Content(Option<Duration>),
    /// With the answer that it is asked too much, or with none in time.
    Throttled,
    /// Without an answer, which says nothing.
    Unanswered,
}

impl Pace {
    /// A host of which nothing is known, with at most `ceiling` requests in flight.
    pub(super) fn new(ceiling: usize) -> Self {
        Self {
            in_flight: 0,
            peak: 0,
            limit: ceiling,
            ceiling,
            content: 0,
            stale: 0,
            latency: Latency::default(),
            not_before: None,
            last_start: None,
            remember_until: None,
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    /// How many requests may be in flight.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether they are fewer than they might be.
    pub(super) fn is_slowed(&self) -> bool {
        self.limit < self.ceiling
    }

    pub(super) fn is_full(&self) -> bool {
        self.in_flight >= self.limit
    }

    /// When the host may be asked again, if not now.
    pub(super) fn ready_at(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|&at| at > now)
    }

    /// Until when this must be kept though nothing is queued or in flight, if beyond now.
    pub(super) fn keep_until(&self, now: Instant) -> Option<Instant> {
        self.ready_at(now).max(self.remember_until.filter(|&at| at > now))
    }

    /// A request starts; the next one may start `delay` later.
    pub(super) fn start(&mut self, now: Instant, delay: Duration) {
        self.in_flight += 1;
        self.peak = self.peak.max(self.in_flight);
        if !delay.is_zero() {
            let before = self.not_before;
            self.pause(now + delay);
            self.last_start = Some((self.not_before, before));
        }
    }

    /// A request ended that nobody was asked for, after all: the next one need not wait on its account.
    pub(super) fn take_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some((after, before)) = self.last_start.take()
            && self.in_flight == 0
            && self.not_before == after
        {
            self.not_before = before;
        }
    }

    /// A request ended. Whether that lowered the limit.
    pub(super) fn finish(&mut self, ended: Ended, now: Instant) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_start = None;
        let is_stale = self.stale > 0;
        self.stale = self.stale.saturating_sub(1);
        match ended {
            Ended::Throttled if !is_stale => self.lower(self.limit / 2, now),
            Ended::Content(Some(took)) if !is_stale && self.latency.record(took, self.limit) => {
                self.lower(self.limit - self.limit.div_ceil(4), now)
            }
            Ended::Content(_) => {
                self.recover();
                false
            }
            _ => false,
        }
    }

    /// An answer had no complaint.
    fn recover(&mut self) {
        if self.limit < self.ceiling && !self.latency.is_slow() {
            self.content += 1;
            if self.content >= self.limit {
                self.limit += 1;
                self.content = 0;
            }
        }
    }

    /// One request at a time from now on, until answers come.
    pub(super) fn narrow(&mut self, now: Instant) {
        self.lower(1, now);
    }

    fn lower(&mut self, limit: usize, now: Instant) -> bool {
        let before = std::mem::replace(&mut self.limit, limit.max(1));
        self.content = 0;
        self.stale = self.in_flight;
        self.remember(now + MEMORY);
        self.limit < before
    }

    /// This is kept until `at` even if nothing is queued.
    pub(super) fn remember(&mut self, at: Instant) {
        self.remember_until = self.remember_until.max(Some(at));
    }

    /// Nothing starts before `at`.
    pub(super) fn pause(&mut self, at: Instant) {
        self.not_before = self.not_before.max(Some(at));
    }
}

/// The pace of the whole run: at most so many starts a second.
#[derive(Debug)]
pub(super) struct Rate {
    interval: Duration,
    next: Option<Instant>,
    /// Whether something has been ready since before `next`.
    was_waited_for: bool,
}

/// A timer is late by a millisecond or two. Starts that should be closer together than this and had to wait for one may
/// catch up what its lateness cost, by this much at most; others are never closer than the interval.
const CATCH_UP: Duration = Duration::from_millis(10);

impl Rate {
    /// One start an `interval`.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, next: None, was_waited_for: false }
    }

    /// When what is ready may start, if not now.
    pub(super) fn ready_at(&mut self, now: Instant) -> Option<Instant> {
        let at = self.next.filter(|&at| at > now);
        self.was_waited_for |= at.is_some();
        at
    }

    pub(super) fn start(&mut self, now: Instant) {
        let is_late = std::mem::take(&mut self.was_waited_for) && self.interval < CATCH_UP;
        let catch_up = if is_late { CATCH_UP } else { Duration::ZERO };
        let earliest = now.checked_sub(catch_up).unwrap_or(now);
        self.next = Some(self.next.map_or(now, |next| next.max(earliest)) + self.interval);
    }

    /// What was started was not asked for, after all.
    pub(super) fn take_back(&mut self) {
        self.next = self.next.and_then(|next| next.checked_sub(self.interval));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_was_not_asked_after_all_is_not_spared_for_it() {
        let (now, delay) = (Instant::now(), Duration::from_secs(9));
        let mut pace = Pace::new(8);
        pace.start(now, delay);
        pace.take_back();
        assert_eq!((pace.ready_at(now), pace.in_flight()), (None, 0));

        pace.start(now, delay);
        pace.finish(Ended::Content(None), now);
        let later = now + delay;
        pace.start(later, delay);
        pace.take_back();
        assert_eq!(pace.ready_at(now), Some(later), "the request before it counts");
        pace.start(later, delay);
        pace.pause(later + 2 * delay);
        pace.take_back();
        assert_eq!(pace.ready_at(later), Some(later + 2 * delay), "what the host asks for stands");

        let mut rate = Rate::new(delay);
        rate.start(now);
        rate.take_back();
        assert_eq!(rate.ready_at(now), None);
    }

    #[test]
    fn a_request_that_was_made_in_between_counts() {
        let (now, delay) = (Instant::now(), Duration::from_secs(9));
        let mut pace = Pace::new(8);
        pace.start(now, delay);
        pace.start(now + delay, delay);
        pace.finish(Ended::Content(None), now + delay);
        pace.take_back();
        assert_eq!(pace.ready_at(now + delay), Some(now + 2 * delay));
    }

    #[test]
    fn a_burst_of_complaints_halves_the_limit_once() {
        let now = Instant::now();
        let mut pace = Pace::new(8);
        (0..8).for_each(|_| pace.start(now, Duration::ZERO));
        let lowered = (0..8).filter(|_| pace.finish(Ended::Throttled, now)).count();
        assert_eq!(lowered, 1);
        assert_eq!(pace.limit, 4);
        pace.start(now, Duration::ZERO);
        pace.finish(Ended::Throttled, now);
        assert_eq!(pace.limit, 2);
    }

    #[test]
    fn the_limit_recovers_step_by_step_and_not_beyond_the_ceiling() {
        let now = Instant::now();
        let mut pace = Pace { limit: 2, ..Pace::new(4) };
        let mut limits = Vec::new();
        for _ in 0..10 {
            pace.start(now, Duration::ZERO);
            pace.finish(Ended::Content(None), now);
            pace.start(now, Duration::ZERO);
            pace.finish(Ended::Unanswered, now);
            limits.push(pace.limit);
        }
        assert_eq!(limits, [2, 3, 3, 3, 4, 4, 4, 4, 4, 4]);
    }

    /// Ends `answers` requests that took so long each, as many in flight as may be.
    fn answer(pace: &mut Pace, answers: usize, millis: u64) {
        let (now, took) = (Instant::now(), Some(Duration::from_millis(millis)));
        for _ in 0..answers {
            while !pace.is_full() {
                pace.start(now, Duration::ZERO);
            }
            pace.finish(Ended::Content(took), now);
        }
    }

    #[test]
    fn a_host_that_takes_twice_as_long_gets_fewer_requests_step_by_step_and_recovers_as_it_does() {
        let mut pace = Pace::new(8);
        answer(&mut pace, 8, 100);
        answer(&mut pace, 32, 300);
        assert_eq!(pace.limit, 6);
        // The requests that were in flight tell of the limit before.
        answer(&mut pace, 7, 9000);
        assert_eq!(pace.limit, 6);
        answer(&mut pace, 31, 300);
        assert_eq!(pace.limit, 6, "it does not grow while the host is slow");
        answer(&mut pace, 1, 300);
        assert_eq!(pace.limit, 4);
        answer(&mut pace, 5 + 32, 190);
        assert_eq!(pace.limit, 4, "the answer that tells so is the first that counts");
        answer(&mut pace, 4 + 5 + 6 + 7, 190);
        assert_eq!(pace.limit, 8);
    }

    #[test]
    fn a_server_that_does_one_thing_at_a_time_is_asked_for_about_as_much_as_it_takes_twice_its_time_for() {
        // Requests wait for each other there: so many at once take so many times as long as one.
        let mut pace = Pace::new(64);
        (1..=64).for_each(|n| answer(&mut pace, 1, 60 * n));
        let mut limits = Vec::new();
        for _ in 0..5000 {
            let millis = 60 * u64::try_from(pace.limit).unwrap();
            answer(&mut pace, 1, millis);
            limits.push(pace.limit);
        }
        let last = &limits[1000..];
        assert!(last.iter().all(|&limit| (4..=16).contains(&limit)), "{last:?}");
    }

    #[test]
    fn a_fast_host_is_asked_for_as_much_as_before_however_its_times_vary() {
        let mut pace = Pace::new(64);
        for n in 0..10_000 {
            answer(&mut pace, 1, n * 7919 % 50);
        }
        assert_eq!(pace.limit, 64);
    }

    #[test]
    fn a_pause_is_never_shortened() {
        let now = Instant::now();
        let mut pace = Pace::new(1);
        pace.pause(now + Duration::from_secs(9));
        pace.start(now, Duration::from_secs(1));
        assert_eq!(pace.ready_at(now), Some(now + Duration::from_secs(9)));
    }

    #[test]
    fn a_rate_is_never_exceeded_in_the_long_run_and_late_timers_are_caught_up() {
        let start = Instant::now();
        let mut rate = Rate::new(Duration::from_millis(2));
        let mut now = start;
        for _ in 0..500 {
            now = rate.ready_at(now).unwrap_or(now) + Duration::from_millis(1); // each timer late by 1 ms
            rate.start(now);
        }
        let took = now - start;
        assert!(took >= Duration::from_millis(998), "{took:?}");
        assert!(took <= Duration::from_millis(1010), "{took:?}");
    }

    #[test]
    fn a_rate_lets_nothing_be_saved_up_while_nothing_is_ready() {
        let now = Instant::now();
        let mut rate = Rate::new(Duration::from_millis(2));
        rate.start(now);
        let later = now + Duration::from_secs(1);
        rate.start(later);
        assert_eq!(rate.ready_at(later), Some(later + Duration::from_millis(2)));
    }

    #[test]
    fn starts_at_a_slow_rate_are_never_closer_than_the_interval() {
        let now = Instant::now();
        let mut rate = Rate::new(Duration::from_millis(100));
        rate.start(now);
        let late = now + Duration::from_millis(105);
        rate.start(late);
        assert_eq!(rate.ready_at(late), Some(late + Duration::from_millis(100)));
    }
}

//! Whether a host has become slow: the median of its last answers against the best that it has had.
//!
//! What was decided:
//! - A median is of 32 answers, and of as many as may be in flight where those are more. The first one is of 8: these have
//!   hardly had to wait for each other.
//! - Times below 50 ms are all alike: on a fast way they tell of noise, and of how busy this machine is.
//! - The best median moves half-way to a better one, as the lowest of many is a matter of luck.
//! - Where one request at a time takes twice as long as the best, this is not for our asking: it is the best from then on.

use std::time::Duration;

/// What a shorter time counts as.
const FLOOR: Duration = Duration::from_millis(50);

/// The same, in milliseconds.
const FLOOR_MILLIS: u16 = 50;

/// How many answers there are to the first median.
const FIRST: usize = 8;

/// How many there are to each other one, at least.
const WINDOW: usize = 32;

/// How long a host's answers take. A host that is fast costs no memory beyond this.
#[derive(Debug, Default)]
pub(super) struct Latency {
    /// The best median, in milliseconds.
    best: Option<u16>,
    /// Answers since the last median that took no longer than the floor.
    fast: usize,
    /// How long the others took, in milliseconds.
    others: Vec<u16>,
    is_slow: bool,
}

impl Latency {
    /// Takes how long an answer took, of as many requests at once as `limit` allows. Whether that makes the host slow, once
    /// more if it was.
    pub(super) fn record(&mut self, took: Duration, limit: usize) -> bool {
        if took <= FLOOR {
            self.fast += 1;
        } else {
            self.others.push(u16::try_from(took.as_millis()).unwrap_or(u16::MAX));
        }
        let window = if self.best.is_some() { WINDOW.max(limit) } else { FIRST };
        if self.fast + self.others.len() < window {
            return false;
        }
        let median = self.take_median();
        let best = *self.best.get_or_insert(median);
        let doubles = median > best.saturating_mul(2);
        if median < best {
            self.best = Some(median.midpoint(best));
        } else if doubles && limit == 1 {
            self.best = Some(median);
        }
        self.is_slow = doubles && limit > 1;
        self.is_slow
    }

    /// Whether the last median was that of a slow host.
    pub(super) fn is_slow(&self) -> bool {
        self.is_slow
    }

    fn take_median(&mut self) -> u16 {
        let middle = self.fast.midpoint(self.others.len());
        let median = match middle.checked_sub(self.fast) {
            None => FLOOR_MILLIS,
            Some(middle) => *self.others.select_nth_unstable(middle).1,
        };
        self.fast = 0;
        self.others.clear();
        median
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether as many answers as make a median, which take so long, make the host slow.
    fn record(latency: &mut Latency, millis: u64, limit: usize) -> bool {
        loop {
            let is_slow = latency.record(Duration::from_millis(millis), limit);
            if latency.fast + latency.others.len() == 0 {
                return is_slow;
            }
        }
    }

    #[test]
    fn a_host_is_slow_when_its_median_is_more_than_twice_the_best() {
        let mut latency = Latency::default();
        assert!(!record(&mut latency, 200, 8));
        assert!(!record(&mut latency, 400, 8));
        assert!(record(&mut latency, 401, 8) && latency.is_slow());
        assert!(record(&mut latency, 401, 8), "and still is");
        assert!(!record(&mut latency, 390, 8) && !latency.is_slow());
        assert!(!record(&mut latency, 100, 8));
        assert!(record(&mut latency, 310, 8), "the best is now half-way between 200 and 100");
    }

    #[test]
    fn noise_on_a_fast_way_is_none() {
        let mut latency = Latency::default();
        assert!(!record(&mut latency, 0, 64));
        assert!(!record(&mut latency, 100, 64), "a hundredfold, below twice the floor");
        assert!(record(&mut latency, 101, 64));
        assert_eq!(Latency::default().others.capacity(), 0);
    }

    #[test]
    fn a_few_slow_answers_among_many_make_no_slow_host() {
        let mut latency = Latency::default();
        assert!(!record(&mut latency, 60, 1));
        for n in 0..10 * WINDOW {
            let took = if n % 3 == 0 { 30_000 } else { 60 };
            assert!(!latency.record(Duration::from_millis(took), 8), "{n}");
        }
    }

    #[test]
    fn what_is_slow_when_asked_for_one_thing_at_a_time_is_no_slower_for_our_asking() {
        let mut latency = Latency::default();
        assert!(!record(&mut latency, 60, 8));
        assert!(record(&mut latency, 900, 2));
        assert!(!record(&mut latency, 900, 1) && !latency.is_slow());
        assert!(!record(&mut latency, 1800, 8));
        assert!(record(&mut latency, 1801, 8));
    }
}

//! What this machine may have too little of. The job that found none goes back uncounted; what starts next depends on
//! how more of it comes about. Pure: time is a parameter.

use std::time::{Duration, Instant};

use crate::job::Lack;

/// How the run makes do.
#[derive(Debug, Default)]
pub(super) struct Scarcity {
    /// Until when nothing starts for want of connections: others end in that time.
    until: Option<Instant>,
    /// How many such pauses in a row.
    pauses: u32,
    /// How many visits may be in flight for want of memory.
    limit: Option<usize>,
    /// Visits that had enough since the limit last changed.
    content: usize,
}

impl Scarcity {
    const PAUSE: Duration = Duration::from_millis(500);
    /// Idle connections are gone long before that.
    const MAX_PAUSES: u32 = 64;

    /// A visit ended for want of something while so many others are in flight. Tells whether it is worth another try.
    ///
    /// Those that ran out of connections together share one pause; there are not many in a row. Memory comes back when
    /// another visit ends, so there shall be no more than now: what is in flight gets less with each visit that finds
    /// none, and the last one has all there is.
    pub(super) fn lacked(&mut self, lack: Lack, in_flight: usize, now: Instant) -> bool {
        match lack {
            Lack::Connections if self.until.is_some_and(|at| at > now) => true,
            Lack::Connections => {
                let is_worthwhile = self.pauses < Self::MAX_PAUSES;
                if is_worthwhile {
                    self.pauses += 1;
                    self.until = Some(now + Self::PAUSE);
                }
                is_worthwhile
            }
            Lack::Memory => {
                self.limit = Some(self.limit.map_or(in_flight, |limit| limit.min(in_flight)).max(1));
                self.content = 0;
                true
            }
        }
    }

    /// A visit had enough of everything. When as many have as are allowed at once, an eighth more are: large bodies
    /// that follow small ones find a limit soon, and small ones that follow large ones are not held up for long.
    pub(super) fn sufficed(&mut self) {
        self.pauses = 0;
        if let Some(limit) = &mut self.limit {
            self.content += 1;
            if self.content >= *limit {
                *limit += limit.div_ceil(8);
                self.content = 0;
            }
        }
    }

    /// When something may start again, if not now.
    pub(super) fn ready_at(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|&at| at > now)
    }

    /// Whether nothing may start before one of those in flight ends.
    pub(super) fn is_full(&self, in_flight: usize) -> bool {
        self.limit.is_some_and(|limit| in_flight >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_in_flight_than_found_memory_and_one_always_is() {
        let (mut scarcity, now) = (Scarcity::default(), Instant::now());
        assert!(!scarcity.is_full(9999));
        for others in (0..40).rev() {
            assert!(scarcity.lacked(Lack::Memory, others, now));
            assert!(scarcity.is_full(others.max(1)) && !scarcity.is_full(0));
        }
    }

    #[test]
    fn the_limit_for_want_of_memory_grows_by_an_eighth_for_each_limit_of_visits() {
        let mut scarcity = Scarcity::default();
        scarcity.lacked(Lack::Memory, 8, Instant::now());
        let mut limits = Vec::new();
        for _ in 0..=27 {
            limits.push(scarcity.limit.unwrap());
            scarcity.sufficed();
        }
        assert_eq!([limits[7], limits[8], limits[16], limits[17], limits[27]], [8, 9, 9, 11, 11]);
        (0..400).for_each(|_| scarcity.sufficed());
        assert!(scarcity.limit.unwrap() > 60);
    }
}

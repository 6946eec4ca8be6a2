//! The start of a run: nothing is known but the first lines of the list. If they all name one slow host, it would take every
//! slot there is. So for a moment, unless the list has been read as far as it may be, each host gets one, and one more with
//! each answer: what is in flight doubles with each round trip, as in TCP's slow start (RFC 5681, section 3.1). A fast host
//! loses nothing to hosts that are not there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

const LENGTH: Duration = Duration::from_millis(20);

/// The first moment of a run. It begins when somebody asks.
#[derive(Debug, Default)]
pub(super) struct FirstLook {
    until: Option<Instant>,
    is_over: bool,
    /// How many answers came from the hosts of each lane.
    answers: HashMap<u32, usize>,
}

impl FirstLook {
    /// Until when the host of a lane that has so many requests in flight must leave its next turn to others, if it must.
    pub(super) fn holds(&mut self, lane: u32, in_flight: usize, now: Instant) -> Option<Instant> {
        if self.is_over {
            return None;
        }
        let until = *self.until.get_or_insert(now + LENGTH);
        if now >= until {
            *self = Self { is_over: true, ..Self::default() };
            return None;
        }
        let answers = self.answers.get(&lane).copied().unwrap_or_default();
        (in_flight > answers).then_some(until)
    }

    /// An answer came from the host of a lane.
    pub(super) fn answer(&mut self, lane: u32) {
        if !self.is_over && self.until.is_some() {
            *self.answers.entry(lane).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_when_somebody_asks_and_ends_once() {
        let (mut look, now) = (FirstLook::default(), Instant::now());
        let end = now + LENGTH;
        assert_eq!([now, now + LENGTH / 2].map(|at| look.holds(0, 1, at)), [Some(end); 2]);
        assert_eq!([end, end + LENGTH, now].map(|at| look.holds(0, 1, at)), [None; 3]);
    }

    #[test]
    fn who_answers_gets_twice_as_many_with_each_round_and_who_does_not_gets_one() {
        let (mut look, now) = (FirstLook::default(), Instant::now());
        let most = |look: &mut FirstLook, lane| (0..99).find(|&n| look.holds(lane, n, now).is_some()).unwrap();
        for in_flight in [1, 2, 4, 8, 16] {
            assert_eq!([most(&mut look, 7), most(&mut look, 8)], [in_flight, 1]);
            (0..in_flight).for_each(|_| look.answer(7));
        }
    }
}

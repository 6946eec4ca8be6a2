//! The start of a run: nothing is known but the first lines of the list. If they all name one slow host, it would take every
//! slot there is. So for a moment, unless the list has been read as far as it may be, each host gets one.

use std::time::{Duration, Instant};

const LENGTH: Duration = Duration::from_millis(20);

/// The first moment of a run. It begins when somebody asks.
#[derive(Debug, Default)]
pub(super) struct FirstLook {
    until: Option<Instant>,
}

impl FirstLook {
    /// When it is over, if it is not.
    pub(super) fn ends_at(&mut self, now: Instant) -> Option<Instant> {
        let until = *self.until.get_or_insert(now + LENGTH);
        (now < until).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_when_somebody_asks_and_ends_once() {
        let (mut look, now) = (FirstLook::default(), Instant::now());
        let end = now + LENGTH;
        assert_eq!([now, now + LENGTH / 2].map(|at| look.ends_at(at)), [Some(end); 2]);
        assert_eq!([end, end + LENGTH].map(|at| look.ends_at(at)), [None; 2]);
    }
}

//! How many pages there were when.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The most parts that the time is divided into.
const PARTS: i64 = 120;

/// The narrowest part, in milliseconds.
const NARROWEST: i64 = 125;

/// Pages by time, in parts of equal width. The width doubles whenever there are too many of them, and each begins at a multiple
/// of it: so it does not matter in which order the pages come.
#[derive(Debug)]
pub(super) struct Timeline {
    /// In milliseconds.
    width: i64,
    parts: BTreeMap<i64, Part>,
}

/// What happened in one part of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) fetched: u64,
    pub(super) failed: u64,
}

impl Part {
    pub(super) fn pages(self) -> u64 {
        self.fetched + self.failed
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Self { width: NARROWEST, parts: BTreeMap::new() }
    }
}

impl Timeline {
    /// Counts a page that was done at a time.
    pub(super) fn add(&mut self, at: Timestamp, is_fetched: bool) {
        let part = self.parts.entry(at.as_millisecond().div_euclid(self.width)).or_default();
        part.fetched += u64::from(is_fetched);
        part.failed += u64::from(!is_fetched);
        while self.span() > PARTS {
            self.widen();
        }
    }

    fn span(&self) -> i64 {
        let ends = self.parts.first_key_value().zip(self.parts.last_key_value());
        ends.map_or(0, |((first, _), (last, _))| last - first + 1)
    }

    fn widen(&mut self) {
        self.width *= 2;
        for (place, part) in std::mem::take(&mut self.parts) {
            let sum = self.parts.entry(place.div_euclid(2)).or_default();
            sum.fetched += part.fetched;
            sum.failed += part.failed;
        }
    }

    /// The width of a part in seconds.
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2⁵³")]
    pub(super) fn width(&self) -> f64 {
        self.width as f64 / 1000.0
    }

    /// Every part from the first to the last, those in which nothing happened, too.
    pub(super) fn parts(&self) -> Vec<Part> {
        let first = self.parts.first_key_value().map_or(0, |(first, _)| *first);
        (first..first + self.span()).map(|place| self.parts.get(&place).copied().unwrap_or_default()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_page_is_lost_whatever_the_order_and_the_parts_are_few(
            mut times in prop::collection::vec((any::<bool>(), 0_i64..4_000_000_000_000), 1..100),
        ) {
            let timeline = |times: &[(bool, i64)]| {
                let mut timeline = Timeline::default();
                for &(is_fetched, at) in times {
                    timeline.add(Timestamp::from_millisecond(at).unwrap(), is_fetched);
                }
                (timeline.width(), timeline.parts())
            };
            let (width, parts) = timeline(&times);
            prop_assert!(parts.len() <= 120);
            prop_assert_eq!(parts.iter().map(|part| part.pages()).sum::<u64>(), times.len() as u64);
            times.reverse();
            prop_assert_eq!(timeline(&times), (width, parts));
        }
    }
}

//! The hosts that may be asked now, in order of fairness.

/// No lane.
const NONE: u32 = u32::MAX;

/// Lanes by level (how many of their requests are in flight): the lowest level first, within a level in turn.
///
/// Intrusive doubly linked lists, one a level: every operation takes constant time, whatever the number of hosts.
#[derive(Debug, Default)]
pub(super) struct Ready {
    links: Vec<Link>,
    levels: Vec<Level>,
    /// No level below this one holds a lane.
    lowest: usize,
}

#[derive(Clone, Debug)]
struct Link {
    before: u32,
    after: u32,
    /// The level it is linked in.
    level: Option<u32>,
}

#[derive(Clone, Debug)]
struct Level {
    first: u32,
    last: u32,
}

impl Ready {
    /// Puts `lane` at the end of `level`. It must not be in there.
    pub(super) fn insert(&mut self, lane: u32, level: usize) {
        let (index, number) = (lane as usize, u32::try_from(level).unwrap_or(NONE));
        if self.links.len() <= index {
            self.links.resize(index + 1, Link { before: NONE, after: NONE, level: None });
        }
        if self.levels.len() <= level {
            self.levels.resize(level + 1, Level { first: NONE, last: NONE });
        }
        let last = std::mem::replace(&mut self.levels[level].last, lane);
        self.links[index] = Link { before: last, after: NONE, level: Some(number) };
        match last {
            NONE => self.levels[level].first = lane,
            last => self.links[last as usize].after = lane,
        }
        self.lowest = self.lowest.min(level);
    }

    /// Takes `lane` out, if it is in there.
    pub(super) fn remove(&mut self, lane: u32) {
        let Some(link) = self.links.get_mut(lane as usize) else { return };
        let Some(level) = link.level.take() else { return };
        let (before, after) = (link.before, link.after);
        match before {
            NONE => self.levels[level as usize].first = after,
            before => self.links[before as usize].after = after,
        }
        match after {
            NONE => self.levels[level as usize].last = before,
            after => self.links[after as usize].before = before,
        }
    }

    /// Whether `lane` is in there.
    pub(super) fn contains(&self, lane: u32) -> bool {
        self.links.get(lane as usize).is_some_and(|link| link.level.is_some())
    }

    /// The lane whose turn it is.
    pub(super) fn first(&mut self) -> Option<u32> {
        while let Some(level) = self.levels.get(self.lowest) {
            if level.first != NONE {
                return Some(level.first);
            }
            self.lowest += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_is_always_the_longest_waiting_of_the_lowest_level(
            steps in prop::collection::vec((0..20_u32, prop::option::of(0..5_usize)), 0..400),
        ) {
            let mut ready = Ready::default();
            let mut model: Vec<(usize, u32)> = Vec::new();
            for (lane, level) in steps {
                ready.remove(lane);
                model.retain(|&(_, other)| other != lane);
                if let Some(level) = level {
                    ready.insert(lane, level);
                    model.push((level, lane));
                }
                let first = model.iter().min_by_key(|&&(level, _)| level).map(|&(_, lane)| lane);
                prop_assert_eq!(ready.first(), first);
            }
        }
    }
}

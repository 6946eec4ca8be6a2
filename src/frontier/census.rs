//! How many URLs each host has.

use std::cmp::Reverse;
use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64;

/// So many names are kept beyond those that are wanted, so that they need not be sorted out often.
const SLACK: usize = 4_096;

/// Counts by host, in 16 bytes each, and the names of the largest.
///
/// Counts are exact: they go by the hash of the host. A name is dropped only when as many hosts as are wanted have larger
/// counts, or equal ones and came first to be kept; counts only grow, and a host that is named again is known by name again.
/// So the names of the largest are all there, whatever the order of the list.
#[derive(Debug)]
pub(super) struct Census {
    counts: HashMap<u64, u64>,
    names: HashMap<u64, Box<str>>,
    /// How many names are wanted.
    wanted: usize,
}

impl Census {
    pub(super) fn new(wanted: usize) -> Self {
        Self { counts: HashMap::new(), names: HashMap::new(), wanted }
    }

    /// Counts a URL of `host`.
    pub(super) fn add(&mut self, host: &str) {
        let hash = xxh3_64(host.as_bytes());
        *self.counts.entry(hash).or_default() += 1;
        self.names.entry(hash).or_insert_with(|| host.into());
        if self.names.len() >= self.wanted.saturating_add(SLACK) {
            let kept: HashMap<_, _> = self.ranked().into_iter().map(|(hash, name, _)| (hash, name.into())).collect();
            self.names = kept;
        }
    }

    /// How many hosts there are.
    pub(super) fn hosts(&self) -> usize {
        self.counts.len()
    }

    /// The hosts with the most URLs, the largest first, as many as are wanted.
    pub(super) fn largest(&self) -> Vec<(Box<str>, u64)> {
        self.ranked().into_iter().map(|(_, name, count)| (name.into(), count)).collect()
    }

    fn ranked(&self) -> Vec<(u64, &str, u64)> {
        let count = |hash| self.counts.get(hash).copied().unwrap_or_default();
        let mut all: Vec<_> = self.names.iter().map(|(hash, name)| (*hash, &**name, count(hash))).collect();
        all.sort_unstable_by_key(|&(_, name, count)| (Reverse(count), name));
        all.truncate(self.wanted);
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn census(hosts: &[u16], wanted: usize) -> Census {
        let mut census = Census::new(wanted);
        for host in hosts {
            census.add(&format!("{host}.test"));
        }
        census
    }

    proptest! {
        #[test]
        fn the_largest_are_known_by_name_and_exact_count(
            hosts in prop::collection::vec(prop_oneof![0..20_u16, any::<u16>()], 0..12_000),
        ) {
            let mut counts = HashMap::<_, u64>::new();
            for host in &hosts {
                *counts.entry(host).or_default() += 1;
            }
            let mut expected: Vec<_> = counts.values().copied().collect();
            expected.sort_unstable_by_key(|&count| Reverse(count));
            expected.truncate(7);
            let census = census(&hosts, 7);
            let largest = census.largest();
            prop_assert_eq!(census.hosts(), counts.len());
            prop_assert_eq!(largest.iter().map(|(_, count)| *count).collect::<Vec<_>>(), expected);
            for (name, count) in &largest {
                let host: u16 = name.trim_end_matches(".test").parse().unwrap();
                prop_assert_eq!(counts[&host], *count);
            }
        }
    }

    #[test]
    fn names_take_no_more_memory_than_promised() {
        let census = census(&(0..20_000).collect::<Vec<_>>(), 10);
        assert_eq!((census.hosts(), census.largest().len()), (20_000, 10));
        assert!(census.names.len() <= 10 + SLACK, "{}", census.names.len());
    }
}

//! The set of fingerprints that were admitted: the only thing that grows with the list.

/// Shards grow one at a time, so that growing never needs twice the memory of the whole set.
const SHARDS: usize = 256;

/// By how many bits of their fingerprints pages are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// 64: of a hundred million pages, one is taken for another with probability 3 in 10,000.
    #[default]
    Bits64,
    /// 128, in twice the memory: none is.
    Bits128,
}

/// A set of 64-bit fingerprints in 8.2 to 10.3 bytes each, once there are some thousands of them.
#[derive(Debug, Default)]
pub struct Seen(Table<7>);

impl Seen {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `fingerprint`; whether it was new.
    pub fn insert(&mut self, fingerprint: u64) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.0.insert(shard, key)
    }

    /// Whether `fingerprint` was added.
    #[must_use]
    pub fn contains(&self, fingerprint: u64) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.0.contains(shard, key)
    }
}

/// The same of 128-bit fingerprints, in 17.6 to 22.1 bytes each.
#[derive(Debug, Default)]
pub(super) struct WideSeen(Table<15>);

impl WideSeen {
    pub(super) fn insert(&mut self, fingerprint: u128) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.0.insert(shard, key)
    }

    pub(super) fn contains(&self, fingerprint: u128) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.0.contains(shard, key)
    }
}

/// A set of fingerprints of N + 1 bytes.
///
/// One byte of a fingerprint names the shard, which need not keep it. Each shard is an open-addressing table with linear
/// probing. Its size is no power of two: the hash is mapped onto it by multiplication (Lemire, "Fast Random Integer
/// Generation in an Interval", 2019), so that it can grow by a quarter instead of doubling.
#[derive(Debug)]
struct Table<const N: usize> {
    shards: Vec<Shard<N>>,
}

/// What a shard keeps of a fingerprint is all but the byte that names the shard. Zero marks a slot that is free, and one stands
/// for it where it is a fingerprint's: a collision of probability 2⁻⁵⁶ at most.
#[derive(Clone, Debug)]
struct Shard<const N: usize> {
    slots: Vec<[u8; N]>,
    used: usize,
}

impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self { shards: vec![Shard { slots: Vec::new(), used: 0 }; SHARDS] }
    }
}

impl<const N: usize> Table<N> {
    fn insert(&mut self, shard: u8, key: [u8; N]) -> bool {
        self.shards[usize::from(shard)].insert(Shard::mark(key))
    }

    fn contains(&self, shard: u8, key: [u8; N]) -> bool {
        self.shards[usize::from(shard)].contains(Shard::mark(key))
    }
}

impl<const N: usize> Shard<N> {
    const FREE: [u8; N] = [0; N];

    fn mark(mut key: [u8; N]) -> [u8; N] {
        if key == Self::FREE {
            key[0] = 1;
        }
        key
    }

    fn insert(&mut self, key: [u8; N]) -> bool {
        if self.used * 100 >= self.slots.len() * 85 {
            self.grow();
        }
        let slot = self.find(key);
        let is_new = self.slots[slot] == Self::FREE;
        self.slots[slot] = key;
        self.used += usize::from(is_new);
        is_new
    }

    fn contains(&self, key: [u8; N]) -> bool {
        !self.slots.is_empty() && self.slots[self.find(key)] == key
    }

    /// The slot that holds `key`, or the free one where it belongs.
    fn find(&self, key: [u8; N]) -> usize {
        let len = self.slots.len();
        let mut hash = [0; 8];
        hash[1..].copy_from_slice(&key[..7]);
        let scaled = (u128::from(u64::from_le_bytes(hash)) * len as u128) >> 64;
        let mut slot = usize::try_from(scaled).unwrap_or(0);
        while self.slots[slot] != Self::FREE && self.slots[slot] != key {
            slot = if slot + 1 == len { 0 } else { slot + 1 };
        }
        slot
    }

    fn grow(&mut self) {
        let len = (self.slots.len() + self.slots.len() / 4).max(16);
        for key in std::mem::replace(&mut self.slots, vec![Self::FREE; len]) {
            if key != Self::FREE {
                let slot = self.find(key);
                self.slots[slot] = key;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use xxhash_rust::xxh3::xxh3_64;

    proptest! {
        #[test]
        fn it_is_a_set(keys in prop::collection::vec(prop_oneof![0..40_u64, any::<u64>()], 0..2000)) {
            let (mut seen, mut model) = (Seen::new(), HashSet::new());
            for key in keys {
                prop_assert_eq!(seen.contains(key), model.contains(&key));
                prop_assert_eq!(seen.insert(key), model.insert(key));
            }
        }
    }

    proptest! {
        #[test]
        fn a_wide_one_is_a_set_and_looks_at_all_bits(
            keys in prop::collection::vec((prop_oneof![0..3_u64, any::<u64>()], 0..3_u64), 0..2000),
        ) {
            let (mut seen, mut model) = (WideSeen::default(), HashSet::new());
            for (low, high) in keys {
                // Zero and one are one: see the shards.
                let key = u128::from(high) << 64 | u128::from(low) << 9 | 512;
                prop_assert_eq!(seen.contains(key), model.contains(&key));
                prop_assert_eq!(seen.insert(key), model.insert(key));
            }
        }
    }

    #[test]
    fn a_million_take_less_than_eleven_bytes_each() {
        let mut seen = Seen::new();
        let n = 1_000_000_u32;
        assert!((0..n).all(|key| seen.insert(xxh3_64(&key.to_le_bytes()))));
        let slots: usize = seen.0.shards.iter().map(|shard| shard.slots.capacity()).sum();
        assert!(slots * size_of::<[u8; 7]>() < 11 * n as usize, "{slots} slots");
    }
}

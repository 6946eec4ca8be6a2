//! The set of fingerprints that were admitted: the only thing that grows with the list.

/// Shards grow one at a time, so that growing never needs twice the memory of the whole set.
const SHARDS: usize = 256;

/// A set of 64-bit fingerprints in 8.2 to 10.3 bytes each, once there are some thousands of them.
///
/// One byte of a fingerprint names the shard, which need not keep it. Each shard is an open-addressing table with linear probing. Its size is no power of two: the hash is mapped onto
/// it by multiplication (Lemire, "Fast Random Integer Generation in an Interval", 2019), so that it can grow by a
/// quarter instead of doubling.
#[derive(Debug)]
pub(crate) struct Seen {
    shards: Vec<Shard>,
}

#[derive(Clone, Debug, Default)]
struct Shard {
    slots: Vec<Key>,
    used: usize,
}

/// What a shard keeps of a fingerprint: all but the byte that names the shard.
type Key = [u8; 7];

/// The key that marks a free slot.
const FREE: Key = [0; 7];
/// The key that stands for it where it is a fingerprint's: a collision of probability 2⁻⁵⁶.
const NEXT_TO_FREE: Key = [1, 0, 0, 0, 0, 0, 0];

impl Seen {
    pub(crate) fn new() -> Self {
        Self { shards: vec![Shard::default(); SHARDS] }
    }

    /// Adds `fingerprint`; whether it was new.
    pub(crate) fn insert(&mut self, fingerprint: u64) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.shards[usize::from(shard)].insert(if key == FREE { NEXT_TO_FREE } else { key })
    }

    /// Whether `fingerprint` was added.
    pub(crate) fn contains(&self, fingerprint: u64) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.shards[usize::from(shard)].contains(if key == FREE { NEXT_TO_FREE } else { key })
    }
}

impl Shard {
    fn insert(&mut self, key: Key) -> bool {
        if self.used * 100 >= self.slots.len() * 85 {
            self.grow();
        }
        let slot = self.find(key);
        let is_new = self.slots[slot] == FREE;
        self.slots[slot] = key;
        self.used += usize::from(is_new);
        is_new
    }

    fn contains(&self, key: Key) -> bool {
        !self.slots.is_empty() && self.slots[self.find(key)] == key
    }

    /// The slot that holds `key`, or the free one where it belongs.
    fn find(&self, key: Key) -> usize {
        let len = self.slots.len();
        let mut hash = [0; 8];
        hash[1..].copy_from_slice(&key);
        let scaled = (u128::from(u64::from_le_bytes(hash)) * len as u128) >> 64;
        let mut slot = usize::try_from(scaled).unwrap_or(0);
        while self.slots[slot] != FREE && self.slots[slot] != key {
            slot = if slot + 1 == len { 0 } else { slot + 1 };
        }
        slot
    }

    fn grow(&mut self) {
        let len = (self.slots.len() + self.slots.len() / 4).max(16);
        for key in std::mem::replace(&mut self.slots, vec![FREE; len]) {
            if key != FREE {
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

    #[test]
    fn a_million_take_less_than_eleven_bytes_each() {
        let mut seen = Seen::new();
        let n = 1_000_000_u32;
        assert!((0..n).all(|key| seen.insert(xxh3_64(&key.to_le_bytes()))));
        let slots: usize = seen.shards.iter().map(|shard| shard.slots.capacity()).sum();
        assert!(slots * size_of::<Key>() < 11 * n as usize, "{slots} slots");
    }
}

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
        self.0.insert(shard, key, (), |()| true)
    }

    /// Whether `fingerprint` was added.
    #[must_use]
    pub fn contains(&self, fingerprint: u64) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.0.value(shard, key).is_some()
    }
}

/// The same of 128-bit fingerprints, in 17.6 to 22.1 bytes each.
#[derive(Debug, Default)]
pub(super) struct WideSeen(Table<15>);

impl WideSeen {
    pub(super) fn insert(&mut self, fingerprint: u128) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.0.insert(shard, key, (), |()| true)
    }

    pub(super) fn contains(&self, fingerprint: u128) -> bool {
        let [shard, key @ ..] = fingerprint.to_le_bytes();
        self.0.value(shard, key).is_some()
    }
}

/// Fingerprints of N + 1 bytes, each with a value.
///
/// One byte of a fingerprint names the shard, which need not keep it. Each shard is an open-addressing table with linear
/// probing. Its size is no power of two: the hash is mapped onto it by multiplication (Lemire, "Fast Random Integer
/// Generation in an Interval", 2019), so that it can grow by a quarter instead of doubling.
#[derive(Debug)]
pub(super) struct Table<const N: usize, V = ()> {
    shards: Vec<Shard<N, V>>,
}

/// What a shard keeps of a fingerprint is all but the byte that names the shard. Zero marks a slot that is free, and one stands
/// for it where it is a fingerprint's: a collision of probability 2⁻⁵⁶ at most.
#[derive(Clone, Debug)]
struct Shard<const N: usize, V> {
    slots: Vec<([u8; N], V)>,
    used: usize,
}

impl<const N: usize, V: Copy + Default> Default for Table<N, V> {
    fn default() -> Self {
        Self { shards: vec![Shard { slots: Vec::new(), used: 0 }; SHARDS] }
    }
}

impl<const N: usize, V: Copy + Default> Table<N, V> {
    /// Gives a fingerprint its value; whether it had none. Where that takes room, those whose values do not matter any more
    /// make it.
    pub(super) fn insert(&mut self, shard: u8, key: [u8; N], value: V, matters: impl Fn(V) -> bool) -> bool {
        self.shards[usize::from(shard)].insert(mark(key), value, matters)
    }

    pub(super) fn value(&self, shard: u8, key: [u8; N]) -> Option<V> {
        self.shards[usize::from(shard)].value(mark(key))
    }
}

fn mark<const N: usize>(mut key: [u8; N]) -> [u8; N] {
    if key == [0; N] {
        key[0] = 1;
    }
    key
}

impl<const N: usize, V: Copy + Default> Shard<N, V> {
    const FREE: [u8; N] = [0; N];

    fn insert(&mut self, key: [u8; N], value: V, matters: impl Fn(V) -> bool) -> bool {
        if self.used * 100 >= self.slots.len() * 85 {
            self.grow(matters);
        }
        let slot = self.find(key);
        let is_new = self.slots[slot].0 == Self::FREE;
        self.slots[slot] = (key, value);
        self.used += usize::from(is_new);
        is_new
    }

    fn value(&self, key: [u8; N]) -> Option<V> {
        if self.slots.is_empty() {
            return None;
        }
        let (found, value) = self.slots[self.find(key)];
        (found == key).then_some(value)
    }

    /// The slot that holds `key`, or the free one where it belongs.
    fn find(&self, key: [u8; N]) -> usize {
        let len = self.slots.len();
        let mut hash = [0; 8];
        hash[1..].copy_from_slice(&key[..7]);
        let scaled = (u128::from(u64::from_le_bytes(hash)) * len as u128) >> 64;
        let mut slot = usize::try_from(scaled).unwrap_or(0);
        while self.slots[slot].0 != Self::FREE && self.slots[slot].0 != key {
            slot = if slot + 1 == len { 0 } else { slot + 1 };
        }
        slot
    }

    fn grow(&mut self, matters: impl Fn(V) -> bool) {
        let is_kept = |&(key, value): &([u8; N], V)| key != Self::FREE && matters(value);
        let len = self.slots.len();
        self.used = self.slots.iter().filter(|slot| is_kept(slot)).count();
        // As much room as there was, where enough of it is free now.
        let len = if self.used * 100 < len * 60 { len } else { (len + len / 4).max(16) };
        for (key, value) in std::mem::replace(&mut self.slots, vec![(Self::FREE, V::default()); len]) {
            if is_kept(&(key, value)) {
                let slot = self.find(key);
                self.slots[slot] = (key, value);
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
    fn what_does_not_matter_any_more_makes_room() {
        let mut table = Table::<7, u32>::default();
        let key = |n: u32| <[u8; 7]>::try_from(&xxh3_64(&n.to_le_bytes()).to_le_bytes()[1..]).unwrap();
        for n in 0..100_000 {
            assert!(table.insert(0, key(n), n, |value| value + 100 > n));
            assert!(table.value(0, key(n)) == Some(n) && table.value(0, key(n.saturating_sub(99))).is_some());
        }
        assert!(table.shards[0].slots.len() < 400 && table.value(0, key(0)).is_none());
        assert!(!table.insert(0, key(99_999), 7, |_| true) && table.value(0, key(99_999)) == Some(7));
    }

    #[test]
    fn a_million_take_less_than_eleven_bytes_each() {
        let mut seen = Seen::new();
        let n = 1_000_000_u32;
        assert!((0..n).all(|key| seen.insert(xxh3_64(&key.to_le_bytes()))));
        assert_eq!(size_of::<([u8; 7], ())>(), 7);
        let slots: usize = seen.0.shards.iter().map(|shard| shard.slots.capacity()).sum();
        assert!(slots * size_of::<[u8; 7]>() < 11 * n as usize, "{slots} slots");
    }
}

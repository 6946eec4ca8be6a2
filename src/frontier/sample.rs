//! A random sample of what is named, where no more than that is wanted. Pure.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Holds at most so many of the things that it is offered, all with equal chances.
///
/// This is reservoir sampling with a random sort: each thing has a key that is drawn for it, and those with the lowest keys
/// stay. The key is a hash of what stands for the thing, with a seed. So the choice depends on the seed and on what was
/// offered, and not on the order, which in a run depends on how fast hosts answer.
#[derive(Debug)]
pub(super) struct Sample<T> {
    size: usize,
    seed: u64,
    offered: u64,
    /// The highest key on top.
    held: BinaryHeap<Held<T>>,
}

#[derive(Debug)]
struct Held<T> {
    key: u64,
    /// How many were offered before it.
    place: u64,
    thing: T,
}

impl<T> Sample<T> {
    /// None yet of at most `size` things, drawn by `seed`.
    pub(super) fn new(size: usize, seed: u64) -> Self {
        Self { size, seed, offered: 0, held: BinaryHeap::new() }
    }

    /// Offers one thing, for which this fingerprint stands.
    pub(super) fn offer(&mut self, fingerprint: u64, thing: T) {
        let key = xxh3_64_with_seed(&fingerprint.to_le_bytes(), self.seed);
        let held = Held { key, place: self.offered, thing };
        self.offered += 1;
        if self.held.len() < self.size {
            self.held.push(held);
        } else if let Some(mut highest) = self.held.peek_mut()
            && held < *highest
        {
            *highest = held;
        }
    }

    /// What is held, in the order in which it was offered.
    pub(super) fn into_things(self) -> impl Iterator<Item = T> {
        let mut held = self.held.into_vec();
        held.sort_unstable_by_key(|held| held.place);
        held.into_iter().map(|held| held.thing)
    }
}

impl<T> Held<T> {
    fn rank(&self) -> (u64, u64) {
        (self.key, self.place)
    }
}

impl<T> Ord for Held<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl<T> PartialOrd for Held<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Held<T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<T> Eq for Held<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draw(size: usize, seed: u64, things: &[u32]) -> Vec<u32> {
        let mut sample = Sample::new(size, seed);
        for &thing in things {
            sample.offer(thing.into(), thing);
        }
        sample.into_things().collect()
    }

    #[test]
    fn all_have_equal_chances_wherever_they_stand() {
        const THINGS: usize = 50;
        const DRAWS: u64 = 4_000;
        let things: Vec<_> = (0..50).collect();
        let mut counts = [0_u32; THINGS];
        for seed in 0..DRAWS {
            for thing in draw(10, seed, &things) {
                counts[thing as usize] += 1;
            }
        }
        // Each is drawn with probability 1/5: 800 times, with a standard deviation of 25.
        assert!(counts.iter().all(|count| (675..925).contains(count)), "{counts:?}");
        let squares = counts.iter().map(|&count| (f64::from(count) - 800.).powi(2) / 800.);
        assert!(squares.sum::<f64>() < 85., "chi-squared, of which 99.9 % are below 85 with 49 degrees of freedom");
    }

    #[test]
    fn pairs_are_drawn_as_often_as_they_should_be() {
        let things: Vec<_> = (0..10).collect();
        let both = (0..9_000).filter(|&seed| {
            let drawn = draw(3, seed, &things);
            drawn.contains(&0) && drawn.contains(&9)
        });
        // With probability 3/10 · 2/9 = 1/15: 600 times, with a standard deviation of 24.
        assert!((500..700).contains(&both.count()));
    }

    proptest! {
        #[test]
        fn it_is_of_its_size_and_in_order(size in 1..20_usize, seed in any::<u64>(), count in 0..60_u32) {
            let things: Vec<_> = (0..count).collect();
            let drawn = draw(size, seed, &things);
            prop_assert_eq!(drawn.len(), size.min(things.len()));
            prop_assert!(drawn.is_sorted());
        }

        #[test]
        fn the_order_makes_no_difference_to_what_is_drawn(seed in any::<u64>(), things in Just((0..40).collect::<Vec<u32>>()).prop_shuffle()) {
            let sorted: Vec<_> = (0..40).collect();
            let mut drawn = draw(7, seed, &things);
            drawn.sort_unstable();
            prop_assert_eq!(drawn, draw(7, seed, &sorted));
        }
    }
}

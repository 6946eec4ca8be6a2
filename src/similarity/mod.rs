//! Which texts are nearly the same.
//!
//! The similarity of two texts is their resemblance (Broder, "On the resemblance and containment of documents", 1997): of
//! all runs of four words that occur in either, the part that occurs in both. It is estimated by `MinHash`: with 64
//! functions that order those runs at random, the part of the functions for which the first run of both texts is the same.
//! Of each first run 8 bits are kept (Li and König, "b-Bit Minwise Hashing", 2010), so that a signature has 72 bytes
//! whatever the text has. The standard error is 0.05 at a similarity of 0.8.
//!
//! Decided here: a word changed in the middle of a text changes four runs, so that a text of 300 words is still a near
//! duplicate when ten of its words, or a paragraph of sixty, are new. Letter case, punctuation and layout do not count. What
//! is in another order is much the same; a translation has nothing in common with its original.

mod index;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

pub use index::Index;

/// From which similarity on two texts are near duplicates. By the error of the estimate, a pair of 0.9 is found 99 times
/// of 100, one of 0.8 half of the time, one of 0.7 three times.
pub const THRESHOLD: f64 = 0.8;

/// How many words a run has.
const RUN: usize = 4;

/// How many functions order the runs.
const FUNCTIONS: usize = 64;

/// Each function multiplies a hash by an odd number and takes the upper half (Dietzfelbinger et al. 1997).
static FACTORS: [u64; FUNCTIONS] = factors();

/// Numbers at random: `SplitMix64` (Steele et al. 2014).
const fn factors() -> [u64; FUNCTIONS] {
    let mut factors = [0; FUNCTIONS];
    let (mut nth, mut state) = (0, 0_u64);
    while nth < FUNCTIONS {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        factors[nth] = (mixed ^ (mixed >> 31)) | 1;
        nth += 1;
    }
    factors
}

/// What of a text is kept to compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// A hash of its words, which tells copies.
    words: u64,
    /// The last byte of what each function orders first.
    first: [u8; FUNCTIONS],
}

impl Signature {
    /// The signature of a text, from its words; none where there is no word.
    pub fn of<'t>(words: impl IntoIterator<Item = &'t str>) -> Option<Self> {
        let (mut all, mut first) = (Xxh3Default::new(), [u32::MAX; FUNCTIONS]);
        let (mut run, mut count) = ([[0; 8]; RUN], 0);
        for word in words {
            let word = xxh3_64(word.to_lowercase().as_bytes()).to_le_bytes();
            all.update(&word);
            run.rotate_left(1);
            run[RUN - 1] = word;
            count += 1;
            if count >= RUN {
                order(xxh3_64(run.as_flattened()), &mut first);
            }
        }
        if (1..RUN).contains(&count) {
            order(xxh3_64(run.as_flattened()), &mut first);
        }
        (count > 0).then(|| Self { words: all.digest(), first: first.map(|hash| hash.to_le_bytes()[0]) })
    }

    /// How similar the texts are, from 0 to 1. It is 1 for those that have the same words in the same order, and for no
    /// others.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        /// Two bytes are the same by chance once in 256 times.
        const CHANCE: f64 = 1.0 / 256.0;
        const BELOW_ONE: f64 = 0.99;
        if self.words == other.words {
            return 1.0;
        }
        let same: u8 = self.first.iter().zip(&other.first).map(|(one, other)| u8::from(one == other)).sum();
        #[expect(clippy::cast_precision_loss, reason = "it is 64")]
        let part = f64::from(same) / FUNCTIONS as f64;
        ((part - CHANCE) / (1.0 - CHANCE)).clamp(0.0, BELOW_ONE)
    }
}

/// Keeps for each function the least value of any run.
fn order(run: u64, first: &mut [u32; FUNCTIONS]) {
    for (least, factor) in first.iter_mut().zip(&FACTORS) {
        let value = (run.wrapping_mul(*factor) >> 32) as u32;
        *least = value.min(*least);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn signature(text: &str) -> Signature {
        Signature::of(text.split_whitespace()).unwrap()
    }

    /// Words that occur in no other text of this kind.
    pub(super) fn text(words: std::ops::Range<usize>) -> String {
        words.map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn copies_are_exactly_the_same_whatever_their_letter_case() {
        let one = signature("The quick brown fox jumps.");
        assert!((one.similarity(&signature("the QUICK brown  fox jumps.")) - 1.0).abs() < f64::EPSILON);
        assert!(one.similarity(&signature("the quick brown cat sleeps.")) < THRESHOLD);
        assert_eq!(Signature::of([]), None);
    }

    #[test]
    fn texts_of_less_than_a_run_are_told_apart() {
        let texts = ["a", "b", "a b", "b a", "a b c"].map(signature);
        for (nth, one) in texts.iter().enumerate() {
            assert!(texts[nth + 1..].iter().all(|other| one.similarity(other) < THRESHOLD), "{nth}");
        }
    }

    #[test]
    fn what_is_not_the_same_is_never_wholly_similar() {
        let long = text(0..20_000);
        let similarity = signature(&long).similarity(&signature(&format!("{long} one more")));
        assert!((0.9..1.0).contains(&similarity), "{similarity}");
    }

    #[test]
    fn the_error_of_the_estimate_is_the_documented_one() {
        let errors = (0..200).map(|n| {
            let start = n * 10_000;
            // 897 runs, of which 797 are the other's, too: of 997, 797.
            let (one, other) = (text(start..start + 900), text(start + 100..start + 1000));
            signature(&one).similarity(&signature(&other)) - 797.0 / 997.0
        });
        let errors: Vec<f64> = errors.collect();
        let mean = errors.iter().sum::<f64>() / 200.0;
        let deviation = (errors.iter().map(|error| error * error).sum::<f64>() / 200.0).sqrt();
        assert!(mean.abs() < 0.02 && (0.03..0.07).contains(&deviation), "{mean} {deviation}");
    }

    proptest! {
        #[test]
        fn the_estimate_is_near_the_resemblance(common in 100..600_usize, own in 0..300_usize) {
            let (one, other) = (text(0..common + own), text(own..common + 2 * own));
            let (common, all) = (common - RUN + 1, common + 2 * own - RUN + 1);
            #[expect(clippy::cast_precision_loss, reason = "they are small")]
            let resemblance = common as f64 / all as f64;
            let estimate = signature(&one).similarity(&signature(&other));
            prop_assert!((estimate - resemblance).abs() < 0.25, "{} is not {}", estimate, resemblance);
        }
    }
}

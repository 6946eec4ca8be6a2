//! Searching in words of eight bytes: most of what is searched for in markup is near, and a loop over bytes costs a wrongly
//! predicted branch where it ends.
//!
//! The tests for a byte are those of Mycroft (see Warren, "Hacker's Delight", section 6-1): of the bits that they set, the
//! lowest is right. Bytes are in little-endian order, so that the lowest is the first.

/// A byte eight times.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The first eight bytes as a number, if there are so many.
pub(super) fn load(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().copied().map(u64::from_le_bytes)
}

/// Marks the bytes that are `byte`.
pub(super) const fn mark(word: u64, byte: u8) -> u64 {
    let different = word ^ each(byte);
    different.wrapping_sub(each(1)) & !different & each(0x80)
}

/// Marks the bytes that are `byte` or one of the three after it; it is a multiple of four.
pub(super) const fn mark_four(word: u64, byte: u8) -> u64 {
    mark(word & each(!3), byte)
}

/// Marks the bytes that are less than `bound`, which is at most 128.
pub(super) const fn mark_below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(each(bound)) & !word & each(0x80)
}

/// The position of the first marked byte; 8 where none is.
pub(super) const fn first(marks: u64) -> usize {
    (marks.trailing_zeros() / u8::BITS) as usize
}

/// The position of the first byte that is marked, within the words that are whole among the first `N`. Otherwise how far
/// it was searched for in vain.
pub(super) fn find<const N: usize>(bytes: &[u8], mark: impl Fn(u64) -> u64) -> Result<usize, usize> {
    for at in (0..N * size_of::<u64>()).step_by(size_of::<u64>()) {
        let Some(word) = bytes.get(at..).and_then(load) else { return Err(at) };
        let marks = mark(word);
        if marks != 0 {
            return Ok(at + first(marks));
        }
    }
    Err(N * size_of::<u64>())
}

/// The first `length` of eight bytes, ASCII letters in lower case, the others zero.
pub(super) const fn lower_case(word: u64, length: usize) -> u64 {
    let kept = if length < 8 { word & ((1 << (length * 8)) - 1) } else { word };
    let letters = kept & each(0x7f);
    let from_a = letters + each(0x80 - b'A');
    let after_z = letters + each(0x7f - b'Z');
    let upper = (from_a ^ after_z) & !kept & each(0x80);
    kept | upper >> 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_mark_is_right(bytes: [u8; 8], byte: u8, bound in 0..=128_u8) {
            let word = u64::from_le_bytes(bytes);
            prop_assert_eq!(first(mark(word, byte)), bytes.iter().position(|&one| one == byte).unwrap_or(8));
            let four = byte & !3;
            prop_assert_eq!(first(mark_four(word, four)), bytes.iter().position(|&one| one & !3 == four).unwrap_or(8));
            prop_assert_eq!(first(mark_below(word, bound)), bytes.iter().position(|&one| one < bound).unwrap_or(8));
        }

        #[test]
        fn what_is_near_is_found(bytes in prop::collection::vec(0..4_u8, 0..40)) {
            let near = bytes.len().min(24) / 8 * 8;
            let found = bytes[..near].iter().position(|&one| one == 3).ok_or(near);
            prop_assert_eq!(find::<3>(&bytes, |word| mark(word, 3)), found);
        }

        #[test]
        fn letters_are_made_small(bytes: [u8; 8], length in 0..=8_usize) {
            let mut wanted = bytes;
            wanted.make_ascii_lowercase();
            wanted[length..].fill(0);
            prop_assert_eq!(lower_case(u64::from_le_bytes(bytes), length).to_le_bytes(), wanted);
        }
    }
}

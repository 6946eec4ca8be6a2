//! Many texts in few bytes: of each is written what differs from the one before it ("front coding"). Pure.

/// Writes how many bytes `text` has in common with `last`, and the rest.
pub(crate) fn write_text(text: &str, last: &mut String, to: &mut Vec<u8>) {
    let mut common = text.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    while !text.is_char_boundary(common) {
        common -= 1;
    }
    let rest = &text[common..];
    for number in [common, rest.len()] {
        write_number(number as u64, to);
    }
    to.extend_from_slice(rest.as_bytes());
    last.truncate(common);
    last.push_str(rest);
}

/// Makes `last` the next text; whether that differs. None where that is none.
pub(crate) fn read_text(from: &mut &[u8], last: &mut String) -> Option<bool> {
    let mut length = || usize::try_from(read_number(from)?).ok();
    let (common, rest) = (length()?, length()?);
    let is_other = rest > 0 || common != last.len();
    let rest = str::from_utf8(take(from, rest)?).ok()?;
    if !last.is_char_boundary(common) {
        return None;
    }
    last.truncate(common);
    last.push_str(rest);
    Some(is_other)
}

/// Seven bits a byte, the lowest first; the highest bit tells that more follow (LEB128).
pub(crate) fn write_number(mut number: u64, to: &mut Vec<u8>) {
    while let [low, ..] = number.to_le_bytes()
        && number > 0x7f
    {
        to.push(low | 0x80);
        number >>= 7;
    }
    to.push(number.to_le_bytes()[0]);
}

/// Reads a number; none where that is none.
pub(crate) fn read_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(from, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes so many bytes off the front; none where there are fewer.
pub(crate) fn take<'b>(from: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers in prop::collection::vec(any::<u64>(), 0..9), texts in prop::collection::vec("[aé]{0,4}", 0..9)) {
            let (mut bytes, mut last) = (Vec::new(), String::new());
            for &number in &numbers {
                write_number(number, &mut bytes);
            }
            for text in &texts {
                write_text(text, &mut last, &mut bytes);
            }
            let (mut rest, mut read) = (&bytes[..], String::new());
            for number in numbers {
                prop_assert_eq!(read_number(&mut rest), Some(number));
            }
            for text in texts {
                let before = read.clone();
                prop_assert_eq!(read_text(&mut rest, &mut read), Some(before != text));
                prop_assert_eq!(&read, &text);
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_not(bytes in prop::collection::vec(any::<u8>(), 0..30)) {
            let (mut rest, mut last) = (&bytes[..], String::from("é"));
            while read_text(&mut rest, &mut last).is_some() {}
            let mut rest = &bytes[..];
            while read_number(&mut rest).is_some() {}
        }
    }
}

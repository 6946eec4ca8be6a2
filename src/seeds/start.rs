//! The first bytes of a source: what they say of the rest.

use std::io::{self, BufRead, Cursor, Read};

/// The marks that a text may start with (WHATWG Encoding Standard, section 6): UTF-8, and both kinds of UTF-16.
const BYTE_ORDER_MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
/// The longest line that is looked at in advance, in bytes.
const MAX_PEEKED: u64 = 65_536;

/// A source from its first byte on, a UTF-8 byte order mark taken off.
pub(super) struct Start<R = Box<dyn BufRead>> {
    pub(super) reader: R,
    /// Whether there is a mark of UTF-16.
    pub(super) is_utf16: bool,
}

impl Start {
    /// Reads as much as a mark may be long, but no byte more than it takes to see that there is none: more might not
    /// come before what is there was answered.
    pub(super) fn read(mut reader: Box<dyn BufRead>) -> io::Result<Self> {
        let mut head = Vec::new();
        let is_open =
            |head: &[u8]| BYTE_ORDER_MARKS.iter().any(|mark| mark.len() > head.len() && mark.starts_with(head));
        while is_open(&head) {
            match reader.by_ref().bytes().next().transpose()? {
                Some(byte) => head.push(byte),
                None => break,
            }
        }
        let [utf8, utf16 @ ..] = BYTE_ORDER_MARKS;
        if head == utf8 {
            head.clear();
        }
        let is_utf16 = utf16.contains(&&*head);
        Ok(Self { reader: Box::new(Cursor::new(head).chain(reader)), is_utf16 })
    }

    /// The first line that is not blank, with what is before it; of a long one the start. It is still there to be read.
    pub(super) fn peek_line(self) -> io::Result<(Vec<u8>, Self)> {
        let Self { mut reader, is_utf16 } = self;
        let mut line = Vec::new();
        let mut limited = reader.by_ref().take(MAX_PEEKED);
        while line.trim_ascii().is_empty() && limited.read_until(b'\n', &mut line)? > 0 {}
        Ok((line.clone(), Self { reader: Box::new(Cursor::new(line).chain(reader)), is_utf16 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Write};

    fn read(text: &'static [u8]) -> (Vec<u8>, bool) {
        // One byte at a time: marks come in pieces.
        let mut start = Start::read(Box::new(BufReader::with_capacity(1, text))).unwrap();
        let mut rest = Vec::new();
        start.reader.read_to_end(&mut rest).unwrap();
        (rest, start.is_utf16)
    }

    #[test]
    fn a_utf8_mark_is_taken_off_and_nothing_else() {
        assert_eq!(read(b"\xef\xbb\xbfa\xef\xbb\xbf"), (b"a\xef\xbb\xbf".to_vec(), false));
        for text in [&b""[..], b"a.test\n", b"\xef", b"\xef\xbb", b"\xef\xbbx", b"\xff"] {
            assert_eq!(read(text), (text.to_vec(), false));
        }
        for text in [&b"\xff\xfea\0"[..], b"\xfe\xff"] {
            assert_eq!(read(text), (text.to_vec(), true));
        }
    }

    #[test]
    fn no_more_is_read_than_needed() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"a").unwrap();
        let start = Start::read(Box::new(BufReader::new(reader))).unwrap();
        writer.write_all(b",b\n").unwrap();
        let (line, mut start) = start.peek_line().unwrap();
        drop(writer);
        let mut text = Vec::new();
        start.reader.read_to_end(&mut text).unwrap();
        assert_eq!((line, text), (b"a,b\n".to_vec(), b"a,b\n".to_vec()));
    }
}

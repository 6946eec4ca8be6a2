//! The first bytes of a source: what they say of the rest.

use std::io::{self, BufRead, Cursor, ErrorKind, Read};

use flate2::bufread::GzDecoder;

use crate::{state, warc};

/// The byte order mark of UTF-8 (WHATWG Encoding Standard, section 6).
const UTF8: &[u8] = b"\xef\xbb\xbf";

/// What starts like this is no text in UTF-8, and not one of its lines would be a URL; and what to do about it.
const FOREIGN: [(&[u8], &str); 6] = [
    (b"\xff\xfe", UTF16),
    (b"\xfe\xff", UTF16),
    (b"\x1f\x8b", "it is compressed with gzip: unpack it first (zcat FILE | scrape -)"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd: unpack it first (zstdcat FILE | scrape -)"),
    (b"\xfd7zXZ\0", "it is compressed with xz: unpack it first (xzcat FILE | scrape -)"),
    (b"PK\x03\x04", "it is a zip archive or a spreadsheet: unpack it, or save it as CSV"),
];
const UTF16: &str = "it is written in UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8 FILE | scrape -)";

/// The longest line that is looked at in advance, in bytes.
const MAX_PEEKED: u64 = 65_536;

/// What a source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text, as far as can be seen.
    Text,
    /// A web archive, which may be compressed.
    Archive,
    /// A SQLite database.
    Database,
}

/// A source from its first byte on, a UTF-8 byte order mark taken off.
pub(super) struct Start<R = Box<dyn BufRead>> {
    pub(super) reader: R,
    pub(super) content: Content,
}

impl Start {
    /// Reads as much as a mark may be long, but no byte more than it takes to see that there is none: more might not
    /// come before what is there was answered.
    ///
    /// # Errors
    /// The source cannot be read, or its start tells that it is no text in UTF-8.
    pub(super) fn read(mut reader: Box<dyn BufRead>) -> io::Result<Self> {
        let mut head = Vec::new();
        let marks = || FOREIGN.iter().map(|(mark, _)| *mark).chain([UTF8, warc::MAGIC, state::MAGIC]);
        let is_open = |head: &[u8]| marks().any(|mark| mark.len() > head.len() && mark.starts_with(head));
        while is_open(&head) {
            match reader.by_ref().bytes().next().transpose()? {
                Some(byte) => head.push(byte),
                None => break,
            }
        }
        if head == UTF8 {
            head.clear();
        }
        let is_archive = head == warc::MAGIC || head == warc::GZIP && is_compressed_archive(&mut head, &mut reader)?;
        if let Some((_, advice)) = FOREIGN.iter().find(|(mark, _)| head.starts_with(mark) && !is_archive) {
            return Err(io::Error::new(ErrorKind::InvalidData, *advice));
        }
        let content = if is_archive {
            Content::Archive
        } else if head == state::MAGIC {
            Content::Database
        } else {
            Content::Text
        };
        Ok(Self { reader: Box::new(Cursor::new(head).chain(reader)), content })
    }

    /// The first line that is not blank, with what is before it; of a long one the start. It is still there to be read.
    pub(super) fn peek_line(self) -> io::Result<(Vec<u8>, Self)> {
        let Self { mut reader, content } = self;
        let mut line = Vec::new();
        let mut limited = reader.by_ref().take(MAX_PEEKED);
        while line.trim_ascii().is_empty() && limited.read_until(b'\n', &mut line)? > 0 {}
        let reader = Box::new(Cursor::new(line.clone()).chain(reader));
        Ok((line, Self { reader, content }))
    }
}

/// Whether what starts with `head` is an archive once it is decompressed. More may be added to `head` to see that.
fn is_compressed_archive(head: &mut Vec<u8>, reader: &mut dyn BufRead) -> io::Result<bool> {
    /// No gzip member has a longer head, and no block of codes.
    const ENOUGH: usize = 4096;
    loop {
        let mut start = [0; warc::MAGIC.len()];
        if GzDecoder::new(&head[..]).read_exact(&mut start).is_ok() {
            return Ok(start == warc::MAGIC);
        }
        let piece = reader.fill_buf()?;
        let more = piece.len().min(ENOUGH - head.len());
        if more == 0 {
            return Ok(false);
        }
        head.extend_from_slice(&piece[..more]);
        reader.consume(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Write};

    fn read(text: &'static [u8]) -> io::Result<Vec<u8>> {
        // One byte at a time: marks come in pieces.
        let mut start = Start::read(Box::new(BufReader::with_capacity(1, text)))?;
        let mut rest = Vec::new();
        start.reader.read_to_end(&mut rest)?;
        Ok(rest)
    }

    #[test]
    fn a_utf8_mark_is_taken_off_and_nothing_else() {
        assert_eq!(read(b"\xef\xbb\xbfa\xef\xbb\xbf").unwrap(), b"a\xef\xbb\xbf");
        for text in [&b""[..], b"a.test\n", b"\xef", b"\xef\xbb", b"\xef\xbbx", b"\xff", b"\x1f", b"PK\x03", b"Pk.test"]
        {
            assert_eq!(read(text).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_text_is_refused_with_advice() {
        for (text, word) in [
            (&b"\xff\xfea\0"[..], "UTF-16"),
            (b"\xfe\xff\0a", "UTF-16"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"\xfd7zXZ\0", "xz"),
            (b"PK\x03\x04\x14", "spreadsheet"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
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

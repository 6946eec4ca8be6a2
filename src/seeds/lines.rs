//! A list, one URL or JSON object a line → its entries.

use std::borrow::Cow;
use std::io::{self, BufRead, ErrorKind};

use memchr::memchr2;

use super::Entry;
use super::address;
use super::object;
use super::origin::Origin;
use super::start::Start;

/// The longest JSON line that is read, in bytes: it may carry a text along.
const MAX_OBJECT_BYTES: usize = 16 << 20;

/// What is said of a line with a NUL byte, as every line of UTF-16 has it.
const NUL: &str = "line has a NUL byte: convert the list to UTF-8, if it is UTF-16";

/// The entries of a list: one for every line but blank ones and comments. A carriage return ends a line, too, whether a
/// line feed follows or not.
///
/// A line is handed out as soon as its end was read, and no more than one line is held, of a long one only the start.
pub(super) struct Lines<R> {
    reader: R,
    origin: Origin,
    /// The key of a JSON line's URL.
    key: String,
    /// The number of the current line.
    number: u64,
    /// Whether the line before ended with a carriage return: a line feed that follows belongs to it.
    is_after_return: bool,
    /// The current line without the white space that it starts with, as far as it is kept.
    line: Vec<u8>,
    /// Whether more than white space was left out at the line's end.
    is_cut: bool,
}

impl<R: BufRead> Lines<R> {
    /// A list whose JSON lines have their URL under `key`.
    pub(super) fn new(start: Start<R>, origin: Origin, key: &str) -> Self {
        let (reader, key) = (start.reader, key.into());
        Self { reader, origin, key, number: 0, is_after_return: false, line: Vec::new(), is_cut: false }
    }

    /// Reads a line; false at the end.
    fn read(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.is_cut = false;
        let mut is_started = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() {
                return Ok(is_started);
            }
            if std::mem::take(&mut self.is_after_return) && chunk[0] == b'\n' {
                self.reader.consume(1);
                continue;
            }
            let end = memchr2(b'\n', b'\r', chunk);
            self.is_after_return = end.is_some_and(|end| chunk[end] == b'\r');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            self.is_cut |= keep(&mut self.line, part);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.number += u64::from(!is_started);
            is_started = true;
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// What the current line holds.
    fn entry(&self) -> Option<Entry> {
        let (origin, number) = (&self.origin, self.number);
        let reject = |reason: &str| Some(Err(origin.reject(number, &String::from_utf8_lossy(&self.line), reason)));
        if self.line.starts_with(b"#") {
            return None;
        }
        if self.is_cut {
            let reason = if self.line.starts_with(b"{") { "longer than 16,777,216 bytes" } else { address::TOO_LONG };
            return Some(Err(origin.reject_start(number, &String::from_utf8_lossy(&self.line), reason)));
        }
        let text = String::from_utf8_lossy(&self.line);
        match text.trim() {
            "" => None,
            // Whatever bytes it has.
            text if text.starts_with('#') => None,
            _ if matches!(text, Cow::Owned(_)) => reject("line is not UTF-8"),
            text if text.contains('\0') => reject(NUL),
            text if text.starts_with('{') => Some(match object::parse(text, &self.key) {
                Ok(object) => origin.seed(number, &object.url, object.input),
                Err(reason) => Err(origin.reject(number, text, reason)),
            }),
            text => Some(origin.seed(number, text, None)),
        }
    }
}

/// Adds a part of a line to what is kept of it, and tells whether more than white space is left out for its length.
fn keep(line: &mut Vec<u8>, part: &[u8]) -> bool {
    let part = if line.is_empty() { part.trim_ascii_start() } else { part };
    let limit = match line.first().or(part.first()) {
        Some(b'{') => MAX_OBJECT_BYTES,
        Some(b'#') => 1,
        _ => address::MAX_BYTES,
    };
    let (kept, rest) = part.split_at(part.len().min(limit - line.len()));
    line.extend_from_slice(kept);
    !rest.trim_ascii().is_empty()
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
            if let Some(entry) = self.entry() {
                return Some(Ok(entry));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::Scheme;
    use super::super::origin::MAX_SHOWN;
    use super::super::start::Content;
    use super::*;
    use crate::job::Target;
    use proptest::prelude::*;
    use std::io::{BufReader, Read, Write};

    fn lines<R: BufRead>(reader: R) -> Lines<R> {
        let start = Start { reader, content: Content::Text };
        Lines::new(start, Origin { file: Some("list".into()), scheme: Scheme::Https }, "url")
    }

    fn target(entry: &Entry) -> &Target {
        entry.as_ref().map_or_else(|rejected| &rejected.target, |seed| &seed.target)
    }

    /// The line numbers and texts (of a rejection the reason) of a list.
    fn read(list: impl AsRef<[u8]>) -> Vec<(u64, String)> {
        let text = |entry: &Entry| match entry {
            Ok(seed) => seed.target.given.to_string(),
            Err(rejected) => rejected.reason.clone(),
        };
        lines(list.as_ref()).map(Result::unwrap).map(|entry| (target(&entry).at.line, text(&entry))).collect()
    }

    #[test]
    fn blank_lines_comments_white_space_and_crlf_are_fine() {
        let list = "\r\n# comment\r\n \t\n  https://a.test/x \r\n\u{a0}\n  # b.test\nb.test";
        assert_eq!(read(list), [(4, "https://a.test/x".into()), (7, "https://b.test".into())]);
    }

    #[test]
    fn a_bad_line_is_rejected_and_the_next_one_read() {
        let bad: [(&[u8], &str); 4] = [
            (b"\xff.test", "line is not UTF-8"),
            (b"a.test/\0", NUL),
            (b"file:///etc/passwd", "scheme file is not supported: only http and https"),
            (b"{\"url\": 1}", "the value of \"url\" is no string"),
        ];
        for (line, reason) in bad {
            let list = [b"a.test\n", line, b"\nb.test\n"].concat();
            assert_eq!(read(list)[1..], [(2, reason.into()), (3, "https://b.test".into())]);
        }
    }

    #[test]
    fn json_and_plain_lines_may_be_mixed() {
        let list = "{\"url\": \"a.test\", \"id\": 1}\r\nb.test\n";
        let entries: Vec<_> = lines(list.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(target(&entries[0]).input.as_ref().unwrap().get(), r#"{"id":1}"#);
        assert!(target(&entries[1]).input.is_none());
        let rejected = lines(&br#"{"url": "x:y", "id": 1}"#[..]).next().unwrap().unwrap().unwrap_err();
        assert_eq!(rejected.target.input.unwrap().get(), r#"{"id":1}"#);
    }

    #[test]
    fn a_carriage_return_ends_a_line() {
        let list = "a.test\r\r# c\r\nb.test\n\r{\"url\": \"c.test\"}\rd.test";
        let urls = ["a", "b", "c", "d"].map(|name| format!("https://{name}.test"));
        assert_eq!(read(list), [1, 4, 6, 7].into_iter().zip(urls).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_that_a_carriage_return_ends_does_not_wait_for_a_line_feed() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut lines = lines(BufReader::new(reader));
        for (part, number) in [("a.test\r", 1), ("\nb.test\r", 2), ("c.test\r", 3)] {
            writer.write_all(part.as_bytes()).unwrap();
            assert_eq!(target(&lines.next().unwrap().unwrap()).at.line, number);
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_white_space_apart() {
        let url = format!("https://a.test/{}", "x".repeat(address::MAX_BYTES - 15));
        let space = " ".repeat(100_000);
        assert_eq!(read(format!("{space}{url}{space}\r\n")), [(1, url.clone())]);
        assert_eq!(read(format!("{url}x")), [(1, address::TOO_LONG.into())]);
        assert_eq!(read(format!("{url} x")), [(1, address::TOO_LONG.into())]);
    }

    #[test]
    fn a_huge_line_is_not_held_and_the_lines_after_it_keep_their_numbers() {
        let urls = [b"a.test\n".as_slice(), b"\nb.test\n#"].map(BufReader::new);
        let [head, middle] = urls;
        let huge = |length| BufReader::new(io::repeat(b'x').take(length));
        let mut lines = lines(head.chain(huge(50_000_000)).chain(middle).chain(huge(50_000_000)));
        let numbers: Vec<_> = lines.by_ref().map(|entry| target(&entry.unwrap()).at.line).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert!(lines.line.capacity() <= 4 * address::MAX_BYTES);
    }

    #[test]
    fn a_long_json_line_is_read_and_a_huge_one_rejected() {
        let line = |length| format!("{{\"text\": \"{}\", \"url\": \"a.test\"}}\nb.test", "x".repeat(length));
        assert_eq!(read(line(1 << 20)), [(1, "https://a.test".into()), (2, "https://b.test".into())]);
        let huge = read(line(MAX_OBJECT_BYTES));
        assert_eq!(huge, [(1, "longer than 16,777,216 bytes".into()), (2, "https://b.test".into())]);
    }

    #[test]
    fn a_rejected_line_is_cut_for_display_and_shows_no_password() {
        let long = "x".repeat(3_000);
        for line in [format!("https://me:sesame{long}@a b/"), format!("{{https://me:sesame@{long}"), long.repeat(50)] {
            let rejected = lines(line.as_bytes()).next().unwrap().unwrap().unwrap_err();
            assert!(rejected.target.given.chars().count() <= MAX_SHOWN, "{}", rejected.target.given.len());
            assert!(!rejected.target.given.contains("sesame"));
        }
    }

    #[test]
    fn a_line_comes_out_of_a_pipe_before_the_next_one_goes_in() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut lines = lines(BufReader::new(reader));
        for part in ["a.test\n", "b.te", "st\r\n{\"url\": \"c.test\"}\nd"] {
            writer.write_all(part.as_bytes()).unwrap();
            if part.contains('\n') {
                assert!(lines.next().unwrap().unwrap().is_ok());
            }
        }
        assert_eq!(&*target(&lines.next().unwrap().unwrap()).given, "https://c.test");
    }

    #[test]
    fn an_error_comes_after_the_lines_before_it() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let entries: Vec<_> = lines(b"a.test\nb".chain(BufReader::new(Broken))).take(2).collect();
        assert!(entries[0].is_ok());
        assert_eq!(entries[1].as_ref().unwrap_err().to_string(), "gone");
    }

    #[test]
    fn a_comment_may_have_any_bytes_and_any_white_space_before_it() {
        for comment in [&b"#\x80"[..], b" \t#\x80", b"\x0b#\x80", b"\xc2\xa0#\x80", b"\xe2\x80\x83# x"] {
            assert!(lines(comment).next().is_none(), "{comment:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_at_most_one_entry_a_line_in_order(
            list in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\n\r #{\":\0ahtp/.@".to_vec())], 0..300),
            capacity in 1_usize..20,
        ) {
            let entries: Vec<_> = lines(BufReader::with_capacity(capacity, &list[..])).map(Result::unwrap).collect();
            let numbers: Vec<_> = entries.iter().map(|entry| usize::try_from(target(entry).at.line).unwrap()).collect();
            let text = list.iter().map(|&byte| char::from(byte)).collect::<String>().replace("\r\n", "\n");
            let bytes: Vec<_> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
            let expected: Vec<_> = (bytes.split(|byte| b"\r\n".contains(byte)).enumerate())
                .filter(|(_, line)| {
                    let line = String::from_utf8_lossy(line);
                    !line.trim().is_empty() && !line.trim().starts_with('#')
                })
                .map(|(index, _)| index + 1)
                .collect();
            prop_assert_eq!(numbers, expected);
        }
    }
}

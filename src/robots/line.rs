//! The lines of a file that is a robots.txt, or claims to be one.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Agent,
    Allow,
    Disallow,
    Delay,
    Sitemap,
}

impl Key {
    /// Reads it as people write it: in any case, and with the misspellings that Google's parser knows.
    fn parse(name: &str) -> Option<Self> {
        const DISALLOW: [&str; 6] = ["disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"];
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        match () {
            () if is(&["user-agent", "useragent", "user agent"]) => Some(Self::Agent),
            () if is(&["allow"]) => Some(Self::Allow),
            () if is(&DISALLOW) => Some(Self::Disallow),
            () if is(&["crawl-delay", "crawldelay"]) => Some(Self::Delay),
            () if is(&["sitemap", "site-map"]) => Some(Self::Sitemap),
            () => None,
        }
    }
}

/// A body as UTF-8: with a byte order mark it may be UTF-16. A line that is not UTF-8 is left for [`read`].
pub(super) fn decode(body: &[u8]) -> Cow<'_, [u8]> {
    let utf16 = match body {
        [0xFF, 0xFE, ..] => UTF_16LE,
        [0xFE, 0xFF, ..] => UTF_16BE,
        _ => return Cow::Borrowed(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)),
    };
    let (text, _) = utf16.decode_with_bom_removal(body);
    Cow::Owned(text.into_owned().into_bytes())
}

/// What a line says; none where it says nothing that is known. The colon may be missing, where white space stands in its
/// place.
pub(super) fn read(line: &[u8]) -> Option<(Key, Cow<'_, str>)> {
    let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
    let text = match str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(line).0,
    };
    match text {
        Cow::Borrowed(text) => split(text).map(|(key, value)| (key, Cow::Borrowed(value))),
        Cow::Owned(text) => split(&text).map(|(key, value)| (key, Cow::Owned(value.to_owned()))),
    }
}

fn split(line: &str) -> Option<(Key, &str)> {
    let line = line.trim();
    let (name, value) = line.split_once(':').or_else(|| {
        let (name, value) = line.split_once(char::is_whitespace)?;
        (!value.trim_start().contains(char::is_whitespace)).then_some((name, value))
    })?;
    Some((Key::parse(name.trim_end())?, value.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_people_write_them() {
        for (line, expected) in [
            ("User-Agent: x", Some((Key::Agent, "x"))),
            ("  uSeR-aGeNt :  x  # y", Some((Key::Agent, "x"))),
            ("user agent: x", Some((Key::Agent, "x"))),
            ("Disallow", None),
            ("Disallow:", Some((Key::Disallow, ""))),
            ("disallow /x", Some((Key::Disallow, "/x"))),
            ("disallow all of it", None),
            ("Dissalow: /x", Some((Key::Disallow, "/x"))),
            ("Sitemap: http://a.test/s.xml", Some((Key::Sitemap, "http://a.test/s.xml"))),
            ("#Disallow: /", None),
            ("Harry: Potter", None),
        ] {
            let read = read(line.as_bytes());
            assert_eq!(read.as_ref().map(|(key, value)| (*key, &**value)), expected, "{line}");
        }
    }

    #[test]
    fn a_line_that_is_not_utf8_is_windows_1252() {
        assert_eq!(read(b"Allow: /caf\xe9").unwrap().1, "/café");
        assert_eq!(read("Allow: /café".as_bytes()).unwrap().1, "/café");
    }
}

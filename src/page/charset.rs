//! Which charset a text is in: what it says of itself, and a guess.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use memchr::memmem;
use url::Url;

/// What decided which charset a text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A byte order mark.
    Mark,
    /// The `Content-Type`.
    Header,
    /// A `<meta>` in the first 1024 bytes.
    Meta,
    /// An XML declaration.
    XmlDeclaration,
    /// JSON is UTF-8 (RFC 8259, section 8.1).
    Json,
    /// Nothing declares one, and the body is valid UTF-8.
    Utf8,
    /// A `<meta>` further on.
    LateMeta,
    /// Nothing declares one, and the body is nothing but ASCII.
    Ascii,
    /// Nothing declares one: a guess.
    Guess,
}

impl Source {
    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Mark => "bom",
            Self::Header => "header",
            Self::Meta => "meta",
            Self::XmlDeclaration => "xml_declaration",
            Self::Json => "json",
            Self::Utf8 => "utf8",
            Self::LateMeta => "late_meta",
            Self::Ascii => "ascii",
            Self::Guess => "guess",
        }
    }

    /// The same for a person.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mark => "a byte order mark says so",
            Self::Header => "Content-Type says so",
            Self::Meta => "a <meta> in the first 1024 bytes says so",
            Self::XmlDeclaration => "the XML declaration says so",
            Self::Json => "JSON always is",
            Self::Utf8 => "nothing declares one, and it is valid UTF-8",
            Self::LateMeta => "a <meta> says so, beyond the first 1024 bytes",
            Self::Ascii => "nothing declares one, and it is all ASCII",
            Self::Guess => "nothing declares one: a guess",
        }
    }
}

/// How far into a page a declaration has to be.
const PRESCAN: usize = 1024;

/// How far into a page a declaration that came too late is still worth a look.
const LATE: usize = 64 * 1024;

/// How much text that is not UTF-8 a guess looks at.
const EVIDENCE: usize = 64 * 1024;

/// The names of the WHATWG Encoding Standard in lower case.
const NAMES: [&str; 40] = [
    "utf-8",
    "ibm866",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-8-i",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "windows-874",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "x-mac-cyrillic",
    "gbk",
    "gb18030",
    "big5",
    "euc-jp",
    "iso-2022-jp",
    "shift_jis",
    "euc-kr",
    "replacement",
    "utf-16be",
    "utf-16le",
    "x-user-defined",
];

/// An encoding's name in lower case.
pub(super) fn name(encoding: &'static Encoding) -> &'static str {
    let name = encoding.name();
    NAMES.into_iter().find(|lower| lower.eq_ignore_ascii_case(name)).unwrap_or(name)
}

/// The most likely encoding of a `body` that is UTF-8 only up to `valid`.
pub(super) fn guess(body: &[u8], valid: usize, url: &Url) -> &'static Encoding {
    let sample = &body[..body.len().min(valid + EVIDENCE)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, sample.len() == body.len());
    let tld = url.domain().and_then(|host| host.rsplit('.').next()).filter(|label| !label.is_empty());
    detector.guess(tld.map(str::as_bytes), Utf8Detection::Deny)
}

/// The encoding that an XML declaration names (WHATWG HTML, "get an XML encoding").
pub(super) fn xml_declaration(body: &[u8]) -> Option<&'static Encoding> {
    match body {
        [b'<', 0, b'?', 0, b'x', 0, ..] => return Some(UTF_16LE),
        [0, b'<', 0, b'?', 0, b'x', ..] => return Some(UTF_16BE),
        _ => {}
    }
    let start = body.strip_prefix(b"<?xml")?;
    let end = start.iter().take(PRESCAN).position(|&b| b == b'>')?;
    let declaration = &start[..end];
    let at = declaration.windows(8).position(|window| window == b"encoding")?;
    let value = declaration[at + 8..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, value) = value.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    let end = value.iter().position(|&b| b == quote)?;
    Encoding::for_label(&value[..end]).map(as_declared_in_ascii)
}

/// The encoding that a `<meta>` at the start of a page names (WHATWG HTML, section 13.2.3.3, "prescan a byte stream to
/// determine its encoding").
pub(super) fn prescan(body: &[u8]) -> Option<&'static Encoding> {
    find_meta(&body[..body.len().min(PRESCAN)])
}

/// The encoding that a later `<meta>` names. A browser meets it while parsing and starts anew (WHATWG HTML, section
/// 13.2.3.5). What looks like one in a script counts here as well: ask only where nothing better is known.
pub(super) fn late_meta(body: &[u8]) -> Option<&'static Encoding> {
    let body = &body[..body.len().min(LATE)];
    // Most pages have no such word at all, which is found out much faster.
    let is_worthwhile = [&b"harset"[..], b"HARSET"].iter().any(|word| memmem::find(body, word).is_some());
    if is_worthwhile { find_meta(body) } else { None }
}

fn find_meta(mut rest: &[u8]) -> Option<&'static Encoding> {
    loop {
        let open = rest.iter().position(|&b| b == b'<')?;
        rest = &rest[open + 1..];
        match rest {
            [b'!', b'-', b'-', ..] => {
                // The two hyphens of `<!--` may be those of `-->`.
                let end = rest[1..].windows(3).position(|window| window == b"-->")?;
                rest = &rest[1 + end + 3..];
            }
            [b'!' | b'?', ..] => rest = skip_past(rest, |b| b == b'>')?,
            [b'/', letter, ..] | [letter, ..] if letter.is_ascii_alphabetic() => {
                let name = rest.get(..4).unwrap_or_default();
                let is_meta =
                    name.eq_ignore_ascii_case(b"meta") && rest.get(4).is_some_and(|&b| is_space(b) || b == b'/');
                let end = rest.iter().position(|&b| is_space(b) || b == b'>' || (is_meta && b == b'/'))?;
                let mut attributes = Attributes { rest: &rest[end..] };
                if is_meta && let Some(encoding) = read_meta(&mut attributes) {
                    return Some(encoding);
                }
                attributes.by_ref().for_each(drop);
                rest = attributes.rest;
            }
            [b'/', ..] => rest = skip_past(rest, |b| b == b'>')?,
            _ => {}
        }
    }
}

fn is_space(b: u8) -> bool {
    matches!(b, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn skip_past(bytes: &[u8], is_end: impl Fn(u8) -> bool) -> Option<&[u8]> {
    bytes.iter().position(|&b| is_end(b)).map(|end| &bytes[end + 1..])
}

/// What one `<meta>` says of the encoding.
fn read_meta(attributes: &mut Attributes<'_>) -> Option<&'static Encoding> {
    const NAMES: [&[u8]; 3] = [b"http-equiv", b"content", b"charset"];
    let (mut has_pragma, mut needs_pragma, mut charset) = (false, None, None);
    let mut seen = [false; NAMES.len()];
    for (name, value) in attributes.by_ref() {
        let Some(which) = NAMES.iter().position(|known| name.eq_ignore_ascii_case(known)) else { continue };
        if std::mem::replace(&mut seen[which], true) {
            continue;
        }
        match NAMES[which] {
            b"http-equiv" => has_pragma |= value.eq_ignore_ascii_case(b"content-type"),
            b"content" if charset.is_none() => {
                if let Some(encoding) = label_in_content(value).and_then(Encoding::for_label) {
                    (charset, needs_pragma) = (Some(encoding), Some(true));
                }
            }
            b"charset" => (charset, needs_pragma) = (Encoding::for_label(value), Some(false)),
            _ => {}
        }
    }
    let is_usable = has_pragma || !needs_pragma?;
    charset.filter(|_| is_usable && attributes.is_complete()).map(as_declared_in_ascii)
}

/// Who can read a declaration as ASCII does not read UTF-16.
fn as_declared_in_ascii(encoding: &'static Encoding) -> &'static Encoding {
    match encoding {
        utf16 if utf16 == UTF_16BE || utf16 == UTF_16LE => UTF_8,
        user_defined if user_defined == X_USER_DEFINED => WINDOWS_1252,
        other => other,
    }
}

/// The label in a `content` such as `text/html; charset=utf-8` (WHATWG HTML, "extracting a character encoding from a
/// meta element").
fn label_in_content(content: &[u8]) -> Option<&[u8]> {
    let mut rest = content;
    loop {
        let at = rest.windows(7).position(|window| window.eq_ignore_ascii_case(b"charset"))?;
        rest = rest[at + 7..].trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b"=") {
            rest = value.trim_ascii_start();
            break;
        }
    }
    match rest {
        [quote @ (b'"' | b'\''), value @ ..] => value.iter().position(|b| b == quote).map(|end| &value[..end]),
        _ => rest.split(|&b| is_space(b) || b == b';').next(),
    }
}

/// The attributes of a tag: names and values as they are written (WHATWG HTML, section 13.2.3.3, "get an attribute").
/// Afterwards `rest` is what follows the tag, `>` included.
struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Whether the tag's end was found.
    fn is_complete(&self) -> bool {
        self.rest.first() == Some(&b'>')
    }

    fn take_while(&mut self, is_part: impl Fn(u8) -> bool) -> &'a [u8] {
        self.take(self.rest.iter().position(|&b| !is_part(b)).unwrap_or(self.rest.len()))
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn take_name(&mut self) -> &'a [u8] {
        let is_end = |b: &u8| is_space(*b) || matches!(b, b'/' | b'>' | b'=');
        // A name may start with `=`.
        self.take(self.rest.iter().skip(1).position(is_end).map_or(self.rest.len(), |end| end + 1))
    }

    fn take_value(&mut self) -> &'a [u8] {
        match self.rest {
            [quote @ (b'"' | b'\''), value @ ..] => {
                self.rest = value;
                let value = self.take_while(|b| b != *quote);
                self.rest = self.rest.get(1..).unwrap_or_default();
                value
            }
            _ => self.take_while(|b| !is_space(b) && b != b'>'),
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.take_while(|b| is_space(b) || b == b'/');
        self.rest.first().filter(|&&b| b != b'>')?;
        let name = self.take_name();
        self.take_while(is_space);
        if self.rest.first() != Some(&b'=') {
            return Some((name, b""));
        }
        self.rest = &self.rest[1..];
        self.take_while(is_space);
        Some((name, self.take_value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(page: &str) -> Option<&'static str> {
        prescan(page.as_bytes()).map(name)
    }

    #[test]
    fn a_meta_names_the_charset() {
        assert_eq!(scan("<meta charset=gbk>"), Some("gbk"));
        assert_eq!(scan("<!doctype html><html><head><META CHARSET = ' Shift_JIS ' />"), Some("shift_jis"));
        assert_eq!(scan("<meta http-equiv=content-type content='text/html; charset=koi8-r'>"), Some("koi8-r"));
        assert_eq!(scan("<meta content='text/html; CharSet=\"KOI8-R\"' HTTP-Equiv=Content-Type>"), Some("koi8-r"));
        assert_eq!(scan("<meta charset=utf-16>"), Some("utf-8"));
        assert_eq!(scan("<meta charset=x-user-defined>"), Some("windows-1252"));
    }

    #[test]
    fn what_is_no_meta_names_nothing() {
        for page in [
            "",
            "<",
            "<meta",
            "<meta charset=gbk",
            "<metal charset=gbk>",
            "<!-- <meta charset=gbk> -->",
            "<a title='<meta charset=gbk>'>",
            "</p x='<meta charset=gbk>'>",
            "<meta charset=utf-7>",
            "<meta content='text/html; charset=gbk'>",
            "<meta http-equiv=refresh content='0; charset=gbk'>",
        ] {
            assert_eq!(scan(page), None, "{page}");
        }
        assert_eq!(scan(&format!("{}<meta charset=gbk>", " ".repeat(PRESCAN))), None);
    }

    #[test]
    fn a_comment_may_end_with_its_own_hyphens() {
        assert_eq!(scan("<!--><meta charset=gbk>"), Some("gbk"));
        assert_eq!(scan("<!--->x--><meta charset=gbk>"), Some("gbk"));
    }

    #[test]
    fn the_attributes_of_a_tag_are_read_as_they_are_written() {
        let attributes = |tag: &'static str| {
            let text = |bytes| str::from_utf8(bytes).unwrap();
            Attributes { rest: tag.as_bytes() }.map(|(name, value)| (text(name), text(value))).collect::<Vec<_>>()
        };
        assert_eq!(attributes(" A = 'B c'/d=e>f=g"), [("A", "B c"), ("d", "e")]);
        assert_eq!(attributes("=a=b c\"=\"d\"e/ f"), [("=a", "b"), ("c\"", "d"), ("e", ""), ("f", "")]);
        assert_eq!(attributes("a='b"), [("a", "b")]);
        assert_eq!(attributes("a="), [("a", "")]);
    }

    #[test]
    fn an_xml_declaration_names_the_charset() {
        let declared = |text: &str| xml_declaration(text.as_bytes()).map(name);
        assert_eq!(declared("<?xml version='1.0' encoding = \"euc-kr\"?><a/>"), Some("euc-kr"));
        assert_eq!(declared("<?xml version='1.0' encoding='UTF-16'?>"), Some("utf-8"));
        assert_eq!(declared("<?xml version='1.0'?><a encoding='gbk'>"), None);
        assert_eq!(declared(" <?xml encoding='gbk'?>"), None);
    }

    #[test]
    fn every_encoding_has_a_name() {
        for label in NAMES {
            let encoding = Encoding::for_label_no_replacement(label.as_bytes()).unwrap_or(encoding_rs::REPLACEMENT);
            assert_eq!(name(encoding), label);
        }
    }
}

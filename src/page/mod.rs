//! Answer → page: what kind of thing the body is, and its text.

mod charset;
mod media;

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use url::Url;

use crate::fetch::{Fetched, Head, Timing};

pub use charset::Source as CharsetSource;
pub use media::Kind;
use media::MediaType;

/// The charset that the `Content-Type` of an answer names.
#[must_use]
pub fn declared_charset(headers: &HeaderMap) -> Option<&'static Encoding> {
    let declared = MediaType::of(headers.get_all(CONTENT_TYPE))?;
    Encoding::for_label(declared.charset?.as_bytes())
}

/// An answer's body, read. It borrows from the answer: most bodies are their text already.
#[derive(Debug)]
pub struct Page<'a> {
    /// The URL that answered: what relative URLs are relative to unless the page says otherwise.
    pub url: &'a Url,
    /// What the body is.
    pub kind: Kind,
    /// The WHATWG name of the charset that the text was decoded with, in lower case; none for [`Kind::Binary`].
    pub charset: Option<&'static str>,
    /// What decided that.
    pub charset_source: Option<CharsetSource>,
    /// The decoded text, without byte order mark; empty for [`Kind::Binary`].
    pub text: Cow<'a, str>,
    /// The length of the text in characters (Unicode scalar values); of [`Kind::Binary`], in bytes.
    pub length: u64,
    /// The length of the body in bytes.
    pub bytes: u64,
    /// The answer's status.
    pub status: u16,
    /// The answer's header fields.
    pub headers: &'a HeaderMap,
    /// How long its request took; none unless whoever made that says so.
    pub timing: Option<Timing>,
}

impl<'a> Page<'a> {
    /// Reads an answer. Every body gives a page: what cannot be decoded becomes U+FFFD.
    ///
    /// Labels are those of the WHATWG Encoding Standard: `ISO-8859-1` is `windows-1252`, UTF-7 is nothing, and of what it
    /// replaces as dangerous (`hz-gb-2312`) the whole text is one U+FFFD. An unknown label counts as none.
    ///
    /// The kind is what `Content-Type` says, and without one, what the body's start looks like (WHATWG MIME Sniffing).
    /// The charset is, in this order (WHATWG HTML, section 13.2.3): what a byte order mark says, `Content-Type`, a
    /// `<meta>` in the first 1024 bytes of HTML, or an XML declaration. What declares nothing there is UTF-8 if it is
    /// valid as such, and else what a later `<meta>` says, or a guess. HTML of nothing but ASCII that declares no charset
    /// is `windows-1252` as in browsers.
    #[must_use]
    pub fn read(fetched: &'a Fetched) -> Self {
        let Fetched { url, head: Head { status, headers }, body } = fetched;
        let status = *status;
        let declared = MediaType::of(headers.get_all(CONTENT_TYPE));
        let kind = Kind::of(declared.as_ref(), body);
        let bytes = body.len() as u64;
        if kind == Kind::Binary {
            let (charset, charset_source, text) = (None, None, Cow::Borrowed(""));
            return Self {
                url,
                kind,
                charset,
                charset_source,
                text,
                length: bytes,
                bytes,
                status,
                headers,
                timing: None,
            };
        }
        let label = declared.as_ref().and_then(|media| media.charset.as_deref());
        let (text, encoding, source) = decode(body, kind, label, url);
        let (charset, charset_source) = (Some(charset::name(encoding)), Some(source));
        let length = count_chars(&text);
        Self { url, kind, charset, charset_source, text, length, bytes, status, headers, timing: None }
    }
}

/// The text of a body, the encoding that it turned out to be in, and what decided that.
fn decode<'a>(
    body: &'a [u8],
    kind: Kind,
    label: Option<&str>,
    url: &Url,
) -> (Cow<'a, str>, &'static Encoding, CharsetSource) {
    use CharsetSource as By;
    if let Some((encoding, mark)) = Encoding::for_bom(body) {
        return (decode_as(encoding, &body[mark..]), encoding, By::Mark);
    }
    let header = label.and_then(|label| Encoding::for_label(label.as_bytes())).map(|encoding| (encoding, By::Header));
    let meta = || charset::prescan(body).map(|encoding| (encoding, By::Meta));
    let xml = || charset::xml_declaration(body).map(|encoding| (encoding, By::XmlDeclaration));
    let declared = || match kind {
        Kind::Json => Some((UTF_8, By::Json)),
        Kind::Html => meta().or_else(xml),
        Kind::Xml => xml(),
        Kind::Text | Kind::Binary => None,
    };
    if let Some((encoding, by)) = header.or_else(declared) {
        return (decode_as(encoding, body), encoding, by);
    }
    let late = || match kind {
        Kind::Html => charset::late_meta(body).map(|encoding| (encoding, By::LateMeta)),
        _ => None,
    };
    let (encoding, by) = match simdutf8::compat::from_utf8(body) {
        Ok(text) if kind == Kind::Html && text.is_ascii() => late().unwrap_or((WINDOWS_1252, By::Ascii)),
        Ok(text) => return (Cow::Borrowed(text), UTF_8, By::Utf8),
        Err(error) => {
            let guess = || (charset::guess(body, error.valid_up_to(), url), By::Guess);
            late().unwrap_or_else(guess)
        }
    };
    (decode_as(encoding, body), encoding, by)
}

/// Decodes, without copying where the bytes are the text already.
fn decode_as<'a>(encoding: &'static Encoding, body: &'a [u8]) -> Cow<'a, str> {
    if encoding == UTF_8
        && let Ok(text) = simdutf8::basic::from_utf8(body)
    {
        return Cow::Borrowed(text);
    }
    encoding.decode_without_bom_handling(body).0
}

/// How many characters a text has: every byte but those that continue one.
fn count_chars(text: &str) -> u64 {
    /// A sum that fits a byte is what a processor adds up many at a time.
    const PIECE: usize = 192;
    let starts = |piece: &[u8]| piece.iter().map(|&byte| u8::from(byte.cast_signed() >= -0x40)).sum::<u8>();
    text.as_bytes().chunks(PIECE).map(|piece| u64::from(starts(piece))).sum()
}

#[cfg(test)]
mod tests;

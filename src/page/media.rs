//! What a body is: as `Content-Type` says, and without one, as its start looks.

use reqwest::header::HeaderValue;

/// What a body is, as far as reading it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// HTML, XHTML included.
    Html,
    /// XML of another kind: a feed, a sitemap, SVG.
    Xml,
    /// JSON.
    Json,
    /// Other text.
    Text,
    /// No text.
    Binary,
}

impl Kind {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Xml => "xml",
            Self::Json => "json",
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }

    /// What `body` is.
    pub(super) fn of(declared: Option<&MediaType>, body: &[u8]) -> Self {
        let Some(media) = declared else { return sniff(body) };
        let (kind, subtype) = media.essence.split_once('/').unwrap_or_default();
        match (kind, subtype) {
            ("text", "html") | ("application", "xhtml+xml") => Self::Html,
            ("text" | "application", "json") | ("application", "x-ndjson") => Self::Json,
            ("text" | "application", "xml") => Self::Xml,
            (_, suffixed) if suffixed.ends_with("+json") => Self::Json,
            (_, suffixed) if suffixed.ends_with("+xml") => Self::Xml,
            // A server that does not know calls it plain text.
            ("text", "plain") if is_binary(start(body)) => Self::Binary,
            ("text", _) | ("application", "javascript" | "x-javascript" | "ecmascript" | "yaml" | "toml") => Self::Text,
            ("unknown" | "application", "unknown") => sniff(body),
            _ => Self::Binary,
        }
    }
}

/// A `Content-Type`, as far as reading the body needs it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    /// `type/subtype` in lower case.
    essence: String,
    /// The parameter `charset`.
    pub(super) charset: Option<String>,
}

impl MediaType {
    /// The last valid one of all values (WHATWG Fetch, "extract a MIME type").
    pub(super) fn of<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Option<Self> {
        let mut found: Option<Self> = None;
        for value in values {
            let text = String::from_utf8_lossy(value.as_bytes());
            for mut media in split_unquoted(&text, b',').filter_map(Self::parse) {
                if let Some(before) = found.take_if(|before| before.essence == media.essence) {
                    media.charset = media.charset.or(before.charset);
                }
                found = Some(media);
            }
        }
        found
    }

    /// Lenient as WHATWG MIME Sniffing, section 4.4: a parameter that makes no sense is passed over.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = split_unquoted(text, b';');
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) || essence == "*/*" {
            return None;
        }
        let charset = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let value = value.trim().trim_matches(['"', '\'']);
            (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then(|| value.to_owned())
        });
        Some(Self { essence, charset })
    }
}

/// The parts of `text` between separators that stand outside of quotes.
fn split_unquoted(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        !quoted && c == char::from(separator)
    })
}

/// A token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// How much of a body is looked at: the resource header of WHATWG MIME Sniffing, section 5.2.
const START: usize = 1445;

fn start(body: &[u8]) -> &[u8] {
    &body[..body.len().min(START)]
}

/// The tags that HTML starts with (WHATWG MIME Sniffing, section 7.1).
const HTML: [&[u8]; 17] = [
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<script",
    b"<iframe",
    b"<h1",
    b"<div",
    b"<font",
    b"<table",
    b"<a",
    b"<style",
    b"<title",
    b"<b",
    b"<body",
    b"<br",
    b"<p",
    b"<meta",
];

/// What XML starts with: its declaration, and the root elements of feeds and maps that go without one.
const XML: [&[u8]; 6] = [b"<?xml", b"<rss", b"<feed", b"<rdf:rdf", b"<urlset", b"<sitemapindex"];

/// What starts like text and is none.
const DISGUISED: [&[u8]; 5] = [b"%PDF-", b"%!PS-Adobe-", b"GIF87a", b"GIF89a", b"\xff\xd8\xff"];

/// What a body is that nobody described (WHATWG MIME Sniffing, section 7.1), with XML and JSON told from text.
fn sniff(body: &[u8]) -> Kind {
    let start = start(body);
    let trimmed = start.trim_ascii_start();
    let starts_with = |pattern: &[u8]| trimmed.get(..pattern.len()).is_some_and(|it| it.eq_ignore_ascii_case(pattern));
    let is_tag = |tag: &&[u8]| starts_with(tag) && matches!(trimmed.get(tag.len()), Some(b' ' | b'>'));
    if HTML.iter().any(is_tag) || starts_with(b"<!--") {
        Kind::Html
    } else if XML.iter().any(|pattern| starts_with(pattern)) {
        Kind::Xml
    } else if DISGUISED.iter().any(|pattern| start.starts_with(pattern)) || is_binary(start) {
        Kind::Binary
    } else if matches!(trimmed.first(), Some(b'{' | b'[')) {
        Kind::Json
    } else {
        Kind::Text
    }
}

/// Whether bytes occur that text has not (WHATWG MIME Sniffing, section 7.2), where no byte order mark explains them.
fn is_binary(start: &[u8]) -> bool {
    let is_marked = [&b"\xfe\xff"[..], b"\xff\xfe", b"\xef\xbb\xbf"].iter().any(|mark| start.starts_with(mark));
    !is_marked && start.iter().any(|b| matches!(b, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(values: &[&'static str]) -> Option<MediaType> {
        let values: Vec<_> = values.iter().map(|value| HeaderValue::from_static(value)).collect();
        MediaType::of(&values)
    }

    fn parsed(essence: &str, charset: Option<&str>) -> MediaType {
        MediaType { essence: essence.to_owned(), charset: charset.map(str::to_owned) }
    }

    #[test]
    fn the_last_valid_content_type_counts() {
        assert_eq!(media(&["text/plain", "text/html"]), Some(parsed("text/html", None)));
        assert_eq!(media(&["text/html;charset=gbk, text/html"]), Some(parsed("text/html", Some("gbk"))));
        assert_eq!(media(&["text/html;charset=gbk, text/plain"]), Some(parsed("text/plain", None)));
        assert_eq!(media(&["text/html, */*, nonsense"]), Some(parsed("text/html", None)));
        assert_eq!(media(&["text/html;x=\"a,b\";charset=gbk"]), Some(parsed("text/html", Some("gbk"))));
        assert_eq!(media(&["", "html", "/", "text/"]), None);
    }

    #[test]
    fn a_sloppy_content_type_is_understood() {
        for sloppy in ["Text/HTML;Charset=\"UTF-8\"", "text/html;; charset='utf-8';", " text/html ;a;charset = utf-8"] {
            let media = media(&[sloppy]).unwrap();
            assert_eq!(media.essence, "text/html", "{sloppy}");
            assert!(media.charset.unwrap().eq_ignore_ascii_case("utf-8"), "{sloppy}");
        }
    }

    #[test]
    fn a_declared_type_decides() {
        let kind = |value| Kind::of(MediaType::parse(value).as_ref(), b"<html>");
        assert_eq!(kind("application/xhtml+xml"), Kind::Html);
        assert_eq!(kind("application/ld+json"), Kind::Json);
        assert_eq!(kind("application/rss+xml"), Kind::Xml);
        assert_eq!(kind("image/svg+xml"), Kind::Xml);
        assert_eq!(kind("text/css"), Kind::Text);
        assert_eq!(kind("text/plain"), Kind::Text);
        assert_eq!(kind("image/png"), Kind::Binary);
        assert_eq!(kind("application/octet-stream"), Kind::Binary);
        assert_eq!(kind("unknown/unknown"), Kind::Html);
    }

    #[test]
    fn binary_that_is_called_plain_text_is_binary() {
        let plain = MediaType::parse("text/plain");
        assert_eq!(Kind::of(plain.as_ref(), b"PK\x03\x04"), Kind::Binary);
        assert_eq!(Kind::of(plain.as_ref(), b"\xff\xfeh\0i\0"), Kind::Text);
    }

    #[test]
    fn an_undeclared_type_is_sniffed() {
        for (body, kind) in [
            (&b""[..], Kind::Text),
            (b"hello", Kind::Text),
            (b" \n<!DOCTYPE HTML>", Kind::Html),
            (b"<HtMl lang=en>", Kind::Html),
            (b"<!-- x", Kind::Html),
            (b"<article>", Kind::Text),
            (b"<?xml version='1.0'?>", Kind::Xml),
            (b"<rss version='2.0'>", Kind::Xml),
            (b" {\"a\": 1}", Kind::Json),
            (b"[1]", Kind::Json),
            (b"%PDF-1.7\n", Kind::Binary),
            (b"GIF89a", Kind::Binary),
            (b"\x89PNG\r\n\x1a\n", Kind::Binary),
            (b"\xef\xbb\xbftext", Kind::Text),
            (b"a\0b", Kind::Binary),
        ] {
            assert_eq!(Kind::of(None, body), kind, "{body:?}");
        }
    }
}

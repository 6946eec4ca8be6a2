use proptest::prelude::*;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::*;

fn read(body: impl Into<Vec<u8>>, content_type: Option<&str>) -> Page<'static> {
    let mut headers = HeaderMap::new();
    if let Some(value) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
    }
    let url = Url::parse("http://127.0.0.1/").unwrap();
    let fetched = Fetched { url, head: Head { status: 200, headers }, body: body.into().into() };
    Page::read(Box::leak(Box::new(fetched)))
}

#[test]
fn a_byte_order_mark_outranks_the_header_and_is_no_text() {
    let page = read(*b"\xef\xbb\xbf\xc3\xa9", Some("text/html;charset=gbk"));
    assert_eq!((&*page.text, page.charset, page.length, page.bytes), ("é", Some("utf-8"), 1, 5));
    let page = read(*b"\xff\xfe<\0p\0>\0", Some("text/html"));
    assert_eq!((&*page.text, page.charset), ("<p>", Some("utf-16le")));
}

#[test]
fn the_header_outranks_the_meta() {
    let page = read(*b"<meta charset=utf-8>\xe9", Some("text/html;charset=iso-8859-1"));
    assert_eq!((page.text.chars().last(), page.charset), (Some('é'), Some("windows-1252")));
}

#[test]
fn only_html_is_searched_for_a_meta() {
    assert_eq!(read("<meta charset=gbk>", Some("text/html")).charset, Some("gbk"));
    assert_eq!(read("<meta charset=gbk>", Some("text/plain")).charset, Some("utf-8"));
}

#[test]
fn a_late_meta_tells_only_what_utf8_cannot_be() {
    let late = format!("<title>x</title>{}<meta charset=gbk>", " ".repeat(1100)).into_bytes();
    let read = |end: &[u8]| read([&late, end].concat(), Some("text/html")).charset;
    assert_eq!(read(b"\xc4\xe3"), Some("gbk"));
    assert_eq!(read("\u{e9}".as_bytes()), Some("utf-8"));
    assert_eq!(read(b""), Some("gbk"), "of ASCII the text is the same");
}

#[test]
fn a_script_does_not_tell_the_charset_of_utf8() {
    let body = format!("<title>\u{e9}</title>{}<script>x = '<meta charset=gbk>'</script>", " ".repeat(1100));
    let page = read(body, Some("text/html"));
    assert_eq!((page.charset, page.text.contains('\u{e9}')), (Some("utf-8"), true));
}

#[test]
fn what_cannot_be_decoded_is_replaced() {
    let page = read(*b"a\xffb", Some("text/plain;charset=utf-8"));
    assert_eq!((&*page.text, page.length, page.bytes), ("a\u{fffd}b", 3, 3));
    let page = read("+ADw-script", Some("text/html;charset=utf-7"));
    assert_eq!((&*page.text, page.charset), ("+ADw-script", Some("windows-1252")));
}

#[test]
fn labels_are_those_of_the_encoding_standard() {
    let html = |label: &str| read("<title>a</title>", Some(&format!("text/html;charset={label}"))).charset.unwrap();
    for (label, charset) in [
        ("ISO-8859-1", "windows-1252"),
        ("us-ascii", "windows-1252"),
        ("GB2312", "gbk"),
        ("x-sjis", "shift_jis"),
        ("ks_c_5601-1987", "euc-kr"),
        ("iso-8859-9", "windows-1254"),
        ("TIS-620", "windows-874"),
        ("unicode-1-1-utf-8", "utf-8"),
        ("utf-16", "utf-16le"),
        ("x-user-defined", "x-user-defined"),
    ] {
        assert_eq!(html(label), charset, "{label}");
        let meta = read(format!("<meta charset='{label}'>"), Some("text/html")).charset.unwrap();
        let in_meta = match charset {
            "utf-16le" => "utf-8",
            "x-user-defined" => "windows-1252",
            charset => charset,
        };
        assert_eq!(meta, in_meta, "{label}");
    }
}

#[test]
fn charsets_that_could_smuggle_ascii_are_replaced_and_utf_7_is_unknown() {
    for label in ["iso-2022-kr", "hz-gb-2312", "iso-2022-cn", "replacement"] {
        for (body, content_type) in [
            ("<script>x</script>".to_owned(), format!("text/html;charset={label}")),
            (format!("<meta charset={label}><script>"), "text/html".to_owned()),
        ] {
            let page = read(body, Some(&content_type));
            assert_eq!((page.charset, &*page.text), (Some("replacement"), "\u{fffd}"), "{label}");
        }
    }
    for label in ["utf-7", "unicode-1-1-utf-7", "utf-32", "cesu-8", "scsu"] {
        let page = read(format!("<meta charset={label}>+ADw-p+AD4-"), Some(&format!("text/html;charset={label}")));
        assert_eq!((page.charset, page.text.contains("+ADw-p")), (Some("windows-1252"), true), "{label}");
    }
}

#[test]
fn a_mark_outranks_every_declaration_and_cut_characters_are_replaced() {
    let page = read(*b"\xef\xbb\xbf<meta charset=hz-gb-2312>\xc3\xa9", Some("text/html;charset=iso-2022-kr"));
    assert_eq!((page.charset, page.text.chars().last()), (Some("utf-8"), Some('\u{e9}')));
    for (body, charset, text) in [
        (&b"a\xc3"[..], "utf-8", "a\u{fffd}"),
        (b"\xed\xa0\x80", "utf-8", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xc0\xbc", "utf-8", "\u{fffd}\u{fffd}"),
        (b"\xf4\x90\x80\x80", "utf-8", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        (b"a\0\0\xd8", "utf-16le", "a\u{fffd}"),
        (b"a\0b", "utf-16le", "a\u{fffd}"),
        (b"\x81<", "shift_jis", "\u{fffd}<"),
        (b"\xff<", "gbk", "\u{fffd}<"),
        (b"\x1b(x", "iso-2022-jp", "\u{fffd}(x"),
    ] {
        let page = read(body, Some(&format!("text/html;charset={charset}")));
        assert_eq!((&*page.text, page.charset), (text, Some(charset)), "{body:?}");
    }
}

#[test]
fn binary_has_a_length_in_bytes_and_no_text() {
    let page = read(*b"\x89PNG\r\n\x1a\n", Some("image/png"));
    assert_eq!((&*page.text, page.charset, page.length), ("", None, 8));
}

#[test]
fn an_empty_body_has_no_length() {
    assert_eq!(read("", None).length, 0);
    assert_eq!(read("", Some("text/html")).length, 0);
}

#[test]
fn valid_utf8_is_not_copied() {
    let body = "é".repeat(100).into_bytes();
    let place = body.as_ptr();
    assert_eq!(read(body, Some("text/html")).text.as_ptr(), place);
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    kind: String,
    hex: String,
    ctype: String,
    want: Option<String>,
    title: Option<String>,
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Whether a page came out as the vector wants: in its charset, or with its title as text.
fn is_right(vector: &Vector) -> bool {
    let page = read(bytes(&vector.hex), Some(&vector.ctype));
    if vector.kind != "prescan" {
        return page.text.contains(vector.title.as_deref().unwrap());
    }
    let wanted = Encoding::for_label(vector.want.as_deref().unwrap().as_bytes()).map(charset::name);
    page.charset == wanted
}

#[test]
fn public_vectors_are_decoded() {
    let lines = include_str!("../../tests/fixtures/encoding.jsonl").lines();
    let vectors: Vec<Vector> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let wrong: Vec<_> = vectors.iter().filter(|vector| !is_right(vector)).map(|vector| &*vector.id).collect();
    let too_short_for_a_guess = ["d:x-mac-cyrillic:none", "d:windows-1257:none"];
    assert_eq!(wrong, too_short_for_a_guess);
    assert_eq!(vectors.len(), 137);
}

proptest! {
    #[test]
    fn every_body_gives_a_page(body: Vec<u8>, content_type in "(text/html|text/plain|application/xml)?(;charset=(utf-8|gbk|utf-16))?") {
        let page = read(body.clone(), (!content_type.is_empty()).then_some(&content_type));
        prop_assert_eq!(page.bytes, body.len() as u64);
        prop_assert!(page.kind == Kind::Binary || page.length == page.text.chars().count() as u64);
    }

    #[test]
    fn no_start_of_a_page_confuses_the_prescan(page in "(<meta |charset|=|\"|'|/|>|<!--|-->|<|http-equiv|content|;| |a|gbk){0,40}") {
        charset::prescan(page.as_bytes());
        charset::xml_declaration(page.as_bytes());
    }
}

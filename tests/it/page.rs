//! What a page is read as: its charset, its title, its length.

use serde_json::{Value, json};

use crate::support::{Answer, Site, fetch};

fn record(answer: Answer) -> Value {
    let site = Site::start(move |_| answer.clone());
    fetch([site.url("/")])
}

fn title(html: &str) -> Value {
    record(Answer::html(html))["title"].clone()
}

#[test]
fn the_charset_is_told_by_bom_header_meta_and_guess_in_this_order() {
    let meta = "<meta charset=iso-8859-5><title>\u{e9}</title>";
    let latin: Vec<_> = meta.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let with_bom = [b"\xef\xbb\xbf", meta.as_bytes()].concat();
    let cases = [
        (Answer::typed("text/html; charset=windows-1252", with_bom), "utf-8", "\u{e9}"),
        (Answer::typed("text/html; charset=windows-1252", latin.clone()), "windows-1252", "\u{e9}"),
        (Answer::typed("text/html; charset=\"LATIN1\"", latin.clone()), "windows-1252", "\u{e9}"),
        (Answer::typed("text/html", latin.clone()), "iso-8859-5", "\u{449}"),
        (Answer::typed("text/html; charset=nonsense", latin), "iso-8859-5", "\u{449}"),
    ];
    for (answer, charset, title) in cases {
        let record = record(answer);
        assert_eq!((&record["charset"], &record["title"]), (&json!(charset), &json!(title)));
    }
}

#[test]
fn a_charset_that_nobody_tells_is_guessed() {
    let (text, _, _) =
        encoding_rs::SHIFT_JIS.encode("<title>日本語のページ</title><p>これは日本語で書かれた文章です。");
    let record = record(Answer::typed("text/html", text));
    assert_eq!((&record["charset"], &record["title"]), (&json!("shift_jis"), &json!("日本語のページ")));
}

#[test]
fn utf_16_is_told_by_its_bom() {
    let text: Vec<_> = "\u{feff}<title>é</title>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let record = record(Answer::typed("text/html", text));
    assert_eq!((&record["charset"], &record["title"]), (&json!("utf-16le"), &json!("é")));
    assert_eq!(record["length"], "<title>é</title>".chars().count());
}

#[test]
fn a_meta_charset_behind_the_first_1024_bytes_outranks_nothing_but_the_guess() {
    let page = |title| [format!("<!--{}--><meta charset=iso-8859-5>", "x".repeat(1100)).as_bytes(), title].concat();
    let latin = page(b"<title>\xe9</title>");
    let read = |content_type, page: &[u8]| {
        let record = record(Answer::typed(content_type, page));
        (record["charset"].clone(), record["title"].clone())
    };
    assert_eq!(read("text/html", &latin), (json!("iso-8859-5"), json!("\u{449}")));
    assert_eq!(read("text/html; charset=latin1", &latin), (json!("windows-1252"), json!("\u{e9}")));
    let utf8 = page("<title>\u{e9}</title>".as_bytes());
    assert_eq!(read("text/html", &utf8), (json!("utf-8"), json!("\u{e9}")));
}

#[test]
fn the_length_counts_characters_and_bytes_are_bytes() {
    let record = record(Answer::html("<title>naïve 😀</title>"));
    assert_eq!((&record["length"], &record["bytes"]), (&json!(22), &json!(26)));
}

#[test]
fn the_title_is_the_first_one_in_html() {
    assert_eq!(title("<title>one</title><title>two</title>"), "one");
    assert_eq!(title("<svg><title>drawing</title></svg><title>page</title>"), "page");
    assert_eq!(title("<template><title>mould</title></template><title>page</title>"), "page");
    assert_eq!(title("<!-- <title>comment</title> --><title>page</title>"), "page");
    assert_eq!(title("<script>'<title>script</title>'</script><title>page</title>"), "page");
    assert_eq!(title("<textarea><title>typed</title></textarea><title>page</title>"), "page");
    assert_eq!(title("<p>late</p><body><title>in the body</title>"), "in the body");
}

#[test]
fn the_title_is_text_with_its_white_space_collapsed() {
    assert_eq!(title("<title>\n\t one \r\n  two\x0c</title>"), "one two");
    assert_eq!(title("<title>a &amp; b &lt;i&gt; &eacute;&#x1F600;</title>"), "a & b <i> é😀");
    assert_eq!(title("<TITLE lang=en>A <b>bold</b> one</TITLE>"), "A <b>bold</b> one");
    assert_eq!(title("<title>no end"), "no end");
}

#[test]
fn a_title_may_be_empty_or_missing() {
    assert_eq!(title("<title></title><title>second</title>"), "");
    assert_eq!(title("<p>nothing"), Value::Null);
}

#[test]
fn a_title_is_cut_to_a_bearable_length() {
    let title = title(&format!("<title>{}</title>", "é".repeat(150_000)));
    assert_eq!(title.as_str().unwrap().chars().count(), 100_000);
}

#[test]
fn what_is_not_html_has_lengths_and_no_title() {
    let cases = [
        ("application/json", r#"{"html":"<title>no</title>"}"#),
        ("text/plain", "<title>no</title>"),
        ("application/xml", "<feed><title>no</title></feed>"),
        ("application/rss+xml", "<rss><channel><title>no</title></channel></rss>"),
        ("image/svg+xml", "<svg><title>no</title></svg>"),
    ];
    for (content_type, body) in cases {
        let record = record(Answer::typed(content_type, body));
        assert_eq!((&record["title"], &record["error"]), (&Value::Null, &Value::Null), "{content_type}");
        assert_eq!((&record["length"], &record["bytes"]), (&json!(body.len()), &json!(body.len())), "{content_type}");
    }
}

#[test]
fn binary_answers_give_their_bytes_and_no_garbage() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR<title>\xff\xfe</title>";
    for answer in [Answer::typed("image/png", &png[..]), Answer::untyped(&png[..])] {
        let record = record(answer);
        assert_eq!((&record["title"], &record["charset"]), (&Value::Null, &Value::Null));
        assert_eq!((&record["bytes"], &record["length"]), (&json!(png.len()), &json!(png.len())));
    }
}

#[test]
fn xhtml_is_html() {
    let page =
        r#"<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head></html>"#;
    assert_eq!(record(Answer::typed("application/xhtml+xml", page))["title"], "x");
}

#[test]
fn an_answer_without_a_type_is_sniffed() {
    let page = record(Answer::untyped("  <!DOCTYPE html><title>sniffed</title>"));
    assert_eq!((&page["title"], &page["content_type"]), (&json!("sniffed"), &Value::Null));
    assert_eq!(record(Answer::untyped("just text, no <title>page</title>"))["title"], Value::Null);
}

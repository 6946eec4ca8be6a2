//! `<script type=application/ld+json>`: JSON-LD 1.1, section 7 ("Embedding JSON-LD in HTML documents").
//!
//! The standard knows no broken JSON; pages do. What can only mean one thing is mended: comments and CDATA around or inside
//! the JSON, commas and semicolons that end nothing, control characters and needless backslashes in strings, and
//! JSON that was escaped as HTML is. A block that is still no JSON then, or nests more than 127 deep, is left out.

use std::borrow::Cow;

use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::extract::tokens::{Tag, decode_value};
use crate::value::Value;

/// Whether a `<script>` holds JSON-LD.
pub(in crate::extract) fn is_block(script: &Tag<'_>) -> bool {
    script.attribute("type").is_some_and(|media_type| {
        let essence = media_type.split(';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case("application/ld+json")
    })
}

/// What a page's blocks hold.
#[derive(Debug, Default)]
pub(in crate::extract) struct Documents(Vec<Document>);

#[derive(Debug)]
struct Document {
    /// As the page wrote it, but for what was mended and for white space.
    json: String,
    parsed: Json,
}

impl Documents {
    /// Reads the texts of blocks.
    pub(in crate::extract) fn parse(blocks: &[String]) -> Self {
        Self(blocks.iter().filter_map(|block| Document::parse(block)).collect())
    }

    /// They as a value: a list of objects. What a block lists at its top is taken out of the list.
    pub(in crate::extract) fn to_value(&self) -> Value<'static> {
        let objects = self.0.iter().flat_map(Document::objects);
        Value::List(objects.map(|object| Value::Json(Cow::Owned(object.to_owned()))).collect())
    }

    /// What each block holds.
    pub(in crate::extract) fn roots(&self) -> impl Iterator<Item = &Json> {
        self.0.iter().map(|document| &document.parsed)
    }
}

impl Document {
    fn parse(block: &str) -> Option<Self> {
        Self::parse_json(mend(block)).or_else(|| {
            let is_escaped = block.contains("&quot;") || block.contains("&#");
            is_escaped.then(|| Self::parse_json(mend(&decode_value(block))))?
        })
    }

    fn parse_json(json: String) -> Option<Self> {
        let parsed = serde_json::from_str(&json).ok()?;
        Some(Self { json, parsed })
    }

    fn objects(&self) -> Vec<&RawValue> {
        let is_object = |raw: &&RawValue| raw.get().starts_with('{');
        // It has been parsed before.
        let objects: Vec<&RawValue> = match &self.parsed {
            Json::Array(_) => serde_json::from_str(&self.json).unwrap_or_default(),
            _ => serde_json::from_str(&self.json).map(|one| vec![one]).unwrap_or_default(),
        };
        objects.into_iter().filter(is_object).collect()
    }
}

/// What may stand around JSON, each of them also after `//`.
const WRAPPERS: [&str; 4] = ["<![CDATA[", "]]>", "<!--", "-->"];

/// JSON without white space between its tokens, and without what pages have that is no JSON.
fn mend(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        if let Some(length) = length_of_nothing(rest) {
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if c == '"' {
            out.push('"');
            rest = mend_string(rest, &mut out);
            continue;
        }
        if matches!(c, '}' | ']') && out.ends_with(',') {
            out.pop();
        }
        out.push(c);
    }
    out
}

/// How long that is at the start of a text which means nothing between tokens.
fn length_of_nothing(text: &str) -> Option<usize> {
    let wrapper = |text: &str| WRAPPERS.iter().find(|wrapper| text.starts_with(**wrapper)).map(|wrapper| wrapper.len());
    match text.as_bytes()[0] {
        b' ' | b'\t' | b'\n' | b'\r' | b';' => Some(1),
        b'<' | b']' | b'-' => wrapper(text),
        b'/' => {
            if let Some(comment) = text.strip_prefix("/*") {
                return Some(comment.find("*/").map_or(text.len(), |end| end + "/**/".len()));
            }
            let line = text.strip_prefix("//")?;
            let padding = line.len() - line.trim_start_matches([' ', '\t']).len();
            let length = wrapper(&line[padding..]).map(|length| padding + length);
            Some("//".len() + length.unwrap_or_else(|| line.find(['\n', '\r']).unwrap_or(line.len())))
        }
        _ if text.starts_with(['\u{feff}', '\u{a0}']) => text.chars().next().map(char::len_utf8),
        _ => None,
    }
}

/// Mends a string, of which `text` is what follows the quote. Gives what follows its end.
fn mend_string<'t>(text: &'t str, out: &mut String) -> &'t str {
    let mut rest = text;
    loop {
        let special = |c: char| matches!(c, '"' | '\\') || c < ' ';
        let Some(at) = rest.find(special) else {
            out.push_str(rest);
            return "";
        };
        out.push_str(&rest[..at]);
        let found = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match found {
            b'"' => {
                out.push('"');
                return rest;
            }
            b'\\' => rest = mend_escape(rest, out),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Others mean nothing.
            _ => {}
        }
    }
}

/// Mends what follows a backslash in a string, and gives the rest.
fn mend_escape<'t>(text: &'t str, out: &mut String) -> &'t str {
    match text.chars().next() {
        Some(c @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
            out.push('\\');
            out.push(c);
            &text[1..]
        }
        Some('u') => mend_code_unit(text, out),
        // A line that goes on, as in a script.
        Some('\n') => &text[1..],
        _ => text,
    }
}

/// Mends `uXXXX` in a string: half of a surrogate pair, which is left of a character that was cut, becomes U+FFFD.
fn mend_code_unit<'t>(text: &'t str, out: &mut String) -> &'t str {
    let unit = |text: &str| {
        let digits = text.strip_prefix('u')?.get(..4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let Some(first) = unit(text) else { return text };
    let (written, rest) = text.split_at("uXXXX".len());
    let second = rest.strip_prefix('\\').and_then(unit);
    let is_pair = matches!((first, second), (0xd800..=0xdbff, Some(0xdc00..=0xdfff)));
    out.push('\\');
    if is_pair {
        let (low, rest) = rest.split_at("\\uXXXX".len());
        out.extend([written, low]);
        return rest;
    }
    out.push_str(if matches!(first, 0xd800..=0xdfff) { "ufffd" } else { written });
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(block: &str) -> Option<Json> {
        Document::parse(block).map(|document| document.parsed)
    }

    #[test]
    fn what_is_around_json_means_nothing() {
        for block in [
            " {\"a\": 1} ",
            "//<![CDATA[\n{\"a\": 1}\n//]]>",
            "// <![CDATA[ {\"a\": 1} // ]]>",
            "/*<![CDATA[*/{\"a\": 1}/*]]>*/",
            "<!--\n{\"a\": 1}\n-->",
            "\u{feff}{\"a\": 1};",
            "{/* b */\"a\": 1, // c\n}",
            "{\"a\": 1,}",
            "{&quot;a&quot;: 1}",
        ] {
            assert_eq!(parsed(block), Some(serde_json::json!({"a": 1})), "{block}");
        }
    }

    #[test]
    fn strings_are_mended_and_not_searched() {
        let string =
            |written: &str| parsed(&format!("[\"{written}\"]")).map(|json| json[0].as_str().unwrap().to_owned());
        assert_eq!(string("a\n\tb\u{1}\\'c").as_deref(), Some("a\n\tb'c"));
        assert_eq!(string("a\\\nb").as_deref(), Some("ab"));
        assert_eq!(string("\\ud83d\\ude00 \\u00e9 \\x").as_deref(), Some("😀 é x"));
        assert_eq!(
            string("\\ude00 \\ud83d \\ud83d\\u0041 \\u12 \\u+123").as_deref(),
            Some("\u{fffd} \u{fffd} \u{fffd}A u12 u+123")
        );
        for kept in ["http://a.test/*x*/;,]", "<!-- ]]> -->", "&quot;", ", }"] {
            assert_eq!(string(kept).as_deref(), Some(kept));
        }
    }

    #[test]
    fn numbers_and_the_order_of_keys_stay_as_they_are_written() {
        let document = Document::parse("{\"z\": 1.10, \"a\": [12345678901234567890123, -0.0e1]}").unwrap();
        assert_eq!(document.json, "{\"z\":1.10,\"a\":[12345678901234567890123,-0.0e1]}");
    }

    #[test]
    fn a_list_is_taken_apart_and_what_is_no_object_left_out() {
        let blocks = ["[{\"a\": 1}, 2, [{\"b\": 3}], {}]", "{", "\"x\"", "{\"c\": {}}", ""].map(str::to_owned);
        let value = Documents::parse(&blocks).to_value();
        assert_eq!(value.to_cell(), r#"[{"a":1},{},{"c":{}}]"#);
    }

    #[test]
    fn what_nests_too_deeply_is_left_out() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parsed(&nested(127)).is_some());
        assert!(parsed(&nested(100_000)).is_none());
    }

    proptest! {
        #[test]
        fn what_is_json_stays_what_it_is(text in "\\PC{0,20}", number: i64, key in "[a-z\"\\\\/\n;,<\\]]{0,9}") {
            let json = serde_json::json!({key: [text, number, null, true, {}]});
            prop_assert_eq!(parsed(&serde_json::to_string_pretty(&json).unwrap()), Some(json));
        }

        #[test]
        fn no_block_is_too_odd(block in "([\\[\\]{}\",:/*;<!>\\\\u0-9a é\n-]|<!--|//|&quot;|]]>){0,40}") {
            let value = Documents::parse(&[block]).to_value();
            prop_assert!(serde_json::from_str::<Json>(&value.to_cell()).is_ok());
        }
    }
}

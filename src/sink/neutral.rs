//! Hostile text made harmless. A title is an attacker's text: it must not move a cursor, hide or reorder what a
//! person reads, or end a line.
//!
//! There are two ways: [`neutralise`] for what a person reads, which loses the culprit, and [`write_escaped`] for
//! what a program reads, which does not.

use std::borrow::Cow;
use std::io::{self, Write};

/// What stands for a character that may not be shown.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Whether a terminal or a reader of lines acts on `c` instead of showing it: the control characters (C0, DEL, C1),
/// the line and paragraph separators, and the bidi controls (UAX #9, section 2).
pub(super) fn is_active(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether an [active](is_active) character may start with this byte in UTF-8.
fn may_be_active(first: u8) -> bool {
    matches!(first, 0..=0x1f | 0x7f | 0xc2 | 0xd8 | 0xe2)
}

/// Whether `c` is shown as nothing at all, and so hides a difference: fillers, format characters, tags and the
/// variation selectors beyond the common ones.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What to show for `c` behind `before`.
fn neutral(c: char, before: char) -> char {
    match c {
        _ if is_active(c) && c.is_whitespace() => ' ',
        _ if is_active(c) || is_invisible(c) => REPLACEMENT,
        // The soft hyphen, which some terminals show and some do not.
        '\u{ad}' => '-',
        // Zero-width space and joiners: Persian, Khmer and emoji are spelled with them, ASCII is not.
        '\u{200b}'..='\u{200d}' if !before.is_ascii() => c,
        '\u{200b}'..='\u{200d}' => REPLACEMENT,
        _ => c,
    }
}

/// Each of `chars`, or what to show for it.
pub(super) fn neutral_chars(chars: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    chars.scan('\0', |before, c| {
        *before = neutral(c, *before);
        Some(*before)
    })
}

/// The text as it may be shown on a terminal, on one line: white space that is not a space becomes one, and a
/// character that would act instead of being shown, or that would be shown as nothing, becomes U+FFFD.
#[must_use]
pub fn neutralise(text: &str) -> Cow<'_, str> {
    if neutral_chars(text.chars()).eq(text.chars()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(neutral_chars(text.chars()).collect())
    }
}

/// Writes `text` with JSON's escapes (RFC 8259, section 7) for what a terminal or a reader of lines would act on:
/// `\t`, `\n`, `\r`, otherwise `\uXXXX`. All of them are in the basic plane. A backslash is the caller's business.
pub(super) fn write_escaped<W: Write + ?Sized>(text: &str, out: &mut W) -> io::Result<()> {
    // Nearly all texts end here. A fold has no branch for each byte, so it is compiled to vector instructions.
    if !text.bytes().fold(false, |found, byte| found | may_be_active(byte)) {
        return out.write_all(text.as_bytes());
    }
    let mut written = 0;
    for (at, _) in text.bytes().enumerate().filter(|&(_, byte)| may_be_active(byte)) {
        let Some(c) = text[at..].chars().next().filter(|&c| is_active(c)) else { continue };
        out.write_all(&text.as_bytes()[written..at])?;
        match c {
            '\t' => out.write_all(br"\t")?,
            '\n' => out.write_all(br"\n")?,
            '\r' => out.write_all(br"\r")?,
            _ => write!(out, r"\u{:04x}", u32::from(c))?,
        }
        written = at + c.len_utf8();
    }
    out.write_all(&text.as_bytes()[written..])
}

/// JSON on several lines with escapes for what a terminal would act on: to a JSON reader the same text.
#[must_use]
pub fn escape_json(text: &str) -> String {
    let escaped = |line| {
        let mut out = Vec::new();
        // Writing to memory does not fail, and what comes out is made of whole characters.
        let _ = write_escaped(line, &mut out);
        String::from_utf8(out).unwrap_or_default()
    };
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sink::sample::hostile_text;

    #[test]
    fn clean_text_is_borrowed() {
        for clean in ["", "plain", "Zażółć gęślą", "日本語", "❤\u{fe0f}", "می\u{200c}خواهم", "👩\u{200d}🚀", "\u{a0}"]
        {
            assert!(matches!(neutralise(clean), Cow::Borrowed(text) if text == clean), "{clean:?}");
        }
    }

    #[test]
    fn what_a_terminal_would_act_on_is_replaced() {
        assert_eq!(neutralise("\x1b]0;owned\x07"), "\u{fffd}]0;owned\u{fffd}");
        assert_eq!(neutralise("a\u{9b}31mb"), "a\u{fffd}31mb");
        assert_eq!(neutralise("file\u{202e}gpj.exe"), "file\u{fffd}gpj.exe");
        assert_eq!(neutralise("one\r\ntwo\tthree\u{2028}four"), "one  two three four");
    }

    #[test]
    fn what_hides_in_latin_text_is_shown() {
        assert_eq!(neutralise("pay\u{200b}pal"), "pay\u{fffd}pal");
        assert_eq!(neutralise("a\u{e0041}b"), "a\u{fffd}b");
        assert_eq!(neutralise("Donau\u{ad}dampf"), "Donau-dampf");
    }

    #[test]
    fn json_keeps_its_lines_and_its_meaning() {
        let text = "\u{9b}\u{202e}\u{2028}é\n";
        let shown = escape_json(&format!("{:#}", serde_json::json!({ "a": text })));
        assert_eq!(shown, "{\n  \"a\": \"\\u009b\\u202e\\u2028é\\n\"\n}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["a"], text);
    }

    #[test]
    fn every_active_character_is_known_by_its_first_byte() {
        for c in (char::MIN..=char::MAX).filter(|&c| is_active(c)) {
            assert!(may_be_active(c.encode_utf8(&mut [0; 4]).as_bytes()[0]), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn neutral_text_is_harmless_and_stays_as_it_is(text in hostile_text()) {
            let neutral = neutralise(&text).into_owned();
            prop_assert!(!neutral.chars().any(is_active));
            prop_assert_eq!(neutralise(&neutral), neutral.as_str());
        }
    }
}

//! Text measured and cut by the columns that it takes on a terminal.
//!
//! Terminals differ on emoji and joined characters. The measure here is the largest of theirs, so what is cut to a
//! width never runs over it.

use std::iter::once;

use unicode_width::UnicodeWidthChar;

use super::neutral::neutral_chars;

/// Shown where text was cut; one column.
const ELLIPSIS: char = '…';
/// So many marks are kept on one character. Living languages need four.
const MARKS: usize = 8;

/// The columns that `c` takes.
fn columns(c: char) -> usize {
    match c {
        // It asks for the emoji form of the character before it, which is wider by one.
        '\u{fe0f}' => 1,
        _ => c.width().unwrap_or(0),
    }
}

/// Whether `c` belongs to the character before it.
fn is_mark(c: char) -> bool {
    c.width() == Some(0)
}

/// The text as a person is to see it: neutralised, on one line, white space collapsed.
fn shown(text: &str) -> impl Iterator<Item = char> {
    neutral_chars(text.split_whitespace().flat_map(|word| once(' ').chain(word.chars())).skip(1))
}

/// The columns that a text takes, once it has been cut.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// As much of the beginning of `text` as fits into `width` columns, neutralised. No more of it is read than that.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    cut_chars(shown(text), width)
}

/// As much of a URL as fits into `width` columns, neutralised. It loses its scheme first and then its middle: URLs
/// differ at their ends.
pub(super) fn cut_url(url: &str, width: usize) -> String {
    let url: String = shown(url).collect();
    let fits = |text: &str| self::width(text) <= width;
    let text = match url.split_once("://") {
        Some((_, rest)) if !fits(&url) => rest,
        _ => &url,
    };
    let end = if fits(text) { "" } else { end_of(text, width / 2) };
    let start = cut_chars(text.chars(), width - self::width(end));
    start + end
}

fn cut_chars(chars: impl Iterator<Item = char>, width: usize) -> String {
    let (mut text, mut used, mut marks) = (String::new(), 0, 0);
    let mut fits = 0; // so many bytes leave room for an ellipsis, and split no character from its marks
    for c in chars {
        if is_mark(c) {
            marks += 1;
        } else {
            marks = 0;
            fits = if used < width { text.len() } else { fits };
        }
        if marks > MARKS {
            continue;
        }
        used += columns(c);
        if used > width {
            text.truncate(fits);
            text.extend((width > 0).then_some(ELLIPSIS));
            break;
        }
        text.push(c);
    }
    text
}

/// As much of the end of `text` as fits into `width` columns.
fn end_of(text: &str, width: usize) -> &str {
    let (mut used, mut start) = (0, text.len());
    for (at, c) in text.char_indices().rev() {
        used += columns(c);
        if used > width {
            break;
        }
        if !is_mark(c) {
            start = at;
        }
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sink::sample::hostile_text;

    #[test]
    fn text_is_cut_by_columns_and_not_by_characters() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("日本語", 0), "");
    }

    #[test]
    fn a_character_keeps_its_marks_or_goes_with_them() {
        assert_eq!(cut("cafe\u{301}s", 4), "caf…");
        assert_eq!(cut("cafe\u{301}s", 5), "cafe\u{301}s");
        assert_eq!(cut("I ❤\u{fe0f} it", 4), "I …");
    }

    #[test]
    fn a_pile_of_marks_is_cut_down() {
        let pile = format!("a{}b", "\u{301}".repeat(1000));
        assert_eq!(cut(&pile, 2), format!("a{}b", "\u{301}".repeat(MARKS)));
    }

    #[test]
    fn white_space_collapses() {
        assert_eq!(cut("\n  one\r\n\t two\u{2028}three ", 80), "one two three");
    }

    #[test]
    fn a_url_keeps_both_its_ends() {
        let url = "https://host.test/item?id=12345";
        assert_eq!(cut_url(url, 31), url);
        assert_eq!(cut_url(url, 30), "host.test/item?id=12345");
        assert_eq!(cut_url(url, 23), "host.test/item?id=12345");
        assert_eq!(cut_url(url, 21), "host.test/…m?id=12345");
        assert_eq!(cut_url(url, 1), "…");
        assert_eq!(cut_url(url, 0), "");
    }

    proptest! {
        #[test]
        fn what_is_cut_is_no_wider_than_asked(text in hostile_text(), limit in 0_usize..40) {
            prop_assert!(width(&cut(&text, limit)) <= limit);
            prop_assert!(width(&cut_url(&text, limit)) <= limit);
        }
    }
}

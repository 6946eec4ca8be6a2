//! DOCTYPEs (WHATWG HTML, sections 13.2.5.53 to 68).

use html5ever::tokenizer;
use memchr::memchr;

use super::tag::is_space;

/// A DOCTYPE as it is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::extract) struct Doctype<'t> {
    /// What stands between `<!DOCTYPE` and `>`.
    pub(super) declared: &'t str,
    /// Whether the text ends before a `>`.
    pub(super) is_cut: bool,
}

impl Doctype<'_> {
    /// What it means.
    pub(in crate::extract) fn parse(&self) -> tokenizer::Doctype {
        let (name, rest) = split_at_space(skip_space(self.declared));
        let mut doctype = tokenizer::Doctype::default();
        if name.is_empty() {
            doctype.force_quirks = true;
            return doctype;
        }
        doctype.name = Some(normalize(name).to_ascii_lowercase().into());
        let is_right = read_ids(skip_space(rest), self.is_cut, &mut doctype);
        doctype.force_quirks = !is_right;
        doctype
    }
}

/// Reads the identifiers. Returns whether they are as they should be, as far as that is asked for.
fn read_ids(text: &str, is_cut: bool, doctype: &mut tokenizer::Doctype) -> bool {
    const KEYWORD: usize = "PUBLIC".len();
    if text.is_empty() {
        return !is_cut;
    }
    let Some((keyword, mut rest)) = text.split_at_checked(KEYWORD) else { return false };
    if keyword.eq_ignore_ascii_case("PUBLIC") {
        let Some((id, after)) = read_id(skip_space(rest)) else { return false };
        doctype.public_id = Some(normalize(id).into());
        let Some(after) = after else { return false };
        rest = skip_space(after);
        if rest.is_empty() {
            return !is_cut;
        }
    } else if !keyword.eq_ignore_ascii_case("SYSTEM") {
        return false;
    }
    let Some((id, after)) = read_id(skip_space(rest)) else { return false };
    doctype.system_id = Some(normalize(id).into());
    // What follows is ignored.
    after.is_some_and(|after| !is_cut || !skip_space(after).is_empty())
}

/// An identifier in quotes, and what follows it; nothing follows one that is not closed.
fn read_id(text: &str) -> Option<(&str, Option<&str>)> {
    let quote = *text.as_bytes().first().filter(|&&byte| matches!(byte, b'"' | b'\''))?;
    let rest = &text[1..];
    Some(match memchr(quote, rest.as_bytes()) {
        Some(end) => (&rest[..end], Some(&rest[end + 1..])),
        None => (rest, None),
    })
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8))
}

fn split_at_space(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(is_space).unwrap_or(text.len()))
}

/// Line ends made one character, NUL made one that can be shown.
fn normalize(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}

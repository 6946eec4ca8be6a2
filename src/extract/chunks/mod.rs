//! Markdown → pieces of a bounded size, for retrieval.
//!
//! A heading begins a new chunk, unless what is above it is nothing but the headings that it stands below. What is
//! then still too long is cut between blocks; a block that alone is too long, between its lines; a line, between its
//! sentences, then its words; and a word, such as a URL, where it is full. Pieces are put together again as long as they
//! fit: what follows a heading is in its chunk. So a fence of code or a table is cut only if it alone is too long, and then
//! between lines.
//!
//! Decided here: chunks do not overlap, and nothing is added to them (no second fence, no head of a table), so that one after
//! the other they are the text, but for white space where it was cut. A chunk that begins with a heading has that as the last
//! of its path. Headings are those of `CommonMark`'s ATX kind outside of quotations and lists, for our Markdown has no others.

use std::iter;
use std::num::NonZeroUsize;

use super::fields::Field;
use crate::failure::{Failure, Kind};
use crate::value::{Row, Value};

/// What the rows of all chunks of a page may take, in bytes: what is no chunk's own is repeated in each.
const ROOM: usize = 64 << 20;

/// The fields of [`Ask::Chunks`](super::Ask::Chunks).
pub(super) static FIELDS: [Field; 3] = [
    Field::of_article(
        "chunk",
        r#"{"type": ["integer", "null"], "minimum": 0}"#,
        "the number of the chunk in its page, from 0; null where there is no main content",
    ),
    Field::of_article(
        "path",
        r#"{"type": ["array", "null"], "items": {"type": "string"}}"#,
        "the headings that the chunk stands below, as Markdown, from the outermost to its own",
    ),
    Field::of_article("text", r#"{"type": ["string", "null"]}"#, "the chunk: a part of the main content, as Markdown"),
];

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
struct Chunk<'t> {
    /// The headings that it stands below, each cut to the size of a chunk.
    path: Vec<&'t str>,
    text: &'t str,
}

impl Chunk<'_> {
    /// How many bytes its values take.
    fn size(&self) -> usize {
        let headings = self.path.iter().map(|heading| heading.len() + size_of::<Value>());
        self.text.len() + headings.sum::<usize>() + FIELDS.len() * size_of::<Value>()
    }

    /// The values of its fields.
    fn values(&self, number: usize) -> [Value<'static>; 3] {
        let path = self.path.iter().map(|heading| Value::from((*heading).to_owned()));
        [Value::Int(number as u64), Value::List(path.collect()), Value::from(self.text.to_owned())]
    }
}

/// A page's row once for each chunk of at most `limit` characters, whose values stand in it from `at` on; and why there are
/// not all of them.
pub(super) fn rows(row: &Row, at: usize, markdown: &str, limit: NonZeroUsize) -> (Vec<Row>, Option<Failure>) {
    let repeated = row.0.iter().map(|value| size_of::<Value>() + value.to_cell().len()).sum::<usize>();
    let (mut rows, mut room) = (Vec::new(), ROOM);
    for (number, chunk) in split(markdown, limit).enumerate() {
        let Some(rest) = room.checked_sub(repeated + chunk.size()) else {
            let message = "its chunks, each with all fields, take more than 64 MiB";
            return (rows, Some(Failure::new(Kind::TooComplex, message)));
        };
        room = rest;
        let mut row = row.clone();
        for (place, value) in row.0.iter_mut().skip(at).zip(chunk.values(number)) {
            *place = value;
        }
        rows.push(row);
    }
    (rows, None)
}

/// Cuts a text into chunks of at most `limit` characters.
fn split(markdown: &str, limit: NonZeroUsize) -> impl Iterator<Item = Chunk<'_>> {
    let mut path: Vec<(usize, &str)> = Vec::new();
    sections(markdown).flat_map(move |section| {
        let lines = section.lines().filter(|line| !line.trim().is_empty());
        for (level, heading) in lines.map_while(heading) {
            path.retain(|&(above, _)| above < level);
            path.push((level, cut(heading, limit.get())));
        }
        let path: Vec<_> = path.iter().map(|&(_, heading)| heading).collect();
        pack(section, limit.get()).map(move |text| Chunk { path: path.clone(), text })
    })
}

/// The level and the text of a heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.len() - line.trim_start_matches('#').len();
    let text = line.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then_some((level, text.trim()))
}

/// The parts of a text that begin with headings; headings that have nothing between them, each below the one before,
/// begin one part.
fn sections(markdown: &str) -> impl Iterator<Item = &str> {
    let mut fence = Fence::default();
    // The level of the heading above, as long as nothing but empty lines follows it.
    let mut above = None;
    split_before(markdown, lines(markdown), move |line| {
        let is_code = fence.holds(line);
        let level = heading(line).filter(|_| !is_code).map(|(level, _)| level);
        let is_new = level.is_some_and(|level| above.is_none_or(|above| level <= above));
        if level.is_some() || !line.trim().is_empty() {
            above = level;
        }
        is_new
    })
}

/// Puts what a text is cut into together, as long as it fits.
fn pack(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let (mut start, mut end, mut chars) = (0, 0, 0);
    let mut pieces = pieces(text, limit, Unit::Section).chain([""]);
    let chunks = iter::from_fn(move || {
        for piece in pieces.by_ref() {
            let is_full = piece.is_empty() || chars + piece.trim_end().chars().count() > limit;
            let chunk = &text[start..end];
            if is_full {
                (start, chars) = (end, 0);
            }
            end += piece.len();
            chars += piece.chars().count();
            if is_full {
                return Some(chunk.trim_end().trim_start_matches('\n'));
            }
        }
        None
    });
    chunks.filter(|chunk| !chunk.is_empty())
}

/// What is to be cut.
#[derive(Clone, Copy)]
enum Unit {
    Section,
    Block,
    /// A line, or code with its fences, which a list may have without empty lines around it.
    Item,
    Line,
    Sentence,
    Word,
}

/// The pieces of a text, one after the other: each has at most `limit` characters, its white space at the end not counted,
/// and is cut no finer than it must be.
fn pieces(text: &str, limit: usize, unit: Unit) -> Box<dyn Iterator<Item = &str> + '_> {
    if text.trim_end().chars().nth(limit).is_none() {
        return Box::new(iter::once(text));
    }
    let (parts, next): (Box<dyn Iterator<Item = &str>>, _) = match unit {
        Unit::Section => (Box::new(blocks(text)), Unit::Block),
        Unit::Block => (Box::new(items(text)), Unit::Item),
        Unit::Item => (Box::new(lines(text)), Unit::Line),
        Unit::Line => (Box::new(sentences(text)), Unit::Sentence),
        Unit::Sentence => (Box::new(words(text)), Unit::Word),
        Unit::Word => return Box::new(cuts(text, limit)),
    };
    Box::new(parts.flat_map(move |part| pieces(part, limit, next)))
}

/// The lines of a text with their ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

/// What stands between empty lines, outside of code, with the empty lines behind it.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let (mut fence, mut is_after_empty) = (Fence::default(), false);
    split_before(text, lines(text), move |line| {
        let is_code = fence.holds(line);
        let is_empty = !is_code && line.trim().is_empty();
        std::mem::replace(&mut is_after_empty, is_empty) && !is_empty
    })
}

/// The lines of a text, those of code together with its fences.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let mut fence = Fence::default();
    split_before(text, lines(text), move |line| {
        let was_open = fence.length.is_some();
        fence.holds(line);
        !was_open
    })
}

/// The sentences of a line, with the white space behind each.
fn sentences(line: &str) -> impl Iterator<Item = &str> {
    let mut before = "";
    split_before(line, words(line), move |word| {
        let last = std::mem::replace(&mut before, word);
        let is_apart = last.ends_with(char::is_whitespace);
        let end = last.trim_end();
        is_apart && end.ends_with(['.', '!', '?', '…', ':', ';']) || end.ends_with(['。', '！', '？'])
    })
}

/// The words of a text, with the white space behind each. Chinese and Japanese sentences end words, too.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut last = 'a';
    split_before_char(text, move |c| {
        let last = std::mem::replace(&mut last, c);
        last.is_whitespace() && !c.is_whitespace() || matches!(last, '。' | '！' | '？')
    })
}

/// Pieces of so many characters.
fn cuts(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let mut count = 0_usize;
    split_before_char(text, move |_| {
        let is_full = count.is_multiple_of(limit);
        count += 1;
        is_full
    })
}

/// The first characters of a text.
fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

/// Puts the parts of a text together, up to each that is told to begin something new.
fn split_before<'t>(
    text: &'t str,
    parts: impl Iterator<Item = &'t str>,
    mut is_new: impl FnMut(&'t str) -> bool,
) -> impl Iterator<Item = &'t str> {
    let mut parts = parts.map(Some).chain([None]);
    let (mut start, mut end) = (0, 0);
    iter::from_fn(move || {
        for part in parts.by_ref() {
            let is_over = part.is_none_or(&mut is_new) && start < end;
            let whole = start..end;
            end += part.map_or(0, str::len);
            if is_over {
                start = whole.end;
                return Some(&text[whole]);
            }
        }
        None
    })
}

/// As [`split_before`], by character.
fn split_before_char(text: &str, is_new: impl FnMut(char) -> bool) -> impl Iterator<Item = &str> {
    let mut is_new = is_new;
    let chars = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]);
    split_before(text, chars, move |c| c.chars().next().is_some_and(&mut is_new))
}

/// The fence of the code that a line is in (`CommonMark`, section 4.5), in whatever quotations and lists.
#[derive(Default)]
struct Fence {
    /// How many backticks it has; none outside of code.
    length: Option<usize>,
}

impl Fence {
    /// Whether the next line is code, or one of its fences.
    fn holds(&mut self, line: &str) -> bool {
        let marks = |c: char| matches!(c, ' ' | '>' | '-' | '*' | '.' | ')') || c.is_ascii_digit();
        let within = line.trim_end().trim_start_matches(marks);
        let rest = within.trim_start_matches('`');
        let length = within.len() - rest.len();
        match self.length {
            Some(open) if length >= open && rest.is_empty() => self.length = None,
            Some(_) => {}
            None if length >= 3 && !rest.contains('`') => self.length = Some(length),
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests;

//! Character references (WHATWG HTML, sections 13.2.5.72 to 80).

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use memchr::{memchr, memchr3};

/// Where a reference stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    Attribute,
}

/// What a reference stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) first: char,
    pub(super) second: Option<char>,
    /// How many bytes it takes, without the `&`.
    pub(super) length: usize,
}

impl Reference {
    /// Reads the reference of which `text` is what follows the `&`; none if that is only an `&`.
    pub(super) fn read(text: &str, place: Place) -> Option<Self> {
        match text.as_bytes() {
            [b'#', b'x' | b'X', ..] => Self::numeric(text, 2, 16),
            [b'#', ..] => Self::numeric(text, 1, 10),
            [first, ..] if first.is_ascii_alphanumeric() => Self::named(text, place),
            _ => None,
        }
    }

    /// Reads the number that begins after `prefix` bytes.
    fn numeric(text: &str, prefix: usize, radix: u32) -> Option<Self> {
        let digits = text[prefix..].chars().map_while(|c| c.to_digit(radix));
        let (count, value) = digits
            .fold((0, 0_u32), |(count, value), digit| (count + 1, value.saturating_mul(radix).saturating_add(digit)));
        if count == 0 {
            return None;
        }
        let end = prefix + count;
        let length = end + usize::from(text[end..].starts_with(';'));
        Some(Self { first: character(value), second: None, length })
    }

    /// Reads the longest name that is one.
    fn named(text: &str, place: Place) -> Option<Self> {
        let ((first, second), length) = longest_name(text)?;
        let (matched, after) = text.split_at(length);
        if place == Place::Attribute
            && !matched.ends_with(';')
            && after.starts_with(|c: char| c == '=' || c.is_ascii_alphanumeric())
        {
            return None;
        }
        let second = char::from_u32(second).filter(|&second| second != '\0');
        Some(Self { first: char::from_u32(first)?, second, length })
    }
}

/// The code points of the longest name that `text` begins with, and its length.
fn longest_name(text: &str) -> Option<((u32, u32), usize)> {
    /// The longest name.
    const LONGEST: usize = "CounterClockwiseContourIntegral;".len();
    let code_points = |name: &str| NAMED_ENTITIES.get(name).copied();
    let near = &text.as_bytes()[..text.len().min(LONGEST)];
    // Most names end as they should, and a name that does is in no longer one.
    if let Some(end) = memchr(b';', near)
        && let Some(found) = code_points(&text[..=end])
    {
        return Some((found, end + 1));
    }
    // The table has every prefix of a name too, with zeros.
    let letters = near.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let prefixes = (1..=letters).map_while(|length| code_points(&text[..length]).map(|found| (found, length)));
    prefixes.filter(|&((first, _), _)| first != 0).last()
}

/// The character that a number stands for (section 13.2.5.80).
fn character(number: u32) -> char {
    let replaced = match number {
        0 => None,
        0x80..=0x9f => C1_REPLACEMENTS[number as usize - 0x80].or(char::from_u32(number)),
        _ => char::from_u32(number),
    };
    replaced.unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// What the value of an attribute means that is written so.
pub(in crate::extract) fn decode_value(written: &str) -> Cow<'_, str> {
    let next = |text: &str| memchr3(b'&', b'\r', b'\0', text.as_bytes());
    let Some(mut special) = next(written) else { return Cow::Borrowed(written) };
    let (mut value, mut rest) = (String::with_capacity(written.len()), written);
    loop {
        value.push_str(&rest[..special]);
        let found = rest.as_bytes()[special];
        rest = &rest[special + 1..];
        match found {
            b'\r' => {
                value.push('\n');
                rest = rest.strip_prefix('\n').unwrap_or(rest);
            }
            b'\0' => value.push(char::REPLACEMENT_CHARACTER),
            _ => match Reference::read(rest, Place::Attribute) {
                Some(Reference { first, second, length }) => {
                    value.push(first);
                    value.extend(second);
                    rest = &rest[length..];
                }
                None => value.push('&'),
            },
        }
        let Some(at) = next(rest) else { break };
        special = at;
    }
    value.push_str(rest);
    Cow::Owned(value)
}

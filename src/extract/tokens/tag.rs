//! Tags and their attributes (WHATWG HTML, sections 13.2.5.8 and 13.2.5.32 to 40).

use std::borrow::Cow;
use std::ops::Range;

use html5ever::LocalName;
use memchr::memchr;

use super::references::decode_value;
use crate::extract::names::Name;

/// A tag.
#[derive(Debug)]
pub(in crate::extract) struct Tag<'t> {
    pub(in crate::extract) name: Name,
    pub(in crate::extract) is_self_closing: bool,
    /// What stands between the name and the end, that included.
    rest: &'t str,
}

impl<'t> Tag<'t> {
    /// Reads the tag whose name `text` begins with. Gives it, unless the text ends before, and its length.
    pub(super) fn read(text: &'t str, names: &mut Names<Name>) -> (Option<Self>, usize) {
        let name = text.bytes().position(|byte| ENDS.is(byte, TAG_NAME)).unwrap_or(text.len());
        let mut attributes = Attributes::new(&text[name..]);
        while attributes.advance().is_some() {}
        let end = name + attributes.at;
        if end == text.len() {
            return (None, end);
        }
        let is_self_closing = attributes.is_self_closing;
        (Some(Self { name: names.find(&text[..name]), is_self_closing, rest: &text[name..=end] }), end + 1)
    }

    /// Its attributes as they are written, also those that are written twice.
    pub(in crate::extract) fn attributes(&self) -> impl Iterator<Item = Attribute<'t>> + use<'t> {
        Attributes::new(self.rest)
    }

    /// The value of its attribute called `name`, in lower case.
    pub(in crate::extract) fn attribute(&self, name: &str) -> Option<Cow<'t, str>> {
        self.attributes().find(|attribute| attribute.is_called(name)).map(|attribute| decode_value(attribute.value))
    }
}

/// An attribute as it is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::extract) struct Attribute<'t> {
    name: &'t str,
    value: &'t str,
}

impl<'t> Attribute<'t> {
    /// Whether this is its name, given in lower case.
    pub(in crate::extract) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Its interned name.
    pub(in crate::extract) fn name(&self, names: &mut AttributeNames) -> LocalName {
        names.find(self.name)
    }

    /// What its value means.
    pub(in crate::extract) fn value(&self) -> Cow<'t, str> {
        decode_value(self.value)
    }
}

/// Goes through the attributes of a tag, up to the `>` that ends it.
struct Attributes<'t> {
    text: &'t str,
    at: usize,
    is_self_closing: bool,
}

/// Where the name and the value of an attribute stand.
type Span = (Range<usize>, Range<usize>);

impl<'t> Attributes<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, is_self_closing: false }
    }

    /// The next byte; none where the text ends, which ends everything.
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Goes on to a byte that ends `what`, or to the end of the text.
    fn skip_to_end_of(&mut self, what: u8) {
        while self.peek().is_some_and(|byte| !ENDS.is(byte, what)) {
            self.at += 1;
        }
    }

    /// Goes over the next attribute.
    fn advance(&mut self) -> Option<Span> {
        loop {
            self.skip_space();
            match self.peek()? {
                b'>' => return None,
                b'/' => {
                    self.at += 1;
                    self.is_self_closing = self.peek() == Some(b'>');
                }
                _ => break,
            }
        }
        let from = self.at;
        // A name may begin with `=`.
        self.at += 1;
        self.skip_to_end_of(NAME);
        let name = from..self.at;
        self.skip_space();
        if self.peek()? != b'=' {
            return Some((name, 0..0));
        }
        self.at += 1;
        Some((name, self.value()?))
    }

    /// Goes over the value behind a `=`. There is none where the text ends before it does.
    fn value(&mut self) -> Option<Range<usize>> {
        self.skip_space();
        let first = self.peek()?;
        let from = self.at;
        if matches!(first, b'"' | b'\'') {
            let from = from + 1;
            let length = memchr(first, &self.text.as_bytes()[from..]);
            self.at = length.map_or(self.text.len(), |length| from + length + 1);
            return length.map(|length| from..from + length);
        }
        self.skip_to_end_of(VALUE);
        Some(from..self.at)
    }
}

impl<'t> Iterator for Attributes<'t> {
    type Item = Attribute<'t>;

    fn next(&mut self) -> Option<Attribute<'t>> {
        let (name, value) = self.advance()?;
        Some(Attribute { name: &self.text[name], value: &self.text[value] })
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// What each byte ends: a table, since most bytes of a page's markup are asked.
struct Ends([u8; 256]);

/// The name of a tag.
const TAG_NAME: u8 = 1;
/// The name of an attribute.
const NAME: u8 = 2;
/// A value without quotes.
const VALUE: u8 = 4;

static ENDS: Ends = {
    let mut ends = [0; 256];
    let spaces = b" \t\n\r\x0c";
    let mut at = 0;
    while at < spaces.len() {
        ends[spaces[at] as usize] = TAG_NAME | NAME | VALUE;
        at += 1;
    }
    ends[b'>' as usize] = TAG_NAME | NAME | VALUE;
    ends[b'/' as usize] = TAG_NAME | NAME;
    ends[b'=' as usize] = NAME;
    Ends(ends)
};

impl Ends {
    fn is(&self, byte: u8, what: u8) -> bool {
        self.0[usize::from(byte)] & what != 0
    }
}

/// What was found for the names that were seen last. Looking one up among all that HTML knows takes longer than reading a
/// tag, and a page uses few.
#[derive(Debug)]
pub(in crate::extract) struct Names<T>(Box<[(u128, T); SLOTS]>);

/// The names of attributes.
pub(in crate::extract) type AttributeNames = Names<LocalName>;

const BITS: u32 = 7;
const SLOTS: usize = 1 << BITS;

impl<T: Default> Default for Names<T> {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| (0, T::default()))))
    }
}

impl<T: Clone + From<LocalName>> Names<T> {
    /// What belongs to the name that is written so.
    pub(super) fn find(&mut self, written: &str) -> T {
        let Some(packed) = pack(written) else { return intern(written).into() };
        let slot = &mut self.0[slot(packed)];
        if slot.0 != packed {
            *slot = (packed, intern(written).into());
        }
        slot.1.clone()
    }
}

/// A short name in lower case as a number, never zero.
fn pack(name: &str) -> Option<u128> {
    let is_short = name.len() <= size_of::<u128>();
    // Two names that differ in nothing but a leading NUL would be one.
    let can_be = is_short && !name.starts_with('\0');
    can_be.then(|| name.bytes().fold(0, |packed, byte| packed << 8 | u128::from(byte.to_ascii_lowercase())))
}

/// Fibonacci hashing (Knuth, TAOCP vol. 3, section 6.4).
fn slot(packed: u128) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "both halves of the number are used")]
    let folded = packed as u64 ^ (packed >> u64::BITS) as u64;
    usize::try_from(folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS)).unwrap_or(0)
}

fn intern(written: &str) -> LocalName {
    if written.bytes().all(|byte| byte != 0 && !byte.is_ascii_uppercase()) {
        return LocalName::from(written);
    }
    LocalName::from(written.to_ascii_lowercase().replace('\0', "\u{fffd}"))
}

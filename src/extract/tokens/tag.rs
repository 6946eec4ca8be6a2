//! Tags and their attributes (WHATWG HTML, sections 13.2.5.8 and 13.2.5.32 to 40).

use std::borrow::Cow;
use std::ops::Range;

use html5ever::LocalName;
use memchr::memchr;

use super::references::decode_value;
use super::words;
use crate::extract::names::Name;

/// A tag.
#[derive(Debug, Default)]
pub(in crate::extract) struct Tag<'t> {
    pub(in crate::extract) name: Name,
    pub(in crate::extract) is_self_closing: bool,
    /// What stands between the name and the end, that included.
    rest: &'t str,
}

impl<'t> Tag<'t> {
    /// Becomes the tag whose name `text` begins with. Gives its length; none where the text ends before it does.
    pub(super) fn read(&mut self, text: &'t str, names: &mut Names<Name>) -> Option<usize> {
        let name = end_of(text.as_bytes(), TAG_NAME);
        // Most tags are nothing but a name.
        let (length, is_self_closing) = match *text.as_bytes().get(name)? {
            b'>' => (0, false),
            _ => skip_attributes(&text[name..])?,
        };
        self.name.clone_from(names.find(text, name));
        self.is_self_closing = is_self_closing;
        self.rest = &text[name..=name + length];
        Some(name + length + 1)
    }

    /// Its length as a start tag, where its name is written as it is meant but for case: it has no NUL.
    pub(in crate::extract) fn len(&self) -> usize {
        "<".len() + self.name.len() + self.rest.len()
    }

    /// Its attributes as they are written, also those that are written twice.
    pub(in crate::extract) fn attributes(&self) -> impl Iterator<Item = Attribute<'t>> + use<'t> {
        Attributes::new(self.rest)
    }

    /// The value of its attribute called `name`, in lower case.
    pub(in crate::extract) fn attribute(&self, name: &str) -> Option<Cow<'t, str>> {
        self.attributes().find(|attribute| attribute.is_called(name)).map(|attribute| attribute.value())
    }

    /// The values of its attributes called `names`, in lower case.
    pub(in crate::extract) fn values<const N: usize>(&self, names: [&str; N]) -> [Option<Cow<'t, str>>; N] {
        let mut values = [const { None }; N];
        for attribute in self.attributes() {
            let wanted = names.iter().position(|name| attribute.is_called(name));
            if let Some(wanted) = wanted
                && values[wanted].is_none()
            {
                values[wanted] = Some(attribute.value());
            }
        }
        values
    }
}

/// Where the tag ends whose attributes `text` begins with, and whether it closes itself.
fn skip_attributes(text: &str) -> Option<(usize, bool)> {
    let mut attributes = Attributes::new(text);
    while attributes.advance().is_some() {}
    (attributes.at < text.len()).then_some((attributes.at, attributes.is_self_closing))
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
        names.find(self.name, self.name.len()).clone()
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
        self.at += end_of(&self.text.as_bytes()[self.at..], what);
    }

    /// Goes over the next attribute.
    #[expect(clippy::inline_always, reason = "where attributes are only passed over, nothing of them need be made")]
    #[inline(always)]
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
            let rest = &self.text.as_bytes()[from..];
            let length = match words::find::<4>(rest, |word| words::mark(word, first)) {
                Ok(length) => Some(length),
                Err(passed) => memchr(first, &rest[passed..]).map(|length| passed + length),
            };
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

/// Where a byte is that ends `what`, or the length.
fn end_of(bytes: &[u8], what: u8) -> usize {
    // Marks all that end anything, and a little else: what is below the digits, and `<=>?`.
    let near = words::find::<1>(bytes, |word| words::mark_below(word, b'0') | words::mark_four(word, b'<'));
    let (Ok(passed) | Err(passed)) = near;
    let rest = &bytes[passed..];
    passed + rest.iter().position(|&byte| ENDS.is(byte, what)).unwrap_or(rest.len())
}

/// What was found for the names that were seen last. Looking one up among all that HTML knows takes longer than reading a
/// tag, and a page uses few.
#[derive(Debug)]
pub(in crate::extract) struct Names<T>([(u64, T); SLOTS]);

/// The names of attributes.
pub(in crate::extract) type AttributeNames = Names<LocalName>;

const BITS: u32 = 7;
const SLOTS: usize = 1 << BITS;

impl<T: Default> Default for Names<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| (0, T::default())))
    }
}

impl<T: From<LocalName>> Names<T> {
    /// What belongs to the name that the first `length` bytes of `text` are.
    pub(super) fn find(&mut self, text: &str, length: usize) -> &T {
        let key = key(text.as_bytes(), length);
        // Fibonacci hashing (Knuth, TAOCP vol. 3, section 6.4).
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS);
        let slot = &mut self.0[usize::try_from(hash).unwrap_or(0)];
        if slot.0 != key || key == 0 {
            *slot = (key, intern(&text[..length]).into());
        }
        &slot.1
    }
}

/// A short name in lower case as a number; zero for one that is long or ends in a NUL.
fn key(bytes: &[u8], length: usize) -> u64 {
    if length > size_of::<u64>() || bytes[length - 1] == 0 {
        return 0;
    }
    let word = words::load(bytes).unwrap_or_else(|| {
        let mut padded = [0; size_of::<u64>()];
        padded[..length].copy_from_slice(&bytes[..length]);
        u64::from_le_bytes(padded)
    });
    words::lower_case(word, length)
}

fn intern(written: &str) -> LocalName {
    if written.bytes().all(|byte| byte != 0 && !byte.is_ascii_uppercase()) {
        return LocalName::from(written);
    }
    LocalName::from(written.to_ascii_lowercase().replace('\0', "\u{fffd}"))
}

//! Paths, and the patterns that they match (RFC 9309, sections 2.2.2 and 2.2.3).

use memchr::memmem;
use url::{Position, Url};

/// The pattern of an `Allow` or `Disallow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// In canonical form: a `*` stands for any octets, everything else for itself.
    text: Vec<u8>,
    /// Whether it has to match up to the end.
    is_anchored: bool,
}

impl Pattern {
    /// Reads a value; none where it is empty, which forbids and allows nothing.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (value, is_anchored) = match value.strip_suffix('$') {
            Some(value) => (value, true),
            None => (value, false),
        };
        if value.is_empty() && !is_anchored {
            return None;
        }
        let mut text = Vec::with_capacity(value.len() + 1);
        if !value.starts_with(['/', '*']) {
            text.push(b'/');
        }
        canonicalize(value.as_bytes(), true, &mut text);
        Some(Self { text, is_anchored })
    }

    /// How specific it is: its length in octets.
    pub(super) fn len(&self) -> usize {
        self.text.len() + usize::from(self.is_anchored)
    }

    /// Whether it matches a [`path`], in time linear in the lengths of both: what stands between two `*` is looked for
    /// where it comes first, as a later place could not help what follows.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let mut parts = self.text.split(|&byte| byte == b'*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = path.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return !self.is_anchored || rest.is_empty() };
        for part in parts {
            let Some(at) = memmem::find(rest, part) else { return false };
            rest = &rest[at + part.len()..];
        }
        if self.is_anchored { rest.ends_with(last) } else { memmem::find(rest, last).is_some() }
    }
}

/// What of a URL is matched: its path and query in canonical form.
pub(super) fn path(url: &Url) -> Vec<u8> {
    let written = &url[Position::BeforePath..Position::AfterQuery];
    let mut path = Vec::with_capacity(written.len() + 1);
    if !written.starts_with('/') {
        path.push(b'/');
    }
    canonicalize(written.as_bytes(), false, &mut path);
    path
}

/// Writes octets so that what means the same is written alike: an encoded octet that needs no encoding is decoded,
/// one that does is encoded, in upper case. A reserved octet stays as it is, as `/a%2Fb` is not `/a/b`; but in a query
/// `:`, `/`, `?` and `@` mean nothing of their own. A `*` is written as `%2A` where it is none of a pattern.
fn canonicalize(octets: &[u8], is_pattern: bool, to: &mut Vec<u8>) {
    let (mut rest, mut in_query) = (octets, false);
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        let decoded = (octet == b'%').then(|| decode(after)).flatten();
        if decoded.is_some() {
            rest = &after[2..];
        }
        in_query |= octet == b'?';
        let is_plain = match decoded.unwrap_or(octet) {
            // The URL Standard encodes `'` in a query, and nowhere else.
            octet if is_unreserved(octet) || octet == b'\'' => true,
            b':' | b'/' | b'?' | b'@' if in_query => true,
            b'*' => is_pattern && decoded.is_none(),
            b'$' => false,
            octet => decoded.is_none() && b"!&()+,;=:@/?#[]%".contains(&octet),
        };
        encode(decoded.unwrap_or(octet), is_plain, to);
    }
}

fn encode(octet: u8, is_plain: bool, to: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if is_plain {
        to.push(octet);
    } else {
        to.extend([b'%', DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
}

/// What the two digits behind a `%` stand for.
fn decode(after: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

/// RFC 3986, section 2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, target: &str) -> bool {
        let url = Url::parse("http://a.test/").unwrap().join(target).unwrap();
        Pattern::parse(pattern).unwrap().matches(&path(&url))
    }

    #[test]
    fn a_pattern_is_a_prefix_with_wildcards() {
        for (pattern, target, expected) in [
            ("/fish", "/fishheads/yummy.html", true),
            ("/fish", "/Fish", false),
            ("/fish", "/catfish", false),
            ("/fish*", "/fish", true),
            ("/fish/", "/fish", false),
            ("/*.php", "/folder/any.php.file?x", true),
            ("/*.php$", "/a.php", true),
            ("/*.php$", "/a.php?x", false),
            ("/*.php$", "/a.php/b.php", true),
            ("/fish*.php", "/fishheads/catfish.php", true),
            ("/*?", "/a?b", true),
            ("/*?", "/a", false),
            ("/$", "/", true),
            ("/$", "/a", false),
            ("$", "/", true),
            ("$", "/a", false),
            ("*", "/", true),
            ("*/private", "/a/private/b", true),
            ("/a**b", "/ab", true),
            ("/ab*b$", "/ab", false),
            ("/a$b", "/a$b", true),
            ("admin", "/admin/", true),
            ("admin", "/x/admin/", false),
        ] {
            assert_eq!(matches(pattern, target), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        for (pattern, target, expected) in [
            ("/%62%61%7A", "/baz", true),
            ("/baz", "/%62%61%7A", true),
            ("/ツ", "/%E3%83%84", true),
            ("/%e3%83%84", "/ツ", true),
            ("/a%2fb", "/a/b", false),
            ("/a%2fb", "/a%2Fb", true),
            ("/a%2A", "/a*", true),
            ("/a%2A", "/ab", false),
            ("/a%24", "/a$", true),
            ("/a%24", "/a", false),
            ("/a b", "/a%20b", true),
            ("/?u=https://a.test", "/?u=https%3A%2F%2Fa.test", true),
            ("/?a=1%26b", "/?a=1&b", false),
            ("/100%", "/100%", true),
            ("/?it's", "/?it's", true),
        ] {
            assert_eq!(matches(pattern, target), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_linear_time() {
        // Backtracking would not end: 10⁶⁰ ways to place the letters.
        let pattern = Pattern::parse(&format!("/{}$", "a*".repeat(100_000))).unwrap();
        let other = Pattern::parse(&format!("/{}b$", "*a".repeat(10_000))).unwrap();
        let long = format!("/{}", "a".repeat(200_000)).into_bytes();
        assert!(pattern.matches(&long));
        assert!(!other.matches(&long));
    }

    /// The definition, written as such.
    fn is_match(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] | [b'$'] => pattern.is_empty() || path.is_empty(),
            [b'*', rest @ ..] => (0..=path.len()).any(|at| is_match(rest, &path[at..])),
            [first, rest @ ..] => path.first() == Some(first) && is_match(rest, &path[1..]),
        }
    }

    proptest! {
        #[test]
        fn matching_is_what_the_standard_defines(pattern in "/[ab*]{0,8}[$]?", path in "/[ab]{0,10}") {
            let parsed = Pattern::parse(&pattern).unwrap();
            prop_assert_eq!(parsed.matches(path.as_bytes()), is_match(pattern.as_bytes(), path.as_bytes()));
        }

        #[test]
        fn the_canonical_form_is_its_own(octets in prop::collection::vec(any::<u8>(), 0..40)) {
            let (mut once, mut twice) = (Vec::new(), Vec::new());
            canonicalize(&octets, false, &mut once);
            canonicalize(&once, false, &mut twice);
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn a_path_is_matched_by_itself(target in "/\\PC{0,30}") {
            prop_assume!(!target.contains(['*', '#', '\\']) && !target.ends_with('$') && !target.contains("/."));
            prop_assume!(!target.starts_with("//") && !target.contains("%2") && !target.ends_with(char::is_whitespace));
            prop_assert!(matches(&target, &target), "{}", target);
        }
    }
}

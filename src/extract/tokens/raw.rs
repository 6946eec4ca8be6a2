//! Where an element ends whose content is text.

use memchr::{memchr, memchr_iter, memchr2};

use super::tag::is_space;

/// Where the end tag called `name` begins that ends RCDATA or raw text (WHATWG HTML, sections 13.2.5.9 to 14).
pub(super) fn find_end(text: &str, name: &str) -> Option<usize> {
    memchr_iter(b'<', text.as_bytes()).find(|&at| is_end_tag(&text.as_bytes()[at..], name))
}

/// Whether `text`, which begins with `<`, begins with the end tag called `name`.
fn is_end_tag(text: &[u8], name: &str) -> bool {
    text.get(1) == Some(&b'/') && is_word(&text[2..], name)
}

/// Whether `text` begins with `word` and what ends a name.
fn is_word(text: &[u8], word: &str) -> bool {
    let (Some(start), Some(&after)) = (text.get(..word.len()), text.get(word.len())) else { return false };
    start.eq_ignore_ascii_case(word.as_bytes()) && ends_name(after)
}

fn ends_name(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'/' | b'>')
}

/// How script data is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Plain,
    /// After `<!--`.
    Escaped,
    /// After `<script` in there: an end tag ends only that.
    DoubleEscaped,
}

/// Where the end tag begins that ends script data (WHATWG HTML, sections 13.2.5.15 to 31).
pub(super) fn find_script_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut state, mut at) = (Script::Plain, 0);
    loop {
        at += match state {
            Script::Plain => memchr(b'<', &bytes[at..])?,
            Script::Escaped | Script::DoubleEscaped => memchr2(b'<', b'-', &bytes[at..])?,
        };
        let rest = &bytes[at..];
        if rest[0] == b'-' {
            let dashes = rest.iter().take_while(|&&byte| byte == b'-').count();
            at += dashes;
            if dashes >= 2 && bytes.get(at) == Some(&b'>') {
                state = Script::Plain;
            }
            continue;
        }
        match state {
            Script::Plain | Script::Escaped if is_end_tag(rest, "script") => return Some(at),
            Script::Plain if rest.starts_with(b"<!--") => {
                state = Script::Escaped;
                // Its dashes may be those of the end.
                at += "<!".len();
                continue;
            }
            Script::Escaped if is_word(&rest[1..], "script") => state = Script::DoubleEscaped,
            Script::DoubleEscaped if is_end_tag(rest, "script") => state = Script::Escaped,
            _ => {}
        }
        at += 1;
    }
}

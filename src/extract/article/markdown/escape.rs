//! What has to be escaped so that it is text and nothing else (`CommonMark` 0.31, sections 2.4 and 6; GFM's tables and
//! strikethrough).

/// Appends a piece of text to a line, with a backslash before each character that would act.
pub(super) fn push_escaped(line: &mut String, text: &str) {
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let acts = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' => true,
            // Within a word it is a letter.
            '_' => {
                let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                !(is_letter(line.chars().next_back()) && is_letter(rest.chars().next()))
            }
            '&' => is_reference(rest),
            _ => false,
        };
        if acts {
            line.push('\\');
        }
        line.push(c);
    }
}

/// Whether what follows an ampersand makes a character reference of it, or may when more comes.
fn is_reference(rest: &str) -> bool {
    /// The longest name has 31 letters.
    const LONGEST: usize = 32;
    let name = rest.strip_prefix('#').unwrap_or(rest).as_bytes();
    let length = name.iter().take(LONGEST).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    length < LONGEST && name.get(length).is_none_or(|end| length > 0 && *end == b';')
}

/// Where in a line a backslash has to be put so that it begins no block: a heading, a list, a quotation, a rule, a table.
pub(super) fn block_start(line: &str) -> Option<usize> {
    let first = line.chars().next()?;
    let ends_word = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    let acts = match first {
        '>' => true,
        '#' => ends_word(line.trim_start_matches('#')),
        '-' | '+' => ends_word(&line[1..]),
        _ => false,
    };
    // An underline of a heading, or that of a table's head.
    if acts || line.bytes().all(|byte| b"-=:|+ ".contains(&byte)) {
        return Some(0);
    }
    let number = line.bytes().take_while(u8::is_ascii_digit).count();
    let behind = line[number..].strip_prefix(['.', ')']);
    behind.filter(|rest| (1..=9).contains(&number) && ends_word(rest)).map(|_| number)
}

/// Appends a URL as the destination of a link.
pub(super) fn push_destination(out: &mut String, url: &str) {
    for (at, c) in url.char_indices() {
        match c {
            '(' | ')' | '\\' => out.extend(['\\', c]),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            ' ' => out.push_str("%20"),
            '&' if is_reference(&url[at + 1..]) => out.push_str("&amp;"),
            c if c.is_ascii_control() => {}
            c => out.push(c),
        }
    }
}

/// Appends a code span: its fence is longer than any run of backticks in it.
pub(super) fn push_code(line: &mut String, code: &str) {
    let fence = "`".repeat(longest_run(code) + 1);
    let pad = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
    line.extend([&fence, pad, code, pad, &fence]);
}

/// The length of the longest run of backticks.
pub(super) fn longest_run(code: &str) -> usize {
    code.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_escaped() {
        let escaped = |text| {
            let mut line = String::new();
            push_escaped(&mut line, text);
            line
        };
        assert_eq!(escaped(r"a*b_c [x] <b> `\~"), r"a\*b_c \[x\] \<b> \`\\\~");
        assert_eq!(escaped("_a_ snake_case 1_000"), r"\_a\_ snake_case 1_000");
        assert_eq!(escaped("R&D &lt; &#60; & AT&T, x&"), r"R&D \&lt; \&#60; & AT&T, x\&");
    }

    #[test]
    fn lines_that_would_begin_a_block_are_found() {
        for (line, at) in [
            ("# a", Some(0)),
            ("#", Some(0)),
            ("#a", None),
            ("- a", Some(0)),
            ("-5", None),
            ("+ a", Some(0)),
            ("---", Some(0)),
            ("- - -", Some(0)),
            ("===", Some(0)),
            (":-- | --:", Some(0)),
            ("> a", Some(0)),
            (">a", Some(0)),
            ("1. a", Some(1)),
            ("12) a", Some(2)),
            ("3.14", None),
            ("1234567890. a", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(block_start(line), at, "{line:?}");
        }
    }

    #[test]
    fn a_fence_is_longer_than_what_is_within() {
        let code = |code| {
            let mut line = String::new();
            push_code(&mut line, code);
            line
        };
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
    }

    #[test]
    fn a_destination_ends_where_it_ends() {
        let mut out = String::new();
        push_destination(&mut out, "http://a.test/b_(c)?d&e=1&amp;f <\n");
        assert_eq!(out, r"http://a.test/b_\(c\)?d&e=1&amp;amp;f%20%3C");
    }
}

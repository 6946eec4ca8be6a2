//! References in text: the five entities that XML has, and numbers. Nothing else is ever expanded.

/// What a text in XML says, without white space around it.
///
/// A reference that is none stays as it is written, as addresses with a bare `&` are common. Where the document declares
/// entities of its own, a text that uses one is none.
pub(super) fn resolve(text: &[u8], has_entities: bool) -> Option<String> {
    let text = String::from_utf8_lossy(text.trim_ascii());
    let mut resolved = String::with_capacity(text.len());
    let mut parts = text.split('&');
    resolved.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap_or((part, ""));
        match character(name).filter(|_| name.len() < part.len()) {
            Some(c) => {
                resolved.push(c);
                resolved.push_str(rest);
            }
            None if has_entities && is_name(name) && name.len() < part.len() => return None,
            None => {
                resolved.push('&');
                resolved.push_str(part);
            }
        }
    }
    Some(resolved.trim().to_owned())
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?).filter(|&c| c != '\0')
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_entities_and_numbers_are_resolved() {
        for (text, expected) in [
            ("a&amp;b&#38;c&#x26;d", "a&b&c&d"),
            ("&lt;&gt;&quot;&apos;", "<>\"'"),
            ("?a=1&b=2", "?a=1&b=2"),
            ("?a=1&b=2;c", "?a=1&b=2;c"),
            ("&amp", "&amp"),
            ("&amp;amp;", "&amp;"),
            ("&eacute;", "&eacute;"),
            ("&#xD800;&#0;&#;&;", "&#xD800;&#0;&#;&;"),
            ("  a\n", "a"),
        ] {
            assert_eq!(resolve(text.as_bytes(), false).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_entity_of_the_documents_own_is_never_expanded() {
        assert_eq!(resolve(b"http://a.test/&c;", true), None);
        assert_eq!(resolve(b"http://a.test/?a&amp;b", true).as_deref(), Some("http://a.test/?a&b"));
        assert_eq!(resolve(b"http://a.test/?a&b=1", true).as_deref(), Some("http://a.test/?a&b=1"));
    }
}

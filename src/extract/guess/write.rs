//! A proposal as TOML.

use std::fmt::{self, Display, Formatter, Write};

use super::Proposal;

/// How many characters of an example are shown.
const EXAMPLE: usize = 60;

impl Display for Proposal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "# {}", plain(note))?;
        }
        writeln!(f, "[[recipe]]")?;
        match &*self.matching {
            [] => {}
            [one] => writeln!(f, "match = {}", quoted(one))?,
            several => writeln!(f, "match = [{}]", list(several))?,
        }
        if let Some(items) = &self.items {
            writeln!(f, "items = {}  # {} in this page", quoted(items), self.count)?;
        }
        if !self.required.is_empty() {
            writeln!(f, "required = [{}]", list(&self.required))?;
        }
        if let Some(next) = &self.next {
            writeln!(f, "next = {}", quoted(next))?;
        }
        writeln!(f, "\n[recipe.fields]")?;
        for field in &self.fields {
            write!(f, "{} = {}", key(&field.name), quoted(&field.expression))?;
            let part = (field.filled < self.count).then(|| format!("in {} of {}: ", field.filled, self.count));
            match &field.example {
                Some(example) => writeln!(f, "  # {}{}", part.unwrap_or_default(), shortened(&plain(example)))?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

fn key(name: &str) -> String {
    let is_bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A string of TOML: a literal one where that needs no escapes.
fn quoted(text: &str) -> String {
    let needs_escapes = text.contains(['"', '\\']);
    if needs_escapes && !text.contains('\'') && !text.contains(is_odd) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_odd(c) => {
                // Writing to a text cannot fail.
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// What may stand in a comment, and does no harm to a terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_whitespace() {
                ' '
            } else if is_odd(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// What a terminal takes for a command, or shows where it does not stand.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(EXAMPLE) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

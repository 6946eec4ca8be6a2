//! The head of a record.

use std::fmt::Write as _;

/// The named fields of a record, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    fields: Vec<(String, String)>,
}

impl Header {
    /// Adds a field. What could end its line becomes a space.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        let mut value = value.into();
        if value.contains(char::is_control) {
            value = value.replace(char::is_control, " ");
        }
        self.fields.push((name.into(), value));
    }

    /// Sets a field that is there.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        if let Some((_, old)) = self.fields.iter_mut().find(|(known, _)| known == name) {
            *old = value.into();
        }
    }

    /// Removes the fields of this name, in upper or lower case.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// The value of the first field of this name, in upper or lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// The values of all fields of this name.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_called = move |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.fields.iter().filter(is_called).map(|(_, value)| value.as_str())
    }

    /// What kind of record it is; empty where it does not tell.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.get("WARC-Type").unwrap_or_default()
    }

    /// The value of a field that is a URI, without the angle brackets that some have around it.
    #[must_use]
    pub fn uri(&self, name: &str) -> Option<&str> {
        let value = self.get(name)?;
        Some(value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).unwrap_or(value))
    }

    /// Reads fields, a line each: the head of a record without its first line, or a block of `application/warc-fields`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut header = Self::default();
        for line in text.split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
            match (line.starts_with([' ', '\t']), header.fields.last_mut(), line.split_once(':')) {
                (true, Some((_, value)), _) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (false, _, Some((name, value))) => header.fields.push((name.trim().into(), value.trim().into())),
                _ => {}
            }
        }
        header
    }

    /// The fields, a line each.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.fields {
            // Writing to a string cannot fail.
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_leniently() {
        let text = b"WARC-Type: response\nwarc-target-uri:<http://a.test/>\r\nnonsense\nX: y\n\tz\n: v";
        let header = Header::parse(text);
        assert_eq!((header.kind(), header.uri("WARC-Target-URI")), ("response", Some("http://a.test/")));
        assert_eq!((header.get("x"), header.get("y")), (Some("y z"), None));
        assert_eq!(Header::parse(b"A: <http://a.test/>").uri("a"), Some("http://a.test/"));
    }

    #[test]
    fn no_value_ends_its_line() {
        let mut header = Header::default();
        header.push("A", "b\r\nC: d");
        assert_eq!(header.to_text(), "A: b  C: d\r\n");
    }
}

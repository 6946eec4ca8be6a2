//! How far the text of an expectation has been read.

/// A text and a place in it, at which no white space stands.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut cursor = Self { text, at: 0 };
        cursor.pass(0);
        cursor
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The byte at which what comes next starts.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes `token` if it comes next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.pass(token.len());
        }
        is_next
    }

    /// Takes `word` if it comes next, as a whole.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let start = self.at;
        let is_next = self.word() == word;
        if !is_next {
            self.at = start;
        }
        is_next
    }

    /// Takes a word of the characters that names have. It may be empty.
    pub(super) fn word(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    }

    /// Takes what a number consists of. It may be empty.
    pub(super) fn digits(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_digit() || "-.".contains(c))
    }

    /// Takes what stands between `delimiter`, which comes next, and the next one without a backslash before it.
    pub(super) fn enclosed(&mut self, delimiter: char) -> Option<&'a str> {
        let inner = self.rest().strip_prefix(delimiter)?;
        let mut is_escaped = false;
        let end = inner.find(|c| {
            let is_end = c == delimiter && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        })?;
        self.pass(end + 2 * delimiter.len_utf8());
        Some(&inner[..end])
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes over so many bytes and the white space behind them.
    fn pass(&mut self, bytes: usize) {
        self.at = self.text.len() - self.text[self.at + bytes..].trim_start().len();
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        self.pass(taken.len());
        taken
    }
}

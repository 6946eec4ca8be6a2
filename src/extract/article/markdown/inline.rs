//! Text with emphasis, links, images, code: what stands on one or more lines.

use super::escape::{block_start, push_code, push_destination, push_escaped};

/// How text is set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emphasis {
    Emphatic,
    Strong,
    Struck,
}

impl Emphasis {
    fn delimiter(self) -> &'static str {
        match self {
            Self::Emphatic => "*",
            Self::Strong => "**",
            Self::Struck => "~~",
        }
    }
}

/// Emphasis that is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    emphasis: Emphasis,
    /// Where its delimiter begins, and how long that is: one within another of its kind has none.
    start: usize,
    width: usize,
}

/// Emphasis that is closed: where its delimiters begin and end.
#[derive(Clone, Copy, Debug)]
struct Closed {
    emphasis: Emphasis,
    start: usize,
    end: usize,
}

/// A line that is being put together; a hard break in it begins another one.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    /// White space was there, and is written before what comes next.
    has_space: bool,
    open: Vec<Open>,
    /// What was closed last, as long as nothing is written behind it.
    closed: Option<Closed>,
    /// The link that is open: where it begins, and where it leads.
    link: Option<(usize, String)>,
    /// The code that is open.
    code: Option<String>,
}

impl Line {
    /// Appends text; runs of white space become a space.
    pub(super) fn push(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        for (nth, word) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            self.has_space |= nth > 0;
            if let Some(first) = word.chars().next() {
                self.write_space();
                self.part_from(first);
                push_escaped(&mut self.text, word);
                self.closed = None;
            }
        }
    }

    /// Sets what follows apart by a space.
    pub(super) fn space(&mut self) {
        match &mut self.code {
            Some(code) => code.push(' '),
            None => self.has_space = true,
        }
    }

    /// Breaks the line. Tells whether it did: at the start of one there is nothing to break.
    pub(super) fn break_hard(&mut self) -> bool {
        let is_start = self.text.ends_with('\n') || self.just_opened() == 0;
        if self.code.is_some() || is_start {
            self.space();
            return false;
        }
        self.text.push_str("\\\n");
        (self.has_space, self.closed) = (false, None);
        true
    }

    /// Begins emphasis.
    pub(super) fn open_emphasis(&mut self, emphasis: Emphasis) {
        self.write_space();
        let is_within = self.open.iter().any(|open| open.emphasis == emphasis);
        let width = if is_within || self.code.is_some() { 0 } else { emphasis.delimiter().len() };
        let last = self.closed.take().filter(|last| last.emphasis == emphasis && width > 0);
        // It goes on where one has just ended.
        if let Some(last) = last.filter(|last| self.link.as_ref().is_none_or(|(start, _)| *start <= last.start)) {
            self.text.truncate(last.end - width);
            self.open.push(Open { emphasis, start: last.start, width });
            return;
        }
        self.open.push(Open { emphasis, start: self.text.len(), width });
        self.text.push_str(&emphasis.delimiter()[..width]);
    }

    /// Ends the emphasis that began last.
    pub(super) fn close_emphasis(&mut self) {
        let Some(Open { emphasis, start, width }) = self.open.pop().filter(|open| open.width > 0) else { return };
        if self.text.ends_with('\n') {
            self.text.truncate(self.text.len() - "\\\n".len());
            self.has_space = true;
        }
        let inner = &self.text[start + width..];
        let (lead, trail) = (inner.len() - inner.trim_start().len(), inner.len() - inner.trim_end().len());
        if inner.len() == lead {
            return self.remove(start, width);
        }
        // A delimiter at white space does not act, whichever that is: it stands around the word.
        let trail = self.text.split_off(self.text.len() - trail);
        let white: String = self.text.drain(start + width..start + width + lead).collect();
        self.text.insert_str(start, &white);
        let start = start + lead;
        // One between a letter and punctuation does not either (`CommonMark`, section 6.2).
        let before = self.text[..start].chars().next_back();
        let first = self.text[start + width..].chars().next();
        if before.is_some_and(char::is_alphanumeric) && !first.is_some_and(char::is_alphanumeric) {
            self.remove(start, width);
        } else {
            self.text.push_str(emphasis.delimiter());
            self.closed = Some(Closed { emphasis, start, end: self.text.len() });
        }
        if !trail.is_empty() {
            self.text.push_str(&trail);
            self.closed = None;
        }
    }

    /// Takes the delimiters of what was closed last away, if they do not act before the character that follows.
    fn part_from(&mut self, next: char) {
        let Some(Closed { emphasis, start, end }) = self.closed.take() else { return };
        // A link begins with a bracket, which is written when it ends.
        let next = if self.link.as_ref().is_some_and(|(start, _)| *start == end) { '[' } else { next };
        let width = emphasis.delimiter().len();
        let last = self.text[..end - width].chars().next_back();
        if next.is_alphanumeric() && !last.is_some_and(char::is_alphanumeric) {
            self.remove(end - width, width);
            self.remove(start, width);
        }
    }

    /// Takes a delimiter away.
    fn remove(&mut self, at: usize, width: usize) {
        self.text.replace_range(at..at + width, "");
        if let Some((start, _)) = self.link.as_mut().filter(|(start, _)| *start > at) {
            *start -= width;
        }
        if let Some(closed) = self.closed.as_mut().filter(|closed| closed.start > at) {
            closed.start -= width;
            closed.end -= width;
        }
    }

    /// Begins a link. A link has none within.
    pub(super) fn open_link(&mut self, url: String) {
        if self.code.is_none() && self.link.is_none() {
            self.write_space();
            self.link = Some((self.text.len(), url));
        }
    }

    /// Ends the link, if there is one.
    pub(super) fn close_link(&mut self) {
        if self.code.is_some() {
            return;
        }
        let Some((start, url)) = self.link.take() else { return };
        // Emphasis that it began with, and that goes on behind it, cannot be.
        if start >= self.text.len() || self.open.last().is_some_and(|open| open.start >= start) {
            return;
        }
        self.text.insert(start, '[');
        if self.text[..start].ends_with('!') {
            self.text.insert(start - 1, '\\');
        }
        self.text.push_str("](");
        push_destination(&mut self.text, &url);
        self.text.push(')');
        self.closed = None;
    }

    /// Appends an image.
    pub(super) fn push_image(&mut self, alt: &str, url: &str) {
        if self.code.is_some() {
            return;
        }
        self.write_space();
        self.part_from('!');
        self.text.push_str("![");
        let mut words = alt.split_ascii_whitespace();
        if let Some(first) = words.next() {
            push_escaped(&mut self.text, first);
        }
        for word in words {
            self.text.push(' ');
            push_escaped(&mut self.text, word);
        }
        self.text.push_str("](");
        push_destination(&mut self.text, url);
        self.text.push(')');
    }

    /// Begins code. Tells whether it did: code has none within.
    pub(super) fn open_code(&mut self) -> bool {
        let is_first = self.code.is_none();
        if is_first {
            self.code = Some(String::new());
        }
        is_first
    }

    /// Ends the code.
    pub(super) fn close_code(&mut self) {
        let Some(code) = self.code.take() else { return };
        let words: Vec<_> = code.split_ascii_whitespace().collect();
        self.has_space |= code.starts_with(|c: char| c.is_ascii_whitespace());
        if words.is_empty() {
            return;
        }
        self.write_space();
        // Two in a row would be one.
        if self.text.ends_with('`') {
            self.text.push(' ');
        }
        self.part_from('`');
        push_code(&mut self.text, &words.join(" "));
        self.closed = None;
        self.has_space |= code.ends_with(|c: char| c.is_ascii_whitespace());
    }

    /// Where the emphasis begins that has nothing in it yet; the end where there is none.
    fn just_opened(&self) -> usize {
        let empty = self.open.iter().rev().scan(self.text.len(), |end, open| {
            (open.start + open.width == *end).then(|| *end = open.start)?;
            Some(*end)
        });
        empty.last().unwrap_or(self.text.len())
    }

    /// Writes the space that is due: before the delimiters of emphasis that has nothing in it yet.
    fn write_space(&mut self) {
        let at = self.just_opened();
        let is_due = std::mem::take(&mut self.has_space) && self.code.is_none();
        if !is_due || at == 0 || self.text[..at].ends_with(['\n', ' ']) {
            return;
        }
        self.text.insert(at, ' ');
        self.closed = None;
        self.open.iter_mut().rev().take_while(|open| open.start >= at).for_each(|open| open.start += 1);
        if let Some((start, _)) = self.link.as_mut().filter(|(start, _)| *start >= at) {
            *start += 1;
        }
    }

    /// Ends all that is open, and gives the text. Emphasis goes on in the next one, and so does a link that has nothing
    /// in it yet.
    pub(super) fn take(&mut self) -> String {
        let open = self.open.clone();
        let link = self.link.clone().filter(|(start, _)| *start >= self.just_opened());
        while !self.open.is_empty() {
            self.close_emphasis();
        }
        self.close_link();
        let mut text = std::mem::take(&mut self.text);
        text.truncate(text.trim_end_matches(' ').len());
        if text.ends_with('\n') {
            text.truncate(text.len() - "\\\n".len());
        }
        (self.has_space, self.closed) = (false, None);
        for open in open {
            self.open_emphasis(open.emphasis);
        }
        self.link = link.map(|(_, url)| (self.text.len(), url));
        text
    }
}

/// The lines of a paragraph, none of which begins another block.
pub(super) fn lines(text: &str) -> impl Iterator<Item = String> {
    text.split('\n').map(|line| {
        let mut line = line.to_owned();
        if let Some(at) = block_start(&line) {
            line.insert(at, '\\');
        }
        line
    })
}

//! Blocks one below the other, in quotations and lists.

/// How deep quotations and lists are nested; what is deeper stands beside. Each line repeats the marks of all.
const DEPTH: usize = 32;

/// The largest number of a list's item (`CommonMark`, section 5.2).
const LARGEST: u32 = 999_999_999;

/// What blocks stand in.
#[derive(Debug)]
struct Container {
    /// What its first line begins with: `> `, `- `, `1. `.
    mark: String,
    /// Whether that is written.
    is_begun: bool,
    is_quote: bool,
}

/// A list.
#[derive(Debug)]
struct List {
    /// The number of its next item; none where they have none.
    number: Option<u32>,
    /// What is its bullet, or stands behind its number.
    sign: char,
    /// Whether an item of it was written last.
    has_items: bool,
    /// How many containers it is in.
    depth: usize,
    /// Whether it is too deep.
    is_flat: bool,
}

/// Markdown that is being written.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    out: String,
    containers: Vec<Container>,
    lists: Vec<List>,
    /// The sign of the list that has just ended: another one needs another sign, or it would be the same list.
    ended: Option<char>,
    /// Whether the next block follows without an empty line: it is an item of a list that has begun.
    is_close: bool,
}

impl Blocks {
    /// Whether a list cannot be begun or a quotation entered.
    fn is_full(&self) -> bool {
        self.containers.len() >= DEPTH
    }

    /// Begins a quotation. Tells whether it did.
    pub(super) fn open_quote(&mut self) -> bool {
        let is_new = !self.is_full();
        if is_new {
            self.containers.push(Container { mark: "> ".into(), is_begun: false, is_quote: true });
        }
        is_new
    }

    /// Begins a list, numbered from a number.
    pub(super) fn open_list(&mut self, number: Option<u32>) {
        let signs = if number.is_some() { ['.', ')'] } else { ['-', '*'] };
        let sign = signs[usize::from(self.ended == Some(signs[0]))];
        let number = number.map(|number| number.min(LARGEST));
        self.lists.push(List { number, sign, has_items: false, depth: self.containers.len(), is_flat: self.is_full() });
    }

    pub(super) fn close_list(&mut self) {
        self.ended = self.lists.pop().filter(|list| list.has_items).map(|list| list.sign);
        self.is_close = false;
        self.break_list();
    }

    /// Ends the list, for its reader, if something stands between its items.
    fn break_list(&mut self) {
        if let Some(list) = self.lists.last_mut().filter(|list| list.depth == self.containers.len()) {
            list.has_items = false;
        }
    }

    /// Begins an item of the list. Tells whether it did: there may be none.
    pub(super) fn open_item(&mut self) -> bool {
        let outer = self.containers.last().filter(|outer| !outer.is_quote);
        let (is_nested, is_first) =
            (outer.is_some_and(|outer| outer.is_begun), outer.is_some_and(|outer| !outer.is_begun));
        let Some(list) = self.lists.last_mut().filter(|list| !list.is_flat) else { return false };
        let mark = match list.number {
            Some(number) => format!("{number}{} ", list.sign),
            None => format!("{} ", list.sign),
        };
        // Only a list from 1 may follow a paragraph at once.
        let is_from_one = list.number.is_none_or(|number| number == 1);
        self.is_close = list.has_items || is_nested && is_from_one || is_first && self.is_close;
        list.number = list.number.map(|number| (number + 1).min(LARGEST));
        self.containers.push(Container { mark, is_begun: false, is_quote: false });
        self.ended = None;
        true
    }

    /// Ends the quotation or item that began last.
    pub(super) fn close_container(&mut self) {
        let Some(container) = self.containers.pop() else { return };
        self.ended = None;
        if !container.is_quote {
            if let Some(list) = self.lists.last_mut() {
                list.has_items |= container.is_begun;
            }
            self.is_close = false;
        }
    }

    /// Writes a block.
    pub(super) fn write<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        for (nth, line) in lines.into_iter().enumerate() {
            if nth == 0 && !self.out.is_empty() && !self.is_close {
                self.write_line("", |container| container.is_begun);
            }
            self.write_line(line, |_| true);
            self.containers.iter_mut().for_each(|container| container.is_begun = true);
        }
        (self.is_close, self.ended) = (false, None);
        self.break_list();
    }

    fn write_line(&mut self, line: &str, is_in: impl Fn(&Container) -> bool) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let start = self.out.len();
        for container in self.containers.iter().filter(|container| is_in(container)) {
            match container {
                Container { is_begun: false, mark, .. } | Container { is_quote: true, mark, .. } => {
                    self.out.push_str(mark);
                }
                Container { mark, .. } => self.out.extend(std::iter::repeat_n(' ', mark.len())),
            }
        }
        if line.is_empty() {
            let end = self.out[start..].trim_end_matches(' ').len();
            self.out.truncate(start + end);
        }
        self.out.push_str(line);
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

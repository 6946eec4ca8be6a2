//! Tables (GitHub Flavored Markdown, section 4.10).

use super::super::super::names::is_any;
use super::super::Article;
use super::super::survey::Event;

/// How many columns a cell is wide at most; the browsers' limit is 1000 (WHATWG HTML, section 4.9.11).
const WIDEST: usize = 16;

/// A table whose cells are being collected. How many rows a cell is high is not heeded: Markdown has no such thing.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// Whether each row has nothing but heads.
    is_head: bool,
}

impl Table {
    pub(super) fn open_row(&mut self) {
        self.rows.push(Vec::new());
    }

    /// Adds a cell. `is_head` tells of the row's first ones whether it is a row of heads.
    pub(super) fn push(&mut self, cell: &str, columns: Option<&str>, is_head: bool) {
        if self.rows.is_empty() {
            self.open_row();
        }
        self.is_head = if self.rows.len() == 1 { is_head && (self.is_head || self.is_fresh()) } else { self.is_head };
        let columns = columns.and_then(|columns| columns.trim().parse().ok()).unwrap_or(1).clamp(1, WIDEST);
        if let Some(row) = self.rows.last_mut() {
            row.push(cell.replace("\\\n", " ").replace('|', "\\|"));
            row.extend(std::iter::repeat_n(String::new(), columns - 1));
        }
    }

    fn is_fresh(&self) -> bool {
        self.rows.iter().all(Vec::is_empty)
    }

    /// Its lines. A table has a head: an empty one where it has none.
    pub(super) fn lines(mut self) -> Vec<String> {
        self.rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        let width = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        if width == 0 {
            return Vec::new();
        }
        let mut head = if self.is_head { self.rows.remove(0) } else { Vec::new() };
        head.resize(width, String::new());
        let rule = vec!["---".to_owned(); width];
        [&head, &rule].into_iter().chain(&self.rows).map(|row| format!("| {} |", row.join(" | "))).collect()
    }
}

impl Article<'_> {
    /// Whether a table is one of data, not of layout: it has several rows and columns, and no blocks in its cells.
    ///
    /// This ends at the next table, so that no text is looked at more than twice.
    pub(super) fn is_data_table(&self, table: usize) -> bool {
        let element = &self.survey.elements[table];
        let (mut rows, mut columns, mut widest) = (0, 0, 0);
        for event in &self.survey.events[element.enter + 1..element.leave] {
            let Event::Enter(index) = *event else { continue };
            let name = self.survey.elements[index].name();
            if is_any!(*name,
                "table" "ul" "ol" "dl" "pre" "blockquote" "h1" "h2" "h3" "h4" "h5" "h6" "article" "section" "hr"
            ) {
                return false;
            }
            if is_any!(*name, "tr") {
                (rows, columns) = (rows + 1, 0);
            } else if is_any!(*name, "td" "th") {
                columns += 1;
                widest = widest.max(columns);
            }
        }
        rows >= 2 && widest >= 2
    }
}

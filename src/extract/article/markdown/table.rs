//! Tables (GitHub Flavored Markdown, section 4.10).

use super::super::super::names::is_any;
use super::super::Article;
use super::super::survey::Event;

/// How many columns a cell is wide at most; the browsers' limit is 1000 (WHATWG HTML, section 4.9.11).
const WIDEST: usize = 16;

/// A table whose cells are being collected. How many rows a cell is high is not heeded: Markdown has no such thing.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

#[derive(Debug, Default)]
struct Row {
    cells: Vec<String>,
    /// Whether one of its cells is no head.
    has_data: bool,
}

impl Table {
    pub(super) fn open_row(&mut self) {
        self.rows.push(Row::default());
    }

    /// Adds a cell, which may be several columns wide.
    pub(super) fn push(&mut self, cell: &str, columns: Option<&str>, is_head: bool) {
        let columns = columns.and_then(|columns| columns.trim().parse().ok()).unwrap_or(1).clamp(1, WIDEST);
        let Some(row) = self.rows.last_mut() else { return };
        row.has_data |= !is_head;
        row.cells.push(cell.replace('|', "\\|"));
        row.cells.extend(std::iter::repeat_n(String::new(), columns - 1));
    }

    /// Its lines. A table has a head: an empty one where it has none.
    pub(super) fn lines(mut self) -> Vec<String> {
        self.rows.retain(|row| row.cells.iter().any(|cell| !cell.is_empty()));
        let width = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let mut head = match self.rows.first() {
            Some(first) if first.has_data => Vec::new(),
            Some(_) => self.rows.remove(0).cells,
            None => return Vec::new(),
        };
        head.resize(width, String::new());
        let rule = vec!["---".to_owned(); width];
        let rows = self.rows.iter().map(|row| &row.cells);
        [&head, &rule].into_iter().chain(rows).map(|cells| format!("| {} |", cells.join(" | "))).collect()
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

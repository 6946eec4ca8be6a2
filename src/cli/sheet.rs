//! A text for a person: sections of labelled lines, harmless to a terminal whatever they quote.

use std::fmt::Write;

use anstyle::{AnsiColor, Color, Style};

use crate::sink::neutralise;

/// What a sheet is shown on.
#[derive(Clone, Copy)]
pub(super) struct Screen {
    pub(super) width: usize,
    pub(super) color: bool,
}

/// Before a label, and behind it.
const INDENT: usize = 2;
const GAP: usize = 2;
/// The columns of a label and what stands around it.
const LABEL: usize = INDENT + "certificate".len() + GAP;

const HEADING: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));
pub(super) const BAD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));

/// The text so far.
pub(super) struct Sheet {
    text: String,
    screen: Screen,
}

// Writing to a string does not fail.
impl Sheet {
    pub(super) fn new(screen: Screen) -> Self {
        Self { text: String::new(), screen }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn paint(&self, text: &str, style: Style) -> String {
        let style = if self.screen.color { style } else { Style::new() };
        format!("{style}{text}{style:#}")
    }

    pub(super) fn heading(&mut self, title: &str, note: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        let space = if note.is_empty() { "" } else { "  " };
        let _ = writeln!(self.text, "{gap}{}{space}{}", self.paint(title, HEADING), neutralise(note));
    }

    pub(super) fn line(&mut self, label: &str, text: &str) {
        self.styled(label, text, Style::new());
    }

    pub(super) fn styled(&mut self, label: &str, text: &str, style: Style) {
        let label = self.paint(&format!("{label:<0$}", LABEL - GAP - INDENT), DIM);
        let text = self.paint(&neutralise(text), style);
        let _ = writeln!(self.text, "{:INDENT$}{label}{:GAP$}{text}", "", "");
    }

    /// The columns behind a label.
    pub(super) fn room(&self) -> usize {
        self.screen.width.saturating_sub(LABEL)
    }

    /// A line in one piece, however long.
    pub(super) fn whole(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:INDENT$}{}", "", neutralise(text));
    }
}

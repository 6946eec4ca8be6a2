//! A sitemap that is a list of URLs, one a line.

use super::document::Document;
use super::{Entry, Kind, Role};

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 16 << 10;

/// Takes text, and hands on the URLs in it.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What has come of the current line, and whether that was too much.
    line: String,
    is_too_long: bool,
}

impl Lines {
    /// Takes the next piece. What is no list after all, but a document in XML behind a few words, comes back.
    pub(super) fn push<'t>(
        &mut self,
        mut piece: &'t str,
        document: &mut Document,
        accept: &mut dyn FnMut(Entry),
    ) -> Option<&'t str> {
        while let Some(end) = piece.find(['\n', '\r']) {
            self.extend(&piece[..end]);
            self.end(document, accept);
            piece = &piece[end + 1..];
            let is_empty = self.line.is_empty() && document.report().entries == 0;
            if is_empty && piece.trim_start().starts_with('<') {
                return Some(piece);
            }
        }
        self.extend(piece);
        None
    }

    fn extend(&mut self, text: &str) {
        self.is_too_long |= self.line.len() + text.len() > MAX_LINE;
        if !self.is_too_long {
            self.line.push_str(text);
        }
    }

    /// Ends a line: what does not begin like a URL is none.
    pub(super) fn end(&mut self, document: &mut Document, accept: &mut dyn FnMut(Entry)) {
        let line = self.line.trim();
        let has_scheme = ["http://", "https://"]
            .iter()
            .any(|scheme| line.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        let base = document.url().clone();
        let report = document.report();
        report.kind = Some(Kind::Text);
        if has_scheme && !self.is_too_long {
            if let Some(url) = super::address(&base, line, report) {
                report.entries += 1;
                accept(Entry { url, role: Role::Page, modified: None, priority: None, frequency: None });
            }
        } else if !line.is_empty() || self.is_too_long {
            report.invalid += 1;
        }
        self.line.clear();
        self.is_too_long = false;
    }
}

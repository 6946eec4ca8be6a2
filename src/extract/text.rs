//! Text as a reader sees it: white space collapsed, blocks on lines of their own.

use std::ops::Range;

use html5ever::LocalName;

use super::names::is_any;

/// What stands between two pieces of text. The largest that was asked for is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    #[default]
    None,
    Space,
    /// Between the cells of a table.
    Tab,
    /// Between blocks.
    Line,
}

/// What is reserved for a text, in bytes.
const LINE: usize = 64;

/// Text that is being put together, in one piece or several.
#[derive(Debug, Default)]
pub(super) struct Prose {
    text: String,
    /// Where the last piece begins.
    start: usize,
    gap: Gap,
}

impl Prose {
    /// Appends text, with each run of ASCII white space made one space.
    pub(super) fn push(&mut self, text: &str) {
        let mut rest = text;
        loop {
            let word = rest.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(rest.len());
            self.push_verbatim(&rest[..word]);
            if word == rest.len() {
                return;
            }
            self.set_apart(Gap::Space);
            rest = &rest[word + 1..];
        }
    }

    /// Appends text with its white space.
    pub(super) fn push_verbatim(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.text.is_empty() {
            // Most are a line or less: growing to that step by step costs more than reading it.
            self.text.reserve(text.len().max(LINE));
        }
        if self.text.len() > self.start {
            match self.gap {
                Gap::None => {}
                Gap::Space => self.text.push(' '),
                Gap::Tab => self.text.push('\t'),
                Gap::Line => self.text.push('\n'),
            }
        }
        self.gap = Gap::None;
        self.text.push_str(text);
    }

    /// Sets what follows apart from what was before.
    pub(super) fn set_apart(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// The length so far in bytes.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Ends the piece, and tells where in the text it stands: without white space around it.
    pub(super) fn cut(&mut self) -> Range<usize> {
        let start = self.start;
        self.text.truncate(start + self.text[start..].trim_ascii_end().len());
        (self.start, self.gap) = (self.text.len(), Gap::None);
        start..self.start
    }

    /// The text, all pieces of it, without white space around the last.
    pub(super) fn finish(mut self) -> String {
        self.cut();
        self.text
    }
}

/// A text with each run of ASCII white space made one space.
pub(super) fn collapse(text: &str) -> String {
    let mut prose = Prose::default();
    prose.push(text);
    prose.finish()
}

/// How an HTML element is set apart from what is around it.
pub(super) fn gap_around(name: &LocalName) -> Gap {
    if is_any!(*name, "td" "th") {
        Gap::Tab
    } else if is_any!(*name,
        "address" "article" "aside" "blockquote" "body" "br" "caption" "center" "dd" "details" "dialog" "dir" "div"
        "dl" "dt" "fieldset" "figcaption" "figure" "footer" "form" "h1" "h2" "h3" "h4" "h5" "h6" "header" "hgroup"
        "hr" "legend" "li" "listing" "main" "menu" "nav" "ol" "optgroup" "option" "p" "plaintext" "pre" "search"
        "section" "select" "summary" "table" "tbody" "tfoot" "thead" "tr" "ul" "xmp"
    ) {
        Gap::Line
    } else {
        Gap::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_is_collapsed_across_pieces() {
        let mut prose = Prose::default();
        for piece in ["  a ", "\n b", "c", "\u{a0}d  "] {
            prose.push(piece);
        }
        assert_eq!(prose.finish(), "a bc\u{a0}d");
    }

    #[test]
    fn the_widest_gap_wins() {
        let mut prose = Prose::default();
        prose.set_apart(Gap::Line);
        prose.push("a ");
        prose.set_apart(Gap::Line);
        prose.set_apart(Gap::Tab);
        prose.push(" b");
        assert_eq!(prose.finish(), "a\nb");
    }

    #[test]
    fn pieces_have_nothing_between_them() {
        let mut prose = Prose::default();
        let pieces = ["a b ", "", " \n", " c"].map(|piece| {
            prose.push(piece);
            prose.set_apart(Gap::Line);
            prose.cut()
        });
        let text = prose.finish();
        assert_eq!(pieces.map(|piece| text[piece].to_owned()), ["a b", "", "", "c"]);
    }

    proptest! {
        #[test]
        fn where_text_is_cut_does_not_matter(text in "[ab \n\t\u{a0}é]{0,20}", at in 0usize..20) {
            let (mut whole, mut pieces) = (Prose::default(), Prose::default());
            let at = text.floor_char_boundary(at.min(text.len()));
            whole.push(&text);
            pieces.push(&text[..at]);
            pieces.push(&text[at..]);
            prop_assert_eq!(whole.finish(), pieces.finish());
        }
    }
}

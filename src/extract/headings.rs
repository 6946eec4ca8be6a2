//! The headings of a page.

use std::ops::Range;

use crate::value::{Table, Value};

/// The headings of a page, in order.
#[derive(Debug, Default)]
pub(super) struct Headings {
    pub(super) list: Vec<Heading>,
    /// The texts of all.
    pub(super) texts: String,
}

#[derive(Debug)]
pub(super) struct Heading {
    /// 1 to 6.
    pub(super) level: u8,
    /// Where its text stands.
    pub(super) text: Range<usize>,
}

impl Headings {
    /// The text of the first one of level 1.
    pub(super) fn h1(&self) -> Option<&str> {
        let h1 = self.list.iter().find(|heading| heading.level == 1)?;
        Some(&self.texts[h1.text.clone()])
    }

    /// They as a value.
    pub(super) fn to_value(&self) -> Value<'static> {
        let mut table = Table::new(&["level", "text"], self.list.len());
        for Heading { level, text } in &self.list {
            table.push_int((*level).into());
            table.push_text(Some(&self.texts[text.clone()]));
        }
        Value::Table(table)
    }
}

//! Lists of maps that are alike, packed.

use std::ops::Range;
use std::sync::OnceLock;

use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::Value;

/// A list of maps that all have the same keys, such as the links of a page. All their texts are kept in one: a page has
/// hundreds, and memory for each costs more than reading it.
#[derive(Clone, Debug)]
pub struct Table {
    keys: &'static [&'static str],
    /// The rows one after the other, as many cells each as there are keys.
    cells: Vec<Cell>,
    text: String,
    /// What it is as JSON, where that is written more than once.
    json: OnceLock<Box<[u8]>>,
}

#[derive(Clone, Debug)]
enum Cell {
    Null,
    Bool(bool),
    Int(u64),
    /// Where its text stands.
    Str(Range<usize>),
}

impl Table {
    /// A list of `room` maps with these `keys`, of which there is at least one, to be filled.
    #[must_use]
    pub fn new(keys: &'static [&'static str], room: usize) -> Self {
        Self { keys, cells: Vec::with_capacity(room * keys.len()), text: String::new(), json: OnceLock::new() }
    }

    /// How many maps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len() / self.keys.len()
    }

    /// Whether there is no map.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes of memory its maps take.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.cells) + self.text.len()
    }

    /// Appends a truth value to the map that is being filled; a map is complete with its last key.
    pub fn push_bool(&mut self, truth: bool) {
        self.cells.push(Cell::Bool(truth));
    }

    /// Appends a number.
    pub fn push_int(&mut self, number: u64) {
        self.cells.push(Cell::Int(number));
    }

    /// Appends a text, or null where there is none.
    pub fn push_text(&mut self, text: Option<&str>) {
        let cell = text.map_or(Cell::Null, |text| {
            let start = self.text.len();
            self.text.push_str(text);
            Cell::Str(start..self.text.len())
        });
        self.cells.push(cell);
    }

    /// Appends the text that `write` appends to what it is given, where that gives something. Otherwise nothing changes.
    pub fn push_written(&mut self, write: impl FnOnce(&mut String) -> Option<()>) -> Option<()> {
        let start = self.text.len();
        if write(&mut self.text).is_none() {
            self.text.truncate(start);
            return None;
        }
        self.cells.push(Cell::Str(start..self.text.len()));
        Some(())
    }

    /// What it is as JSON, if that is [known](Self::know_json).
    pub(crate) fn json(&self) -> Option<&[u8]> {
        self.json.get().map(|json| &**json)
    }

    /// Takes note of what it is as JSON, since whoever writes it next takes less time to copy that. It is filled by then.
    pub(crate) fn know_json(&self, json: &[u8]) {
        self.json.get_or_init(|| json.into());
    }

    /// The maps, each as its keys and values.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = impl Iterator<Item = (&'static str, Value<'_>)>> {
        let value = |cell: &Cell| match cell {
            Cell::Null => Value::Null,
            Cell::Bool(truth) => Value::Bool(*truth),
            Cell::Int(number) => Value::Int(*number),
            Cell::Str(range) => Value::from(&self.text[range.clone()]),
        };
        let keys = self.keys.iter().copied();
        self.cells.chunks_exact(self.keys.len()).map(move |cells| keys.clone().zip(cells.iter().map(value)))
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len()))?;
        for row in self.rows() {
            seq.serialize_element(&Value::Map(row.map(|(key, value)| (key.into(), value)).collect()))?;
        }
        seq.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_list_of_maps() {
        let mut table = Table::new(&["a", "b"], 2);
        assert!(table.is_empty());
        table.push_text(Some("x"));
        table.push_int(1);
        table.push_text(None);
        table.push_bool(true);
        assert_eq!(table.len(), 2);
        assert_eq!(Value::Table(table).to_cell(), r#"[{"a":"x","b":1},{"a":null,"b":true}]"#);
    }

    #[test]
    fn what_was_not_written_leaves_no_trace() {
        let mut table = Table::new(&["a"], 0);
        let mut write = |text: &str, is_fine: bool| {
            table.push_written(|all| {
                all.push_str(text);
                is_fine.then_some(())
            })
        };
        assert_eq!([write("x", true), write("y", false), write("", true)], [Some(()), None, Some(())]);
        assert_eq!(Value::Table(table).to_cell(), r#"[{"a":"x"},{"a":""}]"#);
    }
}

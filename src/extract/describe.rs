//! What the fields of a row hold, for the schema.

use super::{Extractor, Step};

/// A field of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds.
    pub help: &'static str,
    /// The JSON type of its value, as a JSON Schema in JSON.
    pub schema: &'static str,
}

impl Extractor {
    /// What a row's values are, in their order. Each may be null as well: a page that did not come has none.
    pub fn describe(&self) -> impl Iterator<Item = Description<'_>> {
        self.names.iter().zip(&self.steps).map(|(name, step)| {
            let (help, schema) = match step {
                Step::Field(field) => (field.help, field.schema),
                Step::Pick(pick) if pick.is_list => {
                    ("of all matches", r#"{"type": ["array", "null"], "items": {"type": "string"}}"#)
                }
                Step::Pick(_) => ("of the first match", r#"{"type": ["string", "null"]}"#),
                Step::Custom(_) => ("of your own", "{}"),
            };
            Description { name, help, schema }
        })
    }
}

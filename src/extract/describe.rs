//! What the fields of a row hold, for the schema.

use std::borrow::Cow;

use super::{Extractor, Step};

/// A field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds.
    pub help: &'static str,
    /// The JSON type of its value, as a JSON Schema in JSON.
    pub schema: Cow<'static, str>,
}

impl Extractor {
    /// What a row's values are, in their order. Each may be null as well: a page that did not come has none.
    pub fn describe(&self) -> impl Iterator<Item = Description<'_>> {
        self.names.iter().zip(&self.steps).map(|(name, step)| {
            let (help, schema) = match step {
                Step::Field(field) => (field.help, field.schema.into()),
                Step::Expression(expression) => (expression.help(), expression.schema().into()),
                Step::Recipe => ("by the page's recipe", self.schema_of_recipes(name).into()),
                Step::Custom(_) => ("of your own", "{}".into()),
            };
            Description { name, help, schema }
        })
    }

    /// What a field holds by all recipes that have it, as a JSON Schema in JSON.
    fn schema_of_recipes(&self, name: &str) -> String {
        let mut schemas: Vec<_> = self.recipes.iter().filter_map(|placed| placed.recipe.schema(name)).collect();
        schemas.sort_unstable();
        schemas.dedup();
        match &*schemas {
            [schema] => schema.clone(),
            schemas => format!(r#"{{"anyOf": [{}]}}"#, schemas.join(", ")),
        }
    }
}

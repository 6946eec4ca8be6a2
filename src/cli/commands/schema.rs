//! `scrape schema`: the JSON Schema of a record, from the tables that the record itself comes from; with `--recipe` alone, that
//! of a file of recipes.

use serde_json::{Map, Value, json};

use super::options;
use crate::cli::exit::{Status, Stop};
use crate::extract::{Ask, Extractor, RECIPE_SCHEMA};
use crate::failure::Kind;
use crate::record::COLUMNS;

pub(in crate::cli) fn run(asks: &[Ask]) -> Result<Status, Stop> {
    let extractor = options::extractor(asks)?;
    super::print(format!("{:#}\n", schema(&extractor)?).as_bytes())
}

/// Prints the schema of files of recipes.
pub(in crate::cli) fn run_for_recipes() -> Result<Status, Stop> {
    super::print(RECIPE_SCHEMA.as_bytes())
}

/// The schema of the records that `extractor` leads to; where nothing is asked for, of any record.
fn schema(extractor: &Extractor) -> Result<Value, Stop> {
    let mut properties = Map::new();
    for column in COLUMNS {
        properties.insert(column.name.into(), described(column.schema, column.help)?);
    }
    let kinds = Kind::ALL.map(Kind::slug);
    if let Some(kind) = properties.get_mut("error").and_then(|error| error.pointer_mut("/properties/kind")) {
        *kind = json!({"type": "string", "examples": kinds});
    }
    let mut fields = Map::new();
    for field in extractor.describe() {
        let mut schema = described(&field.schema, field.help)?;
        schema = json!({"anyOf": [schema, {"type": "null"}]});
        fields.insert(field.name.into(), schema);
    }
    let names: Vec<_> = fields.keys().cloned().collect();
    properties.insert(
        "fields".into(),
        json!({
            "description": "what was asked for with --extract, --select and --recipe",
            "type": "object",
            "properties": fields,
            "required": names,
        }),
    );
    let required: Vec<_> = properties.keys().cloned().collect();
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A record of scrape",
        "type": "object",
        "properties": properties,
        "required": required,
    }))
}

fn described(schema: &str, help: &str) -> Result<Value, Stop> {
    let mut schema: Value = serde_json::from_str(schema).map_err(Stop::usage)?;
    schema["description"] = help.into();
    Ok(schema)
}

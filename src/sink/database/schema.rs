//! The tables and views.

use std::collections::HashMap;

use rusqlite::{Connection, Result};
use serde_json::Value as Json;

use super::super::Options;
use super::Error;
use crate::record::{COLUMNS, Column};

/// What tells that a database is ours: `scrp`.
pub(super) const APPLICATION: u32 = u32::from_be_bytes(*b"scrp");

/// The version of the tables.
pub(super) const VERSION: u32 = 1;

/// What the tables have beside the record.
const OWN: [(&str, &str); 2] = [("item", "INTEGER NOT NULL"), ("host", "TEXT")];

/// What is no news, if it is all that has changed.
const VOLATILE: [&str; 5] = ["source", "elapsed_ms", "attempts", "fetched_at", "input"];

/// The columns of what a run writes, in this order: our own, the keys of the record, the fields.
#[derive(Debug)]
pub(super) struct Columns(Vec<(String, &'static str)>);

impl Columns {
    /// The columns for the fields of `options`.
    pub(super) fn new(options: &Options) -> Result<Self, Error> {
        let mut columns: Vec<_> = OWN.iter().map(|&(name, kind)| (name.to_owned(), kind)).collect();
        columns.extend(COLUMNS.iter().map(|column| (column.name.to_owned(), kind_of(column.schema))));
        let mut known: HashMap<String, &str> = HashMap::new();
        for (place, name) in options.fields.iter().enumerate() {
            let lower = name.to_ascii_lowercase();
            let is_taken =
                Column::find(&lower).is_some() || OWN.iter().any(|(own, _)| *own == lower) || lower == REPLACED;
            if let Some(other) = known.insert(lower, name) {
                return Err(Error::SameName(other.into(), name.clone()));
            }
            let kind = options.schemas.get(place).map_or("", |schema| kind_of(schema));
            columns.push((if is_taken { format!("fields.{name}") } else { name.to_string() }, kind));
        }
        Ok(Self(columns))
    }

    /// Makes the tables and views, or the columns that they lack.
    pub(super) fn prepare(&self, connection: &Connection) -> Result<()> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let pages = self.definitions();
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS pages ({pages}, PRIMARY KEY (url, item));
             CREATE TABLE IF NOT EXISTS history ({REPLACED} TEXT NOT NULL, {pages});
             CREATE INDEX IF NOT EXISTS history_url ON history (url, item);"
        ))?;
        let known = names(connection)?;
        for (name, kind) in &self.0 {
            if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                for table in ["pages", "history"] {
                    connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {} {kind}", quoted(name)))?;
                }
            }
        }
        connection.execute_batch(&views(&list(names(connection)?.iter().map(String::as_str))))?;
        connection.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT; PRAGMA synchronous = FULL;"
        ))?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
    }

    /// What puts a row into `pages`.
    pub(super) fn insertion(&self) -> String {
        let places = list_of(self.0.iter().enumerate().map(|(n, _)| format!("?{}", n + 1)));
        format!("INSERT OR REPLACE INTO pages ({}) VALUES ({places})", list(self.names()))
    }

    /// What moves the row that is to be replaced into `history`, if it says something else. It takes what the insertion takes,
    /// and the time.
    pub(super) fn farewell(&self, connection: &Connection) -> Result<String> {
        let names = names(connection)?;
        let told: Vec<_> = names.iter().filter(|name| !VOLATILE.contains(&&***name)).collect();
        let new = told.iter().map(|name| {
            let place = self.names().position(|own| own.eq_ignore_ascii_case(name));
            place.map_or_else(|| "NULL".to_owned(), |place| format!("?{}", place + 1))
        });
        let (all, old, new) =
            (list(names.iter().map(String::as_str)), list(told.iter().map(|name| &***name)), list_of(new));
        let [item, url] = ["item", "url"].map(|key| self.names().position(|name| name == key).unwrap_or_default() + 1);
        let now = self.0.len() + 1;
        Ok(format!(
            "INSERT INTO history ({REPLACED}, {all}) SELECT ?{now}, {all} FROM pages
             WHERE url = ?{url} AND item = ?{item} AND ({old}) IS NOT ({new})"
        ))
    }

    /// What moves the items of a URL (1) from a number (2) on into `history` at a time (3), and what removes them.
    pub(super) fn removals(connection: &Connection) -> Result<[String; 2]> {
        let all = list(names(connection)?.iter().map(String::as_str));
        Ok([
            format!(
                "INSERT INTO history ({REPLACED}, {all}) SELECT ?3, {all} FROM pages WHERE url = ?1 AND item >= ?2"
            ),
            "DELETE FROM pages WHERE url = ?1 AND item >= ?2".to_owned(),
        ])
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    fn definitions(&self) -> String {
        list_of(self.0.iter().map(|(name, kind)| format!("{} {kind}", quoted(name))))
    }
}

/// When a row of `history` was replaced.
const REPLACED: &str = "replaced_at";

/// The columns that `pages` has.
fn names(connection: &Connection) -> Result<Vec<String>> {
    let mut names = connection.prepare("SELECT name FROM pragma_table_info('pages')")?;
    names.query_map([], |row| row.get(0))?.collect()
}

/// What fails, the last version of each page that did not, and how each host did.
fn views(all: &str) -> String {
    format!(
        "DROP VIEW IF EXISTS failures;
         CREATE VIEW failures AS
             SELECT url, host, error ->> 'kind' AS kind, error ->> 'message' AS message, status, attempts, fetched_at
             FROM pages WHERE error IS NOT NULL AND item = 0;
         DROP VIEW IF EXISTS latest;
         CREATE VIEW latest AS
             SELECT {all} FROM pages WHERE error IS NULL
             UNION ALL
             SELECT {all} FROM history AS old WHERE error IS NULL
                 AND EXISTS (SELECT 1 FROM pages WHERE pages.url = old.url AND pages.error IS NOT NULL)
                 AND fetched_at = (SELECT max(fetched_at) FROM history WHERE url = old.url AND error IS NULL);
         DROP VIEW IF EXISTS hosts;
         CREATE VIEW hosts AS
             SELECT host, count(*) AS pages, sum(error IS NULL) AS fetched, sum(error IS NOT NULL) AS failed,
                 sum(bytes) AS bytes, avg(elapsed_ms) AS mean_elapsed_ms
             FROM pages WHERE item = 0 AND host IS NOT NULL GROUP BY host ORDER BY pages DESC;"
    )
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    list_of(names.map(quoted))
}

fn list_of(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The type of a column for what a JSON Schema describes; none where that may be of any.
fn kind_of(schema: &str) -> &'static str {
    let schema: Json = serde_json::from_str(schema).unwrap_or_default();
    let kinds: Vec<_> = match &schema["type"] {
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).filter(|kind| *kind != "null").collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    match &*kinds {
        ["boolean"] => "BOOLEAN",
        ["integer"] => "INTEGER",
        ["number"] => "REAL",
        ["string" | "array" | "object"] => "TEXT",
        _ if schema["const"].is_u64() => "INTEGER",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_the_type_of_its_schema() {
        for (schema, kind) in [
            (r#"{"const": 1}"#, "INTEGER"),
            (r#"{"type": ["boolean", "null"]}"#, "BOOLEAN"),
            (r#"{"type": "number"}"#, "REAL"),
            (r#"{"type": ["string", "null"], "format": "date-time"}"#, "TEXT"),
            (r#"{"type": "array"}"#, "TEXT"),
            (r#"{"type": ["string", "number"]}"#, ""),
            ("{}", ""),
        ] {
            assert_eq!(kind_of(schema), kind, "{schema}");
        }
    }

    #[test]
    fn names_that_sql_would_take_for_something_else_are_quoted() {
        assert_eq!(quoted("a\"; DROP TABLE pages; --"), "\"a\"\"; DROP TABLE pages; --\"");
    }
}

//! What the values of a field look like, and the Parquet type that holds such.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::{Type, TypePtr};

use super::column::{Column, Levels};
use crate::value::Value;

/// What values look like. Each may be null, and so may what is in them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Leaf(Leaf),
    List(Box<Shape>),
    /// Objects with these members.
    Struct(Vec<(Box<str>, Shape)>),
}

/// What a column of a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Bool,
    Int,
    Double,
    Text,
    /// A time in RFC 3339, as milliseconds since 1970.
    Time,
    /// The JSON of what has no type of its own.
    Json,
}

impl Shape {
    /// The shape of what a JSON Schema describes; where it leaves open what that is, there is nothing but JSON.
    pub(super) fn of(schema: &Value<'_>) -> Self {
        match &*kinds(schema) {
            ["boolean"] => Self::Leaf(Leaf::Bool),
            ["integer"] => Self::Leaf(Leaf::Int),
            ["number"] => Self::Leaf(Leaf::Double),
            ["string"] => match member(schema, "format").and_then(text) {
                Some("date-time") => Self::Leaf(Leaf::Time),
                _ => Self::Leaf(Leaf::Text),
            },
            ["array"] => Self::List(Box::new(member(schema, "items").map_or(Self::Leaf(Leaf::Json), Self::of))),
            ["object"] => match member(schema, "properties") {
                Some(Value::Map(members)) if !members.is_empty() => {
                    Self::Struct(members.iter().map(|(name, schema)| (Box::from(&**name), Self::of(schema))).collect())
                }
                _ => Self::Leaf(Leaf::Json),
            },
            _ => Self::Leaf(Leaf::Json),
        }
    }

    /// The type of a column, or of a group of them, that is called `name`.
    pub(super) fn to_type(&self, name: &str) -> Result<TypePtr> {
        let group = |name, logical, fields| {
            let group = Type::group_type_builder(name).with_logical_type(logical).with_fields(fields);
            group.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
        };
        match self {
            Self::Leaf(leaf) => leaf.to_type(name),
            // The names are those that the format asks for (Parquet, LogicalTypes, Lists).
            Self::List(items) => {
                let list = Type::group_type_builder("list").with_fields(vec![items.to_type("element")?]);
                let list = list.with_repetition(Repetition::REPEATED).build()?;
                group(name, Some(LogicalType::List), vec![Arc::new(list)])
            }
            Self::Struct(members) => {
                let members = members.iter().map(|(name, shape)| shape.to_type(name));
                group(name, None, members.collect::<Result<_>>()?)
            }
        }
    }

    /// The columns that hold it, in their order in the file.
    pub(super) fn columns(&self) -> Vec<Column> {
        self.columns_in_lists(0)
    }

    fn columns_in_lists(&self, lists: i16) -> Vec<Column> {
        match self {
            Self::Leaf(leaf) => vec![Column::new(*leaf, lists > 0)],
            Self::List(items) => items.columns_in_lists(lists + 1),
            Self::Struct(members) => members.iter().flat_map(|(_, shape)| shape.columns_in_lists(lists)).collect(),
        }
    }

    /// How many columns hold it.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::List(items) => items.width(),
            Self::Struct(members) => members.iter().map(|(_, shape)| shape.width()).sum(),
        }
    }

    /// Puts a value into its `columns`, taken apart as in Dremel (Melnik et al., VLDB 2010): each column gets what it holds of
    /// the value, or null, and of how many lists that is the next item and how much of what is around it is there.
    pub(super) fn put(&self, value: &Value<'_>, at: Levels, columns: &mut [Column]) {
        match (self, value) {
            (Self::Leaf(_), value) if !value.is_null() => {
                for column in columns {
                    column.push(value, at);
                }
            }
            (Self::List(items), Value::List(values)) => items.put_each(values.iter(), at, columns),
            (Self::List(items), Value::Table(table)) => {
                let maps = table.rows().map(|row| Value::Map(row.map(|(key, value)| (key.into(), value)).collect()));
                items.put_each(maps, at, columns);
            }
            (Self::Struct(members), Value::Map(_)) => {
                let mut rest = columns;
                for (name, shape) in members {
                    let (own, others) = rest.split_at_mut(shape.width());
                    shape.put(member(value, name).unwrap_or(&Value::Null), at.inside(), own);
                    rest = others;
                }
            }
            _ => Self::skip(at, columns),
        }
    }

    /// Puts a null.
    fn skip(at: Levels, columns: &mut [Column]) {
        for column in columns {
            column.skip(at);
        }
    }

    /// Puts the items of a list.
    fn put_each<'v, V: std::borrow::Borrow<Value<'v>>>(
        &self,
        items: impl ExactSizeIterator<Item = V>,
        at: Levels,
        columns: &mut [Column],
    ) {
        if items.len() == 0 {
            Self::skip(at.inside(), columns);
        }
        for (n, item) in items.enumerate() {
            self.put(item.borrow(), at.item(n), columns);
        }
    }
}

impl Leaf {
    fn to_type(self, name: &str) -> Result<TypePtr> {
        let (physical, logical) = match self {
            Self::Bool => (Physical::BOOLEAN, None),
            Self::Int => (Physical::INT64, None),
            Self::Double => (Physical::DOUBLE, None),
            Self::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
            Self::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        };
        let leaf = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        leaf.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
    }
}

/// The types that a schema allows, but null.
fn kinds<'v>(schema: &'v Value<'_>) -> Vec<&'v str> {
    let kinds = match (member(schema, "type"), member(schema, "const")) {
        (Some(Value::List(kinds)), _) => kinds.iter().filter_map(text).collect(),
        (Some(kind), _) => text(kind).into_iter().collect(),
        (None, Some(Value::Int(_))) => vec!["integer"],
        (None, _) => Vec::new(),
    };
    kinds.into_iter().filter(|kind| *kind != "null").collect()
}

fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    if let Value::Str(text) = value { Some(text) } else { None }
}

/// The member of a map that is called `name`.
fn member<'v, 'a>(map: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
    let Value::Map(members) = map else { return None };
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::FIELDS;
    use crate::record::COLUMNS;

    fn shape(schema: &str) -> Shape {
        Shape::of(&serde_json::from_str(schema).unwrap())
    }

    #[test]
    fn a_shape_is_what_the_schema_says() {
        let leaves = [
            (r#"{"const": 1}"#, Leaf::Int),
            (r#"{"type": ["boolean", "null"]}"#, Leaf::Bool),
            (r#"{"type": "number"}"#, Leaf::Double),
            (r#"{"type": ["string", "null"], "format": "date-time"}"#, Leaf::Time),
            (r#"{"type": ["string", "null"], "pattern": "^a$"}"#, Leaf::Text),
            (r#"{"type": ["string", "number", "null"]}"#, Leaf::Json),
            (r#"{"type": ["object", "null"]}"#, Leaf::Json),
            (r#"{"anyOf": [{"type": "string"}, {"type": "number"}]}"#, Leaf::Json),
            ("{}", Leaf::Json),
        ];
        for (schema, leaf) in leaves {
            assert_eq!(shape(schema), Shape::Leaf(leaf), "{schema}");
        }
        let nested = r#"{"type": "array", "items": {"type": "object", "properties": {"b": {"type": "integer"}, "a": {"type": "array"}}}}"#;
        let members =
            vec![("b".into(), Shape::Leaf(Leaf::Int)), ("a".into(), Shape::List(Box::new(Shape::Leaf(Leaf::Json))))];
        assert_eq!(shape(nested), Shape::List(Box::new(Shape::Struct(members))));
    }

    #[test]
    fn only_what_is_open_is_json() {
        let columns = COLUMNS.iter().map(|column| (column.name, column.schema));
        let all = columns.chain(FIELDS.iter().map(|field| (field.name, field.schema)));
        let json = all.filter(|(_, schema)| shape(schema).columns().iter().any(Column::is_json));
        assert_eq!(json.map(|(name, _)| name).collect::<Vec<_>>(), ["input", "jsonld", "microdata"]);
    }
}

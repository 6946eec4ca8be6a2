use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::sink::Format;
use crate::sink::sample::{self, Tape, hostile_text};
use crate::value::{Table, Value};

/// Options for fields of these names and schemas.
fn options(fields: &[(&str, &str)]) -> Options {
    let (names, schemas): (Vec<_>, Vec<_>) = fields.iter().map(|(name, schema)| (*name, Box::from(*schema))).unzip();
    Options { fields: sample::names(&names), schemas: schemas.into(), ..Options::default() }
}

fn write(options: &Options, outcomes: &[Outcome]) -> SerializedFileReader<Bytes> {
    let tape = Tape::default();
    let mut sink = Format::Parquet.sink(Lines::new("out", tape.clone()), options);
    for outcome in outcomes {
        sink.accept(outcome).unwrap();
    }
    sink.finish().unwrap();
    SerializedFileReader::new(Bytes::from(tape.writes().concat())).unwrap()
}

fn rows(file: &SerializedFileReader<Bytes>) -> Vec<Json> {
    file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_json_value()).collect()
}

/// What is read back of a field with these values, one a record.
fn field(schema: &str, values: Vec<Value<'static>>) -> Vec<Json> {
    let page = sample::with_rows(sample::page("t"), values.into_iter().map(|value| vec![value]));
    let rows = rows(&write(&options(&[("f", schema)]), &[page]));
    rows.into_iter().map(|mut row| row["f"].take()).collect()
}

#[test]
fn a_record_is_a_row_with_a_column_for_each_key_and_field() {
    let page = sample::with_rows(sample::page("a title"), [vec!["9,50".into(), Value::Int(3)]]);
    let options = options(&[("price", r#"{"type": ["string", "null"]}"#), ("url", r#"{"type": "integer"}"#)]);
    let file = write(&options, &[page, sample::rejected("::", "no host")]);
    let [page, rejected] = &rows(&file)[..] else { panic!("two rows") };
    let keys = COLUMNS.iter().map(|column| column.name).chain(["price", "fields.url"]);
    let schema = file.metadata().file_metadata().schema();
    assert_eq!(schema.get_fields().iter().map(|field| field.name()).collect::<Vec<_>>(), keys.collect::<Vec<_>>());
    assert_eq!((&page["price"], &page["fields.url"]), (&json!("9,50"), &json!(3)));
    assert_eq!((&page["v"], &page["status"], &page["elapsed_ms"]), (&json!(1), &json!(200), &json!(120)));
    assert_eq!(page["source"], json!({"file": "urls.txt", "line": 1}));
    assert_eq!((&page["redirects"], &page["error"]), (&json!([]), &Json::Null));
    assert_eq!(page["fetched_at"], "2026-11-22 10:30:00.500 +00:00");
    assert_eq!(rejected["error"], json!({"kind": "invalid_url", "message": "no host", "link": null}));
    assert!(["status", "fetched_at", "price", "fields.url"].iter().all(|key| rejected[key].is_null()), "{rejected}");
}

#[test]
fn an_empty_run_is_a_file_without_rows() {
    let file = write(&Options::default(), &[]);
    assert_eq!(file.metadata().file_metadata().num_rows(), 0);
}

#[test]
fn what_has_no_single_type_is_json() {
    let given = [json!("x"), json!(1), json!({"a": [null, 0.5]}), Json::Null];
    let values = given.iter().map(|json| serde_json::from_value(json.clone()).unwrap()).collect();
    let read = field("{}", values);
    assert_eq!(read, [json!("\"x\""), json!("1"), json!(r#"{"a":[null,0.5]}"#), Json::Null]);
}

#[test]
fn a_list_of_alike_maps_is_a_list_of_structs() {
    let mut table = Table::new(&["url", "nofollow"], 1);
    table.push_text(Some("http://a.test/"));
    table.push_bool(true);
    table.push_text(None);
    table.push_bool(false);
    let schema = r#"{"type": "array", "items": {"type": "object", "properties": {"url": {"type": "string"}, "nofollow": {"type": "boolean"}}}}"#;
    let read = field(schema, vec![Value::Table(table), Value::Null, Value::List(vec![])]);
    let links = json!([{"url": "http://a.test/", "nofollow": true}, {"url": null, "nofollow": false}]);
    assert_eq!(read, [links, Json::Null, json!([])]);
}

#[test]
fn a_value_of_another_kind_is_null_where_it_cannot_be_told_as_text() {
    let values = || vec![Value::from("x"), Value::Bool(true), Value::Int(u64::MAX), Value::List(vec![Value::Int(1)])];
    assert_eq!(field(r#"{"type": "integer"}"#, values()), [const { Json::Null }; 4]);
    assert_eq!(field(r#"{"type": "string"}"#, values()), ["x", "true", "18446744073709551615", "[1]"]);
}

#[test]
fn a_row_group_ends_when_it_is_large() {
    let text = Value::from("x".repeat(BYTES / 4));
    let page = sample::with_rows(sample::page("t"), vec![vec![text]; 9]);
    let file = write(&options(&[("f", r#"{"type": "string"}"#)]), &[page]);
    let metadata = file.metadata();
    let groups: Vec<_> = (0..metadata.num_row_groups()).map(|n| metadata.row_group(n).num_rows()).collect();
    assert_eq!(groups, [4, 4, 1]);
}

#[test]
fn a_row_group_ends_when_it_has_many_rows() {
    let mut sink = Parquet::new(Lines::new("out", Tape::default()), &Options::default());
    sink.rows = ROWS - 1;
    assert!(!sink.is_full());
    sink.accept(&sample::page("the last one")).unwrap();
    assert_eq!(sink.rows, 0, "it was written");
}

#[test]
fn what_could_not_be_written_is_told_and_not_tried_again() {
    let text = Value::from("x".repeat(BYTES));
    let page = sample::with_rows(sample::page("t"), [vec![text]]);
    let tape = Tape::failing(io::ErrorKind::StorageFull);
    let mut sink = Format::Parquet.sink(Lines::new("out", tape), &options(&[("f", "{}")]));
    let errors = [sink.accept(&page).unwrap_err(), sink.finish().unwrap_err()];
    for error in errors {
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().starts_with("cannot write out: "), "{error}");
    }
}

/// A schema and values of it.
fn shaped() -> impl Strategy<Value = (Json, Vec<Json>)> {
    let leaf = prop_oneof![
        prop::collection::vec(prop::option::of(any::<bool>()), 1..6).prop_map(|values| ("boolean", json!(values))),
        prop::collection::vec(prop::option::of(any::<i64>()), 1..6).prop_map(|values| ("integer", json!(values))),
        prop::collection::vec(prop::option::of(-1e9..1e9), 1..6).prop_map(|values| ("number", json!(values))),
        prop::collection::vec(prop::option::of(hostile_text()), 1..6).prop_map(|values| ("string", json!(values))),
    ];
    let leaf = leaf.prop_map(|(kind, values)| (json!({"type": [kind, "null"]}), values.as_array().unwrap().clone()));
    leaf.prop_recursive(4, 64, 4, |inner| prop_oneof![in_lists(inner.clone()), in_objects(inner)])
}

fn in_lists(inner: impl Strategy<Value = (Json, Vec<Json>)>) -> impl Strategy<Value = (Json, Vec<Json>)> {
    let lists = (inner, prop::collection::vec(prop::option::of(0_usize..4), 1..6));
    lists.prop_map(|((schema, values), lengths)| {
        let mut values = values.into_iter().cycle();
        let list = |length: Option<usize>| length.map(|length| values.by_ref().take(length).collect::<Vec<_>>());
        let lists = lengths.into_iter().map(list).map(|list| json!(list)).collect();
        (json!({"type": "array", "items": schema}), lists)
    })
}

fn in_objects(inner: impl Strategy<Value = (Json, Vec<Json>)>) -> impl Strategy<Value = (Json, Vec<Json>)> {
    let objects = (prop::collection::vec(inner, 1..4), prop::collection::vec(any::<bool>(), 1..6));
    objects.prop_map(|(members, are_there)| {
        let object = |n: usize| {
            let member = |(name, (_, values)): (usize, &(Json, Vec<Json>))| {
                (format!("m{name}"), values[n % values.len()].clone())
            };
            Json::Object(members.iter().enumerate().map(member).collect())
        };
        let objects = are_there.iter().enumerate().map(|(n, &is_there)| if is_there { object(n) } else { Json::Null });
        let objects = objects.collect();
        let schemas = members.iter().enumerate().map(|(name, (schema, _))| (format!("m{name}"), schema.clone()));
        (json!({"type": "object", "properties": schemas.collect::<Map<_, _>>()}), objects)
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read_back((schema, values) in shaped()) {
        let given = values.iter().map(|json| serde_json::from_value(json.clone()).unwrap()).collect();
        prop_assert_eq!(field(&schema.to_string(), given), values);
    }
}

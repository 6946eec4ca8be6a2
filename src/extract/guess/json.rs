//! JSON → the array of objects that holds most, or the object itself.

use super::names::Names;
use super::words::name_of;
use super::{Proposal, Proposed};
use crate::value::Value;

/// How deep arrays are looked for.
const DEPTH: usize = 8;

/// How many fields are proposed.
const FIELDS: usize = 24;

/// Of how many objects the keys are looked at.
const SAMPLE: usize = 100;

/// A recipe for JSON.
pub(super) fn propose(json: &Value<'static>) -> Proposal {
    let mut best = (0, None);
    find(json, "$", 0, &mut best);
    let Some((items, objects)) = best.1 else {
        let fields = fields(&[json]);
        return Proposal { fields, ..Proposal::default() };
    };
    Proposal { items: Some(items), fields: fields(&objects), ..Proposal::default() }
}

/// The best array so far: how much it holds, its path, its objects.
type Best<'j> = (usize, Option<(String, Vec<&'j Value<'static>>)>);

fn find<'j>(value: &'j Value<'static>, path: &str, depth: usize, best: &mut Best<'j>) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::List(values) => {
            let objects: Vec<_> = values.iter().filter(|value| matches!(value, Value::Map(_))).collect();
            let told: usize = objects.iter().map(|object| scalars(object)).sum();
            if objects.len() * 2 > values.len() && told > best.0 && (objects.len() > 1 || depth < 2) {
                *best = (told, Some((format!("{path}[*]"), objects)));
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                if let Some(step) = step(key) {
                    find(value, &format!("{path}{step}"), depth + 1, best);
                }
            }
        }
        _ => {}
    }
}

/// How many values of its own an object has.
fn scalars(object: &Value<'static>) -> usize {
    let Value::Map(entries) = object else { return 0 };
    1 + entries.iter().filter(|(_, value)| is_scalar(value)).count()
}

fn is_scalar(value: &Value<'_>) -> bool {
    !matches!(value, Value::Null | Value::List(_) | Value::Map(_) | Value::Table(_))
}

/// A key as a step of a path; none for one that a selector had better not have in it.
fn step(key: &str) -> Option<String> {
    if key.is_empty() || key.len() > 100 || key.chars().any(|c| c.is_control() || c == '\'' || c == '\\' || c == '|') {
        return None;
    }
    let is_plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    Some(if is_plain { format!(".{key}") } else { format!("['{key}']") })
}

/// The fields of objects, by their keys in the order in which they first come.
fn fields(objects: &[&Value<'static>]) -> Vec<Proposed> {
    let mut names = Names::default();
    let mut fields = Vec::new();
    let mut paths = Vec::new();
    for object in objects.iter().take(SAMPLE) {
        gather(object, ("$", ""), 0, &mut paths);
    }
    for (path, name) in paths.into_iter().take(FIELDS) {
        let is_list = path.contains("[*]");
        let values: Vec<_> = objects.iter().take(SAMPLE).filter_map(|object| at(object, &path)).collect();
        let is_date = !is_list && !values.is_empty() && values.iter().all(|value| is_instant(value));
        let name = names.once(&name_of(&name));
        let name = if is_list { format!("{name}[]") } else { name };
        fields.push(Proposed::new(name, if is_date { format!("{path} | date") } else { path }));
    }
    fields
}

/// The paths of the values of an object and of objects in it, and of lists of values, with what they may be called.
fn gather(object: &Value<'static>, (path, name): (&str, &str), depth: usize, paths: &mut Vec<(String, String)>) {
    let Value::Map(entries) = object else { return };
    for (key, value) in entries {
        let Some(step) = step(key) else { continue };
        let (path, name) =
            (format!("{path}{step}"), if name.is_empty() { key.to_string() } else { format!("{name} {key}") });
        match value {
            Value::List(values) if !values.is_empty() && values.iter().all(is_scalar) => {
                add(format!("{path}[*]"), name, paths);
            }
            // Of lists in lists nothing is made.
            Value::List(values) if depth < 2 && !path.contains('*') => {
                let path = format!("{path}[*]");
                values.iter().take(SAMPLE).for_each(|value| gather(value, (&path, &name), depth + 1, paths));
            }
            Value::Map(_) if depth < 2 => gather(value, (&path, &name), depth + 1, paths),
            value if is_scalar(value) => add(path, name, paths),
            _ => {}
        }
    }
}

fn add(path: String, name: String, paths: &mut Vec<(String, String)>) {
    if !paths.iter().any(|(known, _)| *known == path) {
        paths.push((path, name));
    }
}

/// The value that a path of keys leads to, if there is one that is not null.
fn at<'j>(object: &'j Value<'static>, path: &str) -> Option<&'j Value<'static>> {
    let Value::Map(entries) = object else { return None };
    let found = entries.iter().filter_map(|(key, value)| {
        let rest = path.strip_prefix('$').unwrap_or(path).strip_prefix(&*step(key)?)?;
        if rest.is_empty() {
            Some(value)
        } else if rest.starts_with(['.', '[']) {
            at(value, rest)
        } else {
            None
        }
    });
    found.into_iter().find(|value| !value.is_null())
}

/// Whether a value is an instant as programs write it.
fn is_instant(value: &Value<'_>) -> bool {
    let Value::Str(text) = value else { return false };
    let is_digit = |n: usize| text.as_bytes().get(n).is_some_and(u8::is_ascii_digit);
    let has_shape = [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(is_digit);
    has_shape && text.as_bytes().get(4) == Some(&b'-') && text[..10].parse::<jiff::civil::Date>().is_ok()
}

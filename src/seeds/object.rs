//! One JSON object → the URL in it, and the rest of it.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// The keys, besides an integer `v`, by which a record of our own is recognised.
pub(super) const RECORD_KEYS: [&str; 4] = ["final_url", "fetched_at", "error", "input"];

/// An object that names a URL.
#[derive(Debug)]
pub(super) struct Object {
    /// The text under the key that was asked for; the last one where there are several, as JSON readers do.
    pub(super) url: String,
    /// The other entries, as they came and in their order; of a record of our own what it has under `input`.
    pub(super) input: Option<Arc<RawValue>>,
}

/// Reads the JSON object `text`, whose URL is under `key`, or tells why that cannot be done.
pub(super) fn parse(text: &str, key: &str) -> Result<Object, String> {
    let Entries(mut entries) = serde_json::from_str(text).map_err(|error| broken(&error))?;
    let url = entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.get());
    let url = url.ok_or_else(|| format!("the object has no key {key:?}"))?;
    let url = serde_json::from_str(url).map_err(|_| format!("the value of {key:?} is no string"))?;
    let input = if let Some(input) = record_input(&entries) {
        Some(input.to_owned()).filter(|input| input.get() != "null")
    } else {
        entries.retain(|(name, _)| name != key);
        let rest = (!entries.is_empty()).then(|| to_raw_value(&Entries(entries)));
        rest.transpose().map_err(|error| broken(&error))?
    };
    Ok(Object { url, input: input.map(Arc::from) })
}

/// What a record of our own carries along; none for any other object.
fn record_input<'a>(entries: &[(String, &'a RawValue)]) -> Option<&'a RawValue> {
    let value = |key| entries.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
    serde_json::from_str::<u64>(value("v")?.get()).ok()?;
    let [.., input] = RECORD_KEYS.map(value);
    let is_record = RECORD_KEYS.iter().all(|&key| value(key).is_some());
    input.filter(|input| is_record && (input.get() == "null" || input.get().starts_with('{')))
}

/// The JSON object that `text` is; none where it is anything else, or goes on over several lines, which a record never
/// does.
pub(super) fn whole(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text)
        .ok()
        .filter(|value: &&RawValue| value.get().starts_with('{') && !text.contains(['\r', '\n']))
}

/// Says what is wrong without the line number, which is always 1 in here.
fn broken(error: &serde_json::Error) -> String {
    format!("broken JSON: {}", error.to_string().replacen("at line 1 column", "at column", 1))
}

/// The entries of an object, their values not looked into.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Collect).map(Self)
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<String>) {
        let object = parse(text, "url").unwrap();
        (object.url, object.input.map(|input| input.get().to_owned()))
    }

    #[test]
    fn the_other_keys_are_carried_as_they_came() {
        let (url, input) = read(r#"{"z": 1.50e+3, "url": "a.test", "a\n": [null, {"b": 12345678901234567890123}]}"#);
        assert_eq!(url, "a.test");
        assert_eq!(input.as_deref(), Some(r#"{"z":1.50e+3,"a\n":[null, {"b": 12345678901234567890123}]}"#));
        assert_eq!(read(r#"{"url": "http:\/\/a.test"}"#), ("http://a.test".into(), None));
        assert_eq!(read(r#"{"url": "a", "url": "b"}"#), ("b".into(), None));
    }

    #[test]
    fn a_record_of_our_own_carries_its_input_alone() {
        let record =
            r#"{"v": 1, "url": "a.test", "final_url": null, "fetched_at": null, "error": null, "input": INPUT}"#;
        assert_eq!(read(&record.replace("INPUT", r#"{"id": 7}"#)).1.as_deref(), Some(r#"{"id": 7}"#));
        assert_eq!(read(&record.replace("INPUT", "null")).1, None);
        let foreign = read(&record.replace("INPUT", "7")).1.unwrap();
        assert!(foreign.starts_with(r#"{"v":1,"final_url""#), "{foreign}");
        let foreign = read(&record.replace("INPUT", "null").replace(r#""v": 1"#, r#""v": "1""#)).1.unwrap();
        assert!(foreign.contains(r#""v":"1""#), "{foreign}");
    }

    #[test]
    fn a_whole_object_is_told_from_other_texts() {
        assert_eq!(whole(r#" {"id": 7} "#).unwrap().get(), r#"{"id": 7}"#);
        for text in ["", "7", "null", "[{}]", "{", "{} {}", "{\n}", "{\r}"] {
            assert!(whole(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn an_object_without_a_url_says_why() {
        for (text, words) in [
            ("{", "broken JSON: EOF while parsing an object at column 1"),
            (r#"{"url": "a",}"#, "broken JSON: trailing comma at column 13"),
            (r#"{"url": "a"} x"#, "broken JSON: trailing characters at column 14"),
            (r#"{"link": "a"}"#, r#"the object has no key "url""#),
            (r#"{"url": 1}"#, r#"the value of "url" is no string"#),
            (r#"{"url": null}"#, r#"the value of "url" is no string"#),
        ] {
            assert_eq!(parse(text, "url").unwrap_err(), words);
        }
        assert_eq!(parse(r#"{"link": "a"}"#, "link").unwrap().url, "a");
    }
}

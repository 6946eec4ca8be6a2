//! What is said of a page by the sitemap that names it, as a record has it under `input`.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Entry;

/// The keys that a note has.
const KEYS: [&str; 3] = ["sitemap", "lastmod", "priority"];

/// Writes notes on the pages of one sitemap: JSON objects with the keys `sitemap` (its URL), `lastmod` (ISO 8601: a moment in
/// UTC, or a day; or null) and `priority` (from 0 to 1, or null), and with what the seed's line carried along.
#[derive(Clone, Debug)]
pub struct Notes {
    /// All but the last two keys.
    start: String,
}

impl Notes {
    /// Notes on the pages that `sitemap` names, to which the seed with this input led.
    #[must_use]
    pub fn new(sitemap: &str, input: Option<&RawValue>) -> Self {
        let input = input.and_then(|input| serde_json::from_str::<Map<String, Value>>(input.get()).ok());
        let mut object = input.unwrap_or_default();
        object.retain(|key, _| !KEYS.contains(&&**key));
        object.insert(KEYS[0].into(), sitemap.into());
        let mut start = Value::Object(object).to_string();
        start.pop();
        Self { start }
    }

    /// The note on one page.
    #[must_use]
    pub fn write(&self, entry: &Entry) -> Option<Arc<RawValue>> {
        let mut note = self.start.clone();
        let _ = match entry.modified {
            Some(modified) => write!(note, ",\"lastmod\":\"{modified}\""),
            None => write!(note, ",\"lastmod\":null"),
        };
        let _ = match entry.priority {
            Some(priority) => write!(note, ",\"priority\":{priority}}}"),
            None => write!(note, ",\"priority\":null}}"),
        };
        RawValue::from_string(note).ok().map(Arc::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sitemap::{Modified, Role};
    use proptest::prelude::*;
    use serde_json::json;
    use url::Url;

    fn entry(modified: Option<&str>, priority: Option<f32>) -> Entry {
        let url = Url::parse("http://a.test/").unwrap();
        let modified = modified.and_then(Modified::parse);
        Entry { url, role: Role::Page, modified, priority, frequency: None }
    }

    fn note(input: Option<&str>, entry: &Entry) -> Value {
        let input = input.map(|input| RawValue::from_string(input.into()).unwrap());
        let note = Notes::new("http://a.test/s.xml", input.as_deref()).write(entry).unwrap();
        serde_json::from_str(note.get()).unwrap()
    }

    #[test]
    fn a_note_tells_what_the_sitemap_says() {
        let told = note(None, &entry(Some("2024-05-17T10:00+02:00"), Some(0.8)));
        assert_eq!(told, json!({"sitemap": "http://a.test/s.xml", "lastmod": "2024-05-17T08:00:00Z", "priority": 0.8}));
        let told = note(None, &entry(None, None));
        assert_eq!(told, json!({"sitemap": "http://a.test/s.xml", "lastmod": null, "priority": null}));
    }

    #[test]
    fn what_the_line_of_the_seed_carried_comes_along_and_does_not_get_in_the_way() {
        let told = note(Some(r#"{"id": 7, "lastmod": "x", "sitemap": 1}"#), &entry(Some("2024-05-17"), None));
        assert_eq!(told, json!({"id": 7, "sitemap": "http://a.test/s.xml", "lastmod": "2024-05-17", "priority": null}));
    }

    proptest! {
        #[test]
        fn any_note_is_json(sitemap in any::<String>(), priority in 0_f32..=1.) {
            let note = Notes::new(&sitemap, None).write(&entry(None, Some(priority))).unwrap();
            let note: Value = serde_json::from_str(note.get()).unwrap();
            prop_assert_eq!(note["sitemap"].as_str(), Some(&*sitemap));
        }
    }
}

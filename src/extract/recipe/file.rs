//! The shape of a file of recipes, as TOML has it.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

/// A text, and where it stands.
pub(super) type Text = Spanned<String>;

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default, deserialize_with = "recipes")]
    pub(super) recipe: Vec<Spanned<Written>>,
}

/// A recipe as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default, rename = "match")]
    pub(super) matching: Option<Spanned<Texts>>,
    pub(super) items: Option<Text>,
    #[serde(default)]
    pub(super) required: Vec<Text>,
    #[serde(default)]
    pub(super) expect: Vec<Text>,
    pub(super) next: Option<Spanned<Next>>,
    pub(super) pages: Option<Spanned<NonZeroU32>>,
    #[serde(default)]
    pub(super) page: Fields,
    pub(super) fields: Fields,
}

/// Where a list goes on.
#[derive(Debug)]
pub(super) enum Next {
    Expression(String),
    Counter(Counter),
}

/// A parameter of the query that counts pages, or items.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counter {
    pub(super) query: Text,
    pub(super) from: Option<u64>,
    pub(super) step: Option<NonZeroU64>,
}

/// One text or several.
#[derive(Debug)]
pub(super) enum Texts {
    One(String),
    Several(Vec<Text>),
}

/// Fields in their order.
#[derive(Debug, Default)]
pub(super) struct Fields(pub(super) Vec<(Text, Spanned<Field>)>);

/// What a field is.
#[derive(Debug)]
pub(super) enum Field {
    Expression(String),
    Object(Object),
}

/// A field that has fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    pub(super) items: Option<Text>,
    pub(super) fields: Fields,
}

/// The recipes, in words for whoever wrote `[recipe]`.
fn recipes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Spanned<Written>>, D::Error> {
    struct Several;

    impl<'de> Visitor<'de> for Several {
        type Value = Vec<Spanned<Written>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("[[recipe]], in double brackets")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut recipes = Vec::new();
            while let Some(recipe) = items.next_element()? {
                recipes.push(recipe);
            }
            Ok(recipes)
        }
    }
    deserializer.deserialize_seq(Several)
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(Texts::Several(texts))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Next {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Next;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression such as \"a.next@href\", or a counter such as { query = \"page\" }")
            }

            fn visit_str<E>(self, text: &str) -> Result<Next, E> {
                Ok(Next::Expression(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Next, A::Error> {
                Counter::deserialize(MapAccessDeserializer::new(entries)).map(Next::Counter)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = entries.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression such as \".price | number\", or a table with `fields`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Field, E> {
                Ok(Field::Expression(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Field, A::Error> {
                Object::deserialize(MapAccessDeserializer::new(entries)).map(Field::Object)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

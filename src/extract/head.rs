//! What stands in the head of a page.

use html5ever::local_name;

use super::text::collapse;
use super::tokens::Tag;

/// What the head says, as it says it.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The `lang` of `<html>`.
    pub(super) lang: Option<String>,
    /// The `href` of the first `<base>` that has one.
    pub(super) base: Option<String>,
    /// The `href` of the first `<link rel=canonical>`.
    pub(super) canonical: Option<String>,
    /// The content of the first `<meta name=description>`, white space collapsed.
    pub(super) description: Option<String>,
    /// Every `<meta>` with a name and content.
    pub(super) metas: Vec<Meta>,
}

/// A `<meta>`.
#[derive(Debug)]
pub(super) struct Meta {
    /// Its `name`, `property` (Open Graph), `itemprop` or `http-equiv`.
    pub(super) name: String,
    pub(super) content: String,
}

impl Head {
    /// Reads a `<base>`, which counts in the body too.
    pub(super) fn base(&mut self, tag: &Tag<'_>) {
        if self.base.is_none() {
            self.base = tag.attribute("href").map(Into::into);
        }
    }

    /// Reads an `<html>`, `<link>` or `<meta>`.
    pub(super) fn element(&mut self, tag: &Tag<'_>) {
        match *tag.name {
            local_name!("html") if self.lang.is_none() => {
                self.lang = tag.attribute("lang").map(|lang| lang.trim_ascii().to_owned());
            }
            local_name!("link") if self.canonical.is_none() && has_rel(tag, "canonical") => {
                self.canonical = tag.attribute("href").map(Into::into);
            }
            local_name!("meta") => self.meta(tag),
            _ => {}
        }
    }

    fn meta(&mut self, tag: &Tag<'_>) {
        let Some(meta) = Meta::of(tag) else { return };
        if self.description.is_none() && meta.name.eq_ignore_ascii_case("description") {
            self.description = Some(collapse(&meta.content));
        }
        self.metas.push(meta);
    }
}

impl Meta {
    fn of(tag: &Tag<'_>) -> Option<Self> {
        let [content, name, property, itemprop, http_equiv] =
            tag.values(["content", "name", "property", "itemprop", "http-equiv"]);
        let (content, name) = (content?, name.or(property).or(itemprop).or(http_equiv)?);
        Some(Self { name: name.trim_ascii().to_owned(), content: content.trim_ascii().to_owned() })
    }
}

/// Whether one of the words of a tag's `rel` is `word`.
fn has_rel(tag: &Tag<'_>, word: &str) -> bool {
    let rel = tag.attribute("rel").unwrap_or_default();
    rel.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
}

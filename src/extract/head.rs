//! What stands in the head of a page.

use std::borrow::Cow;

use html5ever::local_name;

use super::tokens::Tag;

/// What the head says, as it says it.
#[derive(Debug, Default)]
pub(super) struct Head<'t> {
    /// The `lang` of `<html>`, or its `xml:lang`.
    pub(super) lang: Option<Cow<'t, str>>,
    /// The `href` of the first `<base>` that has one.
    pub(super) base: Option<Cow<'t, str>>,
    /// The vocabularies that `<html>` and `<head>` declare in `prefix` (`RDFa` Core, section 5).
    pub(super) prefixes: Vec<Cow<'t, str>>,
    /// Every `<link>` with a `rel` and an `href`.
    pub(super) links: Vec<Link<'t>>,
    /// Every `<meta>` with a name and content.
    pub(super) metas: Vec<Meta<'t>>,
}

/// A `<link>`.
#[derive(Debug)]
pub(super) struct Link<'t> {
    rel: Cow<'t, str>,
    pub(super) href: Cow<'t, str>,
    pub(super) hreflang: Option<Cow<'t, str>>,
    /// Its `type`.
    pub(super) media_type: Option<Cow<'t, str>>,
    pub(super) title: Option<Cow<'t, str>>,
}

/// A `<meta>`.
#[derive(Debug)]
pub(super) struct Meta<'t> {
    /// Its `name`, `property` (`RDFa`), `itemprop` and `http-equiv`, of which it has one at least.
    names: [Option<Cow<'t, str>>; 4],
    /// Without white space around it.
    pub(super) content: Cow<'t, str>,
}

impl<'t> Head<'t> {
    /// Reads a `<base>`, which counts in the body too.
    pub(super) fn base(&mut self, tag: &Tag<'t>) {
        if self.base.is_none() {
            self.base = tag.attribute("href");
        }
    }

    /// Reads an `<html>`, `<head>`, `<link>` or `<meta>`.
    pub(super) fn element(&mut self, tag: &Tag<'t>) {
        match *tag.name {
            local_name!("html") | local_name!("head") => {
                let [lang, xml_lang, prefix] = tag.values(["lang", "xml:lang", "prefix"]);
                self.prefixes.extend(prefix);
                if *tag.name == local_name!("html") && self.lang.is_none() {
                    self.lang = lang.or(xml_lang);
                }
            }
            local_name!("link") => self.links.extend(Link::of(tag)),
            local_name!("meta") => self.metas.extend(Meta::of(tag)),
            _ => {}
        }
    }

    /// The `<link>`s of which a word of their `rel` is `word`.
    pub(super) fn links_of<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a Link<'t>> {
        self.links.iter().filter(move |link| link.is(word))
    }

    /// The contents that are not empty of every `<meta>` called `name`, in lower case.
    pub(super) fn contents<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let metas = self.metas.iter().filter(move |meta| meta.is_called(name));
        metas.map(|meta| &*meta.content).filter(|content| !content.is_empty())
    }

    /// The first content that is not empty of a `<meta>` called by one of `names`; the first name counts most.
    pub(super) fn content(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.contents(name).next())
    }
}

impl<'t> Link<'t> {
    fn of(tag: &Tag<'t>) -> Option<Self> {
        let [rel, href, hreflang, media_type, title] = tag.values(["rel", "href", "hreflang", "type", "title"]);
        Some(Self { rel: rel?, href: href?, hreflang, media_type, title })
    }

    /// Whether one of the words of its `rel` is `word`.
    pub(super) fn is(&self, word: &str) -> bool {
        self.rel.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
    }
}

impl<'t> Meta<'t> {
    fn of(tag: &Tag<'t>) -> Option<Self> {
        let [content, names @ ..] = tag.values(["content", "name", "property", "itemprop", "http-equiv"]);
        names.iter().any(Option::is_some).then_some(())?;
        Some(Self { names: names.map(|name| name.map(trim)), content: trim(content?) })
    }

    /// The first of its names.
    pub(super) fn name(&self) -> &str {
        self.names().next().unwrap_or_default()
    }

    /// Its `name` and its `property`.
    pub(super) fn name_and_property(&self) -> [Option<&str>; 2] {
        [self.names[0].as_deref(), self.names[1].as_deref()]
    }

    /// Whether this is a name of it.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.names().any(|one| one.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_http_equiv(&self, name: &str) -> bool {
        self.names[3].as_deref().is_some_and(|one| one.eq_ignore_ascii_case(name))
    }

    /// All of its names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flatten().map(|name| &**name)
    }
}

/// A text without the ASCII white space around it.
fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
        Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_owned()),
    }
}

//! What in a page's markup tells what kind of page it is.

use std::borrow::Cow;

use html5ever::local_name;

use super::ROOTS;
use crate::extract::names::is_any;
use crate::extract::tokens::Tag;

/// How much of what stands in `<noscript>` is kept, in bytes.
const NOSCRIPT: usize = 4 << 10;

/// How many sources are kept.
const SOURCES: usize = 1000;

/// What tells what kind of page it is.
#[derive(Debug, Default)]
pub(in crate::extract) struct Signals<'t> {
    /// How many scripts there are.
    pub(super) scripts: usize,
    /// What stands in `<noscript>`, the first of it.
    pub(super) noscript: String,
    pub(super) has_password: bool,
    /// Whether the form that was started last cannot be seen.
    is_form_hidden: bool,
    /// The ID of an element that scripts fill.
    pub(super) root: Option<&'static str>,
    /// Where scripts and frames are from, and the classes of what they fill.
    sources: Vec<Cow<'t, str>>,
}

impl<'t> Signals<'t> {
    /// Reads a start tag.
    pub(in crate::extract) fn start(&mut self, tag: &Tag<'t>) {
        match *tag.name {
            local_name!("script") | local_name!("iframe") => {
                self.scripts += usize::from(*tag.name == local_name!("script"));
                self.source_of(tag.attribute("src"));
            }
            local_name!("form") => {
                let [hidden, style] = tag.values(["hidden", "style"]);
                let is_unseen = |style: Cow<'_, str>| style.replace(' ', "").contains("display:none");
                self.is_form_hidden = hidden.is_some() || style.is_some_and(is_unseen);
            }
            local_name!("input") if !self.is_form_hidden => {
                let is_password = |kind: Cow<'_, str>| kind.trim_ascii().eq_ignore_ascii_case("password");
                self.has_password |= tag.attribute("type").is_some_and(is_password);
            }
            _ if is_any!(*tag.name, "div" "main" "section") => {
                let [id, class] = tag.values(["id", "class"]);
                self.root = self.root.or_else(|| ROOTS.into_iter().find(|root| id.as_deref() == Some(root)));
                self.source_of(class.filter(|class| class.contains("captcha")));
                self.source_of(id.filter(|id| id.contains("captcha")));
            }
            _ => {}
        }
    }

    fn source_of(&mut self, source: Option<Cow<'t, str>>) {
        if self.sources.len() < SOURCES {
            self.sources.extend(source);
        }
    }

    /// Reads text in a `<noscript>`.
    pub(in crate::extract) fn noscript(&mut self, text: &str) {
        let room = NOSCRIPT.saturating_sub(self.noscript.len());
        self.noscript.push_str(&text[..text.floor_char_boundary(room)]);
    }

    /// The first of `parts` that a source has.
    pub(super) fn source(&self, parts: &[&'static str]) -> Option<&'static str> {
        let has = |part: &&&str| self.sources.iter().any(|source| source.to_ascii_lowercase().contains(**part));
        parts.iter().find(has).copied()
    }
}

//! The elements that a user says carry links.

use std::borrow::Cow;

use html5ever::{LocalName, local_name, ns};
use scraper::{ElementRef, Html};

use super::anchors::Place;
use super::leads::Leads;
use crate::extract::Error;
use crate::extract::deadline::Deadline;
use crate::extract::expression::{Css, Fault, Search};
use crate::extract::metadata::refresh;
use crate::extract::names::is_any;
use crate::extract::tree::elements;
use crate::failure::Failure;

/// After how many elements the clock is looked at, if no selector looks into an element.
const STRIDE: usize = 64;

/// CSS selectors, each with the attribute that holds the URL if that is not the usual one of the element.
#[derive(Debug)]
pub(super) struct Selection(Vec<Css>);

impl Selection {
    pub(super) fn parse(selectors: &[String]) -> Result<Self, Error> {
        let parse = |text: &String| {
            Css::parse(text).map_err(|fault| {
                let hint = "write CSS such as nav a or img@data-src".into();
                Error::expression(text, Fault { hint, ..fault })
            })
        };
        selectors.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Adds what the selectors find in a tree, in its order.
    ///
    /// # Errors
    /// That takes too long.
    pub(super) fn find<'t>(&self, tree: &'t Html, leads: &mut Leads<'t>, deadline: &Deadline) -> Result<(), Failure> {
        let mut search = Search::below(tree.tree.root());
        let stride = if self.0.iter().any(Css::looks_inside) { 1 } else { STRIDE };
        for (n, element) in elements(tree).enumerate() {
            if n % stride == 0 {
                deadline.check()?;
            }
            for css in &self.0 {
                if css.finds(&element, &mut search) {
                    let place = Place::Element(element.id());
                    leads.push(url_of(&element, css.attribute()), element.attr("rel"), place);
                }
            }
        }
        Ok(())
    }
}

/// The URL that an element has in an attribute, or else where it usually is.
fn url_of<'t>(element: &ElementRef<'t>, attribute: Option<&LocalName>) -> Option<Cow<'t, str>> {
    let name = &element.value().name.local;
    let is_refresh = attribute.is_none() && *name == local_name!("meta");
    let wanted = attribute.cloned().unwrap_or_else(|| usual(name));
    let mut attributes = element.value().attrs.iter();
    let (_, value) = attributes.find(|(name, _)| name.local == wanted && name.ns == ns!())?;
    let value = if is_refresh { refresh::url_of(value)? } else { value };
    Some(Cow::Borrowed(value))
}

/// The attribute that holds an element's URL.
fn usual(name: &LocalName) -> LocalName {
    match *name {
        _ if is_any!(*name,
            "audio" "embed" "frame" "iframe" "img" "input" "script" "source" "track" "video"
        ) =>
        {
            local_name!("src")
        }
        local_name!("form") => local_name!("action"),
        local_name!("object") => local_name!("data"),
        local_name!("meta") => local_name!("content"),
        _ => local_name!("href"),
    }
}

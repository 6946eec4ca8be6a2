//! `NAME=CSS`: fields that a user describes with selectors.

use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::Error;
use super::deadline::Deadline;
use super::tree::{elements, is_in_template, text_of};
use crate::failure::{Failure, Kind};
use crate::value::Value;

/// How much text one selector may find in a page, in bytes: nested matches hold the same text again and again.
const FOUND: usize = 64 << 20;

/// After how many elements the clock is looked at.
const STRIDE: usize = 64;

/// What is taken from a page, compiled.
#[derive(Debug)]
pub(super) struct Pick {
    selector: Selector,
    /// All matches, not only the first.
    pub(super) is_list: bool,
    /// This attribute, not the text.
    attribute: Option<Box<str>>,
}

impl Pick {
    /// Reads `NAME=CSS`, `NAME[]=CSS`, `NAME=CSS@ATTRIBUTE`. Gives the name, and what it stands for.
    pub(super) fn parse(expression: &str) -> Result<(&str, Self), Error> {
        let (name, rest) = expression.split_once('=').ok_or_else(|| Error::NoName(expression.into()))?;
        let (name, is_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
        if !is_name(name) {
            return Err(Error::BadName { expression: expression.into(), name: name.into() });
        }
        let (css, attribute) = split_attribute(rest);
        let Ok(selector) = Selector::parse(css) else {
            let at = expression.len() - rest.len() + wrong_at(css);
            return Err(Error::BadSelector { expression: expression.into(), column: expression[..at].chars().count() });
        };
        Ok((name, Self { selector, is_list, attribute: attribute.map(Into::into) }))
    }

    /// Takes it: a text, null where nothing matches, or a list.
    pub(super) fn read(&self, tree: &Html, base: &Url, deadline: &Deadline) -> Result<Value<'static>, Failure> {
        let mut found = Vec::new();
        let mut bytes = 0;
        for (n, element) in elements(tree).enumerate() {
            if n % STRIDE == 0 {
                deadline.check()?;
            }
            if !self.selector.matches(&element) || is_in_template(&element) {
                continue;
            }
            let value = self.value(&element, base);
            if !self.is_list {
                return Ok(Value::text(value));
            }
            bytes += value.as_ref().map_or(0, String::len);
            if bytes > FOUND {
                return Err(Failure::new(Kind::TooComplex, "a selector finds more than 64 MiB of text"));
            }
            found.extend(value.map(Value::from));
        }
        Ok(if self.is_list { Value::List(found) } else { Value::Null })
    }

    fn value(&self, element: &ElementRef<'_>, base: &Url) -> Option<String> {
        match self.attribute.as_deref() {
            None => Some(text_of(element)),
            Some(name @ ("href" | "src")) => base.join(element.attr(name)?).ok().map(String::from),
            Some(name) => element.attr(name).map(str::to_owned),
        }
    }
}

/// Whether `name` can be a key: a letter or `_`, then letters, digits, `_`, `.`, `-`.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// Splits a trailing `@attribute` off. An `@` in brackets or quotes has a bracket or quote behind it.
fn split_attribute(text: &str) -> (&str, Option<&str>) {
    let is_attribute =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-".contains(&b));
    match text.trim_end().rsplit_once('@') {
        Some((css, name)) if is_attribute(name) => (css, Some(name)),
        _ => (text, None),
    }
}

/// Where a selector goes wrong: behind the longest start that is right, and the comma or combinator that follows it.
/// The parser does not tell.
fn wrong_at(css: &str) -> usize {
    let mut ends = (0..css.len()).rev().filter(|&end| css.is_char_boundary(end));
    let right = ends.find(|&end| Selector::parse(&css[..end]).is_ok()).unwrap_or(0);
    let rest = css[right..].trim_start();
    let rest = rest.strip_prefix([',', '>', '+', '~']).unwrap_or(rest).trim_start();
    css.len() - rest.len()
}

//! The links of a page, and what their URLs are relative to.

use std::borrow::Cow;

use html5ever::local_name;
use url::Url;

use super::tokens::Tag;
use crate::value::Value;

/// An `<a>` or `<area>` with an `href`.
#[derive(Debug)]
pub(super) struct Link<'t> {
    /// Its `href` as it is written.
    href: Cow<'t, str>,
    /// Its `rel` as it is written.
    rel: Option<Cow<'t, str>>,
    /// Its text; the `alt` of an area.
    pub(super) text: String,
}

impl<'t> Link<'t> {
    pub(super) fn of(tag: &Tag<'t>) -> Option<Self> {
        let href = tag.attribute("href")?;
        let rel = tag.attribute("rel");
        let text = match *tag.name {
            local_name!("area") => tag.attribute("alt").unwrap_or_default().trim_ascii().to_owned(),
            _ => String::new(),
        };
        Some(Self { href, rel, text })
    }

    /// It as a value, or nothing where its URL makes no sense.
    pub(super) fn into_value(self, base: &Url) -> Option<Value<'static>> {
        let url = base.join(&self.href).ok()?;
        let mut words = self.rel.as_deref().unwrap_or_default().split_ascii_whitespace();
        let nofollow = words.any(|word| word.eq_ignore_ascii_case("nofollow"));
        Some(Value::Map(vec![
            ("url".into(), Value::from(String::from(url))),
            ("text".into(), Value::from(self.text)),
            ("rel".into(), Value::text(self.rel.map(Cow::into_owned))),
            ("nofollow".into(), Value::Bool(nofollow)),
        ]))
    }
}

/// The URL that a page's URLs are relative to (WHATWG HTML, section 4.2.3, "frozen base URL"). `href` is that of its
/// first `<base>` that has one.
pub(super) fn base_url(page: &Url, href: Option<&str>) -> Url {
    href.and_then(|href| page.join(href).ok())
        .filter(|base| !matches!(base.scheme(), "data" | "javascript"))
        .unwrap_or_else(|| page.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_relative_to_the_page() {
        let page = Url::parse("http://a.test/b/c").unwrap();
        let base = |href| base_url(&page, href).to_string();
        assert_eq!(base(None), "http://a.test/b/c");
        assert_eq!(base(Some("../d/")), "http://a.test/d/");
        assert_eq!(base(Some("//b.test")), "http://b.test/");
        assert_eq!(base(Some("http://[")), "http://a.test/b/c");
        assert_eq!(base(Some("data:text/html,")), "http://a.test/b/c");
    }
}

//! What a page and its site are called and written in: description, site name, language.

use reqwest::header::{CONTENT_LANGUAGE, HeaderMap};

use crate::extract::head::Head;
use crate::extract::structured::{jsonld::Documents, schema_org};
use crate::extract::text::collapse;

/// The description, white space collapsed: the page's own, else the one that it has for those who share it.
pub(in crate::extract) fn description(head: &Head<'_>) -> Option<String> {
    head.content(&["description", "og:description", "twitter:description", "dc.description", "dcterms.description"])
        .map(collapse)
}

/// The name of the site: as it wants to be called when shared, as its JSON-LD has it, as an application.
pub(in crate::extract) fn site_name(head: &Head<'_>, documents: &Documents) -> Option<String> {
    let shared = head.content(&["og:site_name"]).map(collapse);
    let described = || schema_org::site_name(documents);
    let named = || head.content(&["application-name", "apple-mobile-web-app-title", "dc.publisher"]).map(collapse);
    shared.or_else(described).or_else(named)
}

/// The language of a page (WHATWG HTML, section 3.2.6.2): of `<html>`, else a `<meta>`, else the header field, where these
/// name one and no more.
pub(in crate::extract) fn language(head: &Head<'_>, headers: &HeaderMap) -> Option<String> {
    let is_one = |lang: &&str| !lang.is_empty() && !lang.contains(|c: char| c == ',' || c.is_ascii_whitespace());
    let meta = || head.metas.iter().find(|meta| meta.is_http_equiv("content-language")).map(|meta| &*meta.content);
    let field = || headers.get(CONTENT_LANGUAGE).and_then(|value| value.to_str().ok()).map(str::trim_ascii);
    let lang = head.lang.as_deref().map(str::trim_ascii).filter(|lang| !lang.is_empty());
    lang.or_else(|| meta().filter(is_one)).or_else(|| field().filter(is_one)).map(str::to_owned)
}

//! What a page says of itself as a whole.

use scraper::Html;

use super::super::names::is_any;
use super::super::tree::elements;
use super::hints::Hints;
use super::survey::Survey;

/// What a page says that it is: `og:type`, and the types of its JSON-LD and microdata (schema.org).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) is_article: bool,
    pub(super) is_product: bool,
    pub(super) is_discussion: bool,
}

impl Evidence {
    /// Reads the metadata of a tree.
    pub(super) fn of(tree: &Html) -> Self {
        let mut evidence = Self::default();
        for element in elements(tree) {
            let name = &element.value().name.local;
            if is_any!(*name, "meta") && element.attr("property") == Some("og:type") {
                evidence.add(element.attr("content").unwrap_or_default());
            } else if is_any!(*name, "script") && element.attr("type") == Some("application/ld+json") {
                let text = element.first_child().and_then(|child| child.value().as_text());
                text.into_iter().flat_map(|text| types(text)).for_each(|kind| evidence.add(kind));
            }
        }
        evidence
    }

    /// Adds what the body says. Where the page says nothing, one `<article>` that has the page's one `<h1>` is one.
    pub(super) fn with_body(mut self, survey: &Survey<'_>) -> Self {
        let with = |hint| survey.elements.iter().enumerate().filter(move |(_, element)| element.hints.has(hint));
        self.is_product |= with(Hints::PRODUCT).count() == 1;
        self.is_discussion |= with(Hints::POST).next().is_some();
        if self.is_article {
            (self.is_product, self.is_discussion) = (false, false);
        }
        if let [(title, _)] = *with(Hints::TITLE).take(2).collect::<Vec<_>>() {
            let articles = with(Hints::SCOPE).filter(|(_, element)| is_any!(*element.name(), "article"));
            let around = articles.filter(|(index, element)| (*index..element.end).contains(&title)).count();
            self.is_article |= around == 1 && !self.is_discussion;
        }
        self
    }

    fn add(&mut self, kind: &str) {
        self.is_article |= kind == "article" || kind.ends_with("Article") || kind == "BlogPosting";
        self.is_product |= kind.starts_with("product") || kind.ends_with("Product");
        self.is_discussion |= matches!(kind, "DiscussionForumPosting" | "QAPage");
    }
}

/// The values of `@type` in a JSON text, of lists the first: this need not parse it, and reads what is broken.
fn types(json: &str) -> impl Iterator<Item = &str> {
    json.split("\"@type\"").skip(1).filter_map(|rest| {
        let rest = rest.trim_start().strip_prefix(':')?.trim_start();
        let rest = rest.strip_prefix('[').map_or(rest, str::trim_start).strip_prefix('"')?;
        rest.split('"').next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_in_broken_json() {
        let json = r#"{"@type": "NewsArticle", "x": {"@type":[ "Person", "Thing"]}, "@type" : 3, "@type":"Web"#;
        assert_eq!(types(json).collect::<Vec<_>>(), ["NewsArticle", "Person", "Web"]);
    }

    #[test]
    fn a_page_says_what_it_is() {
        let of = |html: &str| Evidence::of(&Html::parse_document(html));
        assert!(of("<meta property=og:type content=article>").is_article);
        assert!(of("<meta property=og:type content=product.item>").is_product);
        assert!(of(r#"<script type="application/ld+json">{"@type":"QAPage"}</script>"#).is_discussion);
        assert_eq!(of("<meta property=og:type content=website>"), Evidence::default());
    }
}

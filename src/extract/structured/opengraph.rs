//! `<meta property>`: Open Graph (<https://ogp.me>) and Twitter cards.
//!
//! They are lists of pairs in the order of the page, which says everything there is: a property that comes again is one
//! more value of an array, and what follows it (`og:image:width`) is about the value before.

use crate::extract::head::{Head, Meta};
use crate::value::{Table, Value};

/// The vocabularies that count without being declared: those of ogp.me and of Facebook's own types.
const KNOWN: [&str; 10] = ["og", "fb", "article", "book", "profile", "music", "video", "product", "place", "business"];

/// The Open Graph properties of a page: those of a known vocabulary, or of one that the page declares with `prefix`.
/// A `name` is as good as a `property` for `og:`, as many pages have it.
pub(in crate::extract) fn opengraph(head: &Head<'_>) -> Value<'static> {
    let declared: Vec<_> = head.prefixes.iter().flat_map(|prefix| prefix.split_ascii_whitespace()).collect();
    let is_known = |name: &&str| {
        let prefix = name.split_once(':').map(|(prefix, _)| prefix);
        prefix.is_some_and(|prefix| {
            KNOWN.contains(&prefix) || declared.iter().any(|word| word.strip_suffix(':') == Some(prefix))
        })
    };
    properties(head, |meta| {
        let [name, property] = meta.name_and_property();
        property.filter(is_known).or(name.filter(|name| name.starts_with("og:")))
    })
}

/// The properties of a page's Twitter card, by `name` or `property`.
pub(in crate::extract) fn twitter(head: &Head<'_>) -> Value<'static> {
    properties(head, |meta| meta.name_and_property().into_iter().flatten().find(|name| name.starts_with("twitter:")))
}

fn properties<'a>(head: &'a Head<'_>, name: impl Fn(&'a Meta<'_>) -> Option<&'a str>) -> Value<'static> {
    let mut table = Table::new(&["property", "content"], 0);
    for meta in &head.metas {
        if let Some(name) = name(meta) {
            table.push_text(Some(name));
            table.push_text(Some(&meta.content));
        }
    }
    Value::Table(table)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::extract::tests::{field, value};

    #[test]
    fn properties_stay_in_their_order() {
        let body = "<meta property=og:image content=/a><meta property=og:image:width content=3>
            <meta property='og:image' content=/b><meta property=fb:app_id content=1><meta name=og:title content=' t '>
            <meta property=no content=no><meta property=no:no content=no><meta name=product:price content=no>";
        let pair = |property: &str, content: &str| json!({"property": property, "content": content});
        let wanted = json!([
            pair("og:image", "/a"),
            pair("og:image:width", "3"),
            pair("og:image", "/b"),
            pair("fb:app_id", "1"),
            pair("og:title", "t"),
        ]);
        assert_eq!(value(field("opengraph"), body), wanted);
    }

    #[test]
    fn a_vocabulary_counts_where_it_is_declared() {
        let meta = "<meta property='shop:price' content=1>";
        let count = |start: &str| value(field("opengraph"), &format!("{start}{meta}")).as_array().unwrap().len();
        assert_eq!(count("<html prefix='og: http://ogp.me/ns# shop: http://a.test/ns#'>"), 1);
        assert_eq!(count("<html><head prefix='shop: http://a.test/ns#'>"), 1);
        assert_eq!(count("<html prefix='shop http://a.test/ns#'>"), 0);
    }

    #[test]
    fn a_twitter_card_is_named_or_a_property() {
        let body = "<meta name=twitter:card content=summary><meta property=twitter:title content=t><meta name=og:x content=no>";
        let wanted = json!([
            {"property": "twitter:card", "content": "summary"}, {"property": "twitter:title", "content": "t"},
        ]);
        assert_eq!(value(field("twitter"), body), wanted);
    }
}

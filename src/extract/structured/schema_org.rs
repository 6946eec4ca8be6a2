//! What the JSON-LD of a page says about that page, in the vocabulary of <https://schema.org>.
//!
//! Read are the objects at the top of a block, in its `@graph`, and the `mainEntity` of these: what is further inside
//! (comments, related articles) is about something else.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::jsonld::Documents;
use crate::extract::text::collapse;
use crate::extract::tokens::decode_value;

/// An object of JSON-LD.
type Object = Map<String, Json>;

/// What is said of the page as `keys`, the first key before the second, an article's before that of anything else.
pub(in crate::extract) fn texts<'a>(documents: &'a Documents, keys: &[&str]) -> Vec<&'a str> {
    let works = works(documents);
    let of_key = |key: &&str| works.iter().filter_map(|work| work.get(*key)?.as_str()).collect::<Vec<_>>();
    keys.iter().flat_map(of_key).collect()
}

/// The names of who made what the page is about.
pub(in crate::extract) fn authors(documents: &Documents) -> Vec<String> {
    let ids = ids(documents);
    let of_work = |work: &&Object| {
        let makers = ["author", "creator"].iter().filter_map(|key| work.get(*key));
        makers.map(|maker| names(maker, &ids)).find(|names| !names.is_empty())
    };
    works(documents).iter().find_map(of_work).unwrap_or_default()
}

/// The name of the site: that of a `WebSite`, else that of who publishes the page.
pub(in crate::extract) fn site_name(documents: &Documents) -> Option<String> {
    let ids = ids(documents);
    let first = |value: &Json| names(value, &ids).into_iter().next();
    let site = objects(documents).into_iter().find(|object| types(object).any(|one| one == "WebSite"));
    let name = site.and_then(|site| first(site.get("name")?));
    name.or_else(|| works(documents).into_iter().filter_map(|work| work.get("publisher")).find_map(first))
}

/// The names of what has an ID.
fn ids(documents: &Documents) -> HashMap<&str, &Json> {
    let named =
        objects(documents).into_iter().filter_map(|object| Some((object.get("@id")?.as_str()?, object.get("name")?)));
    named.collect()
}

/// How many names are read: a paper may have hundreds of authors.
const NAMES: usize = 1000;

/// The names that a value stands for: a text, something with a `name`, a reference to that, or a list of these.
fn names(value: &Json, ids: &HashMap<&str, &Json>) -> Vec<String> {
    let name = |value: &Json| {
        let named = match value {
            Json::Object(object) => object.get("name").or_else(|| ids.get(object.get("@id")?.as_str()?).copied())?,
            named => named,
        };
        let text = named.as_str().or_else(|| named.as_array()?.first()?.as_str())?;
        Some(collapse(&decode_value(text))).filter(|name| !name.is_empty())
    };
    listed(value).iter().take(NAMES).filter_map(name).collect()
}

/// The objects that may be about the page, articles first.
fn works(documents: &Documents) -> Vec<&Object> {
    let mut works = objects(documents);
    // Stable: of its kind the first one counts.
    works.sort_by_key(|object| types(object).map(rank).min().unwrap_or(OTHER));
    works.retain(|object| types(object).all(|one| rank(one) < NO_WORK));
    works
}

/// The place of what is of no kind that is known.
const OTHER: u8 = 1;

/// What is about somebody, or about another page.
const NO_WORK: u8 = 3;

/// The place of a type among those that may be about the page.
fn rank(name: &str) -> u8 {
    if name.ends_with("Article") || name.ends_with("Posting") || matches!(name, "Report" | "Question" | "Recipe") {
        return 0;
    }
    match name {
        "WebPage" | "ItemPage" | "AboutPage" | "CollectionPage" | "WebSite" | "Blog" => 2,
        "Comment" | "UserComments" | "Person" | "Organization" | "ImageObject" | "BreadcrumbList" | "ItemList" => {
            NO_WORK
        }
        _ => OTHER,
    }
}

/// The types of an object, without the vocabulary that they are from.
fn types(object: &Object) -> impl Iterator<Item = &str> {
    let types = object.get("@type");
    let all = types.and_then(Json::as_array).map_or(types.map(std::slice::from_ref).unwrap_or_default(), Vec::as_slice);
    all.iter().filter_map(Json::as_str).map(|name| name.rsplit(['/', '#', ':']).next().unwrap_or(name))
}

fn objects(documents: &Documents) -> Vec<&Object> {
    let mut found = Vec::new();
    for value in documents.roots().flat_map(listed) {
        let Some(object) = value.as_object() else { continue };
        found.push(object);
        let inner = ["@graph", "mainEntity"].iter().filter_map(|key| object.get(*key)).flat_map(listed);
        for object in inner.filter_map(Json::as_object) {
            found.push(object);
            found.extend(object.get("mainEntity").and_then(Json::as_object));
        }
    }
    found
}

/// The items of a list; a value that is none is one itself.
fn listed(value: &Json) -> &[Json] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn documents(json: &Json) -> Documents {
        Documents::parse(&[json.to_string()])
    }

    #[test]
    fn an_article_counts_more_than_the_page_around_it() {
        let page = documents(&json!({"@graph": [
            {"@type": "WebPage", "datePublished": "1"}, {"@type": ["x", "schema:NewsArticle"], "datePublished": "2"},
            {"@type": "Comment", "datePublished": "no"}, {"@type": "Recipe", "dateCreated": "3"},
        ]}));
        assert_eq!(texts(&page, &["datePublished", "dateCreated"]), ["2", "1", "3"]);
    }

    #[test]
    fn names_have_many_forms() {
        let of = |author: Json| {
            authors(&documents(&json!([
                {"@type": "Article", "author": author},
                {"@type": "Person", "@id": "#a", "name": "Ann  O&#39;Nym"},
            ])))
        };
        assert_eq!(of(json!("A B")), ["A B"]);
        assert_eq!(of(json!({"name": "A"})), ["A"]);
        assert_eq!(of(json!([{"name": ["A"]}, "B", {"@id": "#a"}, {"@id": "#b"}, "", 1])), ["A", "B", "Ann O'Nym"]);
        assert_eq!(of(json!(null)), [""; 0]);
    }

    #[test]
    fn a_site_is_named_by_itself_or_its_publisher() {
        let publisher = json!({"@type": "Article", "publisher": {"@type": "Organization", "name": "P"}});
        assert_eq!(site_name(&documents(&publisher)).as_deref(), Some("P"));
        let both = json!([publisher, {"@type": "WebSite", "name": "S"}]);
        assert_eq!(site_name(&documents(&both)).as_deref(), Some("S"));
    }
}

//! What CSS selectors find, for whoever asks why a field is what it is.

use scraper::{ElementRef, Html};

use super::deadline::Deadline;
use super::expression::{Css, Search};
use super::tree::elements;
use super::{Extractor, Step, construct};
use crate::failure::Failure;
use crate::page::{Kind, Page};

/// What one CSS selector finds in a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// How many elements.
    pub count: u64,
    /// The tags of the first one and of those that it lies in, from the root on: `html > body > p`.
    pub first: Option<String>,
}

/// As much as a path shows of a tag's name, in characters: a page may make up any.
const NAME: usize = 40;

impl Extractor {
    /// What the CSS selector of each field finds; none for a field that has no such selector, and for all where the page is not
    /// HTML or cannot be read so far, which [`read`](Self::read) tells of.
    #[must_use]
    pub fn matches(&self, page: &Page) -> Vec<Option<Matches>> {
        let deadline = Deadline::for_text(&page.text);
        let tree = (page.kind == Kind::Html).then(|| construct::build(&page.text, &deadline).ok()).flatten();
        let found = |step: &Step| match (step, &tree) {
            (Step::Expression(expression), Some(tree)) => find(expression.css()?, tree, &deadline).ok(),
            _ => None,
        };
        self.steps.iter().map(found).collect()
    }
}

fn find(css: &Css, tree: &Html, deadline: &Deadline) -> Result<Matches, Failure> {
    let (mut matches, mut search) = (Matches::default(), Search::below(tree.tree.root()));
    for element in elements(tree) {
        deadline.check()?;
        if css.finds(&element, &mut search) {
            matches.count += 1;
            matches.first.get_or_insert_with(|| path(&element));
        }
    }
    Ok(matches)
}

fn path(element: &ElementRef<'_>) -> String {
    let ancestors = element.ancestors().filter_map(ElementRef::wrap).collect::<Vec<_>>();
    let name = |element: ElementRef<'_>| element.value().name().chars().take(NAME).collect::<String>();
    let names: Vec<_> = ancestors.into_iter().rev().chain([*element]).map(name).collect();
    names.join(" > ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Ask;
    use crate::fetch::{Fetched, Head};

    fn matches(asks: &[Ask], content_type: &'static str, body: &'static str) -> Vec<Option<Matches>> {
        let headers = [(reqwest::header::CONTENT_TYPE, content_type.parse().unwrap())].into_iter().collect();
        let head = Head { status: 200, headers };
        let fetched = Fetched { url: "http://a.test/".parse().unwrap(), head, body: body.into() };
        Extractor::new(asks).unwrap().matches(&Page::read(&fetched))
    }

    #[test]
    fn all_that_a_selector_finds_is_counted_and_the_way_to_the_first_is_told() {
        let asks = [Ask::Select("p=p".into()), Ask::Field("h1".into()), Ask::Select("none=i".into())];
        let body = "<template><p>no</template><div><p>1</div><p>2<section><p>3";
        let found = matches(&asks, "text/html", body);
        let first = Matches { count: 3, first: Some("html > body > div > p".into()) };
        assert_eq!(found, [Some(first), None, Some(Matches::default())]);
        assert_eq!(matches(&asks, "text/plain", body), [None, None, None]);
    }
}

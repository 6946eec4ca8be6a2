//! The main content of a page: what a reader came for, without navigation, advertisements, comments, related links.
//!
//! One pass over the tree makes flat lists of its elements and texts ([`survey`]). What an element's names say
//! ([`hints`], [`vocabulary`]), and what the page says that it is ([`evidence`]), divide the page into parts
//! ([`parts`]); the amounts of prose in these tell what kind of page it is, and which parts are its content
//! ([`choice`]). All that takes linear time.
//!
//! Decided here: the page's `<h1>`, captions and bylines are no part of an article, the title and the author of which
//! are facts of their own; comments are the content of a discussion and of nothing else; an index keeps its links.
//!
//! The signals are those of the published algorithms: text and link density of blocks (boilerpipe: Kohlschütter et al.
//! 2010), names of classes and what is tried again where they mislead (Readability), metadata (trafilatura: Barbaresi
//! 2021), and as content the subtree of the largest weight (as in CETD: Sun et al. 2011). Nothing is learned or tuned for
//! a site.

mod choice;
mod evidence;
mod hints;
mod markdown;
mod parts;
mod plain;
mod survey;
mod vocabulary;
mod words;

use std::cell::OnceCell;

use scraper::Html;

use super::construct;
use super::deadline::Deadline;
use super::links::Base;
use super::names::is_any;
use super::tree::elements;
use crate::failure::Failure;

use choice::Choice;
use evidence::Evidence;
use survey::{Event, Survey};
pub(super) use words::{fingerprint, words};

/// The main content of a page.
#[derive(Debug)]
pub(super) struct Article<'a> {
    survey: Survey<'a>,
    choice: Option<Choice>,
    text: OnceCell<String>,
}

impl<'a> Article<'a> {
    /// Finds it in a tree; in that of [`scriptless`] if there is one.
    ///
    /// # Errors
    /// It takes too long.
    pub(super) fn find(tree: &'a Html, scriptless: Option<&'a Html>, deadline: &Deadline) -> Result<Self, Failure> {
        let survey = Survey::of(scriptless.unwrap_or(tree), deadline)?;
        let choice = (!survey.elements.is_empty()).then(|| Choice::of(&survey, Evidence::of(tree)));
        Ok(Self { survey, choice, text: OnceCell::new() })
    }

    /// Its text: blocks on lines of their own, the cells of a table's row apart by tabs, white space collapsed but for
    /// that of `<pre>`. Empty where there is none.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| plain::render(self))
    }

    /// It as Markdown, with URLs relative to `base`. Empty where there is none.
    pub(super) fn markdown(&self, base: &Base) -> String {
        markdown::render(self, base)
    }

    /// The steps through the content, in order.
    fn events(&self) -> impl Iterator<Item = Event<'a>> {
        let chosen = self.choice.as_ref().map(|choice| (choice, &self.survey.elements[choice.root]));
        let (mut at, end) = chosen.map_or((0, 0), |(_, root)| (root.enter, root.leave));
        std::iter::from_fn(move || {
            let event = *self.survey.events.get(at).filter(|_| at < end)?;
            at += 1;
            match event {
                Event::Enter(index) if chosen.is_some_and(|(choice, _)| choice.is_left_out[index]) => {
                    at = self.survey.elements[index].leave;
                    Some(Event::Omit(index))
                }
                _ => Some(event),
            }
        })
    }
}

/// The page that a reader without scripts gets, where that is the larger part of it: some forums have their posts in a
/// `<noscript>`, whose content is text to who has scripts (WHATWG HTML, section 4.12.2), as the tree is built. None where
/// that is too complex.
pub(super) fn scriptless(tree: &Html, deadline: &Deadline) -> Option<Html> {
    let noscripts = elements(tree).filter(|element| is_any!(element.value().name.local, "noscript"));
    let texts = noscripts.filter_map(|noscript| noscript.first_child()?.value().as_text());
    let text = texts.max_by_key(|text| text.len())?;
    let bytes = Survey::of(tree, deadline).ok()?.total().bytes;
    if text.len() <= bytes as usize {
        return None;
    }
    let inner = construct::build(text, deadline).ok()?;
    (Survey::of(&inner, deadline).ok()?.total().bytes > bytes).then_some(inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    const SENTENCE: &str = "Some text, and more of it, that makes a sentence. ";

    proptest! {
        #[test]
        fn what_is_found_is_in_the_page(
            pieces in prop::collection::vec(prop::sample::select(vec![
                SENTENCE, "word", " ", "<p>", "<div>", "</div>", "<main>", "</main>",
                "<article>", "</article>", "<nav>", "</nav>", "<h1>", "</h1>", "<a href=x>", "</a>", "<div class=comment>", "<div hidden>",
                "<li>", "<ul>", "</ul>", "<table>", "<tr>", "<td>", "</table>", "<pre>", "</pre>", "<form>", "</form>", "<body>",
                "<noscript>", "</noscript>", "<template>", "</template>", "<svg>", "</svg>", "<button>", "<frameset>", "<b>", "</b>",
            ]), 0..60),
        ) {
            let html = pieces.concat();
            let tree = Html::parse_document(&html);
            let deadline = Deadline::for_text(&html);
            let other = scriptless(&tree, &deadline);
            let article = Article::find(&tree, other.as_ref(), &deadline).expect("in time");
            let rest = article.text().replace(SENTENCE.trim(), "").replace("word", "");
            prop_assert_eq!(rest.trim(), "", "{}", html);
            let base = Base::new(&Url::parse("http://a.test/").expect("a URL"), None);
            prop_assert_eq!(article.text().is_empty(), article.markdown(&base).is_empty(), "{}", html);
        }
    }
}

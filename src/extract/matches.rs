//! What selectors find, for whoever asks why a field is what it is.

use super::construct;
use super::deadline::Deadline;
use super::expression::jq::Runner;
use super::expression::{Expression, Place, Subject};
use super::links::Base;
use super::reading::read_json;
use super::{Extractor, Placed, Step, tree};
use crate::failure::Failure;
use crate::page::{Kind, Page};

/// What one selector finds in a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// How many nodes of a page, or values of JSON.
    pub count: u64,
    /// The tags of the first one and of those that it lies in, from the root on: `html > body > p`, with `> @href` for an
    /// attribute. None in JSON.
    pub first: Option<String>,
}

impl Matches {
    /// They and those of the same selector in another place.
    pub(super) fn and(self, other: Self) -> Self {
        Self { count: self.count + other.count, first: self.first.or(other.first) }
    }
}

/// What a selector of a recipe finds in a page: in all of its items, where it is one of an item's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The field, with those that it lies in: `seller.name`. `items` and `next` are what the recipe calls so.
    pub name: String,
    /// The expression as it is written.
    pub selector: Box<str>,
    /// What it finds.
    pub matches: Matches,
}

/// What the selectors of a page's recipe find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What repeats.
    pub items: Option<Finding>,
    /// The fields in their order.
    pub fields: Vec<Finding>,
    /// The page to go on with, where an expression names it.
    pub next: Option<Finding>,
}

impl Extractor {
    /// What the selector of each field finds; none for a field that has no selector, or none on this page, and for all where the
    /// page cannot be read so far, which [`read`](Self::read) tells of.
    #[must_use]
    pub fn matches(&self, page: &Page) -> Vec<Option<Matches>> {
        let findings = self.findings(page).unwrap_or_default();
        let of_steps = self.with_subject(page, &self.expressions().collect::<Vec<_>>(), |subject| {
            let found = |step: &Step| match step {
                Step::Expression(it) if it.is_for(page.kind) => subject.matches(it, Place::Page).map(Some),
                _ => Ok(None),
            };
            self.steps.iter().map(found).collect::<Result<Vec<_>, _>>()
        });
        let of_steps = of_steps.unwrap_or_else(|_| vec![None; self.steps.len()]);
        let by_recipe = |name: &str| findings.fields.iter().find(|finding| finding.name == name);
        let all = self.names.iter().zip(&self.steps).zip(of_steps);
        all.map(|((name, step), found)| match step {
            Step::Recipe => by_recipe(name).map(|finding| finding.matches.clone()),
            _ => found,
        })
        .collect()
    }

    /// What the selectors of the page's recipe find; none where there is no recipe for it, or the page cannot be read so far.
    #[must_use]
    pub fn findings(&self, page: &Page) -> Option<Findings> {
        let (_, Placed { recipe, .. }) = self.recipe_for(page.url)?;
        self.with_subject(page, &recipe.expressions(), |subject| recipe.findings(subject)).ok()
    }

    /// Looks at a page through what expressions need of it.
    fn with_subject<T>(
        &self,
        page: &Page,
        expressions: &[&Expression],
        look: impl FnOnce(&Subject<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let deadline = Deadline::for_text(&page.text);
        let tree = (page.kind == Kind::Html).then(|| construct::build(&page.text, &deadline)).transpose()?;
        let base = Base::of(page, tree.as_ref().and_then(tree::base_href));
        let json = read_json(page)?;
        let runner = self.jq.as_ref().map(|pool| Runner::new(pool, page.url, &deadline));
        let subject = Subject::new(expressions, (tree.as_ref(), json.as_ref()), &base, &deadline)?;
        look(&subject.with_jq(runner))
    }
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

    fn found(count: u64, first: &str) -> Matches {
        Matches { count, first: (!first.is_empty()).then(|| first.into()) }
    }

    #[test]
    fn all_that_a_selector_finds_is_counted_and_the_way_to_the_first_is_told() {
        let select = |text: &str| Ask::Select(text.into());
        let asks =
            [select("p=p"), Ask::Field("h1".into()), select("none=i"), select("x=//p[2]/@id"), select("n=count(//p)")];
        let asks = [&asks[..], &[select("t=//p/text()"), select("d=//div"), select("j=$.a")]].concat();
        let body = "<template><p>no</template><div><p>1</div><p>2<section><p>3<p id=x>4";
        let wanted = [
            Some(found(4, "html > body > div > p")),
            None,
            Some(found(0, "")),
            Some(found(1, "html > body > section > p > @id")),
            Some(found(1, "")),
            Some(found(4, "html > body > div > p")),
            Some(found(1, "html > body > div")),
            None,
        ];
        assert_eq!(matches(&asks, "text/html", body), wanted);
        let json = [None, None, None, None, None, None, None, Some(found(1, ""))];
        assert_eq!(matches(&asks, "application/json", r#"{"a": [1, 2]}"#), json);
        assert_eq!(matches(&[select("all[]=$.a[*]")], "application/json", r#"{"a": [1, 2]}"#), [Some(found(2, ""))]);
    }

    #[test]
    fn what_a_recipe_finds_is_counted_through_all_items() {
        let text = "[[recipe]]\nitems = 'li'\nnext = 'a@href'\npage = { h = 'h1' }\n\
                    fields = { b = 'b', 'o[]' = { items = 'i', fields = { u = './u' } } }";
        let asks = [Ask::Recipes { name: "r.toml".into(), text: text.into() }];
        let body = "<h1>H</h1><li><b>1</b><b>2</b><i><u>x</u></i><li><b>3</b><i>y</i><a href=2>";
        let extractor = Extractor::new(&asks).unwrap();
        assert_eq!(matches(&asks, "text/html", body)[1], Some(found(3, "html > body > li > b")));
        let head = Head { status: 200, headers: reqwest::header::HeaderMap::new() };
        let fetched = Fetched { url: "http://a.test/".parse().unwrap(), head, body: body.into() };
        let findings = extractor.findings(&Page::read(&fetched)).unwrap();
        let told = |finding: &Finding| (finding.name.clone(), finding.selector.to_string(), finding.matches.count);
        let fields: Vec<_> = findings.fields.iter().map(told).collect();
        let row = |name: &str, selector: &str, count| (name.to_owned(), selector.to_owned(), count);
        assert_eq!(fields, [row("h", "h1", 1), row("b", "b", 3), row("o", "i", 2), row("o.u", "./u", 1)]);
        assert_eq!(findings.items.as_ref().map(told), Some(row("items", "li", 2)));
        assert_eq!(findings.next.as_ref().map(told), Some(row("next", "a@href", 1)));
    }
}

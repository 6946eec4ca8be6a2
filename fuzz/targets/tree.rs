//! Any page as our tokens and tree have it, against html5ever's tokenizer and scraper's tree.
//!
//! Both find the same attributes of the same elements in the same order, and the same title, which comes from our
//! tokens alone: these follow misnested SVG and math only roughly, so there it is not compared.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use scrape::extract::{Ask, Extractor};
use scrape::page::Page;
use scrape::value::Value;
use scrape_fuzz::html;
use scraper::{ElementRef, Html, Selector};

/// Selectors, and the attribute that is taken of what they match.
const PICKS: [(&str, &str); 3] = [("*", "id"), ("a, b, td, [class]", "class"), ("p > *, table *, svg *", "x")];

static EXTRACTOR: LazyLock<Extractor> = LazyLock::new(|| {
    let picks = PICKS.iter().enumerate().map(|(n, (css, name))| Ask::Select(format!("f{n}[]={css}@{name}")));
    Extractor::new(&picks.collect::<Vec<_>>()).expect("selectors")
});

/// What scraper finds in the document, but for what is in a template, or was thrown out when a frameset came.
fn find<'a>(tree: &'a Html, css: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(css).expect("a selector");
    let elements = tree.tree.root().descendants().filter_map(ElementRef::wrap);
    let in_template = |one: &ElementRef<'_>| one.ancestors().any(|node| node.value().is_fragment());
    elements.filter(|one| selector.matches(one) && !in_template(one)).collect()
}

fuzz_target!(|body: &str| {
    let fetched = html(body);
    let page = Page::read(&fetched);
    let extracted = EXTRACTOR.read(&page);
    if extracted.failure.is_some() {
        return;
    }
    let tree = Html::parse_document(&page.text);
    for (found, (css, name)) in extracted.rows[0].0.iter().zip(PICKS) {
        let expected = find(&tree, css).into_iter().filter_map(|one| one.attr(name)).map(Value::from);
        assert_eq!(found.to_cell(), Value::List(expected.collect()).to_cell(), "{css}@{name}");
    }
    let is_html = |one: &ElementRef<'_>| &*one.value().name.ns == "http://www.w3.org/1999/xhtml";
    if !find(&tree, "svg, math").is_empty() {
        return;
    }
    let title = find(&tree, "title").into_iter().find(is_html).map(|one| one.text().collect::<String>());
    let words = |text: String| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(extracted.title.map(words), title.map(words));
});

//! Who wrote a page.

use crate::extract::bylines::{Evidence, Kind, Mark};
use crate::extract::head::Head;
use crate::extract::structured::schema_org;
use crate::extract::text::collapse;
use crate::value::Value;

/// The names of `<meta>`s with the author.
const METAS: &[&str] = &[
    "author",
    "article:author",
    "article:author_name",
    "og:article:author",
    "book:author",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dc.creator.personalname",
    "dcterms.creator",
    "citation_author",
    "byl",
    "authors",
    "creator",
    "rbauthors",
];

/// What stands before a name.
const BY: &[&str] = &[
    "written by",
    "geschrieben von",
    "verfasst von",
    "écrit par",
    "escrito por",
    "scritto da",
    "geschreven door",
    "posted by",
    "published by",
    "reviewed by",
    "by",
    "author",
    "von",
    "par",
    "por",
    "di",
    "da",
    "door",
    "av",
    "af",
    "autor",
    "auteur",
    "autore",
    "text",
];

/// How long a name may be, in bytes.
const NAME: usize = 100;

/// The authors: as JSON-LD has them, as a `<meta>`, as what is marked so in the page. An empty list where nothing says it.
pub(in crate::extract) fn authors(page: &Evidence<'_>) -> Value<'static> {
    let described = schema_org::authors(page.documents);
    let mut names: Vec<_> = described.iter().filter_map(|name| clean(name)).collect();
    if names.is_empty() {
        names = METAS.iter().map(|name| of_metas(page.head, name)).find(|names| !names.is_empty()).unwrap_or_default();
    }
    if names.is_empty() {
        names.extend(labelled(page.head));
    }
    if names.is_empty() {
        names.extend(marked(page, Kind::Author).or_else(|| marked(page, Kind::Byline)));
    }
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    Value::List(distinct.into_iter().map(Value::from).collect())
}

/// The name that is shown on the page's card, next to a word such as "Written by".
fn labelled(head: &Head<'_>) -> Option<String> {
    let label = head.contents("twitter:label1").next()?;
    without_by(label).is_empty().then(|| clean(head.contents("twitter:data1").next()?))?
}

/// How many authors are kept.
const AUTHORS: usize = 1000;

fn of_metas(head: &Head<'_>, name: &str) -> Vec<String> {
    head.contents(name).take(AUTHORS).filter_map(clean).collect()
}

/// The name in an element that is marked as `kind`: the one nearest to the headline, and not beside the content.
fn marked(page: &Evidence<'_>, kind: Kind) -> Option<String> {
    let is_own = |mark: &&Mark<'_>| mark.kind == kind && !page.bylines.is_beside(mark, page.headline);
    let marks = page.bylines.marks.iter().filter(is_own);
    let named = marks.filter_map(|mark| Some((mark.at().abs_diff(page.headline), name_in(mark, page.text)?)));
    named.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

fn name_in(mark: &Mark<'_>, text: &str) -> Option<String> {
    let told = mark.value.as_deref().filter(|_| mark.kind == Kind::Author).and_then(clean);
    told.or_else(|| {
        let lines = text[mark.place(text, 2 * NAME)].lines().map(str::trim_ascii);
        let line = lines.into_iter().find(|line| !without_by(line).is_empty())?;
        let has_by = line != without_by(line);
        clean(line).filter(|name| mark.kind == Kind::Author || has_by || is_like_name(name))
    })
}

/// Whether a text looks like the name of somebody: a few words with capitals.
fn is_like_name(text: &str) -> bool {
    let words: Vec<_> = text.split(' ').collect();
    (2..=4).contains(&words.len())
        && words.iter().all(|word| word.starts_with(char::is_uppercase) && !word.contains(|c: char| c.is_ascii_digit()))
}

/// A name without what is around it; none where that is no name.
fn clean(text: &str) -> Option<String> {
    let name = collapse(text);
    let name = without_by(&name);
    let name =
        name.split(" | ").next().unwrap_or(name).trim_matches([' ', ',', ':', '|', '-', '–', '—', '•', '·', '"']);
    let is_name = !name.is_empty()
        && name.len() <= NAME
        && !name.contains("://")
        && name.contains(char::is_alphabetic)
        && !["admin", "administrator", "author", "unknown"].iter().any(|nobody| nobody.eq_ignore_ascii_case(name));
    is_name.then(|| name.to_owned())
}

fn without_by(text: &str) -> &str {
    let rest = BY.iter().find_map(|by| {
        let (start, rest) = text.split_at_checked(by.len())?;
        let is_whole = rest.is_empty() || rest.starts_with([' ', ':', '\u{a0}', '\n']);
        (start.eq_ignore_ascii_case(by) && is_whole).then_some(rest)
    });
    rest.unwrap_or(text).trim_start_matches([' ', ':', '\u{a0}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_freed_from_what_is_around_it() {
        for text in ["Ann Nym", " by  Ann Nym,", "Written by: Ann Nym", "VON Ann Nym", "Ann Nym | The Times"] {
            assert_eq!(clean(text).as_deref(), Some("Ann Nym"), "{text}");
        }
        assert_eq!(clean("Byron").as_deref(), Some("Byron"));
        for text in ["", "by", "http://a.test/ann", "admin", "1234", &"x".repeat(101)] {
            assert_eq!(clean(text), None, "{text}");
        }
    }
}

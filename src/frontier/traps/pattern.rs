//! What makes a URL look like one of endlessly many.

use std::ops::Range;

use url::{Position, Url};

use super::Kind;

/// Parameters that name a visit and not a page.
const SESSION: [&str; 8] = ["phpsessid", "jsessionid", "sessionid", "session_id", "sessid", "sid", "cfid", "cftoken"];

/// Parameters that tell how something is shown and not what.
const ORDER: [&str; 12] = [
    "sort",
    "sortby",
    "sort_by",
    "order",
    "orderby",
    "order_by",
    "dir",
    "direction",
    "view",
    "per_page",
    "perpage",
    "pagesize",
];

/// Parameters that are a date, or a part of one.
const DATE: [&str; 7] = ["date", "year", "month", "day", "week", "yr", "mo"];

/// How many parameters are a combination of filters.
const FACETS: usize = 3;

/// More segments than this are deep.
const DEEP: usize = 10;

/// How often in a row a few segments may come, and one anywhere.
const IN_A_ROW: usize = 3;
const ANYWHERE: usize = 4;

/// The longest run of segments that is looked for, and how many segments are looked at.
const LONGEST_RUN: usize = 4;
const LOOKED_AT: usize = 64;

/// One way in which a URL looks like one of endlessly many.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) kind: Kind,
    /// What all of them have in common: they share a budget.
    pub(super) key: String,
    /// The same for a person.
    pub(super) text: String,
}

/// A URL in its parts.
struct Parts<'u> {
    origin: &'u str,
    path: &'u str,
    segments: Vec<&'u str>,
    parameters: Vec<&'u str>,
}

impl<'u> Parts<'u> {
    fn new(url: &'u Url) -> Self {
        let path = url.path();
        let segments = path.split('/').filter(|segment| !segment.is_empty()).take(LOOKED_AT).collect();
        let parameters = url.query().into_iter().flat_map(|query| query.split('&')).filter(|it| !it.is_empty());
        Self { origin: &url[..Position::BeforePath], path, segments, parameters: parameters.collect() }
    }

    /// The URLs that begin with so many of its segments.
    fn below(&self, segments: usize) -> String {
        let path: String = self.segments[..segments].iter().flat_map(|segment| ["/", segment]).collect();
        format!("{}{path}/*", self.origin)
    }

    fn with_any_query(&self) -> String {
        format!("{}{}?*", self.origin, self.path)
    }

    /// The path and these parameters in one order.
    fn with(&self, mut parameters: Vec<&str>) -> String {
        parameters.sort_unstable();
        format!("{}{}?{}", self.origin, self.path, parameters.join("&"))
    }
}

/// The patterns that a URL is of, each kind at most once.
pub(super) fn of(url: &Url) -> impl Iterator<Item = Pattern> {
    const FINDERS: [fn(&Parts<'_>) -> Option<Pattern>; 7] =
        [session, repeated, calendar, deep, order, permutation, facets];
    let parts = Parts::new(url);
    FINDERS.into_iter().filter_map(move |find| find(&parts))
}

/// `?sid=…`, `;jsessionid=…`
fn session(parts: &Parts<'_>) -> Option<Pattern> {
    let others: Vec<_> = parts.parameters.iter().copied().filter(|it| !is_one_of(name(it), &SESSION)).collect();
    let path = without_session(parts.path);
    if others.len() == parts.parameters.len() && path.is_none() {
        return None;
    }
    let path = path.unwrap_or_else(|| parts.path.to_owned());
    let page = Parts { origin: parts.origin, path: &path, segments: Vec::new(), parameters: Vec::new() };
    Some(Pattern { kind: Kind::Session, key: page.with(others), text: page.with_any_query() })
}

/// A path without the session that its last segment names.
fn without_session(path: &str) -> Option<String> {
    let (before, parameter) = path.split_once(';')?;
    is_one_of(name(parameter), &SESSION).then(|| before.to_owned())
}

/// `/a/b/a/b/a/b`, `/a/x/a/y/a/z/a`
fn repeated(parts: &Parts<'_>) -> Option<Pattern> {
    let end = run(&parts.segments).or_else(|| recurrence(&parts.segments))?;
    let key = parts.below(end);
    Some(Pattern { kind: Kind::Repeated, text: key.clone(), key })
}

/// Where the first of some segments ends that come again and again in a row. Numbers may, as in dates.
fn run(segments: &[&str]) -> Option<usize> {
    (1..=LONGEST_RUN).find_map(|length| {
        let mut equal = 0;
        (length..segments.len()).find_map(|at| {
            let is_again = segments[at] == segments[at - length] && !is_number(segments[at]);
            equal = if is_again { equal + 1 } else { 0 };
            (equal == length * (IN_A_ROW - 1)).then(|| at + 1 - length * (IN_A_ROW - 1))
        })
    })
}

/// Where a segment is for the second time that comes again and again.
fn recurrence(segments: &[&str]) -> Option<usize> {
    segments.iter().enumerate().find_map(|(at, segment)| {
        let mut again = (at + 1..segments.len()).filter(|&later| segments[later] == *segment);
        let second = again.next()?;
        (!is_number(segment) && again.count() + 2 >= ANYWHERE).then_some(second + 1)
    })
}

/// A path that ends in a date and nothing else, `/calendar/2024/05`, or a query that has one.
fn calendar(parts: &Parts<'_>) -> Option<Pattern> {
    let dated =
        |parameter: &&str| is_one_of(name(parameter), &DATE) && parameter.bytes().any(|byte| byte.is_ascii_digit());
    let key = match date_at_the_end(&parts.segments) {
        Some(date) => parts.below(date.start),
        None if parts.parameters.iter().any(dated) => parts.with_any_query(),
        None => return None,
    };
    Some(Pattern { kind: Kind::Calendar, text: key.clone(), key })
}

/// The last segments, where they are a year with a month and maybe a day: in one segment, or in one each.
fn date_at_the_end(segments: &[&str]) -> Option<Range<usize>> {
    let end = segments.len();
    let is_year = |text: &str| text.len() == 4 && is_number(text);
    let is_small = |text: &str| (1..=2).contains(&text.len()) && is_number(text);
    let is_date = |parts: &[&str]| matches!(parts, [year, rest @ ..] if is_year(year) && (1..=2).contains(&rest.len()) && rest.iter().all(|it| is_small(it)));
    let alone = segments.last().is_some_and(|last| is_date(&last.split('-').collect::<Vec<_>>()));
    let lengths = [alone.then_some(1), Some(2), Some(3)];
    let mut starts = lengths.into_iter().flatten().filter_map(|length| end.checked_sub(length));
    starts.find(|&start| alone || is_date(&segments[start..])).map(|start| start..end)
}

/// `/a/b/c/d/e/f/g/h/i/j/k`
fn deep(parts: &Parts<'_>) -> Option<Pattern> {
    (parts.segments.len() > DEEP).then(|| {
        let key = parts.below(1);
        Pattern { kind: Kind::Deep, text: key.clone(), key }
    })
}

/// `?sort=price&dir=up`
fn order(parts: &Parts<'_>) -> Option<Pattern> {
    let others: Vec<_> = parts.parameters.iter().copied().filter(|it| !is_one_of(name(it), &ORDER)).collect();
    let is_ordered = others.len() < parts.parameters.len();
    is_ordered.then(|| Pattern { kind: Kind::Order, key: parts.with(others), text: parts.with_any_query() })
}

/// `?b=2&a=1`, which is `?a=1&b=2`.
fn permutation(parts: &Parts<'_>) -> Option<Pattern> {
    let key = (parts.parameters.len() > 1).then(|| parts.with(parts.parameters.clone()))?;
    Some(Pattern { kind: Kind::Permutation, key, text: parts.with_any_query() })
}

/// `?colour=red&size=m&brand=x`
fn facets(parts: &Parts<'_>) -> Option<Pattern> {
    let key = (parts.parameters.len() >= FACETS).then(|| parts.with_any_query())?;
    Some(Pattern { kind: Kind::Facets, text: key.clone(), key })
}

fn name(parameter: &str) -> &str {
    parameter.split('=').next().unwrap_or_default()
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Vec<(Kind, String)> {
        let url = Url::parse(&format!("http://a.test{path}")).unwrap();
        of(&url).map(|pattern| (pattern.kind, pattern.text.replace("http://a.test", ""))).collect()
    }

    #[test]
    fn traps_are_told_by_their_pattern() {
        for (path, kind, text) in [
            ("/p?sid=1", Kind::Session, "/p?*"),
            ("/p;jsessionid=8F?a=1", Kind::Session, "/p?*"),
            ("/x/a/b/a/b/a/b", Kind::Repeated, "/x/a/b/*"),
            ("/a/a/a", Kind::Repeated, "/a/*"),
            ("/a/x/a/y/a/z/a", Kind::Repeated, "/a/x/a/*"),
            ("/calendar/2024/05", Kind::Calendar, "/calendar/*"),
            ("/calendar/2024/05/17/", Kind::Calendar, "/calendar/*"),
            ("/calendar/2024-05-17", Kind::Calendar, "/calendar/*"),
            ("/2024/5", Kind::Calendar, "/*"),
            ("/cal?year=2024&month=5", Kind::Calendar, "/cal?*"),
            ("/a/b/c/d/e/f/g/h/i/j/k", Kind::Deep, "/a/*"),
            ("/p?a=1&sort=up", Kind::Order, "/p?*"),
            ("/p?b=2&a=1", Kind::Permutation, "/p?*"),
            ("/p?a=1&b=2&c=3", Kind::Facets, "/p?*"),
        ] {
            assert!(found(path).contains(&(kind, text.into())), "{path}: {:?}", found(path));
        }
    }

    #[test]
    fn plain_pages_are_of_no_pattern() {
        for path in [
            "/",
            "/a/b/c.html",
            "/a/a",
            "/page/2",
            "/list?page=2",
            "/2024/05/17/a-title",
            "/2024",
            "/blog/2024-05-17-a-title",
            "/1/1/1/1",
            "/2011/11/11/11",
            "/?date=",
            "/a/b/c/d/e/f/g/h/i/j",
            "/2.0/1",
        ] {
            assert_eq!(found(path), [], "{path}");
        }
    }
}

//! What may be kept, and what may be used.

use std::time::{Duration, SystemTime};

use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use hyper::http::{Request, Response};
use reqwest::Method;
use reqwest::header::{
    AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, EXPIRES, HeaderMap, HeaderName,
    HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
    TRANSFER_ENCODING, VARY,
};
use xxhash_rust::xxh3::Xxh3;

use super::{Entry, Found, Question};

/// As long as nobody says how long an answer is fresh, it is for no longer than this.
const GUESSED: Duration = Duration::from_hours(24);

/// Seconds: what is older cannot be told from it (RFC 9111, section 1.2.2).
const OLDEST: u64 = 1 << 31;

/// What asks for a part of an answer, or for it under a condition.
const SPECIAL: [HeaderName; 6] = [IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE];

/// What is said of the body that a 304 does not bring.
const OF_BODY: [HeaderName; 4] = [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, TRANSFER_ENCODING];

/// Whether the cache has no say in a request with these header fields.
pub(super) fn is_special(headers: &HeaderMap) -> bool {
    SPECIAL.iter().any(|name| headers.contains_key(name)) || has_directive(headers, "no-store")
}

/// Whether an answer may be kept.
pub(super) fn is_storable(entry: &Entry, question: &Question) -> bool {
    policy(entry, question).is_some_and(|(policy, _)| policy.is_storable())
}

/// Whether an answer may be used at `now`, as it is or once it was confirmed.
pub(super) fn judge(entry: Entry, question: &Question, now: SystemTime) -> Found {
    let Some((policy, request)) = policy(&entry, question) else { return Found::Stale(entry, HeaderMap::new()) };
    let is_told = entry.headers.contains_key(EXPIRES) || has_directive(&entry.headers, "max-age");
    let is_too_old = !is_told && policy.age(now) > GUESSED;
    // A clock that was put back tells no age.
    let is_of_the_future = SystemTime::from(entry.at) > now;
    match policy.before_request(&request, now) {
        BeforeRequest::Fresh(_) if !is_too_old && !is_of_the_future => Found::Fresh(entry),
        _ => {
            let conditions = conditions(&entry.headers);
            Found::Stale(entry, conditions)
        }
    }
}

/// What asks the server to confirm an answer with these header fields (RFC 9111, section 4.3.1).
fn conditions(headers: &HeaderMap) -> HeaderMap {
    let pairs = [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)];
    pairs.into_iter().filter_map(|(of, condition)| Some((condition, headers.get(of)?.clone()))).collect()
}

/// The header fields of an answer that a 304 with `new` ones confirms (RFC 9111, sections 3.2 and 4.3.4); none where that is
/// about another one.
pub(super) fn freshen(old: &HeaderMap, new: &HeaderMap) -> Option<HeaderMap> {
    let opaque =
        |tag: &HeaderValue| tag.as_bytes().trim_ascii().strip_prefix(b"W/").map_or(tag.as_bytes().to_vec(), Vec::from);
    let is_same = match (new.get(ETAG), new.get(LAST_MODIFIED)) {
        (Some(tag), _) => old.get(ETAG).is_some_and(|known| opaque(known) == opaque(tag)),
        (None, Some(date)) => old.get(LAST_MODIFIED) == Some(date),
        (None, None) => true,
    };
    let mut headers = old.clone();
    for name in new.keys().filter(|name| !OF_BODY.contains(name)) {
        headers.remove(name);
        for value in new.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    // What a cache before us said of the age that the answer had then is over.
    if !new.contains_key(AGE) {
        headers.remove(AGE);
    }
    is_same.then_some(headers)
}

/// What stands for those header fields of a request that an answer's `Vary` names; none where it names them all.
pub(super) fn variant(answer: &HeaderMap, request: &HeaderMap) -> Option<u64> {
    let mut names = Vec::new();
    for field in answer.get_all(VARY) {
        names.extend(String::from_utf8_lossy(field.as_bytes()).split(',').map(|name| name.trim().to_ascii_lowercase()));
    }
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    let mut hash = Xxh3::new();
    for name in &names {
        if name == "*" {
            return None;
        }
        for value in request.get_all(name) {
            for part in [name.as_bytes(), b":", value.as_bytes(), b"\n"] {
                hash.update(part);
            }
        }
    }
    Some(hash.digest())
}

/// Whether the answer is one to a request with these header fields, as far as `Vary` goes.
pub(super) fn is_variant(entry: &Entry, request: &HeaderMap) -> bool {
    variant(&entry.headers, request) == Some(entry.variant)
}

/// The rules for an answer, and the request that they are asked about. Both are as if they had come of the same request: that
/// they fit is known by then.
fn policy(entry: &Entry, question: &Question) -> Option<(CachePolicy, Request<()>)> {
    let mut request = Request::builder().method(Method::GET).uri(question.url.as_str()).body(()).ok()?;
    *request.headers_mut() = plain(&question.headers);
    let mut response = Response::builder().status(entry.status).body(()).ok()?;
    *response.headers_mut() = plain(&entry.headers);
    let options = CacheOptions { shared: false, ..CacheOptions::default() };
    Some((CachePolicy::new_options(&request, &response, entry.at.into(), options), request))
}

/// The header fields as the rules take them: directives in lower case, and no age beyond all bounds, at which they panic.
fn plain(headers: &HeaderMap) -> HeaderMap {
    let mut plain = headers.clone();
    plain.remove(CACHE_CONTROL);
    for value in headers.get_all(CACHE_CONTROL) {
        if let Ok(value) = HeaderValue::from_bytes(&value.as_bytes().to_ascii_lowercase()) {
            plain.append(CACHE_CONTROL, value);
        }
    }
    let digits = |age: &str| !age.is_empty() && age.bytes().all(|byte| byte.is_ascii_digit());
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()).filter(|age| digits(age.trim()));
    if let Some(age) = plain.remove(AGE).and(age) {
        plain.insert(AGE, HeaderValue::from(age.trim().parse().unwrap_or(OLDEST).min(OLDEST)));
    }
    plain
}

fn has_directive(headers: &HeaderMap, directive: &str) -> bool {
    let is_it = |part: &[u8]| {
        let name = part.split(|&byte| byte == b'=').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(directive.as_bytes())
    };
    headers.get_all(CACHE_CONTROL).iter().any(|field| field.as_bytes().split(|&byte| byte == b',').any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use url::Url;

    fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(name, value) in fields {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn question(headers: &[(&'static str, &'static str)]) -> Question {
        Question::new(&Url::parse("http://a.test/").unwrap(), fields(headers), &[]).unwrap()
    }

    fn entry(status: u16, headers: &[(&'static str, &'static str)]) -> Entry {
        let at = "2026-11-22T12:00:00Z".parse().unwrap();
        Entry::new(&question(&[]), (status, fields(headers)), "".into(), at).unwrap()
    }

    /// Whether an answer may be used after so many seconds.
    fn is_fresh(headers: &[(&'static str, &'static str)], seconds: u64) -> bool {
        let entry = entry(200, headers);
        let now = SystemTime::from(entry.at) + Duration::from_secs(seconds);
        matches!(judge(entry, &question(&[]), now), Found::Fresh(_))
    }

    #[test]
    fn an_answer_is_fresh_for_as_long_as_it_says() {
        assert!(is_fresh(&[("cache-control", "max-age=60")], 59));
        assert!(!is_fresh(&[("cache-control", "max-age=60")], 61));
        assert!(!is_fresh(&[("cache-control", "max-age=60"), ("age", "50")], 11));
        assert!(is_fresh(&[("cache-control", "private, MAX-AGE=60")], 59), "in any case, and private is what we are");
        assert!(!is_fresh(&[("cache-control", "max-age=60, No-Cache")], 1));
        assert!(is_fresh(
            &[("date", "Sun, 22 Nov 2026 12:00:00 GMT"), ("expires", "Sun, 22 Nov 2026 12:01:00 GMT")],
            59
        ));
        assert!(!is_fresh(&[("expires", "0")], 1));
        assert!(!is_fresh(&[], 1));
    }

    #[test]
    fn where_nothing_is_said_a_tenth_of_the_age_counts_and_a_day_at_most() {
        let headers = |modified| [("date", "Sun, 22 Nov 2026 12:00:00 GMT"), ("last-modified", modified)];
        let ten_hours = headers("Sun, 22 Nov 2026 02:00:00 GMT");
        assert!(is_fresh(&ten_hours, 3500) && !is_fresh(&ten_hours, 3700));
        let years = headers("Sun, 22 Nov 2020 12:00:00 GMT");
        assert!(is_fresh(&years, 86_000) && !is_fresh(&years, 87_000));
    }

    #[test]
    fn nonsense_is_stale_and_never_a_panic() {
        for age in ["18446744073709551615", "99999999999999999999999", "-1", "", "x"] {
            let _ = is_fresh(&[("age", age), ("cache-control", "max-age=60, max-stale")], 7);
        }
        assert!(!is_fresh(&[("age", "99999999999999999999999"), ("cache-control", "max-age=60")], 1));
        for cc in ["max-age=-1", "max-age=99999999999999999999999", "max-age", "max-age=1;x", "=,=;,"] {
            let _ = is_fresh(&[("cache-control", cc), ("etag", "W/")], 7);
        }
        let future = entry(200, &[("cache-control", "max-age=60")]);
        let now = SystemTime::from(future.at) - Duration::from_secs(9);
        assert!(matches!(judge(future, &question(&[]), now), Found::Stale(..)));
    }

    #[test]
    fn what_may_not_be_kept_is_not() {
        let may = |status, headers| is_storable(&entry(status, headers), &question(&[]));
        assert!(may(200, &[]) && may(301, &[]) && may(302, &[("cache-control", "max-age=9")]));
        assert!(!may(302, &[]) && !may(206, &[]) && !may(299, &[]), "by default, in part, of unknown meaning");
        assert!(!may(200, &[("cache-control", "No-Store")]));
        let answer = |vary| Entry::new(&question(&[]), (200, fields(&[("vary", vary)])), "".into(), Timestamp::now());
        assert!(answer("accept, *").is_none() && answer("accept").is_some());
        let special = |name, value| Question::new(&question(&[]).url, fields(&[(name, value)]), &[]).is_none();
        assert!(special("range", "bytes=0-1") && special("if-none-match", "*") && special("cache-control", "NO-STORE"));
    }

    #[test]
    fn what_vary_names_must_be_the_same() {
        let de = question(&[("accept-language", "de"), ("cookie", "a=1")]);
        let answer = |vary| Entry::new(&de, (200, fields(&[("vary", vary)])), "".into(), Timestamp::now()).unwrap();
        assert!(is_variant(&answer("Accept-Language"), &de.headers));
        assert!(!is_variant(&answer("accept , Accept-Language"), &question(&[("accept-language", "en")]).headers));
        assert!(!is_variant(&answer("cookie"), &question(&[("accept-language", "de")]).headers));
        assert!(is_variant(&answer("accept"), &question(&[]).headers), "neither had one");
    }

    #[test]
    fn a_304_replaces_what_it_says_and_leaves_what_is_the_bodys() {
        let old =
            fields(&[("etag", "W/\"1\""), ("content-length", "9"), ("age", "7"), ("x", "a"), ("x", "b"), ("y", "c")]);
        let new = fields(&[("etag", "\"1\""), ("content-length", "0"), ("x", "d"), ("x", "e")]);
        let merged = freshen(&old, &new).unwrap();
        let expected = [("etag", "\"1\""), ("content-length", "9"), ("x", "d"), ("x", "e"), ("y", "c")];
        assert_eq!(merged, fields(&expected));
        for (other, is_same) in [("\"2\"", false), ("W/\"1\"", true)] {
            assert_eq!(freshen(&old, &fields(&[("etag", other)])).is_some(), is_same, "{other}");
        }
        assert!(freshen(&old, &fields(&[("last-modified", "x")])).is_none());
        assert!(freshen(&old, &fields(&[])).is_some());
    }
}

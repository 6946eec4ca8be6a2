//! A body of any bytes with any `Content-Type` (the first line) and `Retry-After` (the second): its charset, its text,
//! and every built-in field.
//!
//! The length is that of the text, the title is bounded, the fields that were asked for are there, and no page of a few
//! kilobytes is too complex for them.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use scrape::extract::{Ask, Extractor, FIELDS};
use scrape::page::{Kind, Page};
use scrape_fuzz::fetched;

static EXTRACTOR: LazyLock<Extractor> = LazyLock::new(|| {
    let asks: Vec<_> = FIELDS.iter().map(|field| Ask::Field(field.name.into())).collect();
    Extractor::new(&asks).expect("fields that there are")
});

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |&byte| byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in [CONTENT_TYPE, RETRY_AFTER] {
        let value = lines.next().filter(|line| !line.is_empty());
        if let Some(value) = value.and_then(|line| HeaderValue::from_bytes(line).ok()) {
            headers.insert(name, value);
        }
    }
    let fetched = fetched(503, headers, lines.next().unwrap_or_default().to_vec());

    let hint = fetched.head.hint();
    assert!(hint.throttled && hint.retry_after.is_none_or(|wait| !wait.is_zero()));
    let page = Page::read(&fetched);
    assert_eq!(page.bytes, fetched.body.len() as u64);
    assert_eq!(page.kind == Kind::Binary, page.charset.is_none());
    assert!(page.kind == Kind::Binary || page.length == page.text.chars().count() as u64);
    let extracted = EXTRACTOR.read(&page);
    assert_eq!(extracted.rows[0].0.len(), FIELDS.len());
    assert!(extracted.title.is_none_or(|title| page.kind == Kind::Html && title.chars().count() <= 100_000));
    assert!(extracted.failure.is_none(), "{:?}", extracted.failure);
});

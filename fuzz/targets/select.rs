//! Any `NAME=CSS` (the first line) on any page (what follows).
//!
//! An expression is refused with words, or each page has a value for it or is too complex. Nothing takes much longer
//! than the second that a page has (`-timeout`).
#![no_main]

use libfuzzer_sys::fuzz_target;
use scrape::extract::{Ask, Extractor};
use scrape::failure::Kind;
use scrape::page::Page;
use scrape_fuzz::html;

fuzz_target!(|data: &str| {
    let (expression, body) = data.split_once('\n').unwrap_or((data, ""));
    let extractor = match Extractor::new(&[Ask::Select(expression.into())]) {
        Ok(extractor) => extractor,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let fetched = html(body);
    let extracted = extractor.read(&Page::read(&fetched));
    assert_eq!(extracted.rows[0].0.len(), 1);
    assert!(extracted.failure.is_none_or(|failure| failure.kind == Kind::TooComplex));
});

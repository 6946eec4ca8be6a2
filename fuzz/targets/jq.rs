//! Any jq program.
//!
//! It is compiled, or refused with words and the place where it is wrong. What it then does to a page is for the process that
//! it runs in, and for the tests in `tests/it/jq.rs`.
#![no_main]

use std::process::Command;

use libfuzzer_sys::fuzz_target;
use scrape::extract::{Ask, Error, Extractor, Options};

fuzz_target!(|program: &str| {
    let options = Options { jq: Some(|| Command::new("never started")) };
    let field = format!("x=jq:{program}");
    if let Err(error) = Extractor::with_options(&[Ask::Select(field.clone())], options) {
        assert!(!error.to_string().is_empty() && error.hint().is_some());
        assert!(matches!(error, Error::Expression { at, .. } if field.is_char_boundary(at)), "{error}");
    }
});

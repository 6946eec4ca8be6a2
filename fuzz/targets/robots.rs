//! Any bytes as a robots.txt, and a path in the first line.
//!
//! Whether the path is allowed does not depend on whether letters in it are percent-encoded; the delay is bounded, and
//! sitemaps are http or https.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scrape::robots::{MAX_DELAY, Rules};
use url::Url;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (path, file) = data.split_at(end);
    let base = Url::parse("http://a.test/robots.txt").expect("a URL");
    let rules = Rules::parse(file, "scrape");
    assert!(rules.crawl_delay().is_none_or(|delay| delay <= MAX_DELAY));
    assert!(rules.sitemaps(&base).all(|url| matches!(url.scheme(), "http" | "https")));
    let Ok(url) = base.join(&format!("/x{}", String::from_utf8_lossy(path))) else { return };
    let encoded = Url::parse(&url.as_str().replacen("/x", "/%78", 1)).expect("the same URL");
    assert_eq!(rules.allows(&url), rules.allows(&encoded), "{url}");
});

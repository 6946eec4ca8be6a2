//! Any bytes as a sitemap or feed; the first byte tells how long the pieces are that it comes in.
//!
//! However it is cut, it gives the same entries unless its compression is damaged, and each is an http or https URL without credentials and fragment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scrape::sitemap::{Damage, Entry, Reader, Report};
use url::Url;

fn read(file: &[u8], size: usize) -> (Vec<Entry>, Report) {
    let mut entries = Vec::new();
    let mut reader = Reader::new(Url::parse("http://a.test/dir/sitemap.xml").expect("a URL"), None);
    for piece in file.chunks(size) {
        if reader.push(piece, &mut |entry| entries.push(entry)).is_err() {
            break;
        }
    }
    let report = reader.finish(&mut |entry| entries.push(entry));
    assert_eq!(report.entries, entries.len() as u64);
    (entries, report)
}

fuzz_target!(|data: &[u8]| {
    let Some((&size, file)) = data.split_first() else { return };
    let (entries, report) = read(file, usize::from(size) + 1);
    for Entry { url, .. } in &entries {
        assert!(matches!(url.scheme(), "http" | "https") && url.fragment().is_none(), "{url}");
        assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    }
    let whole = read(file, usize::MAX);
    // How much comes before the damage depends on what the decompressor was given at once.
    if whole.1.damage != Some(Damage::Compression) {
        assert_eq!((entries, report), whole);
    }
});

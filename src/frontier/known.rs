//! Which pages came in, and which were kept out.

use url::Url;

use super::seen::{Seen, WideSeen, Width};
use crate::canonical::{fingerprint, wide_fingerprint};

/// What a page is known by: its fingerprint. One of 64 bits has no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Page(u128);

impl Page {
    /// The shard of a [table](super::seen::Table) of 64 bits that it belongs to, and its key there.
    pub(super) fn narrow(self) -> (u8, [u8; 7]) {
        let [shard, key @ ..] = low(self.0).to_le_bytes();
        (shard, key)
    }

    /// The same, of all bits.
    pub(super) fn wide(self) -> (u8, [u8; 15]) {
        let [shard, key @ ..] = self.0.to_le_bytes();
        (shard, key)
    }
}

impl From<u64> for Page {
    fn from(fingerprint: u64) -> Self {
        Self(fingerprint.into())
    }
}

/// A set of pages.
#[derive(Debug)]
enum Pages {
    Narrow(Seen),
    Wide(WideSeen),
}

impl Pages {
    fn new(width: Width) -> Self {
        match width {
            Width::Bits64 => Self::Narrow(Seen::new()),
            Width::Bits128 => Self::Wide(WideSeen::default()),
        }
    }

    fn insert(&mut self, Page(page): Page) -> bool {
        match self {
            Self::Narrow(seen) => seen.insert(low(page)),
            Self::Wide(seen) => seen.insert(page),
        }
    }

    fn contains(&self, Page(page): Page) -> bool {
        match self {
            Self::Narrow(seen) => seen.contains(low(page)),
            Self::Wide(seen) => seen.contains(page),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "there is no more of a narrow one")]
fn low(page: u128) -> u64 {
    page as u64
}

/// The pages that came in, by their fingerprints. A set that nothing is put into takes no memory.
#[derive(Debug)]
pub(super) struct Known {
    width: Width,
    /// Those that are asked for; none where each is, as often as it is named.
    admitted: Option<Pages>,
    /// Those that limits kept out.
    refused: Option<Pages>,
    /// Those that were to be asked for to check the links there, and not walked.
    checked: Option<Pages>,
    /// Those of them that are walked, after all.
    walked: Option<Pages>,
    /// Those that were done before this run.
    done: Option<Pages>,
    /// What else was asked for before this run.
    passed: Option<Pages>,
}

impl Known {
    /// None. A page that comes again may be as good as new.
    pub(super) fn new(keeps_duplicates: bool, width: Width) -> Self {
        let admitted = (!keeps_duplicates).then(|| Pages::new(width));
        Self { width, admitted, refused: None, checked: None, walked: None, done: None, passed: None }
    }

    /// What a page is known by here.
    pub(super) fn page(&self, url: &Url) -> Page {
        match self.width {
            Width::Bits64 => fingerprint(url).into(),
            Width::Bits128 => Page(wide_fingerprint(url)),
        }
    }

    /// A page is asked for; whether that was news.
    pub(super) fn admit(&mut self, page: Page) -> bool {
        self.admitted.as_mut().is_none_or(|admitted| admitted.insert(page))
    }

    /// A page was done by an earlier run; whether that was news.
    pub(super) fn finish(&mut self, page: Page) -> bool {
        self.done.get_or_insert_with(|| Pages::new(self.width)).insert(page)
    }

    /// An earlier run has asked for this, though not as a page.
    pub(super) fn pass(&mut self, page: Page) {
        self.passed.get_or_insert_with(|| Pages::new(self.width)).insert(page);
    }

    /// A limit keeps a page out, for good.
    pub(super) fn refuse(&mut self, page: Page) {
        self.refused.get_or_insert_with(|| Pages::new(self.width)).insert(page);
    }

    /// A page is merely to be checked.
    pub(super) fn check(&mut self, page: Page) {
        self.checked.get_or_insert_with(|| Pages::new(self.width)).insert(page);
    }

    /// A page is to be walked; whether it was merely to be checked until now.
    pub(super) fn walk(&mut self, page: Page) -> bool {
        self.checked.as_ref().is_some_and(|checked| checked.contains(page))
            && self.walked.get_or_insert_with(|| Pages::new(self.width)).insert(page)
    }

    /// Whether a page is merely to be checked.
    pub(super) fn is_checked(&self, page: Page) -> bool {
        let has = |pages: &Option<Pages>| pages.as_ref().is_some_and(|pages| pages.contains(page));
        has(&self.checked) && !has(&self.walked)
    }

    /// Whether a page is asked for.
    pub(super) fn has_admitted(&self, page: Page) -> bool {
        self.admitted.as_ref().is_some_and(|admitted| admitted.contains(page))
    }

    /// Whether a page was kept out.
    pub(super) fn has_refused(&self, page: Page) -> bool {
        self.refused.as_ref().is_some_and(|refused| refused.contains(page))
    }

    /// Whether a page was done by an earlier run.
    pub(super) fn has_done(&self, page: Page) -> bool {
        self.done.as_ref().is_some_and(|done| done.contains(page))
    }

    /// Whether an earlier run has asked for this.
    pub(super) fn was_had(&self, page: Page) -> bool {
        self.has_done(page) || self.passed.as_ref().is_some_and(|passed| passed.contains(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Page = Page(1);
    const TWO: Page = Page(2);

    fn known() -> Known {
        Known::new(false, Width::Bits64)
    }

    #[test]
    fn a_page_is_news_once_unless_duplicates_are_kept() {
        let mut known = known();
        assert_eq!([known.admit(ONE), known.admit(ONE), known.has_admitted(ONE)], [true, false, true]);
        let mut known = Known::new(true, Width::Bits64);
        assert_eq!([known.admit(ONE), known.admit(ONE), known.has_admitted(ONE)], [true, true, false]);
    }

    #[test]
    fn what_an_earlier_run_asked_for_is_had_and_pages_are_done_beside() {
        let mut known = known();
        assert_eq!([known.finish(ONE), known.finish(ONE)], [true, false]);
        known.pass(TWO);
        assert_eq!([ONE, TWO, Page(3)].map(|page| known.was_had(page)), [true, true, false]);
        assert_eq!([ONE, TWO].map(|page| known.has_done(page)), [true, false]);
        assert!(!known.has_admitted(ONE) && !known.has_refused(ONE));
    }

    #[test]
    fn a_page_that_was_merely_checked_is_walked_once() {
        let mut known = known();
        known.check(ONE);
        assert_eq!([known.walk(ONE), known.walk(ONE), known.walk(TWO)], [true, false, false]);
    }

    #[test]
    fn pages_that_share_64_bits_are_told_apart_by_128() {
        // As if all but the lowest bits of a URL's fingerprint had been cut off.
        let twin = Page(7 << 64 | 1);
        for (width, is_news) in [(Width::Bits64, false), (Width::Bits128, true)] {
            let mut known = Known::new(false, width);
            known.pass(ONE);
            known.check(ONE);
            assert_eq!([known.admit(ONE), known.finish(ONE), known.walk(ONE)], [true; 3]);
            let is_known = [known.has_done(twin), known.was_had(twin), known.has_admitted(twin)];
            assert_eq!(is_known, [!is_news; 3], "{width:?}");
            assert_eq!([known.admit(twin), known.finish(twin)], [is_news; 2], "{width:?}");
            known.refuse(ONE);
            assert_eq!(known.has_refused(twin), !is_news, "{width:?}");
        }
    }

    #[test]
    fn a_url_is_known_by_as_many_bits_as_there_are() {
        let url = Url::parse("http://a.test/x?y#z").unwrap();
        let page = |width| Known::new(false, width).page(&url).0;
        assert_eq!(page(Width::Bits64), u128::from(fingerprint(&url)));
        assert_eq!(page(Width::Bits128), wide_fingerprint(&url));
        assert!(page(Width::Bits128) > u128::from(u64::MAX));
    }
}

//! Which pages came in, and which were kept out.

use std::collections::HashSet;

use super::seen::Seen;

/// The pages that came in, by their fingerprints. A set that nothing is put into takes no memory.
#[derive(Debug)]
pub(super) struct Known {
    /// Those that are asked for; none where each is, as often as it is named.
    admitted: Option<Seen>,
    /// Those that limits kept out.
    refused: Option<Seen>,
    /// Those that are asked for to check the links there, and not walked.
    checked: HashSet<u64>,
    /// Those that were done before this run.
    done: Option<Seen>,
    /// What else was asked for before this run.
    passed: Option<Seen>,
}

impl Known {
    /// None. A page that comes again may be as good as new.
    pub(super) fn new(keeps_duplicates: bool) -> Self {
        let admitted = (!keeps_duplicates).then(Seen::new);
        Self { admitted, refused: None, checked: HashSet::new(), done: None, passed: None }
    }

    /// A page is asked for; whether that was news.
    pub(super) fn admit(&mut self, page: u64) -> bool {
        self.admitted.as_mut().is_none_or(|admitted| admitted.insert(page))
    }

    /// A page was done by an earlier run; whether that was news.
    pub(super) fn finish(&mut self, page: u64) -> bool {
        self.done.get_or_insert_with(Seen::new).insert(page)
    }

    /// An earlier run has asked for this, though not as a page.
    pub(super) fn pass(&mut self, page: u64) {
        self.passed.get_or_insert_with(Seen::new).insert(page);
    }

    /// A limit keeps a page out, for good.
    pub(super) fn refuse(&mut self, page: u64) {
        self.refused.get_or_insert_with(Seen::new).insert(page);
    }

    /// A page is merely to be checked.
    pub(super) fn check(&mut self, page: u64) {
        self.checked.insert(page);
    }

    /// A page is to be walked; whether it was merely to be checked.
    pub(super) fn walk(&mut self, page: u64) -> bool {
        !self.checked.is_empty() && self.checked.remove(&page)
    }

    /// Whether a page is asked for.
    pub(super) fn has_admitted(&self, page: u64) -> bool {
        self.admitted.as_ref().is_some_and(|admitted| admitted.contains(page))
    }

    /// Whether a page was kept out.
    pub(super) fn has_refused(&self, page: u64) -> bool {
        self.refused.as_ref().is_some_and(|refused| refused.contains(page))
    }

    /// Whether a page was done by an earlier run.
    pub(super) fn has_done(&self, page: u64) -> bool {
        self.done.as_ref().is_some_and(|done| done.contains(page))
    }

    /// Whether an earlier run has asked for this.
    pub(super) fn was_had(&self, page: u64) -> bool {
        self.has_done(page) || self.passed.as_ref().is_some_and(|passed| passed.contains(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_news_once_unless_duplicates_are_kept() {
        let mut known = Known::new(false);
        assert_eq!([known.admit(7), known.admit(7), known.has_admitted(7)], [true, false, true]);
        let mut known = Known::new(true);
        assert_eq!([known.admit(7), known.admit(7), known.has_admitted(7)], [true, true, false]);
    }

    #[test]
    fn what_an_earlier_run_asked_for_is_had_and_pages_are_done_beside() {
        let mut known = Known::new(false);
        assert_eq!([known.finish(1), known.finish(1)], [true, false]);
        known.pass(2);
        assert_eq!([1, 2, 3].map(|page| known.was_had(page)), [true, true, false]);
        assert_eq!([1, 2].map(|page| known.has_done(page)), [true, false]);
        assert!(!known.has_admitted(1) && !known.has_refused(1));
    }

    #[test]
    fn a_page_that_was_merely_checked_is_walked_once() {
        let mut known = Known::new(false);
        known.check(1);
        assert_eq!([known.walk(1), known.walk(1), known.walk(2)], [true, false, false]);
    }
}

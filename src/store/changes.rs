//! What became of a page: pure.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::shape::Content;
use crate::failure::Kind;
use crate::record::Change;

/// What a visit found.
#[derive(Clone, Debug)]
pub(super) enum Finding {
    /// The page, in a version of this hash and content.
    Page(u64, Bytes),
    /// That it is as it was.
    Unchanged,
    /// That it is not there (404, 410).
    Gone,
    /// Nothing.
    Failed(Kind),
}

/// The last version that is known of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Last {
    /// There never was one.
    #[default]
    None,
    /// There was one, but the page is gone.
    Gone,
    /// It is of this extraction, and has this hash.
    Version(i64, u64),
}

/// What was known of a page.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    pub(super) last: Last,
    /// In how many runs in a row it has failed.
    pub(super) failures: u32,
}

/// What is to be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) change: Option<Change>,
    /// Whether it is a version that history has to have.
    pub(super) is_version: bool,
    /// In how many runs in a row it has failed now.
    pub(super) failures: u32,
}

impl Ruling {
    /// Whether somebody wants to know: of a change, of the first failure, and of each `every`th after that.
    pub(super) fn is_news(self, every: Option<u32>) -> bool {
        let is_told = |every: u32| self.failures > 1 && (self.failures - 1).is_multiple_of(every);
        self.change.is_some() || self.failures == 1 || every.is_some_and(is_told)
    }
}

/// Rules on what was found with fields of this extraction.
pub(super) fn judge(before: Before, found: &Finding, extraction: i64) -> Ruling {
    let ruling = |change, is_version| Ruling { change, is_version, failures: 0 };
    match (found, before.last) {
        (Finding::Page(..), Last::None) => ruling(Some(Change::New), true),
        (Finding::Page(..), Last::Version(other, _)) if other != extraction => ruling(Some(Change::New), true),
        (Finding::Page(..), Last::Gone) => ruling(Some(Change::Back), true),
        (Finding::Page(hash, _), Last::Version(_, known)) if before.failures > 0 => {
            ruling(Some(Change::Back), *hash != known)
        }
        (Finding::Page(hash, _), Last::Version(_, known)) if *hash != known => ruling(Some(Change::Changed), true),
        (Finding::Page(..) | Finding::Unchanged, _) | (Finding::Gone, Last::Gone) => ruling(None, false),
        (Finding::Gone, Last::Version(..)) => ruling(Some(Change::Gone), true),
        (Finding::Gone, Last::None) | (Finding::Failed(_), _) => {
            Ruling { change: None, is_version: false, failures: before.failures.saturating_add(1) }
        }
    }
}

/// A field that differs between two versions, its values as JSON.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Its name.
    pub field: String,
    /// What it was.
    pub old: Box<RawValue>,
    /// What it is.
    pub new: Box<RawValue>,
}

/// The fields that differ between two versions of the same names.
pub(super) fn compare(old: &Content, new: &Content, names: &[Box<str>]) -> Vec<Difference> {
    let pairs = old.values(names).into_iter().zip(new.values(names));
    let differing = pairs.filter(|((_, old), (_, new))| old.get() != new.get());
    differing.map(|((field, old), (_, new))| Difference { field, old, new }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTRACTION: i64 = 1;

    fn version(hash: u64) -> Before {
        Before { last: Last::Version(EXTRACTION, hash), failures: 0 }
    }

    fn change(before: Before, found: &Finding) -> Option<Change> {
        judge(before, found, EXTRACTION).change
    }

    fn page(hash: u64) -> Finding {
        Finding::Page(hash, Bytes::new())
    }

    #[test]
    fn a_page_is_new_once_and_changed_when_it_differs() {
        assert_eq!(change(Before::default(), &page(1)), Some(Change::New));
        assert_eq!(change(version(1), &page(1)), None);
        assert_eq!(change(version(1), &page(2)), Some(Change::Changed));
        assert_eq!(change(version(1), &Finding::Unchanged), None);
    }

    #[test]
    fn a_version_with_other_fields_does_not_count() {
        let other = Before { last: Last::Version(EXTRACTION + 1, 1), failures: 3 };
        assert_eq!(change(other, &page(1)), Some(Change::New));
    }

    #[test]
    fn a_page_is_gone_once_and_back_when_it_is_there_again() {
        let gone = Before { last: Last::Gone, failures: 0 };
        assert_eq!(change(version(1), &Finding::Gone), Some(Change::Gone));
        assert_eq!(change(gone, &Finding::Gone), None);
        assert_eq!(change(gone, &page(1)), Some(Change::Back));
        let never = judge(Before::default(), &Finding::Gone, EXTRACTION);
        assert_eq!((never.change, never.failures), (None, 1), "what never was there is a failure");
    }

    #[test]
    fn a_page_that_has_failed_is_back_with_a_version_only_if_it_differs() {
        let failing = Before { failures: 2, ..version(1) };
        let back = |hash| judge(failing, &page(hash), EXTRACTION);
        assert_eq!(back(1), Ruling { change: Some(Change::Back), is_version: false, failures: 0 });
        assert_eq!(back(2), Ruling { change: Some(Change::Back), is_version: true, failures: 0 });
    }

    #[test]
    fn a_failure_is_no_version_and_is_news_once_or_as_often_as_is_wanted() {
        let news = |every| {
            let told = (0..7).filter(|&failures| {
                let ruling = judge(Before { failures, ..version(1) }, &Finding::Failed(Kind::Timeout), EXTRACTION);
                assert!(!ruling.is_version && ruling.change.is_none() && ruling.failures == failures + 1);
                ruling.is_news(every)
            });
            told.collect::<Vec<_>>()
        };
        assert_eq!(news(None), [0]);
        assert_eq!(news(Some(1)), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(news(Some(3)), [0, 3, 6]);
    }

    #[test]
    fn a_difference_names_the_field_and_both_values() {
        let content = |json: &str| serde_json::from_str::<Content>(json).unwrap();
        let told = |old, new| {
            let names = ["price".into(), "title".into()];
            let told = compare(&content(old), &content(new), &names);
            told.iter().map(|it| format!("{} {} {}", it.field, it.old, it.new)).collect::<Vec<_>>()
        };
        assert_eq!(told(r#"["a",[[1,2]]]"#, r#"["b",[[1,3]]]"#), [r#"title "a" "b""#, "fields.title 2 3"]);
        assert_eq!(told(r#"["a",[[1,2]]]"#, r#"["a",[[1,2],[5,2]]]"#), ["price 1 [1,5]", "fields.title 2 [2,2]"]);
        assert!(told(r#"["a",[]]"#, r#"["a",[]]"#).is_empty());
    }
}

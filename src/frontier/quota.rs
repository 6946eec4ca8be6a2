//! How many pages of each host come in.

use std::collections::HashMap;

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::canonical::host_key;

/// Counts the pages of each host, where they are limited: in 16 bytes a host.
#[derive(Debug)]
pub(super) struct Quota {
    most: Option<u64>,
    /// By the hash of the host.
    counts: HashMap<u64, u64>,
}

impl Quota {
    /// At most so many pages of a host; none: as many as there are.
    pub(super) fn new(most: Option<u64>) -> Self {
        Self { most, counts: HashMap::new() }
    }

    /// Whether one more page of its host comes in.
    pub(super) fn admits(&mut self, url: &Url) -> bool {
        let Some(most) = self.most else { return true };
        let count = self.counts.entry(hash(url)).or_default();
        let is_within = *count < most;
        *count += u64::from(is_within);
        is_within
    }

    /// Counts a page that is in.
    pub(super) fn count_in(&mut self, url: &Url) {
        if self.most.is_some() {
            *self.counts.entry(hash(url)).or_default() += 1;
        }
    }

    /// A page takes no room of its host's, after all.
    pub(super) fn count_out(&mut self, url: &Url) {
        if self.most.is_some()
            && let Some(count) = self.counts.get_mut(&hash(url))
        {
            *count = count.saturating_sub(1);
        }
    }
}

fn hash(url: &Url) -> u64 {
    xxh3_64(host_key(url).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_its_own_and_what_is_taken_back_makes_room() {
        let url = |text| Url::parse(text).unwrap();
        let (a, b) = (url("http://a.test/"), url("http://b.test/"));
        let mut quota = Quota::new(Some(2));
        quota.count_in(&a);
        assert_eq!([quota.admits(&a), quota.admits(&a), quota.admits(&b)], [true, false, true]);
        quota.count_out(&a);
        assert_eq!([quota.admits(&a), quota.admits(&a)], [true, false]);
        let mut unlimited = Quota::new(None);
        assert!((0..9).all(|_| unlimited.admits(&a)) && unlimited.counts.is_empty());
    }
}

//! How a run stands.

use super::limits::Limit;

/// How a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Targets so far, pages that are followed included; duplicates do not count.
    pub targets: u64,
    /// Targets with a final outcome.
    pub settled: u64,
    /// Jobs queued or waiting to be tried again.
    pub queued: usize,
    /// Jobs being visited.
    pub in_flight: usize,
    /// Seeds dropped because their page was admitted before.
    pub duplicates: u64,
    /// Chains that would have gone on beyond the limit of their pages.
    pub cut: u64,
    /// Seeds and links dropped because their page was done by an earlier run.
    pub done_before: u64,
    /// Links dropped because their host has enough pages.
    pub beyond_host: u64,
    /// Sitemaps that somebody named, and that could not be read to their end.
    pub sitemaps_failed: u64,
    /// Redirects that led out of the scope of the crawl, or to a page with a job of its own.
    pub elsewhere: u64,
    /// Which limit ended the run.
    pub limit: Option<Limit>,
    /// Whether no further target will come.
    pub is_complete: bool,
}

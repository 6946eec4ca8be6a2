//! Where a page leads.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::value::RawValue;
use url::Url;

use super::Trust;

/// A page to go on with.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its URL: http or https, without userinfo and fragment.
    pub url: Url,
    /// Who chose it.
    pub trust: Trust,
    /// What it is to the page that leads there.
    pub kind: LinkKind,
    /// What is said of it there, as the record's `input` has it: a JSON object. Without it, that of the seed comes along.
    pub input: Option<Arc<RawValue>>,
    /// Whether it became a job: it was within the limits, and new.
    pub is_admitted: bool,
}

/// What a page is to the one that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// The next one in a list, as the page says.
    Next {
        /// How many pages the list may have, the seed's included.
        pages: NonZeroU32,
    },
    /// The next one in a list by counting: nobody has said that there is one.
    Counted {
        /// What stands for the items of the page before. One that has the same is the last page once more.
        items: u64,
        /// How many pages the list may have, the seed's included.
        pages: NonZeroU32,
    },
    /// One that a crawl comes by.
    Crawled,
    /// One that is asked for once, to see whether it is there: nobody needs its body.
    Checked,
    /// One that a sitemap or a feed names.
    Listed {
        /// How much it says that this one matters among those of its site, in percent.
        priority: Option<u8>,
    },
    /// A sitemap or a feed.
    Sitemap {
        /// Whether somebody says that it is there. Otherwise it is looked for where sitemaps usually are.
        is_named: bool,
    },
}

impl LinkKind {
    /// How many pages its list may have, the seed's included; none where it belongs to no list.
    #[must_use]
    pub fn pages(self) -> Option<NonZeroU32> {
        match self {
            Self::Next { pages } | Self::Counted { pages, .. } => Some(pages),
            Self::Crawled | Self::Checked | Self::Listed { .. } | Self::Sitemap { .. } => None,
        }
    }
}

/// Where a crawl began: what its scope is measured by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The URL that the user named.
    pub seed: Url,
    /// Where its redirects led.
    pub landed: Url,
}

/// From where links lead on.
#[derive(Clone, Debug)]
pub struct Departure {
    /// Where the crawl began.
    pub start: Arc<Start>,
    /// The page that has the links: the URL that answered.
    pub page: Arc<Url>,
}

/// How a page came in that no seed names.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where the links come from that led there.
    pub from: Departure,
    /// What it is to the page before.
    pub kind: LinkKind,
    /// How many links lie between it and the seed. The pages of one list are equally far.
    pub depth: u32,
    /// Whether a shorter way there may still be found: where a crawl goes on from it depends on that.
    pub may_be_nearer: bool,
    /// Its number in its list; the first one is 1. Of a sitemap, how many lead to it, itself included.
    pub(super) page: u32,
    /// The fingerprints of all URLs that were asked for before it in its list.
    pub(super) seen: Vec<u64>,
}

impl Found {
    /// How a page came in that belongs to no list.
    #[must_use]
    pub fn new(from: Departure, kind: LinkKind, depth: u32) -> Self {
        Self { from, kind, depth, may_be_nearer: false, page: 1, seen: Vec::new() }
    }
}

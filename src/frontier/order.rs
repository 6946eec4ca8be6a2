//! Which page of a host goes first.

use crate::job::{LinkKind, Trail};

/// Which page of a host goes first. Seeds always go before the pages that they lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The one that was found first: breadth first.
    #[default]
    Breadth,
    /// The one with the fewest links between it and its seed.
    Depth,
    /// The one whose path has the fewest segments.
    Path,
    /// The one that a sitemap says matters most.
    Sitemap,
}

impl Order {
    /// The rank of a page: lower goes first, and of equal ones the first.
    pub(super) fn rank(self, trail: &Trail) -> u8 {
        match self {
            Self::Breadth => 0,
            Self::Depth => u8::try_from(trail.depth()).unwrap_or(u8::MAX),
            Self::Path => {
                let segments = trail.url.path_segments().map_or(0, |all| all.filter(|one| !one.is_empty()).count());
                u8::try_from(segments).unwrap_or(u8::MAX)
            }
            Self::Sitemap => match trail.kind() {
                Some(LinkKind::Listed { priority: Some(priority) }) => 100 - priority.min(100),
                // What sitemaps.org says of a page of which nothing is said.
                _ => 50,
            },
        }
    }
}

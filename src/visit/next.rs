//! From a page to the next one in its list.

use std::net::IpAddr;

use crate::extract::{Extracted, Next};
use crate::failure::Kind;
use crate::job::{Link, LinkKind, Trail, Trust};

/// Whether a page lies behind the last one of its list. That can be so where nobody has said that there is one: it is not
/// found, has no items, or those of the page before once more, as sites do that take every number for their last.
pub(super) fn is_beyond(trail: &Trail, status: u16, extracted: &Extracted) -> bool {
    let Some(LinkKind::Counted { .. }) = trail.kind() else { return false };
    let is_read = extracted.failure.as_ref().is_none_or(|failure| failure.kind == Kind::Missing);
    let has_items = extracted.recipe.as_ref().is_some_and(|read| {
        let is_of_before = |next: &Next| Some(next.kind) == trail.kind();
        !read.is_empty && !read.next.as_ref().is_some_and(is_of_before)
    });
    matches!(status, 404 | 410) || status < 400 && is_read && !has_items
}

/// Where the list goes on: a page that was served from the address `by`, and requested as `trail` says, tells so.
///
/// Counting goes on with the URL that answered, so that whoever chose that one has chosen the next.
pub(super) fn link(trail: &Trail, by: Option<IpAddr>, extracted: &Extracted) -> Option<Link> {
    let Next { url, kind, pages } = extracted.recipe.as_ref()?.next.clone()?;
    let trust = match kind {
        LinkKind::Next => Trust::Chosen { by },
        LinkKind::Counted { .. } => trail.trust,
    };
    Some(Link { url, trust, kind, pages })
}

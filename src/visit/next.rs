//! From a page to the next one in its list.

use std::net::IpAddr;

use super::reader::Read;
use crate::extract::Next;
use crate::failure::Kind;
use crate::job::{Link, LinkKind, Trail, Trust};

/// Whether a page lies behind the last one of its list. That can be so where nobody has said that there is one: it is not
/// found, has no items, or those of the page before once more, as sites do that take every number for their last.
pub(super) fn is_beyond(trail: &Trail, read: &Read) -> bool {
    let Some(LinkKind::Counted { .. }) = trail.kind() else { return false };
    let (status, extracted) = (read.facts.status, &read.extracted);
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
pub(super) fn link(trail: &Trail, by: Option<IpAddr>, read: &Read) -> Option<Link> {
    let recipe = read.extracted.recipe.as_ref().filter(|_| read.refused.is_none())?;
    let Next { url, kind } = recipe.next.clone()?;
    let trust = match kind {
        LinkKind::Next { .. } => Trust::Chosen { by },
        _ => trail.trust,
    };
    Some(Link { url, trust, kind, input: None, is_admitted: false })
}

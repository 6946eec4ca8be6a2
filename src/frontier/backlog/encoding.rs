//! A page that waits, in few bytes. Pure.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::value::RawValue;
use url::Url;

use super::starts::Root;
use crate::job::coding::{read_number, read_text, take, write_number, write_text};
use crate::job::{Departure, Found, Job, LinkKind, Target, Trail, Trust, read_input};

/// What was written, or read, before: of a URL is written what differs.
#[derive(Debug, Default)]
pub(super) struct Last {
    url: String,
    referrer: String,
    /// The referrer once it was read.
    page: Option<Arc<Url>>,
    /// The number and the input of a page that a sitemap named.
    id: u64,
    input: String,
}

/// A page that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    url: Url,
    trust: Trust,
    kind: LinkKind,
    depth: u32,
    page: Arc<Url>,
    listed: Option<Listed>,
    /// The number of what it has in common with others.
    pub(super) start: u32,
}

/// What a page that a sitemap named has of its own, where others have what their seed has.
#[derive(Debug)]
struct Listed {
    id: u64,
    input: Option<Arc<RawValue>>,
}

impl Waiting {
    /// The job for it.
    pub(super) fn into_job(self, root: Root) -> Job {
        let Root { target, start, auth } = root;
        let from = Departure { start, page: self.page };
        let Listed { id, input } = self.listed.unwrap_or(Listed { id: target.id, input: target.input });
        let target = Target { id, given: self.url.as_str().into(), at: target.at, input };
        let found = Found::new(from, self.kind, self.depth);
        Job { target, trail: Trail { auth, ..Trail::to_found(self.url, self.trust, found) } }
    }
}

/// What tells a page that is merely checked from one that is crawled.
const CHECKED: u8 = 1 << 4;

/// Appends a page.
pub(super) fn write(job: (&Target, &Trail), found: &Found, start: u32, last: &mut Last, to: &mut Vec<u8>) {
    let (target, trail) = job;
    let (kind, priority) = match found.kind {
        LinkKind::Listed { priority: None } => (1, None),
        LinkKind::Listed { priority } => (2, priority),
        LinkKind::Sitemap { .. } => (3, None),
        LinkKind::Checked => (CHECKED, None),
        // The others are of lists, whose pages do not wait here.
        LinkKind::Crawled | LinkKind::Next { .. } | LinkKind::Counted { .. } => (0, None),
    };
    let trust = match trail.trust {
        Trust::Typed => 0,
        Trust::Chosen { by: None } => 1,
        Trust::Chosen { by: Some(IpAddr::V4(_)) } => 2,
        Trust::Chosen { by: Some(IpAddr::V6(_)) } => 3,
    };
    to.push(kind | trust << 2);
    to.extend(priority);
    match trail.trust {
        Trust::Chosen { by: Some(IpAddr::V4(address)) } => to.extend(address.octets()),
        Trust::Chosen { by: Some(IpAddr::V6(address)) } => to.extend(address.octets()),
        Trust::Typed | Trust::Chosen { by: None } => {}
    }
    write_number(found.depth.into(), to);
    write_number(start.into(), to);
    write_text(trail.url.as_str(), &mut last.url, to);
    write_text(found.from.page.as_str(), &mut last.referrer, to);
    if let LinkKind::Listed { .. } = found.kind {
        // They are numbered as they come: most are the next one.
        write_number(target.id.wrapping_sub(last.id), to);
        last.id = target.id;
        write_text(target.input.as_deref().map_or("", RawValue::get), &mut last.input, to);
    }
}

/// Reads a page; none where that is none.
pub(super) fn read(from: &mut &[u8], last: &mut Last) -> Option<Waiting> {
    let head = take(from, 1)?[0];
    let kind = match head & 3 {
        0 if head & CHECKED != 0 => LinkKind::Checked,
        0 => LinkKind::Crawled,
        1 => LinkKind::Listed { priority: None },
        2 => LinkKind::Listed { priority: Some(take(from, 1)?[0]) },
        _ => LinkKind::Sitemap { is_named: true },
    };
    let trust = match head >> 2 & 3 {
        0 => Trust::Typed,
        1 => Trust::Chosen { by: None },
        2 => Trust::Chosen { by: Some(IpAddr::from(<[u8; 4]>::try_from(take(from, 4)?).ok()?)) },
        _ => Trust::Chosen { by: Some(IpAddr::from(<[u8; 16]>::try_from(take(from, 16)?).ok()?)) },
    };
    let mut number = || u32::try_from(read_number(from)?).ok();
    let (depth, start) = (number()?, number()?);
    read_text(from, &mut last.url)?;
    let url = Url::parse(&last.url).ok()?;
    let is_other = read_text(from, &mut last.referrer)?;
    let page = match last.page.take().filter(|_| !is_other) {
        Some(page) => page,
        None => Arc::new(Url::parse(&last.referrer).ok()?),
    };
    last.page = Some(Arc::clone(&page));
    let listed = if matches!(kind, LinkKind::Listed { .. }) { Some(read_listed(from, last)?) } else { None };
    Some(Waiting { url, trust, kind, depth, page, listed, start })
}

fn read_listed(from: &mut &[u8], last: &mut Last) -> Option<Listed> {
    last.id = last.id.wrapping_add(read_number(from)?);
    read_text(from, &mut last.input)?;
    Some(Listed { id: last.id, input: read_input(&last.input) })
}

//! A page that waits, in few bytes. Pure.

use std::net::IpAddr;
use std::sync::Arc;

use url::Url;

use super::starts::Root;
use crate::job::{Departure, Found, Job, LinkKind, Target, Trail, Trust};

/// What was written, or read, before: of a URL is written what differs.
#[derive(Debug, Default)]
pub(super) struct Last {
    url: String,
    referrer: String,
    /// The referrer once it was read.
    page: Option<Arc<Url>>,
}

/// A page that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    url: Url,
    trust: Trust,
    kind: LinkKind,
    depth: u32,
    page: Arc<Url>,
    /// The number of what it has in common with others.
    pub(super) start: u32,
}

impl Waiting {
    /// The job for it.
    pub(super) fn into_job(self, root: Root) -> Job {
        let Root { target, start, auth } = root;
        let from = Departure { start, page: self.page };
        let target = Target { given: self.url.as_str().into(), ..target };
        let found = Found::new(from, self.kind, self.depth);
        Job { target, trail: Trail { auth, ..Trail::to_found(self.url, self.trust, found) } }
    }
}

/// What tells a page that is merely checked from one that is crawled.
const CHECKED: u8 = 1 << 4;

/// Appends a page.
pub(super) fn write(trail: &Trail, found: &Found, start: u32, last: &mut Last, to: &mut Vec<u8>) {
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
    write_number(found.depth, to);
    write_number(start, to);
    write_text(trail.url.as_str(), &mut last.url, to);
    write_text(found.from.page.as_str(), &mut last.referrer, to);
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
    let (depth, start) = (read_number(from)?, read_number(from)?);
    read_text(from, &mut last.url)?;
    let url = Url::parse(&last.url).ok()?;
    let is_other = read_text(from, &mut last.referrer)?;
    let page = match last.page.take().filter(|_| !is_other) {
        Some(page) => page,
        None => Arc::new(Url::parse(&last.referrer).ok()?),
    };
    last.page = Some(Arc::clone(&page));
    Some(Waiting { url, trust, kind, depth, page, start })
}

/// Writes how many bytes `text` has in common with `last`, and the rest.
fn write_text(text: &str, last: &mut String, to: &mut Vec<u8>) {
    let mut common = text.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    while !text.is_char_boundary(common) {
        common -= 1;
    }
    let rest = &text[common..];
    for number in [common, rest.len()] {
        // A URL of 4 GB comes from nowhere.
        write_number(u32::try_from(number).unwrap_or(u32::MAX), to);
    }
    to.extend_from_slice(rest.as_bytes());
    last.truncate(common);
    last.push_str(rest);
}

/// Makes `last` the next text; whether that differs.
fn read_text(from: &mut &[u8], last: &mut String) -> Option<bool> {
    let (common, rest) = (read_number(from)? as usize, read_number(from)? as usize);
    let is_other = rest > 0 || common != last.len();
    let rest = str::from_utf8(take(from, rest)?).ok()?;
    if !last.is_char_boundary(common) {
        return None;
    }
    last.truncate(common);
    last.push_str(rest);
    Some(is_other)
}

/// Seven bits a byte, the lowest first; the highest bit tells that more follow (LEB128).
fn write_number(mut number: u32, to: &mut Vec<u8>) {
    while let [low, ..] = number.to_le_bytes()
        && number > 0x7f
    {
        to.push(low | 0x80);
        number >>= 7;
    }
    to.push(number.to_le_bytes()[0]);
}

fn read_number(from: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let byte = take(from, 1)?[0];
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<'b>(from: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(taken)
}

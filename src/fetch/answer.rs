//! What comes of a request: an answer, or why there is none.

use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

use super::Head;
use super::memory::Refusal;
use crate::failure::Failure;
use crate::job::{HostHint, Lack, Redirect};

/// An answer whose body is complete, content codings undone.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The URL that answered.
    pub url: Url,
    /// What it said before its body.
    pub head: Head,
    /// The body.
    pub body: Bytes,
}

/// What a request led to.
#[derive(Debug)]
pub enum Answer {
    /// A body.
    Page(Fetched, Origin),
    /// Another place to ask.
    Redirect(Redirect, Origin),
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// The address; none where a proxy hides it.
    pub address: Option<IpAddr>,
    /// When it came, where there is a cache that tells.
    pub at: Option<Timestamp>,
    /// Whether nobody was asked for it: the cache had it.
    pub is_kept: bool,
}

impl Origin {
    /// What an answer with this head says about how its host wants to be treated.
    #[must_use]
    pub fn hint(&self, head: &Head) -> HostHint {
        if self.is_kept { HostHint { unasked: true, ..HostHint::default() } } else { head.hint() }
    }
}

/// Why there is no answer, and what was known by then.
#[derive(Debug)]
pub struct Unanswered {
    /// Why.
    pub failure: Failure,
    /// What the answer said, if it began.
    pub head: Option<Head>,
    /// What this machine had too little of.
    pub lack: Option<Lack>,
    /// What came of the body, where that counts: in the answer to who asks for a robots.txt.
    pub part: Option<Box<Part>>,
}

/// The start of a body, of which the rest did not come or does not count.
#[derive(Debug)]
pub struct Part {
    /// As much of it as came, content codings undone, and no more than may come.
    pub body: Bytes,
    /// The address that it came from; none where a proxy hides it.
    pub by: Option<IpAddr>,
}

impl Unanswered {
    /// Nothing came back at all.
    pub(super) fn at_all(failure: Failure) -> Self {
        Self { failure, head: None, lack: None, part: None }
    }

    /// Nothing was asked for.
    pub(super) fn without_memory(refusal: Refusal) -> Self {
        Self { lack: Some(Lack::Memory), ..Self::at_all(refusal.into()) }
    }
}

/// What came over the wire.
pub(super) enum Reply {
    Page(Fetched, Option<IpAddr>),
    Redirect(Redirect, Head),
}

impl Reply {
    /// The answer that it is, which came `at` a time where somebody asks for that.
    pub(super) fn into_answer(self, at: Option<Timestamp>) -> Answer {
        match self {
            Self::Page(fetched, address) => Answer::Page(fetched, Origin { address, at, is_kept: false }),
            Self::Redirect(redirect, _) => {
                let origin = Origin { address: redirect.by, at, is_kept: false };
                Answer::Redirect(redirect, origin)
            }
        }
    }
}

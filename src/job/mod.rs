//! What flows through the pipeline: seeds go in, jobs are visited, outcomes come out.

pub(crate) mod coding;
mod fragments;
mod link;
mod listing;
mod outcome;
mod summary;
mod trail;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;

pub use self::fragments::{Anchor, Fragments, Mention, NoUrl, Written, name_of_place, places_named};
pub use self::link::{Departure, Found, Link, LinkKind, Start};
pub use self::listing::Listing;
pub(crate) use self::listing::read_input;
pub use self::outcome::{Attempt, End, Facts, HostHint, Lack, Outcome, Used};
pub use self::summary::Summary;
pub use self::trail::{Hop, Redirect, Role, Trail, Trust, Validators, is_all_sitemaps};
use crate::exchange::Response;
use crate::failure::Failure;

/// Text that is never shown: `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Hides `text` from every log and record.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Where the user named a URL: a file and its line, counted from 1, or the number of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file as the user named it, `-` for standard input, none for an argument.
    pub file: Option<Arc<str>>,
    /// The line in the file, or the argument's position among the sources; counted from 1.
    pub line: u64,
}

/// What the user named, as it comes back in the record.
#[derive(Clone, Debug)]
pub struct Target {
    /// The position among the targets of this run, counted from 0 without gaps. Pages that are followed have that of their
    /// seed.
    pub id: u64,
    /// The URL as given: trimmed, with a scheme, without userinfo. Of a page that is followed, the URL that led there.
    pub given: Box<str>,
    /// Where it was named.
    pub at: Location,
    /// What else its line carried: a JSON object.
    pub input: Option<Arc<RawValue>>,
}

/// A URL that the user gave. The frontier makes it a job, or drops it as a duplicate.
#[derive(Clone, Debug)]
pub struct Seed {
    /// What the user named; the frontier numbers it.
    pub target: Target,
    /// The URL to request: http or https, without userinfo and fragment.
    pub url: Url,
    /// `user:password` from the URL, for Basic authentication at this URL's origin.
    pub auth: Option<Secret>,
    /// The answer, where an archive has it: nobody is asked then.
    pub stored: Option<Arc<Stored>>,
    /// What it names: a page, or a sitemap that names pages.
    pub role: Role,
}

/// An answer that an archive has, and what is known of how it came.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The URL that answered.
    pub url: Url,
    /// The redirects that led there.
    pub hops: Vec<Hop>,
    /// How many times it had been tried, counted from 1.
    pub attempt: u32,
    /// How long that took.
    pub spent: Duration,
    /// When that was.
    pub at: Timestamp,
    /// What was answered; none where the archive has lost it, and the failure says how.
    pub response: Option<Response>,
    /// Whether there is no body because none was asked for.
    pub is_head: bool,
    /// Why the answer did not count as fetched then, where it is not whole.
    pub failure: Option<Failure>,
}

/// A line that is no URL.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// What the user named, cut to a bearable length; the frontier numbers it.
    pub target: Target,
    /// Why it is no URL.
    pub reason: String,
}

/// One unit of work: a target and the request to make for it.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the user named.
    pub target: Target,
    /// The request to make.
    pub trail: Trail,
}

//! What the seeds of one source have in common.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::Entry;
use super::address::{self, Scheme};
use crate::job::{Location, Rejected, Role, Seed, Target};

/// As much as a record shows of a line that is no URL, in characters.
pub(super) const MAX_SHOWN: usize = 2_000;

/// A source by name, and how its URLs are read.
pub(super) struct Origin {
    /// The file as the user named it, `-` for standard input, none for an argument.
    pub(super) file: Option<Arc<str>>,
    /// The scheme of a URL that has none.
    pub(super) scheme: Scheme,
}

impl Origin {
    /// The seed that `text` names.
    pub(super) fn seed(&self, line: u64, text: &str, input: Option<Arc<RawValue>>) -> Entry {
        match address::parse(text, self.scheme) {
            Ok(address) => {
                let target = self.target(line, address.given, input);
                Ok(Seed { target, url: address.url, auth: address.auth, stored: None, role: Role::Page })
            }
            Err(reason) => {
                let mut rejected = self.reject(line, text, reason);
                rejected.target.input = input;
                Err(rejected)
            }
        }
    }

    /// A text that is no URL.
    pub(super) fn reject(&self, line: u64, text: &str, reason: impl Into<String>) -> Rejected {
        let target = self.target(line, shown(&address::redact(text.trim())), None);
        Rejected { target, reason: reason.into() }
    }

    /// A text of which only the `start` was kept.
    pub(super) fn reject_start(&self, line: u64, start: &str, reason: impl Into<String>) -> Rejected {
        let target = self.target(line, shown(&address::redact_start(start.trim())), None);
        Rejected { target, reason: reason.into() }
    }

    fn target(&self, line: u64, given: Box<str>, input: Option<Arc<RawValue>>) -> Target {
        Target { id: 0, given, at: Location { file: self.file.clone(), line }, input }
    }
}

fn shown(text: &str) -> Box<str> {
    text.chars().take(MAX_SHOWN).collect()
}

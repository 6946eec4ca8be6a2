//! Why a target yielded no record.
//!
//! A failure is data: it goes into a record, over a wire, into a file. It therefore holds no foreign error, only
//! what a reader can act on.

use std::fmt;

/// The class of a failure: the `error.kind` of a record.
///
/// These are the kinds of record version 1. The list is open: a reader must expect kinds it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The line or argument is no URL that can be fetched.
    InvalidUrl,
    /// The host name has no address.
    Dns,
    /// No connection could be made.
    Connect,
    /// The TLS handshake or the certificate failed.
    Tls,
    /// A time limit passed.
    Timeout,
    /// The connection was closed before an answer came.
    Reset,
    /// The peer does not speak HTTP.
    Protocol,
    /// The body ended before it was complete.
    Truncated,
    /// A redirect led nowhere, or on and on.
    Redirect,
    /// The body is larger than the cap.
    TooLarge,
    /// Reading the page would take unreasonable time or memory: it is nested too deeply, say.
    TooComplex,
    /// The body is not in the content coding that it claims.
    Decode,
    /// The answer's status does not count as fetched.
    Status,
    /// The page lacks what its recipe requires.
    Missing,
    /// The page is there, and nothing in it has the name that the fragment of a link to it says.
    Fragment,
    /// The host's robots.txt forbids the URL.
    Robots,
    /// The address is one that this run may not reach.
    ForbiddenAddress,
    /// The host was given up after many failures in a row, and was not asked for this.
    HostDown,
    /// It would have to be asked for, and this run asks nobody.
    Offline,
    /// The run was stopped while the job was under way.
    Cancelled,
    /// A bug in this program.
    Internal,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 21] = [
        Self::InvalidUrl,
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Reset,
        Self::Protocol,
        Self::Truncated,
        Self::Redirect,
        Self::TooLarge,
        Self::TooComplex,
        Self::Decode,
        Self::Status,
        Self::Missing,
        Self::Fragment,
        Self::Robots,
        Self::ForbiddenAddress,
        Self::HostDown,
        Self::Offline,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The stable name used in records.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::InvalidUrl => "invalid_url",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Truncated => "truncated",
            Self::Redirect => "redirect",
            Self::TooLarge => "too_large",
            Self::TooComplex => "too_complex",
            Self::Decode => "decode",
            Self::Status => "status",
            Self::Missing => "missing",
            Self::Fragment => "fragment",
            Self::Robots => "robots",
            Self::ForbiddenAddress => "forbidden_address",
            Self::HostDown => "host_down",
            Self::Offline => "offline",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// The retry rule that a failure of this kind has unless its maker knows better.
    pub(crate) const fn retry(self) -> Retry {
        match self {
            Self::Connect | Self::HostDown => Retry::Always,
            Self::Timeout | Self::Reset | Self::Truncated => Retry::Idempotent,
            Self::InvalidUrl
            | Self::Dns
            | Self::Tls
            | Self::Protocol
            | Self::Redirect
            | Self::TooLarge
            | Self::TooComplex
            | Self::Decode
            | Self::Status
            | Self::Missing
            | Self::Fragment
            | Self::Robots
            | Self::ForbiddenAddress
            | Self::Offline
            | Self::Cancelled
            | Self::Internal => Retry::Never,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// When it makes sense to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The answer would be the same.
    Never,
    /// Only where asking twice does no harm: the request may have been carried out (RFC 9110, section 9.2.2).
    Idempotent,
    /// The request was not carried out.
    Always,
}

/// Why a target yielded no record, in words for a person and a kind for a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class.
    pub kind: Kind,
    /// One sentence for a person, without a final period. It may quote a server: neutralise it before showing it.
    pub message: String,
    /// When it makes sense to ask again.
    pub retry: Retry,
}

impl Failure {
    /// A failure with its kind's own retry rule.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry: kind.retry() }
    }

    /// The same failure with another retry rule.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Whether asking again makes sense for a request that is `idempotent` or not.
    #[must_use]
    pub fn is_retryable(&self, idempotent: bool) -> bool {
        match self.retry {
            Retry::Never => false,
            Retry::Idempotent => idempotent,
            Retry::Always => true,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn slugs_are_distinct() {
        let slugs: HashSet<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), Kind::ALL.len());
    }

    #[test]
    fn a_timeout_is_asked_again_only_where_that_does_no_harm() {
        let failure = Failure::new(Kind::Timeout, "no answer");
        assert!(failure.is_retryable(true));
        assert!(!failure.is_retryable(false));
        assert!(Failure::new(Kind::Connect, "refused").is_retryable(false));
        assert!(!Failure::new(Kind::Tls, "expired").is_retryable(true));
    }
}

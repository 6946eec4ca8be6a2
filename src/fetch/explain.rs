//! What went wrong with a request, from the errors of the layers below.
//!
//! Where the standards leave room:
//! - TLS before 1.2 is not spoken, whatever is verified (RFC 8996);
//! - a connection that ends within the handshake is a `tls` failure where it was closed, one of `connect` where it was
//!   reset: the latter may be gone in a moment;
//! - a body that ends where the connection does is truncated unless TLS said so, too (`close_notify`): anybody on the
//!   way could have cut it (RFC 9112, section 9.8). One whose length is known needs no such farewell.

use std::error::Error as StdError;
use std::io;

use hyper_util::client::legacy::{self, connect::Connected};

use super::client::MAX_FIELDS;
use super::guard::Forbidden;
use super::resolve::NoAddress;
use crate::failure::{Failure, Kind, Retry};

/// How far the exchange had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No answer had begun.
    Head,
    /// The body was being read.
    Body,
}

/// Whether this machine had no connection left.
pub(super) fn has_no_connection(error: &reqwest::Error) -> bool {
    let code = |cause: &(dyn StdError + 'static)| cause.downcast_ref::<io::Error>()?.raw_os_error();
    causes(error).filter_map(code).any(|code| TOO_MANY_FILES.contains(&code))
}

/// Whether the server closed a connection that had been made, and began no answer as far as anybody can tell.
pub(super) fn is_closed(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    const CLOSED: [io::ErrorKind; 4] = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
    let closes = |cause: &(dyn StdError + 'static)| {
        let http = cause.downcast_ref::<hyper::Error>();
        let h2 = cause.downcast_ref::<h2::Error>();
        let io = cause.downcast_ref::<io::Error>();
        http.is_some_and(|error| error.is_incomplete_message() || error.is_canceled())
            || h2.is_some_and(|error| error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR))
            || io.is_some_and(|error| CLOSED.contains(&error.kind()))
    };
    !error.is_connect() && causes(error).any(closes)
}

/// Whether an answer had more fields than there was room for, or longer ones.
pub(super) fn is_head_too_large(error: &reqwest::Error) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref()).any(is_too_large)
}

/// The connection on which an error came, if there was one.
pub(super) fn connection_of(error: &reqwest::Error) -> Option<&Connected> {
    causes(error).find_map(|cause| cause.downcast_ref::<legacy::Error>()?.connect_info())
}

/// The failure that an error of the HTTP client means.
pub(super) fn explain(error: &reqwest::Error, phase: Phase) -> Failure {
    if error.is_timeout() {
        return timeout(error, phase);
    }
    causes(error).find_map(|cause| recognise(cause, error.is_connect(), phase)).unwrap_or_else(|| {
        let kind = match phase {
            _ if error.is_connect() => Kind::Connect,
            Phase::Head => Kind::Protocol,
            Phase::Body => Kind::Truncated,
        };
        Failure::new(kind, innermost(error).to_string())
    })
}

/// The error at the bottom: the one that says what happened.
pub(super) fn innermost(error: &dyn StdError) -> &dyn StdError {
    causes(error).last().unwrap_or(error)
}

/// The errors beneath `error`, outermost first. An I/O error that wraps another one hides it from `source`.
fn causes<'a>(error: &'a dyn StdError) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| match cause.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
        None => cause.source(),
    })
}

fn timeout(error: &reqwest::Error, phase: Phase) -> Failure {
    match phase {
        // Nothing was sent, so anything may be sent again.
        _ if error.is_connect() => Failure::new(Kind::Timeout, "no connection in time").with_retry(Retry::Always),
        Phase::Head => Failure::new(Kind::Timeout, "no answer in time"),
        Phase::Body => Failure::new(Kind::Timeout, "the body did not come in time"),
    }
}

fn recognise(cause: &(dyn StdError + 'static), connecting: bool, phase: Phase) -> Option<Failure> {
    if let Some(error) = cause.downcast_ref::<NoAddress>() {
        let retry = if error.is_temporary { Retry::Always } else { Retry::Never };
        return Some(Failure::new(Kind::Dns, error.to_string()).with_retry(retry));
    }
    if let Some(error) = cause.downcast_ref::<Forbidden>() {
        return Some(error.into());
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(tls(error));
    }
    if let Some(error) = cause.downcast_ref::<h2::Error>() {
        return h2(error);
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return io(error, connecting, phase);
    }
    cause.downcast_ref::<hyper::Error>().and_then(|error| http(error, phase))
}

fn tls(error: &rustls::Error) -> Failure {
    use rustls::{AlertDescription as Alert, PeerIncompatible as Old};
    let text = match error {
        rustls::Error::InvalidCertificate(bad) => certificate(bad),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS here".into(),
        rustls::Error::AlertReceived(Alert::ProtocolVersion)
        | rustls::Error::PeerIncompatible(Old::ServerDoesNotSupportTls12Or13) => {
            "the server speaks no version of TLS from 1.2 on".into()
        }
        rustls::Error::AlertReceived(Alert::HandshakeFailure) => {
            "the server refused the handshake: it may know only algorithms that are no longer safe".into()
        }
        rustls::Error::AlertReceived(Alert::CertificateRequired) => {
            "the server asks for a certificate of the client (--cert)".into()
        }
        other => other.to_string(),
    };
    Failure::new(Kind::Tls, text)
}

/// What is wrong with a certificate, and what may help.
fn certificate(bad: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Bad;
    match bad {
        Bad::UnknownIssuer => "the certificate is signed by nobody that is trusted (--cacert, --insecure)".into(),
        Bad::BadSignature => {
            "the certificate is not signed by whom it names: is the authority of --cacert an older one?".into()
        }
        Bad::Expired | Bad::ExpiredContext { .. } => {
            "the certificate has expired (is this machine's clock right?)".into()
        }
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "the certificate is not valid yet (is this machine's clock right?)".into()
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => "the certificate is for another name".into(),
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the server shows a certificate authority's own certificate: it is self-signed (--insecure)".into()
        }
        other => format!("the certificate is not valid: {other}"),
    }
}

fn h2(error: &h2::Error) -> Option<Failure> {
    if error.is_io() {
        return None; // the cause below says more
    }
    let message = format!("HTTP/2: {error}");
    Some(match error.reason() {
        // RFC 9113, section 8.7: it was not processed.
        Some(h2::Reason::REFUSED_STREAM) => Failure::new(Kind::Reset, message).with_retry(Retry::Always),
        // The connection is being closed in good order; section 6.8.
        Some(h2::Reason::NO_ERROR) if error.is_go_away() => {
            Failure::new(Kind::Reset, message).with_retry(Retry::Always)
        }
        Some(h2::Reason::NO_ERROR | h2::Reason::CANCEL | h2::Reason::INTERNAL_ERROR) => {
            Failure::new(Kind::Reset, message)
        }
        _ => Failure::new(Kind::Protocol, message),
    })
}

/// `EMFILE` and `ENFILE`.
pub(super) const TOO_MANY_FILES: [i32; 2] = [24, 23];

fn io(error: &io::Error, connecting: bool, phase: Phase) -> Option<Failure> {
    use io::ErrorKind as Io;
    if error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code)) {
        let message = "too many open files: lower --concurrency or raise the limit (ulimit -n)";
        return Some(Failure::new(Kind::Connect, message));
    }
    if let Some(inner) = error.get_ref() {
        let is_malformed = matches!(error.kind(), Io::InvalidInput | Io::InvalidData);
        if is_malformed && phase == Phase::Body && !inner.is::<rustls::Error>() {
            return Some(Failure::new(Kind::Protocol, format!("the body's chunks are broken: {inner}").to_lowercase()));
        }
        if matches!(error.kind(), Io::Other | Io::InvalidData) {
            return None; // the cause below says more
        }
    }
    let kind = match (error.kind(), phase) {
        (Io::UnexpectedEof, Phase::Head) if connecting => Kind::Tls,
        (Io::UnexpectedEof, Phase::Body) => Kind::Truncated,
        _ if connecting => Kind::Connect,
        (_, Phase::Head) => Kind::Reset,
        (_, Phase::Body) => Kind::Truncated,
    };
    let message = match kind {
        Kind::Tls => "the connection was closed during the TLS handshake".into(),
        _ => text_of(error),
    };
    Some(Failure::new(kind, message))
}

/// The system's words without its number, a library's without the address of its manual.
fn text_of(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" (os error ") {
        Some((words, _)) => words.to_lowercase(),
        None => text.split(": https://").next().unwrap_or_default().into(),
    }
}

/// hyper has a method that tells, in servers alone.
fn is_too_large(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string() == "message head is too large"
}

/// Whether something came that is no answer, or came unasked: only the words tell.
fn is_nonsense(error: &hyper::Error) -> bool {
    let text = error.to_string();
    text.contains("unexpected message") || text.contains("invalid HTTP version")
}

fn http(error: &hyper::Error, phase: Phase) -> Option<Failure> {
    if error.is_canceled() && error.source().is_some() {
        return None; // the cause below says why
    }
    Some(match phase {
        Phase::Body if error.is_incomplete_message() => {
            Failure::new(Kind::Truncated, "the body ended before it was complete")
        }
        Phase::Head if error.is_incomplete_message() || error.is_canceled() => {
            Failure::new(Kind::Reset, "the connection was closed before an answer came")
        }
        Phase::Head if is_nonsense(error) => Failure::new(Kind::Protocol, "the server does not speak HTTP"),
        _ if is_too_large(error) => Failure::new(
            Kind::Protocol,
            format!("the answer's head is too large, or has more than {MAX_FIELDS} fields"),
        ),
        _ if error.is_parse() => Failure::new(Kind::Protocol, format!("no HTTP answer: {}", innermost(error))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error};

    #[test]
    fn what_may_help_with_tls_is_told() {
        for (error, word) in [
            (Error::InvalidCertificate(Bad::UnknownIssuer), "--cacert"),
            (Error::InvalidCertificate(Bad::BadSignature), "--cacert"),
            (Error::InvalidCertificate(Bad::Expired), "clock"),
            (Error::InvalidCertificate(Bad::NotValidYet), "clock"),
            (Error::AlertReceived(Alert::CertificateRequired), "--cert"),
            (Error::AlertReceived(Alert::HandshakeFailure), "algorithms"),
            (Error::AlertReceived(Alert::ProtocolVersion), "1.2"),
        ] {
            let failure = tls(&error);
            assert_eq!(failure.kind, Kind::Tls);
            assert!(failure.message.contains(word), "{failure}");
        }
    }
}

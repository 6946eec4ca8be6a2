//! An origin asked for its rules.
//!
//! What was decided: of a file that is too long its start counts, whatever the limit of a page's body (RFC 9309, section
//! 2.5). One that breaks off, or is damaged, is asked for again as a page is; then what came of it counts, in whole lines,
//! and where not one came, it cannot be had.

use std::net::IpAddr;
use std::time::Instant;

use crate::failure::{Failure, Kind};
use crate::fetch::{Answer, Fetcher, Head, Unanswered};
use crate::job::{End, HostHint, Job, Outcome};
use crate::robots::{MAX_HOPS, MAX_LENGTH, whole_lines};

use super::Accepted;

/// Asks for the robots.txt that a job is for. A failure says that the origin cannot tell its rules now, or not all of
/// them, and may be worth another try.
pub(super) async fn ask(fetcher: &Fetcher, mut job: Job) -> Outcome {
    let started = Instant::now();
    let answer = fetcher.fetch(&job.trail).await;
    job.trail.spent += started.elapsed();
    let hops = job.trail.hops.len();
    let (end, hint) = match answer {
        Ok(Answer::Page(page, origin)) => {
            let hint = origin.hint(&page.head);
            (end(page.head.status, &page.body, origin.address), hint)
        }
        Ok(Answer::Redirect(redirect, _)) if hops < MAX_HOPS => (End::Redirect(redirect), HostHint::default()),
        Ok(Answer::Redirect(redirect, _)) => (end(redirect.status, &[], redirect.by), HostHint::default()),
        Err(unanswered) => without_end(unanswered),
    };
    Outcome { hint, ..Outcome::ended(job, end) }
}

/// What follows from an answer that did not come, or not to its end.
fn without_end(unanswered: Unanswered) -> (End, HostHint) {
    let Unanswered { failure, head, lack, part } = unanswered;
    let hint = HostHint { lack, ..head.as_ref().map(Head::hint).unwrap_or_default() };
    let end = match (head, part) {
        (Some(head), _) if failure.kind == Kind::Redirect => end(head.status, &[], None),
        (Some(head), Some(part)) if lack.is_none() => cut(end(head.status, whole_lines(&part.body), part.by), failure),
        _ => End::failed(failure),
    };
    (end, hint)
}

/// The end that it is where a body was cut for this reason: the same, unless the body matters.
fn cut(end: End, reason: Failure) -> End {
    match end {
        End::Robots { status: Some(status @ 200..=299), body, by, .. } if reason.kind != Kind::TooLarge => {
            if body.is_empty() {
                return End::failed(reason);
            }
            End::Robots { status: Some(status), body, by, failure: Some(reason) }
        }
        end => end,
    }
}

/// What a status and a body say: rules, that there are none, or nothing yet.
fn end(status: u16, body: &[u8], by: Option<IpAddr>) -> End {
    if let Some(failure) = Accepted::default().judge(status).filter(|_| matches!(status, 429 | 500..)) {
        return End::failed(failure);
    }
    let body = body[..body.len().min(MAX_LENGTH + 1)].into();
    End::Robots { status: Some(status), body, by, failure: None }
}

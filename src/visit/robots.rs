//! An origin asked for its rules.

use std::time::Instant;

use crate::failure::Kind;
use crate::fetch::{Answer, Fetcher, Head, Unanswered};
use crate::job::{End, HostHint, Job, Outcome};
use crate::robots::{MAX_HOPS, MAX_LENGTH};

use super::Accepted;

/// Asks for the robots.txt that a job is for. A failure says that the origin cannot tell its rules now, and may be worth
/// another try.
pub(super) async fn ask(fetcher: &Fetcher, mut job: Job) -> Outcome {
    let started = Instant::now();
    let answer = fetcher.fetch(&job.trail).await;
    job.trail.spent += started.elapsed();
    let hops = job.trail.hops.len();
    let (end, hint) = match answer {
        Ok(Answer::Page(file, origin)) => {
            let hint = origin.hint(&file.head);
            (said(file.head.status, &file.body), hint)
        }
        Ok(Answer::Redirect(redirect, _)) if hops < MAX_HOPS => (End::Redirect(redirect), HostHint::default()),
        Ok(Answer::Redirect(redirect, _)) => (said(redirect.status, &[]), HostHint::default()),
        Err(Unanswered { failure, head, lack }) => {
            let hint = HostHint { lack, ..head.as_ref().map(Head::hint).unwrap_or_default() };
            let leads_nowhere = failure.kind == Kind::Redirect;
            let end = match head.filter(|_| leads_nowhere) {
                Some(head) => said(head.status, &[]),
                None => End::failed(failure),
            };
            (end, hint)
        }
    };
    Outcome { hint, ..Outcome::ended(job, end) }
}

/// What a status and a body say: rules, that there are none, or nothing yet.
fn said(status: u16, body: &[u8]) -> End {
    match Accepted::default().judge(status).filter(|_| matches!(status, 429 | 500..)) {
        Some(failure) => End::failed(failure),
        None => End::Robots { status: Some(status), body: body[..body.len().min(MAX_LENGTH + 1)].into() },
    }
}

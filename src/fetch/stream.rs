//! Answers whose bodies are taken as they come, and are never in memory as a whole.

use std::net::IpAddr;

use bytes::Bytes;
use futures::future::FutureExt;
use reqwest::header::HeaderMap;

use super::{Answer, Fetched, Fetcher, Head, Taker, Unanswered};
use crate::job::Trail;

/// Makes who takes a body, once its answer has begun, which comes from this address; none where a proxy hides it.
pub type Intake<'i> = &'i mut (dyn FnMut(&Head, Option<IpAddr>) -> Taker + Send);

impl Fetcher {
    /// Makes the request that `trail` names, and hands on the body, content codings undone, piece by piece. In the answer it
    /// is empty. Where it breaks off, what came before was handed on.
    ///
    /// Where there is a cache, it is handed on in one piece, once it is whole.
    ///
    /// # Errors
    /// As for [`fetch`](Self::fetch).
    pub async fn stream(&self, trail: &Trail, intake: Intake<'_>) -> Result<Answer, Unanswered> {
        if self.cache.is_none() && !self.is_offline {
            return self.ask(trail, &HeaderMap::new(), Some(intake)).await.map(|reply| reply.into_answer(None));
        }
        let answer = self.fetch_cached(trail).boxed().await?;
        let Answer::Page(Fetched { url, head, body }, origin) = answer else { return Ok(answer) };
        intake(&head, origin.address)(&body);
        Ok(Answer::Page(Fetched { url, head, body: Bytes::new() }, origin))
    }
}

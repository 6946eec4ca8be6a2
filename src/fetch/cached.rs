//! Requests that the cache may answer.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::task::spawn_blocking;

use super::answer::Reply;
use super::{Answer, Fetched, Fetcher, Head, Origin, RequestOptions, Unanswered, trace};
use crate::cache::{Cache, Entry, Found, Question};
use crate::failure::{Failure, Kind};
use crate::job::Trail;

const NOT_MODIFIED: u16 = 304;

impl Fetcher {
    /// Makes the request that `trail` names, unless the cache has its answer.
    pub(super) async fn fetch_cached(&self, trail: &Trail) -> Result<Answer, Unanswered> {
        let Some(question) = self.question(trail).map(Arc::new) else {
            return self.ask_online(trail).await.map(|reply| reply.into_answer(None));
        };
        let method = self.request.method_of(trail);
        if method != Method::GET || self.request.has_body(trail) {
            let reply = self.ask_online(trail).await?;
            if !method.is_safe() && reply.status() < 400 {
                self.with_cache_apart(move |cache| cache.forget(&question)).await;
            }
            return Ok(reply.into_answer(None));
        }
        let known = Arc::clone(&question);
        let found = self.with_cache_apart(move |cache| cache.find(&known)).await.flatten();
        match found.filter(|found| self.may_use(trail, found)) {
            Some(Found::Fresh(entry)) => self.answer(trail, entry, Since::Kept).map_err(|why| *why),
            Some(Found::Stale(entry, _)) if self.is_offline => {
                self.answer(trail, entry, Since::Kept).map_err(|why| *why)
            }
            Some(Found::Stale(entry, conditions)) if !conditions.is_empty() => {
                self.confirm(trail, question, entry, &conditions).await
            }
            _ => self.ask_and_keep(trail, question).await,
        }
    }

    /// What is asked; none where the cache has no say.
    fn question(&self, trail: &Trail) -> Option<Question> {
        self.cache.as_ref()?;
        let (headers, auth) = self.request.told(trail);
        let circumstances = self.clients.circumstances(&trail.url);
        let mut identity = vec![circumstances.as_bytes(), auth.map_or("", |auth| auth.reveal()).as_bytes()];
        for (name, value) in headers.iter().filter(|(name, _)| RequestOptions::may_be_secret(name)) {
            identity.extend([name.as_str().as_bytes(), value.as_bytes()]);
        }
        let mut all = headers.clone();
        if let Some(jar) = &self.cookies {
            jar.send(&trail.url, &mut all);
        }
        Question::new(&trail.url, all, &identity)
    }

    /// Whether a live request could have the same answer.
    fn may_use(&self, trail: &Trail, found: &Found) -> bool {
        let (Found::Fresh(entry) | Found::Stale(entry, _)) = found;
        entry.body.len() <= self.max_body(trail)
            && self.clients.reach(trail).is_ok()
            && self.clients.may_use(trail, entry.by)
    }

    /// Asks the server whether an answer still holds, and keeps what it says.
    async fn confirm(
        &self,
        trail: &Trail,
        question: Arc<Question>,
        entry: Entry,
        conditions: &HeaderMap,
    ) -> Result<Answer, Unanswered> {
        let reply = self.ask(trail, conditions, None).await?;
        let Reply::Page(Fetched { head, .. }, address) = &reply else { return Ok(self.kept(question, reply).await) };
        if head.status != NOT_MODIFIED {
            return Ok(self.kept(question, reply).await);
        }
        let at = now();
        match entry.confirmed(&question, &head.headers, at) {
            Some(entry) => {
                tracing::info!(url = %trail.url, "not modified");
                let entry = entry.from(*address);
                let kept = entry.clone();
                self.with_cache_apart(move |cache| cache.keep(&question, &kept)).await;
                self.answer(trail, entry, Since::Confirmed).map_err(|why| *why)
            }
            // It is about another answer than ours.
            None => self.ask_and_keep(trail, question).await,
        }
    }

    async fn ask_and_keep(&self, trail: &Trail, question: Arc<Question>) -> Result<Answer, Unanswered> {
        let reply = self.ask_online(trail).await?;
        Ok(self.kept(question, reply).await)
    }

    async fn ask_online(&self, trail: &Trail) -> Result<Reply, Unanswered> {
        if self.is_offline {
            let has = if self.cache.is_some() { "the cache does not have it" } else { "there is no --cache" };
            return Err(Unanswered::at_all(Failure::new(
                Kind::Offline,
                format!("nobody is asked (--offline), and {has}"),
            )));
        }
        self.ask(trail, &HeaderMap::new(), None).await
    }

    /// Keeps what was just replied, where that is allowed.
    async fn kept(&self, question: Arc<Question>, reply: Reply) -> Answer {
        let at = now();
        let (head, body, address) = match &reply {
            Reply::Page(fetched, address) => (&fetched.head, fetched.body.clone(), *address),
            Reply::Redirect(redirect, head) => (head, Bytes::new(), redirect.by),
        };
        let head = (head.status, head.headers.clone());
        let entry = Entry::new(&question, head, body, at).map(|entry| entry.from(address));
        self.with_cache_apart(move |cache| match entry {
            Some(entry) => cache.keep(&question, &entry),
            None => cache.forget(&question),
        })
        .await;
        reply.into_answer(Some(at))
    }

    /// What the cache has, as if it had just come.
    fn answer(&self, trail: &Trail, entry: Entry, since: Since) -> Result<Answer, Box<Unanswered>> {
        let Entry { at, by: address, status, headers, body, .. } = entry;
        let head = Head { status, headers };
        let origin = Origin { address, at: Some(at), is_kept: matches!(since, Since::Kept) };
        if let Some(redirect) = self.next(trail, &head, address).map_err(Unanswered::at_all)? {
            return Ok(Answer::Redirect(redirect, origin));
        }
        let room = self.memory.room();
        room.take(body.len()).map_err(Unanswered::without_memory)?;
        let size = body.len();
        let fetched = Fetched { url: trail.url.clone(), head, body: room.keep(body, size) };
        if origin.is_kept {
            tracing::info!(url = %trail.url, since = %at, "from the cache");
            trace::kept(&fetched, at);
        } else {
            trace::completed(&fetched);
        }
        Ok(Answer::Page(fetched, origin))
    }

    /// Works with the cache, which reads and writes files, away from the network; none where there is no cache.
    async fn with_cache_apart<T: Send + 'static>(&self, work: impl FnOnce(&Cache) -> T + Send + 'static) -> Option<T> {
        let cache = Arc::clone(self.cache.as_ref()?);
        match spawn_blocking(move || work(&cache)).await {
            Ok(done) => Some(done),
            Err(error) => error.try_into_panic().map_or(None, |panic| std::panic::resume_unwind(panic)),
        }
    }
}

/// The time as the cache keeps it: what is read from it later is the same to the millisecond.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Since when an answer is known to hold.
#[derive(Clone, Copy)]
enum Since {
    /// Since it was kept: nobody was asked.
    Kept,
    /// Since just now.
    Confirmed,
}

impl Reply {
    fn status(&self) -> u16 {
        match self {
            Self::Page(fetched, _) => fetched.head.status,
            Self::Redirect(_, head) => head.status,
        }
    }
}

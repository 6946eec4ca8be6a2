//! One URL goes through the stages of a run, and what each of them did is kept.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::runtime::Runtime;

use super::options;
use crate::cli::args::Fetching;
use crate::cli::cookies::{self, Cookies};
use crate::cli::exit::{FailOn, Status, Stop};
use crate::cli::logging::Voice;
use crate::cli::signals;
use crate::engine::Engine;
use crate::extract::Extractor;
use crate::fetch::{self, Fetcher, Trace};
use crate::frontier::{self, Frontier, RetryOptions};
use crate::job::{Outcome, Summary};
use crate::seeds::{self, Seeds, Source};
use crate::visit::{Accepted, Local, Traced};

/// What one URL led to.
#[derive(Default)]
pub(super) struct Story {
    /// Every request and what came of it.
    pub(super) visits: Vec<(Outcome, Trace)>,
    /// What came of the URL; none if the run was stopped before it began.
    pub(super) last: Option<Outcome>,
    totals: Summary,
    /// What a signal asked for.
    caught: Option<Status>,
    /// Cookies that are yet to be written.
    cookies: Option<Cookies>,
}

impl Story {
    /// Visits a URL and reads its page. A failure is not tried again, and no link followed.
    pub(super) fn of(
        url: &str,
        (args, fetching): (&Fetching, fetch::Options),
        extractor: Extractor,
        voice: Voice,
    ) -> Result<Self, Stop> {
        let retry = options::retry(args)?;
        let mut fetcher = Fetcher::new(fetching).map_err(Stop::usage)?;
        let cookies = cookies::open(&args.request, [])?;
        if let Some(cookies) = &cookies {
            fetcher = fetcher.with_cookies(Arc::clone(&cookies.jar));
        }
        let local = Local::new(fetcher, extractor, Accepted::default());
        let seeds = seeds::open(vec![Source::Url(url.to_owned())], seeds::Options::default()).map_err(Stop::broken)?;

        let runtime = Runtime::new().context("cannot start the runtime").map_err(Stop::broken)?;
        let story = runtime.block_on(drive(engine(local, &retry), seeds, voice));
        // A lookup that nobody waits for any more must not hold up the end.
        runtime.shutdown_background();
        Ok(Self { cookies, ..story? })
    }

    /// Writes the cookies, and tells how the program is to end.
    pub(super) fn finish(self) -> Result<Status, Stop> {
        self.cookies.map_or(Ok(()), Cookies::save).map_err(Stop::broken)?;
        Ok(Status::of(&self.totals, FailOn::Any).max(self.caught.unwrap_or(Status::Success)))
    }
}

/// The engine of a run that tries nothing again and follows no links.
fn engine(visitor: Local, retry: &RetryOptions) -> Engine<Traced<Local>> {
    let retry = RetryOptions { retries: 0, ..retry.clone() };
    let frontier = Frontier::new(frontier::Options { retry, follow: false, ..frontier::Options::default() });
    Engine { frontier, ..Engine::new(Traced::new(visitor)) }
}

async fn drive(engine: Engine<Traced<Local>>, seeds: Seeds, voice: Voice) -> Result<Story, Stop> {
    let caught = signals::watch(engine.frontier.clone(), engine.cancel.clone(), voice, None)
        .context("cannot watch for signals")
        .map_err(Stop::broken)?;
    let last = Arc::new(Mutex::new(None));
    let visitor = Arc::clone(&engine.visitor);
    let keep = {
        let last = Arc::clone(&last);
        move |outcome: &Outcome| {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
            Ok(())
        }
    };
    let ran = tokio::spawn(async move { engine.run(seeds, vec![Box::new(keep)]).await }).await;
    let totals = ran.unwrap_or_else(|error| resume_unwind(error.into_panic())).map_err(Stop::broken)?;
    let last = last.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Story { visits: visitor.take(), last, totals, caught: caught.status(), cookies: None })
}

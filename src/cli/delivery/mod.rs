//! What hears of a run when it has ended: a command, and a server elsewhere.

mod notify;
mod outbox;
mod webhook;

use std::io::{self, Write};

use anyhow::Context;
use tokio::runtime::Runtime;

use self::notify::Notify;
use self::outbox::{Outbox, Spool};
use self::webhook::Webhook;
use super::args::Run;
use super::commands::options;
use super::config::Environment;
use super::exit::{Status, Stop};
use super::summary::Conclusion;
use crate::engine::Sink;
use crate::sink::{Format, Lines, Options};
use crate::store::{Ended, Session};

/// Whoever is told.
#[derive(Default)]
pub(super) struct Delivery {
    webhook: Option<Webhook>,
    /// Where the records for the webhook wait, if there is no state.
    spool: Option<Spool>,
    notify: Option<Notify>,
}

impl Delivery {
    /// Opens what the options name.
    pub(super) fn open(args: &Run, environment: &Environment) -> Result<Self, Stop> {
        let unattended = &args.unattended;
        let webhook = unattended.webhook.as_deref().map(|url| {
            let (fetching, retry) = (options::fetch(&args.fetching, environment)?, options::retry(&args.fetching)?);
            Webhook::new(url, unattended.webhook_secret.as_deref(), fetching, retry)
        });
        let webhook = webhook.transpose()?;
        let needs_spool = webhook.is_some() && args.endurance.state.is_none();
        let spool = needs_spool.then(|| Spool::open(&args.output.output)).transpose()?;
        let notify = unattended.notify.as_deref().map(|command| Notify::new(command, unattended.notify_timeout));
        Ok(Self { webhook, spool, notify: notify.transpose()? })
    }

    /// What keeps the records for them, some of it in the state: of a record that is in an output, it has been told by then.
    pub(super) fn sinks(&self, options: &Options, state: Option<&mut Session>) -> io::Result<Vec<Box<dyn Sink>>> {
        let mut sinks = Vec::new();
        if let Some(state) = state.filter(|_| self.webhook.is_some()) {
            sinks.push(sink("the outbox", state.posts(), options));
        }
        if let Some(spool) = &self.spool {
            sinks.push(sink(&spool.path().to_string_lossy(), spool.file().try_clone()?, options));
        }
        if let Some(notify) = &self.notify {
            sinks.push(sink("the records for --notify", notify.file().try_clone()?, options));
        }
        Ok(sinks)
    }

    /// Tells them, and what that comes to. What the state has kept is in there.
    pub(super) fn tell(
        self,
        state: Option<Ended>,
        conclusion: &Conclusion,
        (status, runtime): (Status, &Runtime),
    ) -> Status {
        let posted = self.webhook.map_or(Ok(()), |webhook| match outbox(self.spool, state)? {
            Some(outbox) => runtime.block_on(webhook.deliver(outbox)),
            None => Ok(()),
        });
        let status = status.max(judge(posted));
        let notify = self.notify.map(|notify| notify.run(conclusion, status));
        notify.map_or(status, |told| status.max(judge(told)))
    }
}

fn outbox(spool: Option<Spool>, state: Option<Ended>) -> anyhow::Result<Option<Outbox>> {
    let Some(state) = state else { return Ok(spool.map(Outbox::Spool)) };
    let path = state.path().to_owned();
    let outbox = state.outbox().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(Outbox::State(path, outbox)))
}

fn judge(told: anyhow::Result<()>) -> Status {
    told.map_or_else(
        |error| {
            tracing::error!("{error:#}");
            Status::Broken
        },
        |()| Status::Success,
    )
}

fn sink(name: &str, out: impl Write + Send + 'static, options: &Options) -> Box<dyn Sink> {
    Format::Jsonl.sink(Lines::new(name, out), options)
}

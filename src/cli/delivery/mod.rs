//! What hears of a run when it has ended: a command, and a server elsewhere.

mod notify;
mod outbox;
mod webhook;

use std::fs::File;
use std::io;
use std::path::Path;

use tokio::runtime::Runtime;

use self::notify::Notify;
use self::outbox::Outbox;
use self::webhook::Webhook;
use super::args::Run;
use super::commands::options;
use super::config::Environment;
use super::exit::{Status, Stop};
use super::summary::Conclusion;
use crate::engine::Sink;
use crate::sink::{Format, Lines, Options};

/// Whoever is told.
#[derive(Default)]
pub(super) struct Delivery {
    webhook: Option<(Webhook, Outbox)>,
    notify: Option<Notify>,
}

impl Delivery {
    /// Opens what the options name.
    pub(super) fn open(args: &Run, environment: &Environment) -> Result<Self, Stop> {
        let unattended = &args.unattended;
        let webhook = unattended.webhook.as_deref().map(|url| {
            let (fetching, retry) = (options::fetch(&args.fetching, environment)?, options::retry(&args.fetching)?);
            let webhook = Webhook::new(url, unattended.webhook_secret.as_deref(), fetching, retry)?;
            Ok::<_, Stop>((webhook, Outbox::open(&outbox::path(&args.output.output))?))
        });
        let notify = unattended.notify.as_deref().map(|command| Notify::new(command, unattended.notify_timeout));
        Ok(Self { webhook: webhook.transpose()?, notify: notify.transpose()? })
    }

    /// What keeps the records for them: of a record that is in an output, it has been told by then.
    pub(super) fn sinks(&self, options: &Options) -> io::Result<Vec<Box<dyn Sink>>> {
        let files = self.webhook.iter().map(|(_, outbox)| outbox.file()).chain(self.notify.iter().map(Notify::file));
        files.map(|(name, file)| Ok(sink(name, file.try_clone()?, options))).collect()
    }

    /// Tells them, and what that comes to.
    pub(super) fn tell(self, conclusion: &Conclusion, status: Status, runtime: &Runtime) -> Status {
        let webhook = self.webhook.map(|(webhook, outbox)| runtime.block_on(webhook.deliver(outbox)));
        let status = webhook.map_or(status, |told| status.max(judge(told)));
        let notify = self.notify.map(|notify| notify.run(conclusion, status));
        notify.map_or(status, |told| status.max(judge(told)))
    }
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

fn sink(name: &Path, file: File, options: &Options) -> Box<dyn Sink> {
    Format::Jsonl.sink(Lines::new(&*name.to_string_lossy(), file), options)
}

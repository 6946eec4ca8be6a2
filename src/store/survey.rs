//! What a state tells a report.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

use jiff::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::types::Value as Cell;
use serde_json::value::RawValue;

use super::history::{Event, History, Names, Which};
use super::lookup::unpack;
use super::shape::Content;
use super::{Change, Error};
use crate::sink::report::{Page, Survey};
use crate::value::Value;

impl History {
    /// Counts all pages, as they were when they were asked for last, and what changed in the last run.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn survey(&self, survey: &mut Survey) -> Result<(), Error> {
        let mut names = Names::default();
        let mut statement = self
            .connection
            .prepare("SELECT id, url, final_url, status, failure, seen, extraction FROM pages ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (status, extraction): (_, Option<i64>) = (row.get(3)?, row.get(6)?);
            let failure: Option<String> = row.get(4)?;
            let content = if failure.is_none() { self.content(row.get(0)?)? } else { None };
            let at = Timestamp::from_millisecond(row.get(5)?)
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            let page = Page {
                final_url: row.get::<_, Option<String>>(2)?.map(Cow::Owned),
                title: content.as_ref().and_then(|content| title(&content.0)),
                failure: failure.map(|kind| (kind.into(), Cow::Borrowed(""))),
                ..page(row.get::<_, String>(1)?.into(), status, at)
            };
            let names = extraction.map_or(Ok(&[][..]), |extraction| names.of(extraction, self))?;
            let records = content.iter().flat_map(|content| &content.1);
            survey.add_page(
                &page,
                records.map(|record| names.iter().map(|name| &**name).zip(record.iter().map(|raw| is_blank(raw)))),
            );
        }
        self.events(None, Which::LastRun, |event| {
            count(event, survey);
            Ok(())
        })
    }

    /// The last version of a page that was there.
    fn content(&self, page: i64) -> Result<Option<Content>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT content FROM versions WHERE page = ? AND content IS NOT NULL ORDER BY id DESC LIMIT 1",
        )?;
        statement.query_row([page], |row| row.get::<_, Cell>(0)).optional()?.map(unpack).transpose()
    }
}

/// Counts a change.
fn count(event: &Event, survey: &mut Survey) {
    let title = event.values.iter().find(|(name, _)| name == "title").and_then(|(_, raw)| title(raw));
    let failure = (event.change == Change::Gone).then_some((Cow::Borrowed("status"), Cow::Borrowed("")));
    let page = Page { title, failure, ..page(Cow::Borrowed(&event.url), event.status, event.at) };
    let differences = event.differences.iter();
    let pair = |raw: &RawValue| raw.get().to_owned();
    survey.add_change(&page, event.change, differences.map(|it| (&*it.field, (pair(&it.old), pair(&it.new)))));
}

/// A page of which no more is known.
fn page(url: Cow<'_, str>, status: Option<u16>, at: Timestamp) -> Page<'_> {
    let at = Some(at);
    Page { url, final_url: None, status, title: None, bytes: None, elapsed: None, attempts: 1, at, failure: None }
}

fn title(raw: &RawValue) -> Option<Cow<'static, str>> {
    serde_json::from_str::<Option<String>>(raw.get()).ok()?.map(Cow::Owned)
}

fn is_blank(raw: &RawValue) -> bool {
    serde_json::from_str::<Value<'static>>(raw.get()).is_ok_and(|value| value.is_blank())
}

//! What the program says on standard error: nothing that a server wrote reaches a terminal as it came.
//!
//! As text it is for people. As JSON (`--log-format json`) each thing said is an object on a line of its own, with `time`,
//! `level` and `message`, and what belongs to it under keys that name their units.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use super::args::LogFormat;
use crate::sink::{escape_json, neutralise};

/// Whether all that is said is JSON. It is one for the process, as a panic is told, too.
static JSON: AtomicBool = AtomicBool::new(false);

/// How much is held back, in bytes: a run says little unless it is asked to.
const HELD: usize = 64 * 1024;

/// Standard error, shared with a progress bar that must stand aside while something is said.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    bar: ProgressBar,
    quiet: bool,
    /// What is not said yet, and may never be.
    held: Option<Arc<Mutex<Vec<u8>>>>,
}

impl Voice {
    /// A voice beside `bar`.
    pub(super) fn new(bar: ProgressBar, quiet: bool) -> Self {
        Self { bar, quiet, held: None }
    }

    /// A voice that holds back what it is given to say, the first 64 KiB of it, until it is [released](Self::release).
    pub(super) fn hushed(self) -> Self {
        Self { held: Some(Arc::default()), ..self }
    }

    /// Says what the user should know.
    pub(super) fn say(&self, text: impl Display) {
        self.tell(text, Map::new);
    }

    /// Says what the user should know; as JSON, with these `fields`.
    pub(super) fn tell(&self, text: impl Display, fields: impl FnOnce() -> Map<String, Value>) {
        if !self.quiet {
            self.write(line(Level::INFO, &text.to_string(), fields).as_bytes());
        }
    }

    /// Says what was held back, below a line that tells why.
    pub(super) fn release(&self, why: Option<&str>) {
        let why = why.filter(|_| !self.quiet).map(|why| line(Level::INFO, why, Map::new)).unwrap_or_default();
        let held = self.held.as_ref().map(|held| std::mem::take(&mut *lock(held))).unwrap_or_default();
        self.bar.suspend(|| put(&(why + &String::from_utf8_lossy(&held))));
    }

    /// Writes whole lines, which are harmless.
    fn write(&self, lines: &[u8]) {
        match &self.held {
            None => self.bar.suspend(|| put(&String::from_utf8_lossy(lines))),
            Some(held) => {
                let mut held = lock(held);
                if held.len() + lines.len() <= HELD {
                    held.extend_from_slice(lines);
                }
            }
        }
    }
}

/// Whoever panicked while holding it wrote whole lines.
fn lock(held: &Mutex<Vec<u8>>) -> std::sync::MutexGuard<'_, Vec<u8>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says all that is said from now on in this format.
pub(super) fn speak(format: LogFormat) {
    JSON.store(format == LogFormat::Json, Ordering::Relaxed);
}

/// Something said, as a line, or as several where it has several.
fn line(level: Level, text: &str, fields: impl FnOnce() -> Map<String, Value>) -> String {
    if is_json() { object(level, text, fields()) } else { format!("scrape: {}\n", harmless(text)) }
}

fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Something said, as an object of JSON.
fn object(level: Level, message: &str, fields: Map<String, Value>) -> String {
    let level = level.as_str().to_ascii_lowercase();
    let time = format!("{:.3}", Timestamp::now());
    let said = [("time", time), ("level", level), ("message", message.into())];
    let said = said.map(|(key, text)| (key.to_owned(), Value::String(text)));
    escape_json(&Value::Object(said.into_iter().chain(fields).collect()).to_string()) + "\n"
}

/// Says why the program ends. Not for a run: a bar would be in the way.
pub(super) fn last_words(text: impl Display) {
    put(&line(Level::ERROR, &text.to_string(), Map::new));
}

/// Says what the parser says of what was typed, help included: in its colours, unless it may quote what a terminal would
/// act on.
pub(super) fn parser_words(error: &clap::Error, typed: &[OsString]) -> io::Result<()> {
    let is_harmless = |text: &OsString| neutralise(&text.to_string_lossy()) == text.to_string_lossy();
    if typed.iter().all(is_harmless) {
        error.print()
    } else {
        put(&harmless(&error.render().to_string()));
        Ok(())
    }
}

/// There is nobody to tell when standard error is gone.
fn put(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// The text with every line neutralised.
fn harmless(text: &str) -> String {
    text.split('\n').map(neutralise).collect::<Vec<_>>().join("\n")
}

/// Sends the program's log to the voice: warnings, with `-v` what happens, with `-vv` in detail.
pub(super) fn start(voice: &Voice, verbose: u8) {
    let level = match verbose {
        _ if voice.quiet => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).event_format(Plain).with_writer(voice.clone()).finish();
    // A second run in one process (as in the demo) keeps the first one's.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// A message of the log as everything else that is said: `scrape: warning: …`, then what belongs to it; or as JSON.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = *event.metadata().level();
        if is_json() {
            let mut told = Told::default();
            event.record(&mut told);
            return out.write_str(&object(level, &told.message, told.fields));
        }
        let level = match level {
            Level::ERROR => "",
            Level::WARN => "warning: ",
            Level::INFO | Level::DEBUG | Level::TRACE => "note: ",
        };
        write!(out, "scrape: {level}")?;
        context.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

/// What a message of the log tells.
#[derive(Default)]
struct Told {
    message: String,
    fields: Map<String, Value>,
}

impl Told {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.fields.insert(field.name().into(), value.into());
    }
}

impl Visit for Told {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add(field, u64::try_from(value).unwrap_or(u64::MAX));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" { self.message = text } else { self.add(field, text) }
    }
}

/// One message of the log, said whole.
pub(super) struct Message {
    voice: Voice,
    text: Vec<u8>,
}

impl Write for Message {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // What is JSON has its escapes.
        let text = String::from_utf8_lossy(&self.text);
        self.voice.write(if is_json() { text.into() } else { harmless(&text) }.as_bytes());
    }
}

impl<'a> MakeWriter<'a> for Voice {
    type Writer = Message;

    fn make_writer(&'a self) -> Message {
        Message { voice: self.clone(), text: Vec::new() }
    }
}

/// A panic says one line. One in a visit is that job's failure; the run goes on.
pub(super) fn tame_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        last_words(format_args!(
            "bug: {text}{place} (version {}): please report it where you got this program",
            env!("CARGO_PKG_VERSION")
        ));
    }));
}

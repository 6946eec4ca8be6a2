//! What the program says on standard error: nothing that a server wrote reaches a terminal as it came.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::io::{self, Write};

use indicatif::ProgressBar;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::sink::neutralise;

/// Standard error, shared with a progress bar that must stand aside while something is said.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    bar: ProgressBar,
    quiet: bool,
}

impl Voice {
    /// A voice beside `bar`.
    pub(super) fn new(bar: ProgressBar, quiet: bool) -> Self {
        Self { bar, quiet }
    }

    /// Says what the user should know.
    pub(super) fn say(&self, text: impl Display) {
        if !self.quiet {
            self.write(format!("scrape: {text}\n").as_bytes());
        }
    }

    /// Writes whole lines.
    fn write(&self, lines: &[u8]) {
        let text = harmless(&String::from_utf8_lossy(lines));
        self.bar.suspend(|| put(&text));
    }
}

/// Says why the program ends. Not for a run: a bar would be in the way.
pub(super) fn last_words(text: impl Display) {
    put(&format!("scrape: {}\n", harmless(&text.to_string())));
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

/// A message of the log as everything else that is said: `scrape: warning: …`, then what belongs to it.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "",
            Level::WARN => "warning: ",
            Level::INFO | Level::DEBUG | Level::TRACE => "note: ",
        };
        write!(out, "scrape: {level}")?;
        context.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
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
        self.voice.write(&self.text);
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

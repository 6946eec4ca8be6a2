//! Aligned rows, for a person: status or kind of failure, length, time, URL, and the title or what went wrong.
//!
//! ```text
//! 200     56,342  120ms  https://example.com/                Example Domain
//! 404      1,256   80ms  https://example.com/gone            Not Found
//! timeout         15.0s  https://slow.example/               no byte for 15 s
//!     price   9,50
//!     tags    (3) new · used · rare
//! ```
//!
//! Rows come as pages finish, above a progress bar, so their columns depend on the width alone and there is no header.
//! Text is always neutralised, wherever the table goes.

use std::borrow::{Borrow, Cow};
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Color, Style};

use super::width::{cut, cut_url, width};
use super::{Options, Render, grouped};
use crate::failure::Kind;
use crate::record::Record;
use crate::value::Value;

/// Between two columns.
const GAP: usize = 2;
/// Status and length, `200 10,485,760`, or a kind of failure.
const RESULT: usize = 14;
/// The narrowest table that has lengths and times.
const ROOMY: usize = 48;
/// URLs and titles share what is left if it is this much; otherwise the URLs have it.
const SHARED: usize = 46;
/// The most that URLs take from titles.
const URL: usize = 80;
/// So many items of a list are shown, if they fit.
const ITEMS: usize = 16;

const DIM: Style = Style::new().dimmed();

pub(super) struct Table {
    width: usize,
    color: bool,
    /// The columns that the names of the fields take.
    names: usize,
}

impl Table {
    pub(super) fn new(options: &Options) -> Self {
        let longest = options.fields.iter().map(|name| width(&cut(name, options.width))).max();
        let names = longest.unwrap_or_default().min(options.width / 4);
        Self { width: options.width, color: options.color, names }
    }

    /// Writes text that was cut, in a style.
    fn paint(&self, text: &str, style: Style, out: &mut Vec<u8>) -> io::Result<()> {
        let style = if self.color { style } else { Style::new() };
        write!(out, "{style}{text}{style:#}")
    }

    /// Writes what came of it in numbers, and gives the columns that took.
    fn figures(&self, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<usize> {
        let (label, style) = result(record);
        if self.width < ROOMY {
            let least = self.width.min(3);
            let label = format!("{:<least$}", cut(&label, least.max(self.width / 2)));
            self.paint(&label, style, out)?;
            return Ok(width(&label));
        }
        let label = cut(&label, RESULT);
        self.paint(&label, style, out)?;
        let room = RESULT - width(&label);
        let length = record.facts().and_then(|facts| facts.length).map(grouped).unwrap_or_default();
        let length = if length.len() < room { &*length } else { "" };
        let elapsed = record.outcome().trail.as_ref().map(|trail| trail.spent).filter(|spent| !spent.is_zero());
        let elapsed = format!("{:>5}", elapsed.map(human).unwrap_or_default());
        write!(out, "{length:>room$}{:GAP$}", "")?;
        self.paint(&elapsed, DIM, out)?;
        Ok(RESULT + GAP + elapsed.len())
    }

    /// Writes the URL and the note into `room` columns.
    fn page(&self, record: &Record<'_>, room: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let url = &record.outcome().target.given;
        let Some((note, style)) = note(record).filter(|_| room >= SHARED) else {
            return write!(out, "{}", cut_url(url, room));
        };
        let url_room = ((room - GAP) * 3 / 5).min(URL);
        let url = cut_url(url, url_room);
        write!(out, "{url}{:1$}", "", url_room - width(&url) + GAP)?;
        self.paint(&cut(&note, room - url_room - GAP), style, out)
    }

    /// Writes the line of a field below the row.
    fn field(&self, name: &str, value: &Value<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let indent = (self.width / 10).min(4);
        let Some(room) = self.width.checked_sub(indent + self.names + GAP) else {
            return writeln!(out, "{}", cut(name, self.width));
        };
        let name = cut(name, self.names);
        let (text, style) = match value {
            Value::Null => (Cow::Borrowed("-"), DIM),
            Value::Str(text) if text.is_empty() => (Cow::Borrowed("\"\""), DIM),
            value => (summary(value), Style::new()),
        };
        write!(out, "{:indent$}{name}{:2$}", "", "", self.names - width(&name) + GAP)?;
        self.paint(&cut(&text, room), style, out)?;
        out.write_all(b"\n")
    }
}

impl Render for Table {
    fn record(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let taken = self.figures(record, out)? + GAP;
        if let Some(room) = self.width.checked_sub(taken) {
            write!(out, "{:GAP$}", "")?;
            self.page(record, room, out)?;
        }
        out.write_all(b"\n")?;
        record.fields().try_for_each(|(name, value)| self.field(name, value, out))
    }
}

/// The status, or why there is none that counts, and its colour.
fn result(record: &Record<'_>) -> (Cow<'static, str>, Style) {
    let failure = record.outcome().failure().map(|failure| failure.kind).filter(|&kind| kind != Kind::Status);
    match (failure, record.facts()) {
        (Some(kind), _) => (kind.slug().into(), colored(AnsiColor::Red)),
        (None, Some(facts)) => (facts.status.to_string().into(), class_style(facts.status)),
        (None, None) => ("-".into(), DIM),
    }
}

fn class_style(status: u16) -> Style {
    match status / 100 {
        2 => colored(AnsiColor::Green),
        3 => colored(AnsiColor::Cyan),
        4 => colored(AnsiColor::Yellow),
        5 => colored(AnsiColor::Red),
        _ => Style::new(),
    }
}

const fn colored(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// What there is to say of a page: what went wrong, else its title, else where it was found. The status stands in the
/// first column already: where that is wrong, the title says more, or the reason phrase.
fn note<'a>(record: &Record<'a>) -> Option<(Cow<'a, str>, Style)> {
    let outcome = record.outcome();
    let title = record.facts().and_then(|facts| facts.title.as_deref()).filter(|title| !title.is_empty());
    if let Some(failure) = outcome.failure() {
        let reason = || failure.message.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let message = if failure.kind == Kind::Status { title.unwrap_or_else(reason) } else { &failure.message };
        return (!message.is_empty()).then(|| (message.into(), Style::new()));
    }
    let moved = || outcome.trail.as_ref().filter(|trail| !trail.hops.is_empty());
    let note = title.map(Cow::Borrowed).or_else(|| moved().map(|trail| format!("→ {}", trail.url).into()))?;
    Some((note, DIM))
}

/// A time in at most five columns.
fn human(spent: Duration) -> String {
    let tenths = (spent.as_millis() + 50) / 100;
    match spent.as_millis() {
        millis @ 0..1000 => format!("{millis}ms"),
        _ if tenths < 1000 => format!("{}.{}s", tenths / 10, tenths % 10),
        _ => format!("{}s", (tenths / 10).min(9999)),
    }
}

/// A value in a line: of several, how many, and the first of them.
fn summary<'a>(value: &'a Value<'a>) -> Cow<'a, str> {
    let (count, mut items): (_, Vec<_>) = match value {
        Value::List(values) => (values.len(), values.iter().take(ITEMS).map(item).collect()),
        Value::Table(table) => (table.len(), table.rows().take(ITEMS).map(|row| texts(row).into()).collect()),
        Value::Map(entries) => {
            let entry = |(key, value): &(Cow<'_, str>, Value<'_>)| format!("{key}: {}", value.to_cell()).into();
            (entries.len(), entries.iter().take(ITEMS).map(entry).collect())
        }
        value => return value.to_cell(),
    };
    if count > ITEMS {
        items.push("…".into());
    }
    format!("({count}) {}", items.join(" · ")).into()
}

/// An item of a list in a line: of a map, its texts.
fn item<'a>(value: &'a Value<'_>) -> Cow<'a, str> {
    let Value::Map(entries) = value else { return value.to_cell() };
    texts(entries.iter().map(|(key, value)| (&**key, value))).into()
}

/// The texts of a map, one behind the other.
fn texts<'a, 'v>(entries: impl Iterator<Item = (&'a str, impl Borrow<Value<'v>>)>) -> String {
    let mut texts = String::new();
    for (_, value) in entries {
        if let Value::Str(text) = value.borrow()
            && !text.is_empty()
        {
            texts.extend([if texts.is_empty() { "" } else { " " }, text]);
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::failure::Failure;
    use crate::job::{Outcome, Redirect};
    use crate::sink::Format;
    use crate::sink::neutral::is_active;
    use crate::sink::sample::{self, hostile_text, page_at, with_failure, with_title};
    use url::Url;

    /// Pages of all sorts.
    fn run() -> Vec<Outcome> {
        let millis = Duration::from_millis;
        let mut moved = page_at("http://docs.example.org/", 200, 0, millis(1240));
        let to = Url::parse("https://docs.example.org/en/latest/").unwrap();
        let redirect = Redirect { status: 301, to, rewrite_to_get: false, by: None };
        moved.trail = moved.trail.map(|trail| trail.hop(redirect));
        let gone = page_at("https://news.example.com/item?id=41958301", 404, 1256, millis(80));
        let long =
            page_at("https://shop.example.com/catalogue/2026/autumn/shoes/item-10452", 200, 10_485_760, millis(99_960));
        vec![
            with_title(page_at("https://example.com/", 200, 56_342, millis(120)), "Example Domain"),
            with_title(
                page_at("https://ja.example.com/", 200, 842, millis(95)),
                "日本語のタイトルはとても幅が広いので途中で切られます",
            ),
            moved,
            with_failure(gone, Kind::Status, "404 Not Found"),
            with_failure(
                page_at("https://example.com/busy", 503, 0, millis(31)),
                Kind::Status,
                "503 Service Unavailable",
            ),
            with_title(
                long,
                "Shoes, and a very long title that says nothing else but goes on and on, until it is cut off",
            ),
            sample::unanswered(
                "https://slow.example/",
                millis(15_000),
                Failure::new(Kind::Timeout, "no byte for 15 s"),
            ),
            sample::unanswered(
                "http://10.0.0.1/",
                Duration::ZERO,
                Failure::new(Kind::ForbiddenAddress, "a private address"),
            ),
            sample::rejected("not\x1b[31m a url", "it has a space in its host"),
        ]
    }

    fn rows(width: usize) -> String {
        sample::write(Format::Table, &Options { width, ..Options::default() }, &run())
    }

    #[test]
    fn at_80_columns() {
        insta::assert_snapshot!(rows(80), @"
        200     56,342  120ms  https://example.com/               Example Domain
        200        842   95ms  https://ja.example.com/            日本語のタイトルはと…
        200          0   1.2s  http://docs.example.org/           → https://docs.exampl…
        404      1,256   80ms  news.example.com/item?id=41958301  Not Found
        503          0   31ms  https://example.com/busy           Service Unavailable
        200 10,485,760   100s  shop.example.com…shoes/item-10452  Shoes, and a very lon…
        timeout         15.0s  https://slow.example/              no byte for 15 s
        forbidden_add…         http://10.0.0.1/                   a private address
        invalid_url            not�[31m a url                     it has a space in its…
        ");
    }

    #[test]
    fn at_100_columns() {
        insta::assert_snapshot!(rows(100), @"
        200     56,342  120ms  https://example.com/                           Example Domain
        200        842   95ms  https://ja.example.com/                        日本語のタイトルはとても幅が…
        200          0   1.2s  http://docs.example.org/                       → https://docs.example.org/en…
        404      1,256   80ms  https://news.example.com/item?id=41958301      Not Found
        503          0   31ms  https://example.com/busy                       Service Unavailable
        200 10,485,760   100s  shop.example.com/catal…utumn/shoes/item-10452  Shoes, and a very long title …
        timeout         15.0s  https://slow.example/                          no byte for 15 s
        forbidden_add…         http://10.0.0.1/                               a private address
        invalid_url            not�[31m a url                                 it has a space in its host
        ");
    }

    #[test]
    fn at_200_columns() {
        insta::assert_snapshot!(rows(200), @"
        200     56,342  120ms  https://example.com/                                                              Example Domain
        200        842   95ms  https://ja.example.com/                                                           日本語のタイトルはとても幅が広いので途中で切られます
        200          0   1.2s  http://docs.example.org/                                                          → https://docs.example.org/en/latest/
        404      1,256   80ms  https://news.example.com/item?id=41958301                                         Not Found
        503          0   31ms  https://example.com/busy                                                          Service Unavailable
        200 10,485,760   100s  https://shop.example.com/catalogue/2026/autumn/shoes/item-10452                   Shoes, and a very long title that says nothing else but goes on and on, until it is cut off
        timeout         15.0s  https://slow.example/                                                             no byte for 15 s
        forbidden_add…         http://10.0.0.1/                                                                  a private address
        invalid_url            not�[31m a url                                                                    it has a space in its host
        ");
    }

    #[test]
    fn titles_go_first_when_it_gets_narrow() {
        insta::assert_snapshot!(rows(60), @"
        200     56,342  120ms  https://example.com/
        200        842   95ms  https://ja.example.com/
        200          0   1.2s  http://docs.example.org/
        404      1,256   80ms  news.example.com/item?id=41958301
        503          0   31ms  https://example.com/busy
        200 10,485,760   100s  shop.example.com/c…n/shoes/item-10452
        timeout         15.0s  https://slow.example/
        forbidden_add…         http://10.0.0.1/
        invalid_url            not�[31m a url
        ");
    }

    #[test]
    fn lengths_and_times_go_next() {
        insta::assert_snapshot!(rows(40), @"
        200  https://example.com/
        200  https://ja.example.com/
        200  http://docs.example.org/
        404  news.example.com/item?id=41958301
        503  https://example.com/busy
        200  shop.example.com/…/shoes/item-10452
        timeout  https://slow.example/
        forbidden_address  http://10.0.0.1/
        invalid_url  not�[31m a url
        ");
        insta::assert_snapshot!(rows(20), @"
        200  example.com/
        200  ja.example.com/
        200  docs.ex…le.org/
        404  news.ex…1958301
        503  example…om/busy
        200  shop.ex…m-10452
        timeout  slow.…mple/
        forbidden…  10.…0.1/
        invalid_u…  not… url
        ");
    }

    #[test]
    fn fields_stand_below_their_row() {
        let names = ["price", "description", "links", "meta", "sku", "none"];
        let link = |n: u32| Value::from(format!("https://example.com/{n}"));
        let meta = vec![("author".into(), "Ann".into()), ("robots".into(), "noindex".into())];
        let row = vec![
            "9,50".into(),
            "Two lines\n   of text that is far too long to be shown on a single line of eighty columns".into(),
            Value::List((1..=1200).map(link).collect()),
            Value::Map(meta),
            Value::Null,
            Value::List(Vec::new()),
        ];
        let options = Options { fields: sample::names(&names), ..Options::default() };
        let text = sample::write(Format::Table, &options, &[sample::with_rows(sample::page("Shoes"), [row])]);
        insta::assert_snapshot!(text, @"
        200      1,256  120ms  https://example.com/0              Shoes
            price        9,50
            description  Two lines of text that is far too long to be shown on a single…
            links        (1200) https://example.com/1 · https://example.com/2 · https:/…
            meta         (2) author: Ann · robots: noindex
            sku          -
            none         (0)
        ");
    }

    #[test]
    fn maps_in_a_list_are_shown_as_their_texts() {
        let map = |entries: &[(&'static str, Value<'static>)]| {
            Value::Map(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect())
        };
        let links = [
            map(&[("url", "https://a.test/".into()), ("text", "A".into()), ("rel", Value::Null)]),
            map(&[("url", "https://b.test/".into()), ("text", "".into()), ("nofollow", Value::Bool(true))]),
        ];
        let headings = [map(&[("level", Value::Int(1)), ("text", "One".into())]), "plain".into()];
        let options = Options { fields: sample::names(&["links", "headings"]), ..Options::default() };
        let row = [links, headings].map(|values| Value::List(values.into())).into();
        let text = sample::write(Format::Table, &options, &[sample::with_rows(sample::page("Lists"), [row])]);
        insta::assert_snapshot!(text, @"
        200      1,256  120ms  https://example.com/0              Lists
            links     (2) https://a.test/ A · https://b.test/
            headings  (2) One · plain
        ");
    }

    #[test]
    fn a_wrong_status_is_told_by_the_title_else_by_its_reason() {
        let note = |title, kind, message| {
            let page = with_failure(with_title(sample::outcome(0), title), kind, message);
            let text = sample::write(Format::Table, &Options::default(), &[page]);
            text.split_once("example.com/0").unwrap().1.trim().to_owned()
        };
        assert_eq!(note("Gone fishing", Kind::Status, "404 Not Found"), "Gone fishing");
        assert_eq!(note("", Kind::Status, "404 Not Found"), "Not Found");
        assert_eq!(note("", Kind::Status, "599"), "");
        assert_eq!(note("Half", Kind::Truncated, "3 bytes are missing"), "3 bytes are missing");
    }

    #[test]
    fn colours_tell_the_class_of_the_status() {
        let options = Options { color: true, ..Options::default() };
        let colour = |outcome| sample::write(Format::Table, &options, &[outcome])[..5].to_owned();
        let page = |status| page_at("https://a.test/", status, 1, Duration::ZERO);
        let colours = [200, 304, 404, 500].map(|status| colour(page(status)));
        assert_eq!(colours, ["\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[31m"]);
        assert_eq!(colour(with_failure(page(200), Kind::Truncated, "")), "\x1b[31m");
    }

    #[test]
    fn colour_changes_nothing_but_the_colour() {
        let text = sample::write(Format::Table, &Options { color: true, ..Options::default() }, &run());
        assert_eq!(without_styles(&text), rows(80));
    }

    #[test]
    fn a_time_takes_five_columns_at_most() {
        let human = |millis| human(Duration::from_millis(millis));
        let times = [0, 999, 1000, 1449, 99_949, 99_950, 100_000, 86_400_000].map(human);
        assert_eq!(times, ["0ms", "999ms", "1.0s", "1.4s", "99.9s", "100s", "100s", "9999s"]);
    }

    /// The text without the escape sequences that [`Table::paint`] makes.
    fn without_styles(text: &str) -> String {
        let mut parts = text.split("\x1b[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |plain, part| plain + part.split_once('m').unwrap().1)
    }

    proptest! {
        #[test]
        fn no_line_acts_or_is_wider_than_asked(
            (url, title, field) in (hostile_text(), hostile_text(), hostile_text()),
            columns in prop_oneof![0_usize..60, 60_usize..240],
            color: bool,
            kind in prop::sample::select(&Kind::ALL[..]),
        ) {
            let options = Options { fields: sample::names(&["f", "日本\u{202e}語"]), width: columns, color, terminal: true, ..Options::default() };
            let map = Value::Map(vec![("k".into(), field.clone().into())]);
            let list = Value::List(vec![field.clone().into(), Value::Null, map]);
            let mut page = sample::with_rows(sample::page(&title), [vec![field.clone().into(), list]]);
            page.target.given = url.into();
            let failed = with_failure(page.clone(), kind, &field);
            let text = without_styles(&sample::write(Format::Table, &options, &[page, failed]));
            prop_assert_eq!(text.lines().count(), 6);
            for line in text.split('\n') {
                prop_assert!(!line.chars().any(is_active), "{line:?}");
                prop_assert!(width(line) <= columns, "{line:?}");
            }
        }
    }
}

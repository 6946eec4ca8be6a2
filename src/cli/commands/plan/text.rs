//! A plan for a person.

use crate::cli::args::Plan;
use crate::cli::sheet::{BAD, Screen, Sheet};
use crate::frontier::rehearsal::{Bound, Forecast, Line, Share, Told};
use crate::sink::{cut, grouped, human_duration, human_latency, human_size};

use super::{PAGE, memory};

/// So many lines of a kind are shown, unless all are wanted.
const SHOWN: usize = 10;

/// The columns of a count of URLs.
const COUNT: usize = 11;

/// All of it.
pub(super) fn page(forecast: &Forecast, args: &Plan, screen: Screen) -> String {
    let mut sheet = Sheet::new(screen);
    let urls = counted(forecast.urls, "URL");
    sheet.heading(&format!("{urls} on {}", counted(forecast.hosts as u64, "host")), "");
    let mut line = |label: &str, text: String| sheet.line(label, &cut(&text, sheet.room()));
    if let Some(bound) = forecast.bound {
        let latency = human_latency(args.latency);
        line("time", format!("{}, if a page takes {latency} (--latency)", human_duration(forecast.time)));
        line("", format!("because of {}", why(bound, forecast.largest.first(), args)));
        let size = human_size(memory(forecast, args.input.dedupe_bits));
        let at_once = grouped(forecast.in_flight as u64);
        line("memory", format!("{size}, if a page has {}: {at_once} at a time", human_size(PAGE)));
    }
    if forecast.stored > 0 {
        line("archived", format!("{}: nobody is asked", grouped(forecast.stored)));
    }
    if forecast.duplicates.count > 0 {
        line("duplicates", format!("{}: left out (--keep-duplicates keeps them)", grouped(forecast.duplicates.count)));
    }
    if forecast.bad.count > 0 {
        let text = format!("{}: each is a record that tells what is wrong", grouped(forecast.bad.count));
        sheet.styled("bad lines", &cut(&text, sheet.room()), BAD);
    }
    hosts(forecast, &mut sheet, screen);
    let shown = if args.general.verbose > 0 { usize::MAX } else { SHOWN };
    lines("Bad lines", &forecast.bad, (&mut sheet, screen), shown);
    lines("Duplicates", &forecast.duplicates, (&mut sheet, screen), shown);
    sheet.into_text()
}

/// What decides how long it takes.
fn why(bound: Bound, largest: Option<&Share>, args: &Plan) -> String {
    let pace = &args.pace;
    match (bound, largest) {
        (Bound::Host, Some(Share { host, urls, .. })) if pace.delay * slots(args) > args.latency => {
            let delay = human_latency(pace.delay);
            format!("{host}: {}, one every {delay} (--delay)", counted(*urls, "URL"))
        }
        (Bound::Host, Some(Share { host, urls, .. })) => {
            format!("{host}: {}, {} at a time (--per-host)", counted(*urls, "URL"), pace.per_host)
        }
        (Bound::Rate, _) => format!("--rate: one every {}", human_latency(pace.rate.unwrap_or_default())),
        (Bound::Order, _) => "the order of the list: only few hosts at a time are in sight; mix its lines".into(),
        (Bound::Concurrency | Bound::Host, _) => format!("-c: {} at a time", pace.concurrency),
    }
}

fn slots(args: &Plan) -> u32 {
    u32::try_from(args.pace.per_host.get()).unwrap_or(u32::MAX)
}

fn hosts(forecast: &Forecast, sheet: &mut Sheet, screen: Screen) {
    if forecast.hosts < 2 || forecast.largest.is_empty() {
        return;
    }
    sheet.heading("Hosts", "by URLs, and the time that each takes at least");
    let room = screen.width.saturating_sub(COUNT + 2 + 12);
    let width = forecast.largest.iter().map(|share| cut(&share.host, room).chars().count()).max().unwrap_or(0);
    for Share { host, urls, time } in &forecast.largest {
        let host = cut(host, room);
        sheet.whole(&format!("{:>COUNT$}  {host:<width$}  {}", grouped(*urls), human_duration(*time)));
    }
    let (hosts, shown) = (forecast.hosts - forecast.largest.len(), forecast.largest.iter().map(|it| it.urls).sum());
    if hosts > 0 {
        let urls = forecast.urls.saturating_sub(shown);
        sheet.whole(&format!("{:>COUNT$}  {}", grouped(urls), counted(hosts as u64, "other")));
    }
}

/// The first lines of a kind.
fn lines(title: &str, told: &Told, (sheet, screen): (&mut Sheet, Screen), shown: usize) {
    if told.count == 0 {
        return;
    }
    sheet.heading(title, "");
    let lines: Vec<_> = told.lines.iter().take(shown).map(|line| (place(line), words(line))).collect();
    let width = lines.iter().map(|(place, _)| place.chars().count()).max().unwrap_or(0);
    for (place, words) in &lines {
        let words = cut(words, screen.width.saturating_sub(width + 4));
        sheet.whole(&format!("{place:<width$}  {words}"));
    }
    let rest = told.count - lines.len() as u64;
    if rest > 0 {
        sheet.whole(&format!("and {} more", grouped(rest)));
    }
}

fn place(line: &Line) -> String {
    match line.at.file.as_deref() {
        Some("-") => format!("standard input:{}", line.at.line),
        Some(file) => format!("{file}:{}", line.at.line),
        None => format!("argument {}", line.at.line),
    }
}

fn words(line: &Line) -> String {
    match &line.reason {
        Some(reason) => format!("{reason}: {}", line.given),
        None => line.given.to_string(),
    }
}

fn counted(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(count), if count == 1 { "" } else { "s" })
}

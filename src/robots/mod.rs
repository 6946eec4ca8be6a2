//! robots.txt (RFC 9309): what an origin asks of those who come without being sent. Pure: it knows bytes, and no network.
//!
//! [`Rules`] are what a file says to one crawler; [`Access`] is what follows from having asked for the file, whatever came.
//!
//! What was decided where the standard leaves room, and what is read though the standard does not know it:
//! - The groups of a name are one group, wherever they stand. Where a group has our name, those for `*` do not count, even
//!   if ours is empty.
//! - A name in the file is read up to white space or a `/`, in any case, and must be ours as a whole.
//! - Of two rules the one with more octets wins, in the form in which equal patterns are written alike; of two that are
//!   equally long, `Allow`.
//! - The first 500 KiB count. A line that is cut there does not: half an `Allow` allows more than a whole one.
//! - `Crawl-delay` belongs to its group, and closes the list of its names as a rule does. The longest counts. It may be
//!   a fraction of a second; one above 30 seconds counts as 30.
//! - Lines that are not known do nothing; `Sitemap` lines belong to no group. A colon may be missing, and misspellings of
//!   `Disallow` that are common are known.
//! - A pattern that begins with neither `/` nor `*` is taken to begin with `/`.
//! - A line that is not UTF-8 is windows-1252; a file with a byte order mark may be UTF-16. Lines end in LF, CR or both.
//! - `/robots.txt` itself is always allowed.

mod access;
mod line;
mod pattern;

use std::time::Duration;

use url::Url;

pub use self::access::{Access, Answer, LIFETIME, MAX_HOPS};
use self::line::Key;
use self::pattern::Pattern;

/// How much of a file counts, in bytes (RFC 9309, section 2.5).
pub const MAX_LENGTH: usize = 500 << 10;

/// The longest delay between two requests that is granted.
pub const MAX_DELAY: Duration = Duration::from_secs(30);

/// What a file says to one crawler.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The most specific ones first.
    ranked: Vec<Rule>,
    delay: Option<Duration>,
    sitemaps: Vec<String>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    allows: bool,
}

impl Rules {
    /// Reads a file for the crawler whose [`product_token`] is `token`. Any bytes are a file.
    #[must_use]
    pub fn parse(body: &[u8], token: &str) -> Self {
        let mut groups = Groups::default();
        let mut sitemaps = Vec::new();
        for line in lines(&line::decode(whole(body))) {
            match line::read(line) {
                None => {}
                Some((Key::Sitemap, value)) => sitemaps.push(value.into_owned()),
                Some((Key::Agent, value)) => groups.name(&value, token),
                Some((Key::Delay, value)) => groups.slow_down(&value),
                Some((Key::Allow, value)) => groups.rule(&value, true),
                Some((Key::Disallow, value)) => groups.rule(&value, false),
            }
        }
        let Group { rules: mut ranked, delay } = groups.into_group();
        ranked.sort_by_key(|rule| std::cmp::Reverse((rule.pattern.len(), rule.allows)));
        Self { ranked, delay, sitemaps }
    }

    /// Whether a URL of the origin may be fetched.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        if self.ranked.is_empty() || url.path() == "/robots.txt" {
            return true;
        }
        let path = pattern::path(url);
        self.ranked.iter().find(|rule| rule.pattern.matches(&path)).is_none_or(|rule| rule.allows)
    }

    /// The time that is asked for between the starts of two requests, at most [`MAX_DELAY`].
    #[must_use]
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.delay
    }

    /// The sitemaps that the file names, which was found at `at`: http and https only. They may be those of another host.
    pub fn sitemaps(&self, at: &Url) -> impl Iterator<Item = Url> {
        let urls = self.sitemaps.iter().filter_map(|written| at.join(written).ok());
        urls.filter(|url| matches!(url.scheme(), "http" | "https"))
    }
}

/// The name that a crawler goes by in robots.txt files, from its `User-Agent`: the first product without its version, and
/// for `Mozilla/5.0 (compatible; name/1.0)` the name.
#[must_use]
pub fn product_token(user_agent: &str) -> &str {
    let compatible = user_agent.strip_prefix("Mozilla/").and_then(|rest| rest.split_once("(compatible;"));
    name(compatible.map_or(user_agent, |(_, named)| named))
}

/// A name as it is compared.
fn name(value: &str) -> &str {
    let value = value.trim_start();
    let end = value.find(|c: char| c.is_whitespace() || matches!(c, '/' | ';' | ')')).unwrap_or(value.len());
    &value[..end]
}

/// As much of a file as counts, in whole lines.
fn whole(body: &[u8]) -> &[u8] {
    body.get(..=MAX_LENGTH).map_or(body, whole_lines)
}

/// The lines of a file that have an end: where it was cut, the last one counts for nothing.
#[must_use]
pub fn whole_lines(body: &[u8]) -> &[u8] {
    let end = body.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
    &body[..end.unwrap_or(0)]
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| matches!(byte, b'\n' | b'\r'))
}

/// What is said to those whom a group names.
#[derive(Debug, Default)]
struct Group {
    rules: Vec<Rule>,
    delay: Option<Duration>,
}

/// The groups that may be ours, as they are read.
#[derive(Debug, Default)]
struct Groups {
    ours: Option<Group>,
    /// That for `*`.
    all: Group,
    /// Whether the current group names us, and everybody.
    names: (bool, bool),
    /// Whether the names of the current group are over.
    is_closed: bool,
}

impl Groups {
    fn name(&mut self, value: &str, token: &str) {
        if std::mem::take(&mut self.is_closed) {
            self.names = (false, false);
        }
        let name = name(value);
        if name == "*" {
            self.names.1 = true;
        } else if name.eq_ignore_ascii_case(token) && !name.is_empty() {
            self.names.0 = true;
            self.ours.get_or_insert_default();
        }
    }

    /// The groups that the current line is for.
    fn current(&mut self) -> impl Iterator<Item = &mut Group> {
        self.is_closed = true;
        let (ours, all) = self.names;
        let ours = self.ours.as_mut().filter(|_| ours);
        ours.into_iter().chain(all.then_some(&mut self.all))
    }

    fn rule(&mut self, value: &str, allows: bool) {
        let pattern = Pattern::parse(value);
        for group in self.current() {
            group.rules.extend(pattern.clone().map(|pattern| Rule { pattern, allows }));
        }
    }

    fn slow_down(&mut self, value: &str) {
        let delay = read_delay(value);
        for group in self.current() {
            group.delay = group.delay.max(delay);
        }
    }

    fn into_group(self) -> Group {
        self.ours.unwrap_or(self.all)
    }
}

/// A number of seconds; what follows the number does not matter.
fn read_delay(value: &str) -> Option<Duration> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let seconds: f64 = value[..end].parse().ok()?;
    Duration::try_from_secs_f64(seconds.min(MAX_DELAY.as_secs_f64())).ok()
}

#[cfg(test)]
mod tests;

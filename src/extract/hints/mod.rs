//! Whether a page is the one that was asked for, or stands in its way: `needs_js`, `captcha`, `login`, `soft_404`, `consent`.
//!
//! A page with an article in it is the page that was asked for, whatever scripts for logins, consent or captchas it loads
//! besides: they count only where there is little text ([`LITTLE`]). What needs no such caution are the marks of challenges
//! that replace a page. Each hint comes with the signal that said so; it is a hint, and changes nothing else.

mod signals;

use crate::extract::headings::Headings;
use crate::page::Page;
use crate::value::{Table, Value};

pub(super) use signals::Signals;

/// With how much visible text, in characters, a page may be one that stands in the way of another.
const LITTLE: usize = 1500;

/// With how much visible text, in characters, a page is as good as empty.
const NOTHING: usize = 250;

/// What the hints are read from.
pub(super) struct Evidence<'a> {
    pub(super) page: &'a Page<'a>,
    pub(super) title: &'a str,
    pub(super) headings: &'a Headings,
    /// The visible text.
    pub(super) text: &'a str,
    pub(super) signals: &'a Signals<'a>,
}

/// What challenges put into the scripts and frames of the page that they send.
const CHALLENGES: [&str; 9] = [
    "/cdn-cgi/challenge-platform/h/",
    "captcha-delivery.com",
    "/_incapsula_resource",
    "px-captcha",
    "captcha.px-cdn.net",
    "/_sec/cp_challenge",
    "awswaf.com",
    "arkoselabs.com",
    "geo.captcha",
];

/// Widgets that ask whether somebody is human, which forms of ordinary pages have too.
const WIDGETS: [&str; 7] = [
    "google.com/recaptcha",
    "recaptcha.net",
    "hcaptcha.com",
    "challenges.cloudflare.com/turnstile",
    "friendlycaptcha",
    "g-recaptcha",
    "h-captcha",
];

/// What the titles of challenges say.
const CHALLENGE_TITLES: [&str; 9] = [
    "just a moment",
    "attention required",
    "are you a robot",
    "are you human",
    "robot check",
    "security check",
    "pardon our interruption",
    "captcha",
    "verify you are human",
];

/// What those say in whose place a page was not found.
const NOT_FOUND: [&str; 18] = [
    "page not found",
    "not found",
    "404",
    "page doesn't exist",
    "page does not exist",
    "page isn't available",
    "page no longer exists",
    "can't be found",
    "cannot be found",
    "could not be found",
    "seite nicht gefunden",
    "nicht gefunden",
    "page introuvable",
    "página no encontrada",
    "página não encontrada",
    "pagina non trovata",
    "pagina niet gevonden",
    "страница не найдена",
];

/// Where consent is asked for.
const CONSENT: [&str; 11] = [
    "consent.",
    "onetrust",
    "cookiebot",
    "didomi",
    "usercentrics",
    "sourcepoint",
    "sp-prod.net",
    "quantcast.mgr",
    "privacy-mgmt.com",
    "consentmanager",
    "cmp.",
];

/// Names of elements that scripts fill.
pub(super) const ROOTS: [&str; 7] = ["root", "app", "__next", "__nuxt", "___gatsby", "react-root", "app-root"];

impl Evidence<'_> {
    /// All hints, each with its signal.
    pub(super) fn to_value(&self) -> Value<'static> {
        let found = [
            ("needs_js", self.needs_js()),
            ("captcha", self.captcha()),
            ("login", self.login()),
            ("soft_404", self.soft_404()),
            ("consent", self.consent()),
        ];
        let mut table = Table::new(&["hint", "signal"], 0);
        for (hint, signal) in found {
            if let Some(signal) = signal {
                table.push_text(Some(hint));
                table.push_text(Some(&signal));
            }
        }
        Value::Table(table)
    }

    fn has_less_than(&self, characters: usize) -> bool {
        self.text.chars().nth(characters).is_none()
    }

    fn needs_js(&self) -> Option<String> {
        if !self.has_less_than(NOTHING) || self.signals.scripts == 0 {
            return None;
        }
        let asks = |text: &str| text.to_lowercase().contains("javascript");
        if asks(&self.signals.noscript) {
            return Some("noscript asks for JavaScript".into());
        }
        if asks(self.text) {
            return Some("the text asks for JavaScript".into());
        }
        self.signals.root.map(|root| format!("hardly any text beside #{root}"))
    }

    fn captcha(&self) -> Option<String> {
        if self.page.headers.contains_key("cf-mitigated") || self.page.headers.contains_key("x-amzn-waf-action") {
            return Some("a header field of a firewall".into());
        }
        if let Some(challenge) = self.signals.source(&CHALLENGES).filter(|_| self.has_less_than(LITTLE)) {
            return Some(challenge.into());
        }
        if !self.has_less_than(LITTLE) {
            return None;
        }
        let title = self.title.to_lowercase();
        let titled = CHALLENGE_TITLES.iter().find(|challenge| title.contains(**challenge));
        let titled = titled.map(|challenge| format!("title: {challenge}"));
        let is_empty = self.has_less_than(NOTHING) && self.needs_js().is_none();
        let widget = || self.signals.source(&WIDGETS).filter(|_| is_empty).map(str::to_owned);
        titled.or_else(widget)
    }

    fn login(&self) -> Option<String> {
        // Some forums have their posts in `<noscript>`, for robots.
        let is_in_the_way =
            self.signals.has_password && self.has_less_than(LITTLE) && self.signals.noscript.len() < LITTLE;
        is_in_the_way.then(|| "input of type password".into())
    }

    /// A page that says that there is none, with a status that says that there is one.
    fn soft_404(&self) -> Option<String> {
        if !(200..300).contains(&self.page.status) || !self.has_less_than(2 * LITTLE) {
            return None;
        }
        let says = |text: &str| {
            let text = text.to_lowercase().replace('’', "'");
            NOT_FOUND.into_iter().find(|words| has_words(&text, words))
        };
        let titled = says(self.title).map(|words| format!("title: {words}"));
        titled.or_else(|| says(self.headings.h1()?).map(|words| format!("h1: {words}")))
    }

    fn consent(&self) -> Option<String> {
        let host = self.page.url.host_str().unwrap_or_default();
        if host.starts_with("consent.") {
            return Some(format!("host {host}"));
        }
        self.signals.source(&CONSENT).filter(|_| self.has_less_than(NOTHING)).map(str::to_owned)
    }
}

/// Whether a text has words, and not as a part of others.
fn has_words(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        !text[..at].ends_with(char::is_alphanumeric) && !text[at + words.len()..].starts_with(char::is_alphanumeric)
    })
}

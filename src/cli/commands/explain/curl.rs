//! The curl command that asks for the same.

use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, USER_AGENT};

use super::report::HIDDEN;
use crate::cli::args::{Connection, Fetching, Request};
use crate::cli::cookies;
use crate::fetch::{RequestOptions, Resolution};
use crate::job::Outcome;

/// The command; none for what is no URL.
///
/// It has what decides the request and where it goes. Time limits and the like are left out, and so is what curl does by
/// itself: `Accept: */*`, and the type of a form.
pub(super) fn command(args: &Fetching, options: &RequestOptions, outcome: &Outcome) -> Option<String> {
    let trail = outcome.trail.as_ref()?;
    let mut words = Words(vec!["curl".into()]);
    follow(args, &mut words);
    ask(&args.request, options, &mut words);
    if trail.auth.is_some() || args.request.user.is_some() {
        words.add("-u", HIDDEN);
    }
    connect(&args.connection, &mut words);
    words.0.push(quoted(trail.seed_url().as_str()));
    Some(words.0.join(" "))
}

/// The words of a command, quoted for a shell.
struct Words(Vec<String>);

impl Words {
    fn flag(&mut self, option: &str, is_wanted: bool) {
        self.0.extend(is_wanted.then(|| option.to_owned()));
    }

    fn add(&mut self, option: &str, value: &str) {
        self.0.extend([option.to_owned(), quoted(value)]);
    }
}

/// What a POSIX shell takes for `text` as it is (XCU, section 2.2.2).
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+=…".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn follow(args: &Fetching, words: &mut Words) {
    if args.limits.max_redirs > 0 {
        words.flag(if args.request.location_trusted { "--location-trusted" } else { "-L" }, true);
    }
}

fn ask(args: &Request, options: &RequestOptions, words: &mut Words) {
    let usual = if args.data.is_empty() { Method::GET } else { Method::POST };
    match options.method() {
        &Method::HEAD => words.flag("-I", true),
        method if *method != usual => words.add("-X", method.as_str()),
        _ => {}
    }
    headers(args, options, words);
    for data in &args.data {
        // The name of a file is no secret.
        words.add("-d", if data.starts_with('@') { data } else { HIDDEN });
    }
    for cookie in &args.cookie {
        words.add("-b", if cookies::is_data(cookie) { HIDDEN } else { cookie });
    }
    if let Some(jar) = &args.cookie_jar {
        words.add("-b", &jar.to_string_lossy());
        words.add("-c", &jar.to_string_lossy());
    }
}

/// The header fields that curl would not send by itself, and those that it would and should not.
fn headers(args: &Request, options: &RequestOptions, words: &mut Words) {
    let (headers, defaults) = (options.headers(), RequestOptions::default());
    let is_default = |name: &HeaderName| headers.get(name) == defaults.headers().get(name);
    words.flag("--compressed", is_default(&ACCEPT_ENCODING));
    let has_data = !args.data.is_empty();
    let has_cookies = args.cookie.iter().any(|cookie| cookies::is_data(cookie));
    for name in [Some(ACCEPT), Some(USER_AGENT), has_data.then_some(CONTENT_TYPE)].into_iter().flatten() {
        if !headers.contains_key(&name) {
            words.add("-H", &format!("{name}:"));
        }
    }
    for (name, value) in headers {
        let is_known = match *name {
            ACCEPT | ACCEPT_ENCODING => is_default(name),
            CONTENT_TYPE => has_data && value == "application/x-www-form-urlencoded",
            COOKIE => has_cookies,
            _ => false,
        };
        if !is_known {
            header(name, value, words);
        }
    }
}

fn header(name: &HeaderName, value: &HeaderValue, words: &mut Words) {
    let value = String::from_utf8_lossy(value.as_bytes());
    match *name {
        USER_AGENT => words.add("-A", &value),
        _ if RequestOptions::may_be_secret(name) => words.add("-H", &format!("{name}: {HIDDEN}")),
        _ if value.is_empty() => words.add("-H", &format!("{name};")),
        _ => words.add("-H", &format!("{name}: {value}")),
    }
}

fn connect(args: &Connection, words: &mut Words) {
    if let Some(proxy) = &args.proxy {
        words.add("--proxy", &without_userinfo(proxy));
    }
    words.flag("-k", args.insecure);
    for (option, file) in [("--cacert", &args.cacert), ("--cert", &args.cert), ("--key", &args.key)] {
        if let Some(file) = file {
            words.add(option, &file.to_string_lossy());
        }
    }
    for Resolution { host, port, addresses } in &args.resolve {
        let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        words.add("--resolve", &format!("{host}:{port}:{}", addresses.join(",")));
    }
    words.flag("-4", args.ipv4);
    words.flag("-6", args.ipv6);
}

/// A proxy's URL, its user and password hidden.
fn without_userinfo(proxy: &str) -> String {
    let Some((userinfo, host)) = proxy.rsplit_once('@') else { return proxy.into() };
    let scheme = userinfo.split_once("://").map(|(scheme, _)| format!("{scheme}://")).unwrap_or_default();
    format!("{scheme}{HIDDEN}@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_each_word_as_it_is() {
        for (text, expected) in [
            ("http://a.test/b-c_d", "http://a.test/b-c_d"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("http://a.test/?q=$(id)&x=`id`", "'http://a.test/?q=$(id)&x=`id`'"),
            ("a;b", "'a;b'"),
            ("*", "'*'"),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn a_proxy_keeps_its_password() {
        assert_eq!(without_userinfo("http://me:s@same@proxy.test:80"), "http://…@proxy.test:80");
        assert_eq!(without_userinfo("me:sesame@proxy.test"), "…@proxy.test");
        assert_eq!(without_userinfo("socks5h://proxy.test"), "socks5h://proxy.test");
    }
}

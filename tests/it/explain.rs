//! What `scrape explain` tells of one URL.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::authority::Authority;
use crate::support::coding::gzip;
use crate::support::scrape::Scrape;
use crate::support::site::closed_port;
use crate::support::{Answer, Hit, Run, Site, scrape};
use crate::terminal::{HOSTILE, assert_is_shown_only};

fn explain(args: &[&str]) -> Scrape {
    scrape(["explain"]).args(args)
}

/// The report for scripts.
#[track_caller]
fn report(args: &[&str], code: i32) -> Value {
    read(&explain(args).args(["-f", "json"]).run().exits(code))
}

#[track_caller]
fn read(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"))
}

/// A page, and a way to it from 127.0.0.1 to 127.0.0.2.
fn site() -> Site {
    Site::with_hosts(2, |hit| match &*hit.path {
        "/start" => Answer::redirect(302, "/hop"),
        "/hop" => Answer::redirect(301, &format!("http://127.0.0.2:{}/page", port(hit))),
        "/missing" => Answer::title("Gone").with_status(404),
        _ => Answer::html("<title>T</title><h1>Head</h1><div><p class=a>one</div><p class=a>two"),
    })
}

fn port(hit: &Hit) -> &str {
    hit.header("host").unwrap().rsplit_once(':').unwrap().1
}

#[test]
fn a_page_is_told_in_sections() {
    let site = site();
    let run = explain(&[&site.url("/"), "-x", "h1", "-s", "p=p.a", "-s", "none=i"]).run().succeeds();
    let lines: Vec<_> = run.stdout.lines().filter(|line| !line.trim_start().starts_with("time ")).collect();
    let shown = lines.join("\n").replace(&site.port().to_string(), "PORT");
    insta::assert_snapshot!(shown.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @"
    GET  http://127.0.0.1:PORT/
      answer       200 OK
      address      127.0.0.1:PORT
      protocol     HTTP/1.1

    Page
      type         html: text/html; charset=utf-8
      charset      utf-8: Content-Type says so
      body         68 bytes; 68 characters
      title        T

    Fields
      h1           Head
      p            one
                   2 matches, the first one: html > body > div > p
      none         -
                   no match

    Result
      outcome      fetched

    curl
      curl -L --compressed -A scrape/VERSION http://127.0.0.1:PORT/
    ");
    assert_eq!(run.stdout.matches("connect ").count(), 1, "{run:?}");
}

#[test]
fn every_hop_is_a_request_with_an_address_and_times_of_its_own() {
    let site = site();
    let report = report(&[&site.url("/start")], 0);
    assert_eq!((&report["final_url"], &report["error"]), (&json!(site.url_at(2, "/page")), &Value::Null));
    let requests = report["requests"].as_array().unwrap();
    let all = |key: &str| requests.iter().map(|request| request[key].clone()).collect::<Vec<_>>();
    assert_eq!(all("url"), [site.url("/start"), site.url("/hop"), site.url_at(2, "/page")]);
    assert_eq!(all("status"), [302, 301, 200]);
    assert_eq!(all("redirect"), [json!(site.url("/hop")), json!(site.url_at(2, "/page")), Value::Null]);
    let address = |host: u8| format!("127.0.0.{host}:{}", site.port());
    assert_eq!(all("address"), [address(1), address(1), address(2)]);
    let hits = site.hits();
    let kept = hits[1].connection == hits[0].connection;
    assert_eq!(all("kept_connection"), [false, kept, false]);
    let connects: Vec<_> = requests.iter().map(|request| request["time_ms"]["connect"].is_number()).collect();
    assert_eq!(connects, [true, !kept, true]);
    assert_eq!(requests.iter().filter(|request| request["time_ms"]["dns"].is_null()).count(), 3, "there is no name");
}

#[test]
fn times_are_where_they_were_spent() {
    let page = Answer::html("0123456789").drip(Duration::from_millis(10)).after(Duration::from_millis(50));
    let site = Site::start(move |_| page.clone());
    let report = report(&["-4", &site.url_of("localhost", "/")], 0);
    let request = &report["requests"][0];
    assert_eq!(request["found_addresses"], json!(["127.0.0.1"]));
    let times = |name: &str| request["time_ms"][name].as_f64().unwrap_or_else(|| panic!("{name}: {request}"));
    // The head may be seen late, but not before it was sent.
    assert!(times("first_byte") >= 50.0 && times("first_byte") + times("body") >= 149.0, "{request}");
    let parts = ["dns", "connect", "first_byte", "body"].map(times).iter().sum::<f64>();
    // Each is cut to a microsecond.
    assert!(parts <= times("total") + 0.01, "{request}");
}

#[test]
fn a_charset_is_told_with_what_decided_it() {
    let site = Site::start(|hit| match &*hit.path {
        "/bom" => Answer::html("\u{feff}x"),
        "/header" => Answer::typed("text/html; charset=koi8-r", "x"),
        "/meta" => Answer::typed("text/html", "<meta charset=koi8-r>\u{e9}"),
        "/late_meta" => Answer::typed("text/html", format!("{}<meta charset=koi8-r>", " ".repeat(2000))),
        "/xml_declaration" => Answer::typed("text/xml", "<?xml version='1.0' encoding='koi8-r'?><a/>"),
        "/json" => Answer::typed("application/json", "{}"),
        "/utf8" => Answer::typed("text/html", "\u{e9}"),
        "/ascii" => Answer::typed("text/html", "x"),
        "/guess" => Answer::typed("text/html", b"caf\xe9 na\xefve".to_vec()),
        _ => Answer::typed("image/png", b"\x89PNG\r\n\x1a\n\0".to_vec()),
    });
    for (path, charset) in [
        ("bom", "utf-8"),
        ("header", "koi8-r"),
        ("meta", "koi8-r"),
        ("late_meta", "koi8-r"),
        ("xml_declaration", "koi8-r"),
        ("json", "utf-8"),
        ("utf8", "utf-8"),
        ("ascii", "windows-1252"),
        ("guess", "windows-1252"),
    ] {
        let page = &report(&[&site.url(&format!("/{path}"))], 0)["page"];
        assert_eq!((&page["charset"], &page["charset_source"]), (&json!(charset), &json!(path)), "{page}");
    }
    let page = &report(&[&site.url("/image")], 0)["page"];
    assert_eq!([&page["charset"], &page["charset_source"]], [&Value::Null; 2]);
    assert_eq!(page["kind"], "binary");
}

#[test]
fn a_coding_is_told_with_the_bytes_that_came() {
    let body = "<title>T</title>".repeat(100);
    let coded = gzip(body.as_bytes());
    let length = coded.len();
    let site = Site::start(move |_| Answer::html(coded.clone()).header("Content-Encoding", "gzip"));
    let page = &report(&[&site.url("/")], 0)["page"];
    assert_eq!(page["content_encoding"], "gzip");
    assert_eq!((&page["received_bytes"], &page["bytes"]), (&json!(length), &json!(body.len())));
    let shown = explain(&[&site.url("/")]).run().succeeds().stdout;
    assert!(shown.contains(&format!("1,600 bytes, {length} as gzip; 1,600 characters")), "{shown}");
}

#[test]
fn tls_is_told_with_the_certificate() {
    let authority = Authority::new();
    let site = Site::secure(authority.http2_server(), |_| Answer::title("T"));
    let run = explain(&["--cacert", "ca.pem", &site.url("/")]).file("ca.pem", authority.pem());
    let report = read(&run.args(["-f", "json"]).run().succeeds());
    let request = &report["requests"][0];
    assert_eq!((&request["http"], &request["tls"]["version"]), (&json!("HTTP/2.0"), &json!("TLS 1.3")));
    let certificate = &request["tls"]["certificate"];
    assert_eq!(certificate["names"], json!(["127.0.0.1", "localhost"]));
    assert_eq!(certificate["issuer"], "Authority of the tests");
    assert_eq!(
        (&certificate["not_before"], &certificate["not_after"]),
        (&json!("1975-01-01T00:00:00Z"), &json!("4096-01-01T00:00:00Z"))
    );
    let shown = explain(&["-k", &site.url("/")]).run().succeeds().stdout;
    for text in
        ["HTTP/2.0, TLS 1.3", "127.0.0.1, localhost", "Authority of the tests, valid from 1975-01-01 to 4096-01-01"]
    {
        assert!(shown.contains(text), "{shown}");
    }
}

#[test]
fn a_certificate_that_is_refused_is_told_without_an_answer() {
    let site = Site::secure(Authority::new().expired_server(), |_| Answer::title("T"));
    let report = report(&[&site.url("/")], 4);
    let request = &report["requests"][0];
    assert_eq!((&request["error"]["kind"], &report["error"]["kind"]), (&json!("tls"), &json!("tls")));
    assert_eq!([&request["status"], &request["address"], &request["tls"], &report["page"]], [&Value::Null; 4]);
    assert_eq!(report["retry"], json!({"again": false, "reason": "pointless", "wait_ms": null}));
}

#[test]
fn nothing_is_tried_again_but_told_when_it_would_be() {
    let site = Site::start(|hit| {
        let (status, wait) = hit.path[1..].split_once('/').unwrap_or((&hit.path[1..], ""));
        let answer = Answer::title("Sorry").with_status(status.parse().unwrap());
        if wait.is_empty() { answer } else { answer.header("Retry-After", wait) }
    });
    let retry = |args: &[&str], path: &str| {
        let report = report(&[args, &[&site.url(path)]].concat(), 4);
        assert_eq!(site.hits_of(path).len(), 1, "{path} {args:?}");
        report["retry"].clone()
    };
    assert_eq!(retry(&[], "/503/7"), json!({"again": true, "reason": "retry_after", "wait_ms": 7000.0}));
    assert_eq!(retry(&[], "/503/121"), json!({"again": false, "reason": "retry_after_too_long", "wait_ms": 121_000.0}));
    assert_eq!(retry(&["--retry-delay", "3"], "/500"), json!({"again": true, "reason": "backoff", "wait_ms": 3000.0}));
    assert_eq!(retry(&["--retry", "0"], "/502"), json!({"again": false, "reason": "no_retries", "wait_ms": null}));
    assert_eq!(retry(&["-d", "x"], "/504"), json!({"again": false, "reason": "not_idempotent", "wait_ms": null}));
    assert_eq!(retry(&[], "/404"), json!({"again": false, "reason": "pointless", "wait_ms": null}));
    let shown = explain(&[&site.url("/429/90")]).run().exits(4).stdout;
    assert!(shown.contains("429 Too Many Requests"), "{shown}");
    assert!(shown.contains("would try again after 1m30s, as Retry-After asks; 2 times at most"), "{shown}");
}

#[test]
fn a_refused_connection_is_told_as_a_failure_that_may_pass() {
    let url = format!("http://127.0.0.1:{}/", closed_port());
    let report = report(&[&url], 4);
    assert_eq!(report["error"], json!({"kind": "connect", "message": "connection refused"}));
    assert_eq!(report["retry"], json!({"again": true, "reason": "backoff", "wait_ms": 1000.0}));
    let request = &report["requests"][0];
    assert_eq!([&request["address"], &request["http"], &request["time_ms"]["connect"]], [&Value::Null; 3]);
    let shown = explain(&[&url]).run().exits(4).stdout;
    assert!(shown.contains("connect: connection refused") && shown.contains("would try again"), "{shown}");
}

#[test]
fn an_answer_that_broke_off_is_told_as_far_as_it_came() {
    let site = Site::start(|_| Answer::title("T").cut_after(5));
    let report = report(&[&site.url("/"), "-x", "h1"], 4);
    assert_eq!(report["error"]["kind"], "truncated");
    let request = &report["requests"][0];
    assert_eq!((&request["status"], &request["http"]), (&json!(200), &json!("HTTP/1.1")));
    assert_eq!((&report["page"], &report["fields"][0]["value"]), (&Value::Null, &Value::Null));
}

#[test]
fn redirects_without_end_are_told_up_to_the_limit() {
    let site = Site::start(|hit| Answer::redirect(302, &format!("{}x", hit.path)));
    let report = report(&["--max-redirs", "2", &site.url("/")], 4);
    assert_eq!(report["error"], json!({"kind": "redirect", "message": "more than 2 redirects"}));
    assert_eq!(report["requests"].as_array().unwrap().len(), 3);
}

#[test]
fn a_method_that_a_redirect_changes_is_told() {
    let site = site();
    let report = report(&["-d", "x", &site.url("/start")], 0);
    let methods: Vec<_> = report["requests"].as_array().unwrap().iter().map(|request| &request["method"]).collect();
    assert_eq!(methods, ["POST", "GET", "GET"]);
    assert_eq!(site.hits().iter().map(|hit| &*hit.method).collect::<Vec<_>>(), ["POST", "GET", "GET"]);
}

#[test]
fn what_selectors_match_is_counted_and_located() {
    let site = site();
    let args = ["-x", "h1", "-s", "p=p.a", "-s", "ps[]=p", "-s", "none=i@href", &site.url("/")];
    let fields = report(&args, 0)["fields"].clone();
    let field = |name, value, matches, first: Option<&str>| json!({"name": name, "value": value, "matches": matches, "first_match": first});
    assert_eq!(
        fields,
        json!([
            field("h1", json!("Head"), Value::Null, None),
            field("p", json!("one"), json!(2), Some("html > body > div > p")),
            field("ps", json!(["one", "two"]), json!(2), Some("html > body > div > p")),
            field("none", Value::Null, json!(0), None),
        ])
    );
}

#[test]
fn the_head_alone_has_no_body_to_tell_of() {
    let page = report(&["-I", &site().url("/")], 0)["page"].clone();
    assert_eq!([&page["charset"], &page["charset_source"], &page["bytes"], &page["length"]], [&Value::Null; 4]);
    assert_eq!(page["content_type"], "text/html; charset=utf-8");
}

/// The keys of an object.
fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap_or_else(|| panic!("{object}")).keys().map(String::as_str).collect()
}

#[test]
fn every_key_is_always_there() {
    let authority = Authority::new();
    let secure = Site::secure(authority.server(), |_| Answer::title("T"));
    let whole = report(&["-k", "-x", "h1", &secure.url("/")], 0);
    let refused = report(&[&format!("http://127.0.0.1:{}/", closed_port()), "-x", "h1"], 4);
    let rejected = report(&["ftp://a.test/"], 4);
    for report in [&whole, &refused, &rejected] {
        let expected = ["v", "url", "final_url", "requests", "page", "fields", "error", "retry", "curl"];
        assert_eq!(keys(report), expected.into());
        assert_eq!(report["v"], 1);
    }
    for report in [&whole, &refused] {
        let request = &report["requests"][0];
        let expected = [
            "method",
            "url",
            "status",
            "redirect",
            "error",
            "found_addresses",
            "address",
            "proxied",
            "kept_connection",
            "http",
            "tls",
            "time_ms",
        ];
        assert_eq!(keys(request), expected.into());
        assert_eq!(keys(&request["time_ms"]), ["dns", "connect", "first_byte", "body", "total"].into());
        assert_eq!(keys(&report["fields"][0]), ["name", "value", "matches", "first_match"].into());
    }
    let tls = &whole["requests"][0]["tls"];
    assert_eq!(keys(tls), ["version", "certificate"].into());
    assert_eq!(keys(&tls["certificate"]), ["subject", "issuer", "names", "not_before", "not_after"].into());
    let expected = [
        "content_type",
        "kind",
        "charset",
        "charset_source",
        "content_encoding",
        "received_bytes",
        "bytes",
        "length",
        "title",
    ];
    assert_eq!(keys(&whole["page"]), expected.into());
    assert_eq!(keys(&refused["error"]), ["kind", "message"].into());
    assert_eq!(keys(&refused["retry"]), ["again", "reason", "wait_ms"].into());
    assert_eq!((&rejected["curl"], &rejected["requests"]), (&Value::Null, &json!([])));
}

/// The words of a command, as a shell takes them apart.
fn words(command: &str) -> Vec<String> {
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{command}");
    Scrape::in_shell(&script).run().succeeds().stdout.lines().map(String::from).collect()
}

#[test]
fn the_curl_command_asks_for_the_same() {
    let curl = |args: &[&str]| {
        let report = read(&explain(args).args(["-f", "json"]).file("body", "x").run());
        words(report["curl"].as_str().unwrap())
    };
    let site = site();
    let url = site.url("/a'b?q=$(id)&x=`id`;*");
    let agent = concat!("scrape/", env!("CARGO_PKG_VERSION"));
    assert_eq!(curl(&[&url]), ["-L", "--compressed", "-A", agent, &site.url("/a'b?q=$(id)&x=`id`;*")]);
    let args = ["-X", "PUT", "-d", "@body", "-A", "it's me", "-H", "Accept: a/b", "-H", "Accept-Encoding:", &url];
    assert_eq!(curl(&args), ["-L", "-X", "PUT", "-A", "it's me", "-H", "accept: a/b", "-d", "@body", &url]);
    let resolve = site.resolve("a.test");
    let args = ["-k", "-4", "--max-redirs", "0", "-I", "--resolve", &resolve, &site.url_of("a.test", "/")];
    let expected = ["-I", "--compressed", "-A", agent, "-k", "--resolve", &resolve, "-4", &site.url_of("a.test", "/")];
    assert_eq!(curl(&args), expected);
    let args = ["-H", "User-Agent:", "-H", "Accept:", "-b", "", "--location-trusted", &url];
    let expected = ["--location-trusted", "--compressed", "-H", "accept:", "-H", "user-agent:", "-b", "", &url];
    assert_eq!(curl(&args), expected);
}

#[test]
fn secrets_are_never_shown() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => Answer::redirect(302, &format!("http://me:sesame@127.0.0.1:{}/in", port(hit))),
        _ => Answer::title("T").header("Set-Cookie", "session=sesame; Path=/"),
    });
    let proxy = format!("http://me:sesame@127.0.0.1:{}", site.port());
    let with_password = site.url("/").replace("://", "://me:sesame@");
    let common = ["-H", "X-Api-Key: sesame", "-b", "a=sesame", "-d", "password=sesame", "-x", "cookies,headers", "-vv"];
    for format in ["text", "json"] {
        for args in [
            &["-u", "me:sesame", &site.url("/")][..],
            &["-H", "Authorization: Bearer sesame", &site.url("/")],
            &["-H", "Cookie: a=sesame", &site.url("/")],
            &["--proxy", &proxy, "http://a.test/in"],
            &[&with_password],
        ] {
            let run = explain(&common).args(args).args(["-f", format]).run().exits(0);
            assert!(!run.stdout.contains("sesame") && !run.stderr.contains("sesame"), "{args:?}: {run:#?}");
            assert!(run.stdout.contains("x-api-key: …") && run.stdout.contains("-d …"), "{run:#?}");
            assert!(run.stdout.contains("session"), "the name of a cookie is none: {run:#?}");
        }
    }
    assert!(site.hits().iter().any(|hit| hit.header("authorization").is_some()), "they are sent all the same");
}

#[test]
fn a_proxy_is_told_in_the_place_of_the_server() {
    let proxy = Site::start(|_| Answer::title("T"));
    let args = ["--proxy", &proxy.url("").replace("://", "://me:sesame@"), "http://a.test/"];
    let report = report(&args, 0);
    let request = &report["requests"][0];
    assert_eq!(
        (&request["proxied"], &request["address"]),
        (&json!(true), &json!(format!("127.0.0.1:{}", proxy.port())))
    );
    assert!(report["curl"].as_str().unwrap().contains(&format!("--proxy http://…@127.0.0.1:{}", proxy.port())));
    assert!(explain(&args).run().succeeds().stdout.contains("a proxy: the server's own is not known"));
}

#[test]
fn a_terminal_acts_on_nothing_that_a_server_says() {
    let site = Site::start(|hit| match &*hit.path {
        "/redirect" => Answer::redirect(302, "ftp://me:sesame@a\u{202e}\u{9b}.test/"),
        "/coding" => Answer::title("x").header("Content-Encoding", "g\u{9b}\u{202e}zip"),
        _ => Answer::typed(
            "text/html;\u{202e}\u{9b}",
            format!("<title>{HOSTILE}</title><h1>{HOSTILE}</h1><a\u{9b}\u{202e}>x"),
        )
        .header("X-Odd", "\u{9b}\u{202e}"),
    });
    for path in ["/", "/redirect", "/coding"] {
        for format in ["text", "json"] {
            let args = [&site.url(path), "-vv", "-f", format, "-x", "h1,headers", "-s", "all=body *"];
            let shown = explain(&args).env("NO_COLOR", "1").run_in_terminal();
            assert!(shown.contains("curl"), "{shown}");
            assert_is_shown_only(&shown);
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let site = site();
    let colored = |scrape: Scrape| scrape.env("TERM", "xterm").run_in_terminal().contains("\u{1b}[");
    assert!(colored(explain(&[&site.url("/")])));
    assert!(!colored(explain(&[&site.url("/")]).env("NO_COLOR", "1")));
    assert!(!colored(explain(&[&site.url("/"), "-f", "json"])));
    assert!(!explain(&[&site.url("/")]).env("TERM", "xterm").run().succeeds().stdout.contains('\u{1b}'));
}

#[test]
fn values_are_cut_to_the_width() {
    let long = "long ".repeat(100);
    let site = Site::start(move |_| Answer::html(format!("<title>{long}</title><p>{long}")));
    let shown = explain(&[&site.url("/"), "-s", "p=p"]).run().succeeds().stdout;
    assert_eq!(shown.matches('…').count(), 2, "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

#[test]
fn settings_count_as_in_a_run() {
    let site = site();
    let toml = "user-agent = \"from-file\"\nformat = \"jsonl\"\nconcurrency = 3\nmax-redirs = 1";
    let run = explain(&[&site.url("/start")]).file("scrape.toml", toml).env("SCRAPE_FORMAT", "csv").run().exits(4);
    assert!(run.stdout.contains("more than 1 redirects") && run.stdout.contains("-A from-file"), "{run:?}");
    assert!(site.hits().iter().all(|hit| hit.header("user-agent") == Some("from-file")));
    let run = explain(&["-A", "typed", &site.url("/")]).file("scrape.toml", toml).run().succeeds();
    assert!(run.stdout.contains("-A typed"), "{run:?}");
    let run = explain(&["--no-config", &site.url("/start")]).file("scrape.toml", toml).run().succeeds();
    assert!(!run.stdout.contains("from-file"), "{run:?}");
    explain(&[&site.url("/")]).file("scrape.toml", "colour = 1").run().refused_over("scrape.toml:1");
}

#[test]
fn a_cookie_jar_is_kept_as_in_a_run() {
    let site = Site::start(|_| Answer::title("T").header("Set-Cookie", "a=b"));
    let run = explain(&["--cookie-jar", "jar.txt", &site.url("/")]).run().succeeds();
    assert!(run.file("jar.txt").contains("\ta\tb\n"), "{run:?}");
    assert!(run.stdout.contains("-b jar.txt -c jar.txt"), "{run:?}");
}

#[test]
fn the_exit_status_is_that_of_a_run_of_one_url() {
    let site = site();
    explain(&[&site.url("/")]).run().exits(0);
    explain(&[&site.url("/missing")]).run().exits(4);
    let run = explain(&["no:url"]).run().exits(4);
    assert!(run.stdout.contains("invalid_url: "), "{run:?}");
    for (wrong, word) in [
        (&[][..], "<URL>"),
        (&[&*site.url("/"), &site.url("/")], "unexpected"),
        (&["-s", "a=[", &site.url("/")], "not a CSS selector"),
        (&["-x", "nothing", &site.url("/")], "no field"),
        (&["-f", "csv", &site.url("/")], "text, json"),
        (&["--cacert", "nowhere.pem", &site.url("/")], "nowhere.pem"),
    ] {
        explain(wrong).run().refused_over(word);
    }
    assert_eq!(site.hits().len(), 2);
}

#[test]
fn an_interrupt_ends_it_as_it_ends_a_run() {
    let site = Site::start(|_| Answer::silence());
    let running = explain(&[&site.url("/")]).spawn();
    site.wait_for(1);
    running.signal(Signal::INT);
    running.signal(Signal::INT);
    running.finish().exits(130);
    assert_eq!(site.hits().len(), 1);
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let site = site();
    let run = Scrape::in_shell(&format!("\"$scrape\" explain {} -x all | true", site.url("/"))).run();
    assert_eq!(run.stderr, "", "{run:?}");
}

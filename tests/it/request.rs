//! What is sent: curl's options mean what they mean to curl.

use serde_json::{Value, json};

use crate::support::{Answer, Hit, Site, fetch, scrape};

fn site() -> Site {
    Site::start(|hit| Answer::title(&hit.path))
}

/// What is sent when one page is asked for with `args`.
fn sent(args: &[&str]) -> Hit {
    let site = site();
    scrape(args).args([site.url("/")]).run().succeeds();
    site.hit()
}

#[test]
fn by_default_a_get_names_us_and_the_codings_we_know() {
    let hit = sent(&[]);
    assert_eq!((&*hit.method, &*hit.body), ("GET", &b""[..]));
    assert_eq!(hit.header("user-agent"), Some(concat!("scrape/", env!("CARGO_PKG_VERSION"))));
    let codings = hit.header("accept-encoding").unwrap();
    assert!(["gzip", "br", "zstd", "deflate"].iter().all(|coding| codings.contains(coding)), "{codings}");
    assert!(hit.header("accept").is_some());
    assert_eq!([hit.header("authorization"), hit.header("cookie"), hit.header("referer")], [None; 3]);
}

#[test]
fn headers_are_sent_as_given() {
    let hit = sent(&["-H", "X-One: 1", "--header", "X-Two:2:2", "-H", "Accept: application/json"]);
    assert_eq!((hit.header("x-one"), hit.header("x-two")), (Some("1"), Some("2:2")));
    let accepts = hit.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("accept")).collect::<Vec<_>>();
    assert_eq!(accepts.len(), 1, "a header of ours is replaced");
    assert_eq!(accepts[0].1, "application/json");
}

#[test]
fn a_header_that_is_none_is_a_usage_error() {
    for header in ["no colon", "bad name: x", "X: line\nbreak", ": empty"] {
        scrape(["-H", header, "http://127.0.0.1:1/"]).run().exits(2);
    }
}

#[test]
fn what_is_refused_is_not_quoted_where_it_may_be_a_secret() {
    for args in [["-H", "Authorization Bearer sesame"], ["-b", "sesame"], ["-u", "sesame"]] {
        let run = scrape(args).args(["http://127.0.0.1:1/"]).run().exits(2);
        assert!(!run.stderr.contains("sesame") && !run.stdout.contains("sesame"), "{run:?}");
    }
}

#[test]
fn the_user_agent_can_be_chosen() {
    for option in ["-A", "--user-agent"] {
        assert_eq!(
            sent(&[option, "tester/1.0 (+https://a.test/bot)"]).header("user-agent"),
            Some("tester/1.0 (+https://a.test/bot)")
        );
    }
}

#[test]
fn a_user_is_sent_as_basic_authentication() {
    assert_eq!(sent(&["-u", "me:sesame"]).header("authorization"), Some("Basic bWU6c2VzYW1l"));
    assert_eq!(sent(&["--user", "me:ses:ame"]).header("authorization"), Some("Basic bWU6c2VzOmFtZQ=="));
}

#[test]
fn the_userinfo_of_a_url_wins_over_the_user_of_the_command_line() {
    let site = site();
    scrape(["-u", "other:one", &site.url("/").replace("://", "://me:sesame@")]).run().succeeds();
    assert_eq!(site.hit().header("authorization"), Some("Basic bWU6c2VzYW1l"));
}

#[test]
fn a_cookie_is_sent_as_given() {
    assert_eq!(sent(&["-b", "a=1; b=2"]).header("cookie"), Some("a=1; b=2"));
}

#[test]
fn no_secret_of_the_command_line_is_ever_shown() {
    let site = site();
    let run =
        scrape(["-vv", "-u", "me:sesame", "-b", "c=sesame", "-H", "X-Api-Key: sesame", "-f", "jsonl", &site.url("/")])
            .run()
            .exits(0);
    assert_eq!(run.record()["error"], Value::Null);
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains("sesame") && !text.contains("bWU6"), "{text}");
    }
}

#[test]
fn data_is_posted_as_a_form() {
    let hit = sent(&["-d", "a=1", "--data", "b=2"]);
    assert_eq!((&*hit.method, &*hit.body), ("POST", &b"a=1&b=2"[..]));
    assert_eq!(hit.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(hit.header("content-length"), Some("7"));
}

#[test]
fn data_can_come_from_a_file() {
    let site = site();
    scrape(["-d", "@body.txt", &site.url("/")]).file("body.txt", "from=file").run().succeeds();
    assert_eq!(site.hit().body, b"from=file");
}

#[test]
fn data_from_a_file_that_is_missing_is_told_before_the_first_fetch() {
    let site = site();
    let run = scrape(["-d", "@nowhere.txt", &site.url("/")]).run();
    assert!(matches!(run.code, Some(2 | 5)) && run.stderr.contains("nowhere.txt"), "{run:?}");
    assert!(site.hits().is_empty());
}

#[test]
fn the_type_of_data_can_be_chosen() {
    let hit = sent(&["-d", "{}", "-H", "Content-Type: application/json"]);
    let types: Vec<_> = hit.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type")).collect();
    assert_eq!(types.len(), 1);
    assert_eq!(types[0].1, "application/json");
}

#[test]
fn the_method_can_be_chosen() {
    assert_eq!(sent(&["-X", "DELETE"]).method, "DELETE");
    let hit = sent(&["--request", "PUT", "-d", "x"]);
    assert_eq!((&*hit.method, &*hit.body), ("PUT", &b"x"[..]));
}

#[test]
fn head_asks_for_no_body_and_gets_the_facts() {
    let site = Site::start(|_| Answer::title("a long page that is not sent"));
    for option in ["-I", "--head"] {
        let record = fetch([option, &site.url("/")]);
        assert_eq!((&record["status"], &record["error"], &record["title"]), (&json!(200), &Value::Null, &Value::Null));
        assert_eq!(record["content_type"], "text/html; charset=utf-8");
        assert_eq!([&record["length"], &record["bytes"]], [&Value::Null; 2], "nobody knows");
    }
    assert!(site.hits().iter().all(|hit| hit.method == "HEAD"));
}

#[test]
fn a_name_can_be_resolved_by_hand() {
    let site = site();
    let record = fetch(["--resolve", &site.resolve("a.test"), &site.url_of("a.test", "/x")]);
    assert_eq!(record["error"], Value::Null);
    assert_eq!(site.hit().header("host"), Some(&*format!("a.test:{}", site.port())));
}

#[test]
fn a_name_is_resolved_by_hand_for_its_port_alone() {
    let script = |hit: &Hit| Answer::title(&hit.path);
    let (site, other) = (Site::with_hosts(2, script), Site::with_hosts(2, script));
    let resolve = format!("localhost:{}:127.0.0.2", site.port());
    for asked in [&site, &other] {
        assert_eq!(fetch(["-4", "--resolve", &resolve, &asked.url_of("localhost", "/")])["error"], Value::Null);
    }
    assert_eq!([site.hit(), other.hit()].map(|hit| hit.host.to_string()), ["127.0.0.2", "127.0.0.1"]);
}

#[test]
fn the_address_family_can_be_chosen() {
    let site = site();
    assert_eq!(fetch(["-4", &site.url_of("localhost", "/")])["error"], Value::Null);
    let record = fetch(["-6", &site.url_of("localhost", "/")]);
    assert!(matches!(record["error"]["kind"].as_str(), Some("dns" | "connect")), "nobody listens at ::1: {record}");
    assert_eq!(site.hits().len(), 1);
}

#[test]
fn an_address_of_the_other_family_is_not_asked() {
    let site = site();
    assert!(!fetch(["-6", &site.url("/")])["error"].is_null());
    assert!(!fetch(["-6", "--resolve", &site.resolve("a.test"), &site.url_of("a.test", "/")])["error"].is_null());
    assert!(site.hits().is_empty());
}

#[test]
fn location_is_accepted_because_redirects_are_followed_anyway() {
    sent(&["-L"]);
    sent(&["--location"]);
}

#[test]
fn a_proxy_is_asked_in_place_of_the_host() {
    let proxy = Site::start(|hit| Answer::title(&hit.path));
    let record = fetch(["--proxy", &proxy.url(""), "http://a.test/x"]);
    assert_eq!(record["title"], "http://a.test/x");
    assert_eq!(proxy.hit().header("host"), Some("a.test"));
}

#[test]
fn the_proxy_of_the_environment_is_used_but_where_it_says_not_to() {
    let proxy = Site::start(|_| Answer::title("by proxy"));
    let site = site();
    let title = |name: &str, url: &str| {
        let run = scrape(["-f", "jsonl", url]).env(name, &proxy.url("")).env("NO_PROXY", "127.0.0.1").run().succeeds();
        run.record()["title"].clone()
    };
    assert_eq!(title("http_proxy", "http://a.test/"), "by proxy");
    assert_eq!(title("ALL_PROXY", "http://a.test/"), "by proxy");
    assert_eq!(title("http_proxy", &site.url("/direct")), "/direct");
}

#[test]
fn a_proxy_that_is_not_there_is_a_connect_failure() {
    let proxy = format!("http://127.0.0.1:{}", crate::support::site::closed_port());
    assert_eq!(fetch(["--proxy", &proxy, "http://a.test/x"])["error"]["kind"], "connect");
}

#[test]
fn what_is_no_proxy_is_refused_before_the_first_fetch() {
    let site = site();
    for proxy in ["htp://127.0.0.1:9", "ftp://127.0.0.1:9", "http://me:sesame@ho^st:80", "htp://me:sesame@127.0.0.1:9"]
    {
        let run = scrape(["-f", "jsonl", "--proxy", proxy, &site.url("/")]).run().refused_over("proxy");
        assert!(!run.stderr.contains("sesame"), "{run:?}");
    }
    let port = crate::support::site::closed_port();
    for scheme in ["http", "https", "socks4", "socks4a", "socks5", "socks5h"] {
        let proxy = format!("{scheme}://me:sesame@127.0.0.1:{port}");
        let run = scrape(["-f", "jsonl", "-vv", "--retry", "0", "--proxy", &proxy, &site.url("/")]).run().exits(4);
        assert!(!run.stderr.contains("sesame") && !run.stdout.contains("sesame"), "{run:?}");
    }
    assert!(site.hits().is_empty());
}

/// Asserts that hardly any of the requests for a list, one after the other, opened a connection. Not one at all would be
/// too much to ask: a connection is returned by a task of its own, and on a busy machine the next request may be earlier.
fn assert_connections_are_used_again(site: &Site, status: i32) {
    let list: String = (0..60).map(|n| site.url(&format!("/{n}\n"))).collect();
    scrape(["-c", "1"]).stdin(list).run().exits(status);
    let hits = site.hits();
    assert_eq!(hits.len(), 60);
    let connections = hits.iter().map(|hit| hit.connection).max().unwrap();
    assert!(connections <= 20, "{connections} connections for {} requests", hits.len());
}

#[test]
fn a_connection_is_used_again() {
    assert_connections_are_used_again(&site(), 0);
}

#[test]
fn a_connection_is_used_again_after_an_error_page() {
    assert_connections_are_used_again(&Site::start(|_| Answer::html("not here").with_status(404)), 4);
}

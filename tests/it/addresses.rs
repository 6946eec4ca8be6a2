//! Where a server may send us: `--deny-private`. All that a test has is loopback, which is private.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::authority::Authority;
use crate::support::{Answer, Hit, Site, fetch, scrape};

/// A private server, which notices each connection. It answers none.
struct Private(TcpListener);

impl Private {
    fn start() -> Self {
        Self::at("127.0.0.1").unwrap()
    }

    fn at(address: &str) -> std::io::Result<Self> {
        TcpListener::bind((address, 0)).map(Self)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    #[track_caller]
    fn assert_was_left_alone(&self) {
        self.0.set_nonblocking(true).unwrap();
        let accepted = self.0.accept().map_err(|error| error.kind());
        assert_eq!(accepted.map(|_| ()), Err(std::io::ErrorKind::WouldBlock));
    }
}

/// A site that redirects all but `/in` to `location`.
fn redirecting(location: impl Into<String>) -> Site {
    let location = location.into();
    Site::start(move |hit| redirect(hit, &location))
}

fn redirect(hit: &Hit, location: &str) -> Answer {
    if hit.path.ends_with("/in") { Answer::title("in") } else { Answer::redirect(302, location) }
}

#[track_caller]
fn assert_forbidden(record: &Value, address: &str) {
    assert_eq!(record["error"]["kind"], "forbidden_address", "{record}");
    let message = record["error"]["message"].as_str().unwrap();
    assert!(message.contains(address) && message.contains("--deny-private"), "{message}");
    assert_eq!((&record["status"], &record["attempts"]), (&Value::Null, &json!(1)));
}

#[test]
fn a_server_may_not_send_us_to_a_private_address_however_it_is_written() {
    let private = Private::start();
    let hosts = [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0x7f000001",
        "0x7f.0.0.1",
        "①②⑦.0.0.1",
        "%31%32%37.0.0.1",
        "me:sesame@127.0.0.1",
    ];
    for host in hosts {
        let site = redirecting(format!("http://{host}:{}/in", private.port()));
        let record = fetch(["--deny-private", &site.url("/")]);
        assert_forbidden(&record, "127.0.0.1 (loopback)");
        assert_eq!(record["redirects"], json!([{"status": 302, "url": site.url("/")}]), "{host}");
        assert_eq!(record["final_url"], format!("http://127.0.0.1:{}/in", private.port()));
    }
    private.assert_was_left_alone();
}

#[test]
fn ipv6_is_no_way_around() {
    let (private, six) = (Private::start(), Private::at("::1").ok());
    let port = six.as_ref().map_or(9, Private::port);
    for (url, address) in [
        (format!("http://[::1]:{port}/in"), "::1 (loopback)"),
        (format!("http://[0:0::0:1]:{port}/in"), "::1 (loopback)"),
        (format!("http://[::ffff:127.0.0.1]:{}/in", private.port()), "::ffff:127.0.0.1 (loopback)"),
        (format!("http://[::ffff:7f00:1]:{}/in", private.port()), "::ffff:127.0.0.1 (loopback)"),
        (format!("http://[::]:{port}/in"), ":: (unspecified)"),
        ("http://[64:ff9b::a9fe:a9fe]/latest".into(), "64:ff9b::a9fe:a9fe (link-local)"),
        ("http://[fd00:ec2::254]/latest".into(), "fd00:ec2::254 (unique local)"),
    ] {
        assert_forbidden(&fetch(["--deny-private", &redirecting(url).url("/")]), address);
    }
    private.assert_was_left_alone();
    six.iter().for_each(Private::assert_was_left_alone);
}

#[test]
fn nothing_that_is_not_public_is_asked() {
    let urls = [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "https://192.168.1.1/",
        "http://100.64.0.1/",
        "http://0.0.0.0:80/",
        "http://0/",
        "http://255.255.255.255/",
        "http://224.0.0.1/",
    ];
    let site = Site::start(|hit| Answer::redirect(307, hit.path.split_once("to=").unwrap().1));
    let list: String = urls.iter().map(|url| site.url(&format!("/?to={url}\n"))).collect();
    let run = scrape(["--deny-private", "-f", "jsonl"]).stdin(list).run().exits(4);
    assert_eq!(run.records().len(), urls.len());
    for record in run.records() {
        assert_eq!(record["error"]["kind"], "forbidden_address", "{record}");
    }
}

#[test]
fn a_name_with_a_private_address_is_not_asked() {
    let private = Private::start();
    let site = redirecting(format!("http://localhost:{}/in", private.port()));
    let run = scrape(["-4", "--deny-private", "-f", "jsonl", "--retry", "3", &site.url("/")]).run().exits(4);
    assert_forbidden(&run.record(), "localhost is at 127.0.0.1 (loopback)");
    private.assert_was_left_alone();
}

#[test]
fn what_the_user_typed_goes_anywhere() {
    let site = redirecting("");
    for url in [site.url("/in"), site.url_of("localhost", "/in"), site.url_of("2130706433", "/in")] {
        assert_eq!(fetch(["-4", "--deny-private", &url])["title"], "in", "{url}");
    }
}

#[test]
fn a_connection_that_the_user_opened_is_not_for_what_a_server_chose() {
    let site = redirecting("/in");
    for host in ["localhost", "127.0.0.1"] {
        let urls = [site.url_of(host, "/in"), site.url_of(host, "/")];
        let run = scrape(["-4", "-c", "1", "--deny-private", "-f", "jsonl"]).args(&urls).run().exits(1);
        assert_eq!(run.records()[0]["title"], "in");
        assert_forbidden(&run.records()[1], "127.0.0.1 (loopback)");
    }
    assert_eq!(site.hits_of("/in").len(), 2, "those that were typed");
}

#[test]
fn a_private_page_may_lead_to_private_ones_unless_that_is_denied() {
    let site = redirecting("/in");
    for host in ["127.0.0.1", "localhost"] {
        let url = site.url_of(host, "/");
        for args in [&["-4"][..], &["-4", "--deny-private=from-public"], &["-4", "--deny-private=never"]] {
            assert_eq!(fetch(args.iter().chain([&&*url]))["title"], "in", "{args:?}");
        }
        for args in [["-4", "--deny-private"], ["-4", "--deny-private=always"]] {
            assert_forbidden(&fetch(args.iter().chain([&&*url])), "127.0.0.1 (loopback)");
        }
    }
}

/// Fetches `http://public.test/` by a proxy: for all we know it is public. It redirects to `location`, to which no
/// proxy leads if it is at 127.0.0.1 or localhost.
fn from_public(args: &[&str], location: &str) -> Value {
    let proxy = redirecting(location);
    let run = scrape(args).args(["-4", "-f", "jsonl", "--retry", "0", "http://public.test/"]);
    let run = run.env("http_proxy", &proxy.url("")).env("NO_PROXY", "127.0.0.1,localhost").run();
    assert_eq!(proxy.hits()[0].path, "http://public.test/");
    run.record()
}

#[test]
fn a_public_page_leads_to_no_private_one() {
    let private = Private::start();
    for host in ["127.0.0.1", "localhost"] {
        let location = format!("http://{host}:{}/", private.port());
        for args in [&[][..], &["--deny-private"], &["--deny-private=from-public"]] {
            assert_forbidden(&from_public(args, &location), "127.0.0.1 (loopback)");
        }
    }
    private.assert_was_left_alone();
    let site = redirecting("");
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(from_public(&["--deny-private=never"], &site.url_of(host, "/in"))["title"], "in");
    }
}

#[test]
fn a_public_page_that_leads_to_a_private_one_by_a_detour_does_not_get_there() {
    let private = Private::start();
    let proxy = redirecting(format!("http://127.0.0.1:{}/", private.port()));
    let detour = redirecting("http://public.test/");
    let run = scrape(["-f", "jsonl", &detour.url("/")]).env("http_proxy", &proxy.url("")).env("NO_PROXY", "127.0.0.1");
    let record = run.run().exits(4).record();
    assert_forbidden(&record, "127.0.0.1 (loopback)");
    assert_eq!(record["redirects"].as_array().unwrap().len(), 2, "the first of which led from a private page");
    private.assert_was_left_alone();
}

#[test]
fn a_proxy_takes_names_anywhere_but_no_addresses() {
    let private = Private::start();
    for location in [format!("http://127.0.0.1:{}/", private.port()), "http://169.254.169.254/".into()] {
        let proxy = redirecting(location);
        let record = fetch(["--proxy", &proxy.url(""), "http://public.test/"]);
        assert_eq!(record["error"]["kind"], "forbidden_address", "{record}");
        assert_eq!(proxy.hits().len(), 1, "the proxy was not asked for it either");
    }
    private.assert_was_left_alone();
    let proxy = redirecting("http://localhost/in");
    let proxy_url = proxy.url_of("localhost", "");
    let record = fetch(["-4", "--deny-private", "--proxy", &proxy_url, "http://public.test/"]);
    assert_eq!(record["title"], "in", "only the proxy knows where that is, and it is at a private address itself");
}

#[test]
fn an_address_given_by_hand_is_the_users_own_word() {
    let site = redirecting("");
    let from = redirecting(site.url_of("a.test", "/in"));
    let args = ["--deny-private", "--resolve", &site.resolve("a.test"), &from.url("/")];
    assert_eq!(fetch(args)["title"], "in");
    let from = redirecting(site.url("/in"));
    let args = ["--deny-private", "--resolve", &site.resolve("a.test"), &from.url("/")];
    assert_forbidden(&fetch(args), "127.0.0.1 (loopback)");
}

#[test]
fn data_is_not_posted_to_a_private_address() {
    let private = Private::start();
    for status in [301, 302, 303, 307, 308] {
        let location = format!("http://localhost:{}/", private.port());
        let site = Site::start(move |_| Answer::redirect(status, &location));
        assert_forbidden(&fetch(["-4", "--deny-private", "-d", "x=1", &site.url("/")]), "127.0.0.1 (loopback)");
    }
    private.assert_was_left_alone();
}

#[test]
fn tls_and_http_2_are_no_way_around() {
    let authority = Authority::new();
    for config in [authority.server(), authority.http2_server()] {
        let secure = Site::secure(config, |hit| redirect(hit, hit.header("x-to").unwrap_or("/in")));
        for host in ["127.0.0.1", "localhost"] {
            let (here, there) = (secure.url_of(host, "/"), secure.url_of(host, "/in"));
            assert_forbidden(&fetch(["-4k", "--deny-private", &here]), "127.0.0.1 (loopback)");
            assert_forbidden(&fetch(["-4k", "--deny-private", &redirecting(&there).url("/")]), "127.0.0.1 (loopback)");
            assert_eq!(fetch(["-4k", "--deny-private", &there])["title"], "in");
        }
        assert_eq!(secure.hits_of("/in").len(), 2, "those that were typed");
        let private = Private::start();
        let to = format!("X-To: http://127.0.0.1:{}/", private.port());
        assert_forbidden(&fetch(["-k", "--deny-private", "-H", &to, &secure.url("/")]), "127.0.0.1 (loopback)");
        private.assert_was_left_alone();
    }
}

#[test]
fn it_can_be_set_like_a_switch_but_not_by_a_folder_that_came_with_it() {
    let site = redirecting("/in");
    let title = |value: &str| {
        let run = scrape(["-f", "jsonl", &site.url("/")]).env("SCRAPE_DENY_PRIVATE", value).run();
        run.record()["title"].clone()
    };
    for value in ["true", "1", "always"] {
        assert_eq!(title(value), Value::Null, "{value}");
    }
    for value in ["false", "0", "never", "from-public"] {
        assert_eq!(title(value), "in", "{value}");
    }
    let run = scrape([site.url("/")]).file(".config/scrape/scrape.toml", "deny-private = true");
    assert!(run.run().exits(4).stderr.contains("forbidden_address"));
    for setting in ["deny-private = \"never\"", "location-trusted = true"] {
        scrape([site.url("/")]).file("scrape.toml", setting).run().refused_over(setting.split(' ').next().unwrap());
    }
}

#[test]
fn an_unknown_time_to_deny_is_refused() {
    let site = redirecting("/in");
    scrape(["--deny-private=sometimes", &site.url("/")]).run().refused_over("from-public");
    scrape(["--deny-private", "always"]).run().exits(5);
    assert!(site.hits().is_empty());
}

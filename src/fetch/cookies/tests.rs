//! What is kept, and what is sent where: cases of RFC 6265bis, of its predecessors' test suites and of real servers.

use proptest::prelude::*;

use super::store::{MAX, MAX_PER_SITE};
use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// A jar, and a clock that the test sets.
#[derive(Default)]
struct World {
    store: Store,
    now: i64,
}

impl World {
    /// A `Set-Cookie` field of an answer from a URL.
    fn set(&mut self, from: &str, field: &str) -> &mut Self {
        self.set_bytes(from, field.as_bytes())
    }

    fn set_bytes(&mut self, from: &str, field: &[u8]) -> &mut Self {
        let from = url(from);
        if let Some(cookie) = Cookie::receive(field, &from, self.now) {
            self.store.insert(cookie, reach::is_secure(&from), self.now);
        }
        self
    }

    fn sent(&mut self, to: &str) -> String {
        String::from_utf8_lossy(&self.store.select(&url(to), self.now)).into_owned()
    }
}

/// What is sent to a URL after an answer from another one has set a cookie.
fn sent_after(from: &str, field: &str, to: &str) -> String {
    World { now: 1_000_000_000, ..World::default() }.set(from, field).sent(to)
}

/// What is sent back to where it was set.
fn sent_back(field: &str) -> String {
    sent_after("https://example.com/dir/page", field, "https://example.com/dir/page")
}

#[test]
fn a_pair_is_read_as_browsers_read_it() {
    for (field, expected) in [
        ("a=b", "a=b"),
        ("  a \t= b c ; Path=/", "a=b c"),
        ("a=", "a="),
        ("a=b=c", "a=b=c"),
        ("a=\"b, c\"", "a=\"b, c\""),
        ("a", "a"),
        ("=a", "a"),
        ("=a=b", "a=b"),
        ("a=b\tc", "a=b\tc"),
        ("a=b; a=c", "a=b"),
        ("a=b;;;; ;=;x", "a=b"),
        ("ä=ö", "ä=ö"),
        ("", ""),
        ("=", ""),
        (" ; Path=/", ""),
        ("a=b\u{1}", ""),
        ("a\u{7f}=b", ""),
        ("a\tb=c", ""),
    ] {
        assert_eq!(sent_back(field), expected, "{field:?}");
    }
}

#[test]
fn a_cookie_that_is_too_large_is_refused_and_an_attribute_passed_over() {
    let value = "v".repeat(4095);
    assert_eq!(sent_back(&format!("n={value}")).len(), 4097);
    assert_eq!(sent_back(&format!("nn={value}")), "");
    let long = format!("/{}", "x".repeat(1024));
    assert_eq!(sent_back(&format!("a=b; Path={long}")), "a=b", "the path is the page's");
    let far = format!("http://a.test{long}/x");
    assert_eq!(sent_after(&far, "a=b", &far), "", "which may be too long as well");
    assert_eq!(sent_after(&far, "a=b; Path=/", &far), "a=b");
    let host = format!("http://{}test/", "a.".repeat(125));
    assert_eq!(sent_after(&host, "a=b", &host), "");
}

#[test]
fn a_cookie_without_a_domain_is_for_its_host_alone() {
    for field in ["a=b", "a=b; Domain=", "a=b; Domain=.", "a=b; Domain=example.com; Domain="] {
        assert_eq!(sent_after("http://example.com/", field, "http://example.com/"), "a=b", "{field}");
        assert_eq!(sent_after("http://example.com/", field, "http://www.example.com/"), "", "{field}");
    }
}

#[test]
fn a_domain_covers_the_names_under_it() {
    for domain in ["example.com", ".example.com", "EXAMPLE.com", " example.com "] {
        let field = format!("a=b; Domain={domain}");
        let sent = |to: &str| sent_after("http://www.example.com/", &field, to);
        for host in ["example.com", "www.example.com", "a.b.example.com"] {
            assert_eq!(sent(&format!("http://{host}/")), "a=b", "{domain}, {host}");
        }
        for host in ["notexample.com", "example.com.evil.test", "com", "example.org"] {
            assert_eq!(sent(&format!("http://{host}/")), "", "{domain}, {host}");
        }
    }
}

#[test]
fn nobody_sets_cookies_for_others() {
    for domain in [
        "other.example.com",
        "a.www.example.com",
        "ample.com",
        "w.example.com",
        "..example.com",
        "example.com.",
        "com",
        "*.com",
        "exämple.com",
    ] {
        let field = format!("a=b; Domain={domain}");
        assert_eq!(sent_after("http://www.example.com/", &field, "http://www.example.com/"), "", "{domain}");
    }
}

#[test]
fn a_public_suffix_sets_cookies_for_itself_alone() {
    for suffix in ["co.uk", "github.io", "local", "localhost", "co.uk."] {
        let (name, field) = (format!("http://a.{suffix}/"), format!("a=b; Domain={suffix}"));
        assert_eq!(sent_after(&name, &field, &name), "", "{suffix}");
        let itself = format!("http://{suffix}/");
        assert_eq!(sent_after(&itself, &field, &itself), "a=b", "{suffix}");
        assert_eq!(sent_after(&itself, &field, &name), "", "{suffix}");
    }
}

#[test]
fn a_domain_above_a_public_suffix_is_refused_as_well() {
    let from = "http://bucket.s3.amazonaws.com/";
    assert_eq!(sent_after(from, "a=b; Domain=bucket.s3.amazonaws.com", from), "a=b");
    for domain in ["s3.amazonaws.com", "amazonaws.com"] {
        let mut world = World::default();
        world.set(from, &format!("a=b; Domain={domain}"));
        assert_eq!((world.sent(from).as_str(), world.store.len()), ("", 0), "{domain}");
    }
}

#[test]
fn an_address_has_no_names_under_it() {
    for (host, other, domain) in [
        ("127.0.0.1", "127.0.0.2", "0.0.1"),
        ("10.0.0.1", "1.10.0.0", "0.1"),
        ("[2001:db8::1]", "[2001:db8::2]", "[2001:db8::1]"),
    ] {
        let (here, there) = (format!("http://{host}/"), format!("http://{other}/"));
        assert_eq!(sent_after(&here, "a=b", &here), "a=b");
        assert_eq!(sent_after(&here, &format!("a=b; Domain={host}"), &here), "a=b");
        assert_eq!(sent_after(&here, &format!("a=b; Domain={host}"), &there), "");
        assert_eq!(sent_after(&here, &format!("a=b; Domain={domain}"), &there), "");
    }
}

#[test]
fn a_path_covers_what_lies_beneath_it() {
    let from = "http://a.test/dir/sub/page?q=/x/y";
    for (field, path, expected) in [
        ("a=b", "/dir/sub/other", true),
        ("a=b", "/dir/sub", true),
        ("a=b", "/dir/subway", false),
        ("a=b", "/dir", false),
        ("a=b; Path=/", "/elsewhere", true),
        ("a=b; Path=/else", "/else?x", true),
        ("a=b; Path=/else", "/elsewhere", false),
        ("a=b; Path=relative", "/dir/sub/x", true),
        ("a=b; Path=/else; Path=", "/dir/sub/x", true),
        ("a=b; Path=/Else", "/else", false),
    ] {
        let sent = sent_after(from, field, &format!("http://a.test{path}"));
        assert_eq!(sent == "a=b", expected, "{field} at {path}");
    }
}

#[test]
fn ports_make_no_difference() {
    assert_eq!(sent_after("http://a.test:8080/", "a=b", "http://a.test:81/"), "a=b");
}

#[test]
fn secure_cookies_come_and_go_where_nobody_can_read_them() {
    let (plain, tls) = ("http://a.test/", "https://a.test/");
    for attribute in ["Secure", "secure=false", " SECURE "] {
        let field = format!("a=b;{attribute}");
        assert_eq!(sent_after(tls, &field, tls), "a=b");
        assert_eq!(sent_after(tls, &field, plain), "");
        assert_eq!(sent_after(plain, &field, tls), "");
    }
    for local in ["http://localhost/", "http://127.0.0.1/", "http://[::1]/"] {
        assert_eq!(sent_after(local, "a=b; Secure", local), "a=b", "{local}");
    }
}

#[test]
fn plain_http_cannot_hide_a_secure_cookie() {
    let mut world = World::default();
    world.set("https://www.a.test/", "s=true; Secure; Domain=a.test; Path=/in");
    for (from, field) in [
        ("http://www.a.test/", "s=false; Path=/in"),
        ("http://a.test/", "s=false; Path=/in/side"),
        ("http://x.www.a.test/", "s=false; Domain=a.test; Path=/in"),
    ] {
        assert_eq!(world.set(from, field).sent("https://www.a.test/in/side"), "s=true", "{from} {field}");
    }
    assert_eq!(world.set("http://www.a.test/", "s=other; Path=/").sent("http://www.a.test/"), "s=other");
    assert_eq!(world.set("https://www.a.test/", "s=; Domain=a.test; Path=/in").sent("https://a.test/in"), "s=");
}

#[test]
fn a_prefix_keeps_its_promise() {
    for (field, expected) in [
        ("__Secure-a=b; Secure", true),
        ("__Secure-a=b; Secure; Domain=example.com", true),
        ("__Secure-a=b", false),
        ("__SECURE-a=b", false),
        ("__Host-a=b; Secure; Path=/", true),
        ("__Host-a=b; Secure; Path=/; Domain=", true),
        ("__Host-a=b; Secure", false),
        ("__Host-a=b; Path=/", false),
        ("__Host-a=b; Secure; Path=/dir", false),
        ("__Host-a=b; Secure; Path=/; Domain=example.com", false),
        ("__host-a=b; Secure; Path=/; Domain=example.com", false),
        ("=__Host-a=b; Secure; Path=/", false),
        ("__Secure-a; Secure", false),
        ("__Hosta=b", true),
    ] {
        assert_eq!(!sent_back(field).is_empty(), expected, "{field}");
    }
    assert_eq!(sent_after("https://a.test/", "__Host-a=b; Secure", "https://a.test/"), "", "it must name the path");
    assert_eq!(sent_after("http://a.test/", "__Secure-a=b; Secure", "https://a.test/"), "");
}

#[test]
fn a_cookie_ends_when_it_says() {
    let past = "Thu, 01 Jan 1970 00:00:00 GMT";
    for (field, lives) in [
        ("a=b; Max-Age=1", true),
        ("a=b; Max-Age=0", false),
        ("a=b; Max-Age=-1", false),
        ("a=b; Max-Age=99999999999999999999999", true),
        ("a=b; Max-Age=-99999999999999999999999", false),
        ("a=b; Max-Age=soon", true),
        ("a=b; Max-Age=1.5", true),
        ("a=b; Max-Age=", true),
        ("a=b; Max-Age=-", false),
        (&format!("a=b; Expires={past}"), false),
        (&format!("a=b; Expires={past}; Max-Age=60"), true),
        (&format!("a=b; Max-Age=60; Expires={past}"), true),
        ("a=b; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", false),
        ("a=b; Expires=never", true),
        ("a=b; Expires=Sun, 09 Sep 2001 01:46:40 GMT", false),
        ("a=b; Expires=Sun, 09 Sep 2001 01:46:41 GMT", true),
    ] {
        assert_eq!(!sent_back(field).is_empty(), lives, "{field}");
    }
}

#[test]
fn a_cookie_is_sent_until_it_ends_and_a_server_can_end_it_earlier() {
    let here = "http://a.test/";
    let mut world = World::default();
    world.set(here, "a=b; Max-Age=10").set(here, "s=session");
    world.now = 9;
    assert_eq!(world.sent(here), "a=b; s=session");
    world.now = 10;
    assert_eq!(world.sent(here), "s=session");
    world.set(here, "s=; Expires=Thu, 01-Jan-1970 00:00:00 GMT");
    assert_eq!((world.sent(here).as_str(), world.store.all(world.now).count()), ("", 0));
}

#[test]
fn no_cookie_lasts_longer_than_400_days() {
    for field in ["a=b; Max-Age=99999999999", "a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT"] {
        let mut world = World::default();
        world.set("http://a.test/", field);
        world.now = 400 * 24 * 60 * 60 - 1;
        assert_eq!(world.sent("http://a.test/"), "a=b");
        world.now += 1;
        assert_eq!(world.sent("http://a.test/"), "");
    }
}

#[test]
fn the_longest_path_comes_first_then_the_oldest() {
    let mut world = World::default();
    for field in ["a=1; Path=/", "b=2; Path=/dir", "c=3; Path=/", "d=4; Path=/dir", "a=5; Path=/"] {
        world.set("http://a.test/dir/page", field);
    }
    assert_eq!(world.sent("http://a.test/dir/page"), "b=2; d=4; a=5; c=3");
}

#[test]
fn name_domain_and_path_tell_cookies_apart() {
    let mut world = World::default();
    let fields =
        ["a=1; Path=/", "a=2; Path=/; Domain=a.test", "A=3; Path=/", "a=4; Path=/dir", "a=5; Path=/; Secure; HttpOnly"];
    for field in fields {
        world.set("https://a.test/", field);
    }
    assert_eq!(world.sent("https://a.test/dir"), "a=4; a=5; a=2; A=3");
}

#[test]
fn a_site_keeps_so_many_cookies_and_those_that_are_used() {
    let mut world = World::default();
    world.set("https://a.test/", "used=1; Path=/used").set("https://a.test/", "safe=1; Secure");
    for n in 0..10 * MAX_PER_SITE {
        world.set(&format!("https://h{n}.a.test/"), &format!("n{n}=x; Domain=a.test; Path=/other"));
        assert_eq!(world.sent("https://a.test/used"), "used=1; safe=1", "after {n}");
        assert!(world.store.len() <= MAX_PER_SITE);
    }
}

#[test]
fn a_run_keeps_so_many_cookies() {
    let mut world = World::default();
    world.set("http://used.test/", "used=1");
    for n in 0..2 * MAX {
        world.set(&format!("http://h{n}.test/"), "a=b");
        if n % 100 == 0 {
            assert_eq!(world.sent("http://used.test/"), "used=1");
        }
        assert!(world.store.len() <= MAX);
    }
    assert_eq!(world.store.all(world.now).count(), world.store.len());
    assert_eq!(world.sent("http://h0.test/"), "");
    assert_eq!(world.sent(&format!("http://h{}.test/", 2 * MAX - 1)), "a=b");
}

#[test]
fn a_request_has_so_many_bytes_of_cookies() {
    let mut world = World::default();
    for n in 0..10 {
        world.set("http://a.test/", &format!("n{n}={}", "v".repeat(4000)));
    }
    let sent = world.sent("http://a.test/");
    assert!(sent.len() > 8000 && sent.len() <= 8190, "{}", sent.len());
}

#[test]
fn values_are_never_shown() {
    let jar = Jar::default();
    let headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_static("a=sesame"))]);
    jar.receive(&url("http://a.test/"), &headers);
    let mut sent = HeaderMap::new();
    jar.send(&url("http://a.test/"), &mut sent);
    assert_eq!(sent[COOKIE], "a=sesame");
    assert!(!format!("{sent:?}").contains("sesame"));
    let cookie = Cookie::receive(b"a=sesame", &url("http://a.test/"), 0);
    assert!(!format!("{jar:?} {cookie:?} {:?}", jar.store()).contains("sesame"));
}

#[test]
fn the_cookies_of_a_jar_come_before_those_of_the_request() {
    let jar = Jar::default();
    jar.read(b"a.test\tFALSE\t/\tFALSE\t0\tours\t1\n");
    let mut sent = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("given=2"))]);
    jar.send(&url("http://a.test/"), &mut sent);
    assert_eq!(sent.get_all(COOKIE).iter().collect::<Vec<_>>(), ["ours=1; given=2"]);
    jar.send(&url("http://b.test/"), &mut sent);
    assert_eq!(sent[COOKIE], "ours=1; given=2");
}

/// What a jar with such a file sends to a URL.
fn sent_from_file(text: &str, to: &str) -> String {
    let jar = Jar::default();
    assert_eq!(jar.read(text.as_bytes()), [], "{text:?}");
    let mut headers = HeaderMap::new();
    jar.send(&url(to), &mut headers);
    headers.get(COOKIE).map_or_else(String::new, |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[test]
fn a_file_is_read_as_curl_reads_it() {
    for (line, to, expected) in [
        ("a.test\tFALSE\t/\tFALSE\t0\tn\tv", "http://a.test/", "n=v"),
        ("a.test\tFALSE\t/\tFALSE\t0\tn\tv", "http://www.a.test/", ""),
        ("a.test\tTRUE\t/\tFALSE\t0\tn\tv", "http://www.a.test/", "n=v"),
        (".a.test\tTRUE\t/\tFALSE\t0\tn\tv\r", "http://www.a.test/", "n=v"),
        (".A.Test\tfalse\t/\tfalse\t0\tn\tv", "http://www.a.test/", ""),
        ("#HttpOnly_a.test\tFALSE\t/\tFALSE\t0\tn\tv", "http://a.test/", "n=v"),
        ("a.test\tFALSE\t/\tTRUE\t0\tn\tv", "http://a.test/", ""),
        ("a.test\tFALSE\t/\tTRUE\t0\tn\tv", "https://a.test/", "n=v"),
        ("a.test\tFALSE\t/dir\tFALSE\t0\tn\tv", "http://a.test/", ""),
        ("a.test\tFALSE\t/\tFALSE\t99999999999999999999\tn\tv", "http://a.test/", "n=v"),
        ("a.test\tFALSE\t/\tFALSE\t1\tn\tv", "http://a.test/", ""),
        ("a.test\tFALSE\t/\tFALSE\t-1\tn\tv", "http://a.test/", ""),
        ("a.test\tFALSE\t/\tFALSE\t0\tn", "http://a.test/", "n="),
        ("a.test\tFALSE\t/\tFALSE\t0\tn\t", "http://a.test/", "n="),
        ("a.test\tFALSE\t/\tFALSE\t0\t\tv", "http://a.test/", "v"),
        ("a.test\tFALSE\t/\tFALSE\t0\tn\tv\tw\t", "http://a.test/", "n=v\tw\t"),
        ("bücher.test\tTRUE\t/\tFALSE\t0\tn\tv", "http://www.xn--bcher-kva.test/", "n=v"),
        ("127.0.0.1\tTRUE\t/\tFALSE\t0\tn\tv", "http://127.0.0.1/", "n=v"),
        ("::1\tFALSE\t/\tFALSE\t0\tn\tv", "http://[::1]/", "n=v"),
        ("\u{feff}# Netscape HTTP Cookie File\n\n \t\n#x\na.test\tFALSE\t/\tFALSE\t0\tn\tv\n", "http://a.test/", "n=v"),
    ] {
        assert_eq!(sent_from_file(line, to), expected, "{line:?} for {to}");
    }
}

#[test]
fn the_lines_of_a_file_that_are_wrong_are_told() {
    let jar = Jar::default();
    let text = [
        "# comment",
        "a.test FALSE / FALSE 0 n v",
        "a.test\tFALSE\t/\tFALSE\t0",
        "\tFALSE\t/\tFALSE\t0\tn\tv",
        "a b\tFALSE\t/\tFALSE\t0\tn\tv",
        "a.test\tYES\t/\tFALSE\t0\tn\tv",
        "a.test\tFALSE\tdir\tFALSE\t0\tn\tv",
        "a.test\tFALSE\t/\t\t0\tn\tv",
        "a.test\tFALSE\t/\tFALSE\tsoon\tn\tv",
        "a.test\tFALSE\t/\tFALSE\t\tn\tv",
        "a.test\tFALSE\t/\tFALSE\t0\t\t",
        "a.test\tFALSE\t/\tFALSE\t0\tn\tv\u{1}",
        "a.test\tFALSE\t/\tFALSE\t0\tn\tv; evil=1",
        "a.test\tFALSE\t/\tFALSE\t0\tn=m\tv",
        "co.uk\tTRUE\t/\tFALSE\t0\tn\tv",
        "a.test\tTRUE\t/\tTRUE\t0\t__Host-n\tv",
        "a.test\tFALSE\t/\tFALSE\t0\t__Secure-n\tv",
        "a.test\tFALSE\t/\tFALSE\t0\tgood\tv",
    ];
    let bad = jar.read(text.join("\n").as_bytes());
    assert_eq!(bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), (2..=17).collect::<Vec<_>>());
    assert_eq!(bad[0].to_string(), "2: there are fewer than six fields with tabs between them");
    assert_eq!(jar.store().len(), 1);
}

#[test]
fn a_file_is_written_as_curl_writes_it() {
    let mut world = World::default();
    world
        .set("https://www.a.test/in/page", "id=1; Domain=a.test; Path=/; Secure; HttpOnly; Max-Age=60")
        .set("http://www.a.test/in/page", "s=x y")
        .set("http://[::1]/", "v6=1")
        .set("http://0.a.test/", "=nameless");
    let text = String::from_utf8(netscape::write(world.store.all(0))).unwrap();
    let cookies: Vec<_> = text.lines().skip_while(|line| !line.is_empty()).skip(1).collect();
    assert!(text.starts_with("# Netscape HTTP Cookie File\n"));
    assert_eq!(
        cookies,
        [
            "::1\tFALSE\t/\tFALSE\t0\tv6\t1",
            "#HttpOnly_.a.test\tTRUE\t/\tTRUE\t60\tid\t1",
            "www.a.test\tFALSE\t/in\tFALSE\t0\ts\tx y",
            "0.a.test\tFALSE\t/\tFALSE\t0\t\tnameless",
        ]
    );
}

const HOSTS: [&str; 6] = ["a.test", "www.a.test", "example.co.uk", "co.uk", "127.0.0.1", "[::1]"];

/// A `Set-Cookie` field that may well be accepted.
fn likely_field() -> impl Strategy<Value = String> {
    let attribute = prop_oneof![
        Just("Secure".to_owned()),
        Just("HttpOnly".to_owned()),
        "Path=/[a-z/]{0,5}",
        "Max-Age=-?[0-9]{1,6}",
        proptest::sample::select(&HOSTS[..]).prop_map(|host| format!("Domain=.{host}")),
    ];
    ("[ -~\t]{0,12}", proptest::collection::vec(attribute, 0..5))
        .prop_map(|(pair, attributes)| format!("{pair}; {}", attributes.join("; ")))
}

fn secure_url() -> impl Strategy<Value = String> {
    let scheme = proptest::sample::select(&["http", "https"][..]);
    (scheme, proptest::sample::select(&HOSTS[..]), "/[a-z/]{0,5}")
        .prop_map(|(scheme, host, path)| format!("{scheme}://{host}{path}"))
}

proptest! {
    #[test]
    fn whatever_servers_set_survives_a_file(set in proptest::collection::vec((secure_url(), likely_field()), 0..20)) {
        let mut world = World { now: 1_000_000_000, ..World::default() };
        for (from, field) in &set {
            world.set(from, field);
        }
        let text = netscape::write(world.store.all(world.now));
        let read: Result<Vec<_>, _> = netscape::read(&text).collect();
        let kept: Vec<_> = world.store.all(world.now).cloned().collect();
        prop_assert_eq!(read.as_ref(), Ok(&kept), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn whatever_comes_as_a_cookie_is_kept_within_bounds_or_not_at_all(
        from in secure_url(),
        fields in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        let mut world = World::default();
        for field in &fields {
            world.set_bytes(&from, field);
        }
        let sent = world.store.select(&url(&from), 0);
        prop_assert!(world.store.len() <= fields.len());
        prop_assert!(sent.len() <= fields.iter().map(|field| field.len() + 2).sum());
        prop_assert!(sent.is_empty() || HeaderValue::from_bytes(&sent).is_ok(), "it can be sent");
    }

    #[test]
    fn whatever_a_file_holds_can_be_sent(text in proptest::collection::vec(any::<u8>(), 0..500)) {
        let jar = Jar::default();
        let lines = text.split(|&byte| byte == b'\n').count();
        prop_assert!(jar.read(&text).len() <= lines);
    }

    #[test]
    fn whatever_stands_in_the_fields_of_a_file_can_be_sent(fields in proptest::collection::vec("[^\n]{0,8}", 6..8)) {
        let jar = Jar::default();
        let (name, value) = (&fields[4], fields.get(5).map_or("", String::as_str));
        jar.read(format!("a.test\tFALSE\t/\tFALSE\t0\t{name}\t{value}").as_bytes());
        let sent = jar.store().select(&url("http://a.test/"), now());
        prop_assert!(HeaderValue::from_bytes(&sent).is_ok());
        prop_assert!(!sent.contains(&b';'), "one line is one cookie");
    }

    #[test]
    fn whatever_claims_to_be_a_date_is_one_or_none(text in "[ -~]{0,40}|[0-9: ,-]{0,30}(Jan|dec)[0-9: ,-]{0,30}") {
        if let Some(seconds) = date::parse(text.as_bytes()) {
            prop_assert!((-11_644_473_600..=253_402_300_799).contains(&seconds));
        }
    }
}

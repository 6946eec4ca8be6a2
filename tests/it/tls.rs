//! HTTP over TLS.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ::scrape::fetch::{ConnectionOptions, Fetcher, Limits, Options};
use ::scrape::job::Trail;
use serde_json::{Value, json};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream};

use crate::support::authority::{Authority, self_signed_server};
use crate::support::{Answer, Gate, Site, fetch, scrape};

fn secure(authority: &Authority) -> Site {
    Site::secure(authority.server(), |hit| Answer::title(&hit.path))
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_for_good() {
    let site = secure(&Authority::new());
    let run = scrape(["-f", "jsonl", "--retry-delay", "1ms", &site.url("/")]).run().exits(4);
    assert_eq!(run.record()["error"]["kind"], "tls", "{run:?}");
    assert_eq!(run.record()["attempts"], 1);
    assert!(site.hits().is_empty());
}

#[test]
fn an_authority_can_be_named() {
    let authority = Authority::new();
    let site = secure(&authority);
    for host in [site.url("/"), site.url_of("localhost", "/")] {
        let run =
            scrape(["--cacert", "ca.pem", "-4", "-f", "jsonl", &host]).file("ca.pem", authority.pem()).run().succeeds();
        assert_eq!(run.record()["title"], "/");
    }
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new();
    let site = secure(&authority);
    let run = scrape(["--cacert", "ca.pem", "-f", "jsonl", &site.url_at(2, "/")])
        .file("ca.pem", authority.pem())
        .run()
        .exits(4);
    assert_eq!(run.record()["error"]["kind"], "tls");
    assert!(site.hits().is_empty());
}

#[test]
fn insecure_accepts_any_certificate() {
    let site = secure(&Authority::new());
    for option in ["-k", "--insecure"] {
        assert_eq!(fetch([option, &site.url_at(2, "/")])["error"], Value::Null);
    }
}

#[test]
fn a_file_that_is_no_certificate_is_told_before_the_first_fetch() {
    let site = Site::start(|_| Answer::title("plain"));
    for file in ["ca.pem", "nowhere.pem"] {
        let run = scrape(["--cacert", file, &site.url("/")]).file("ca.pem", "no certificate").run();
        assert!(matches!(run.code, Some(2 | 5)) && run.stderr.contains(file), "{run:?}");
    }
    assert!(site.hits().is_empty());
}

#[test]
fn a_server_that_speaks_no_tls_is_a_tls_failure() {
    let site = Site::start(|_| Answer::title("plain"));
    let record = fetch(["-k", &site.url("/").replace("http", "https")]);
    assert_eq!(record["error"]["kind"], "tls", "{record}");
}

#[test]
fn http_2_is_spoken_where_the_server_offers_it() {
    let site = Site::secure(Authority::new().http2_server(), |hit| Answer::title(&hit.path));
    let urls: Vec<_> = (0..5).map(|n| site.url(&format!("/{n}"))).collect();
    let run = scrape(&urls).args(["-k", "-c", "1", "-f", "jsonl"]).run().succeeds();
    assert_eq!(run.record_of("/3")["title"], "/3");
    assert!(site.hits().iter().all(|hit| hit.version == "HTTP/2" && hit.connection == 1), "{:?}", site.hits());
}

#[test]
fn a_client_certificate_is_shown_to_a_server_that_asks_for_it() {
    let authority = Authority::new();
    let site = Site::secure(authority.private_server(), |_| Answer::title("members"));
    let (certificate, key) = authority.issue("member");
    let run = scrape(["-k", "--cert", "me.pem", "--key", "me.key", "-f", "jsonl", &site.url("/")])
        .file("me.pem", certificate)
        .file("me.key", key)
        .run()
        .succeeds();
    assert_eq!(run.record()["title"], "members");
    assert!(!fetch(["-k", &site.url("/")])["error"].is_null());
    assert_eq!(site.hits().len(), 1);
}

#[test]
fn a_redirect_to_tls_is_followed_without_the_secrets() {
    let secure = secure(&Authority::new());
    let target = secure.url("/in");
    let plain = Site::start(move |_| Answer::redirect(301, &target));
    let record = fetch(["-k", "-u", "me:sesame", &plain.url("/")]);
    assert_eq!((&record["title"], &record["final_url"]), (&"/in".into(), &secure.url("/in").into()));
    assert_eq!(secure.hit().header("authorization"), None);
}

#[test]
fn a_list_of_http_urls_needs_no_certificates() {
    let site = Site::start(|_| Answer::title("plain"));
    let nowhere = "/nonexistent";
    scrape([site.url("/")]).env("SSL_CERT_FILE", nowhere).env("SSL_CERT_DIR", nowhere).run().succeeds();
    assert_eq!(site.hit().path, "/");
}

/// The failure of a page of a server whose certificate is signed by an authority that is trusted.
fn failure_of(authority: &Authority, config: ServerConfig) -> Value {
    let site = Site::secure(config, |_| Answer::title("page"));
    let args = ["--cacert", "ca.pem", "-f", "jsonl", &site.url("/")];
    let run = scrape(args).file("ca.pem", authority.pem()).run().exits(4);
    assert!(site.hits().is_empty(), "nothing is asked of a server that may be anybody");
    let record = run.record();
    assert_eq!((&record["error"]["kind"], &record["attempts"]), (&json!("tls"), &json!(1)));
    record["error"]["message"].clone()
}

#[test]
fn a_certificate_is_good_at_its_time_alone() {
    let authority = Authority::new();
    let message = failure_of(&authority, authority.expired_server());
    assert_eq!(message, "the certificate has expired (is this machine's clock right?)");
    let message = failure_of(&authority, authority.early_server());
    assert_eq!(message, "the certificate is not valid yet (is this machine's clock right?)");
}

#[test]
fn a_certificate_that_cannot_be_trusted_is_told_with_what_to_do() {
    let authority = Authority::new();
    for config in [self_signed_server(), Authority::new().server()] {
        let message = failure_of(&authority, config);
        assert!(message.as_str().unwrap().contains("--cacert"), "{message}");
    }
}

#[test]
fn insecure_and_trust_in_itself_accept_what_is_refused_otherwise() {
    let authority = Authority::new();
    for config in [authority.expired_server(), authority.early_server(), self_signed_server()] {
        let site = Site::secure(config, |_| Answer::title("page"));
        assert_eq!(fetch(["-k", &site.url("/")])["title"], "page");
    }
}

/// A server at 127.0.0.1 that does this with every connection, and its URL.
fn server(act: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    // It lives as long as the tests do.
    std::thread::spawn(move || listener.incoming().for_each(|stream| act(stream.unwrap())));
    url
}

/// A server that answers the client's first message with `bytes` and closes the connection.
fn answering(bytes: Vec<u8>) -> String {
    server(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        // Until the client has read it and gone: data that nobody reads would make this a reset.
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// A handshake record with a `ServerHello` that chooses a version before TLS 1.2 (RFC 4346, section 7.4.1.3).
fn hello(minor: u8) -> Vec<u8> {
    let body = [&[3, minor][..], &[7; 32], &[0], &[0, 0x2f], &[0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, minor, 0, length + 4, 2, 0, 0, length][..], &body].concat()
}

#[test]
fn versions_before_tls_1_2_are_refused() {
    let alert = vec![21, 3, 1, 0, 2, 2, 70];
    for answer in [hello(0), hello(1), hello(2), alert] {
        for verified in [&[][..], &["-k"]] {
            let record = fetch(verified.iter().copied().chain([&*answering(answer.clone())]));
            assert_eq!(record["error"]["kind"], "tls", "{answer:?}: {record}");
            let message = record["error"]["message"].as_str().unwrap();
            assert_eq!(message, "the server speaks no version of TLS from 1.2 on", "{answer:?}");
        }
    }
}

#[test]
fn what_is_no_handshake_is_a_tls_failure() {
    let huge = vec![22, 3, 3, 0xff, 0xff];
    for answer in [&b"SSH-2.0-OpenSSH_9.9\r\n"[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", &[0; 4000], &huge] {
        let record = fetch([answering(answer.to_vec())]);
        assert_eq!(record["error"]["kind"], "tls", "{answer:?}: {record}");
    }
}

#[test]
fn a_connection_that_ends_within_the_handshake_is_a_tls_failure() {
    for answer in [vec![], hello(3)[..7].to_vec(), hello(3)] {
        let record = fetch([answering(answer.clone())]);
        assert_eq!(record["error"]["kind"], "tls", "{answer:?}: {record}");
    }
}

#[test]
fn a_reset_within_the_handshake_is_tried_again_as_no_connection() {
    let url = server(|stream| {
        // The hello is there and nobody has read it: closing resets.
        let _ = stream.peek(&mut [0; 1]).unwrap();
    });
    let run = scrape(["-f", "jsonl", "--retry", "1", "--retry-delay", "1ms", &url]).run().exits(4);
    assert_eq!((&run.record()["error"]["kind"], &run.record()["attempts"]), (&json!("connect"), &json!(2)));
}

#[test]
fn a_handshake_that_stalls_takes_no_longer_than_connecting_may() {
    let (answer, start) = (hello(3)[..20].to_vec(), Instant::now());
    let url = server(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(&answer).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let record = fetch(["--connect-timeout", "300ms", &url]);
    assert_eq!(record["error"], json!({"kind": "timeout", "message": "no connection in time"}));
    assert!(start.elapsed() < Duration::from_secs(10), "the default of connecting");
}

/// A server that shakes hands, reads the request, and then writes: first this within TLS, then that without.
fn insider(inside: &'static [u8], outside: &'static [u8]) -> String {
    let config = Arc::new(Authority::new().server());
    server(move |mut stream| {
        let mut tls = ServerConnection::new(config.clone()).unwrap();
        let mut secret = Stream::new(&mut tls, &mut stream);
        let _ = secret.read(&mut [0; 4096]).unwrap();
        secret.write_all(inside).unwrap();
        stream.write_all(outside).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

#[test]
fn garbage_after_the_handshake_is_a_failure() {
    const GARBAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for (inside, kind) in [(&b""[..], "tls"), (&GARBAGE[..40], "tls")] {
        let record = fetch(["-k", &insider(inside, GARBAGE)]);
        assert_eq!(record["error"]["kind"], kind, "{record}");
        assert_eq!(record["title"], Value::Null);
    }
}

#[test]
fn a_body_that_is_complete_needs_no_farewell() {
    let page = Answer::title("page");
    let pages = [page.clone().cut_after(page.body.len()), page.until_close()];
    for answer in pages {
        let site = Site::secure(Authority::new().server(), move |_| answer.clone());
        let record = fetch(["-k", &site.url("/")]);
        assert_eq!((&record["title"], &record["error"]), (&json!("page"), &Value::Null));
    }
}

#[test]
fn a_body_that_anybody_may_have_cut_is_truncated() {
    let page = Answer::title("page");
    let length = page.body.len();
    let cut = [
        // Nobody but the server's own close_notify could tell that this is all.
        page.clone().until_close().cut_after(length),
        page.clone().cut_after(length - 1),
        page.clone().chunked().cut_after(length),
        page.until_close().header("Content-Length", "1000"),
    ];
    for (which, answer) in cut.into_iter().enumerate() {
        let site = Site::secure(Authority::new().server(), move |_| answer.clone());
        let record = fetch(["-k", &site.url("/")]);
        assert_eq!(record["error"]["kind"], "truncated", "{which}: {record}");
        let message = record["error"]["message"].as_str().unwrap();
        assert!(!message.contains("://"), "a library's manual helps nobody: {message}");
    }
}

#[test]
fn an_http2_connection_that_has_died_is_not_used_for_ever() {
    let (authority, never, dead) = (Authority::new(), Gate::shut(), OnceLock::new());
    let site = Site::secure(authority.http2_server(), move |hit| {
        let answer = Answer::title(&hit.path);
        let dies = hit.path == "/dies" && *dead.get_or_init(|| hit.connection) == hit.connection;
        if dies { answer.behind(&never) } else { answer }
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, authority.pem()).unwrap();
    let connection = ConnectionOptions {
        ca_certificates: Some(file.path().into()),
        idle_timeout: Duration::from_millis(500),
        ..ConnectionOptions::default()
    };
    // Each request comes before the connection would be dropped for being idle.
    let limits = Limits { max_time: Duration::from_millis(100), ..Limits::default() };
    let fetcher = Fetcher::new(Options { connection, limits, ..Options::default() }).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let comes = |path| {
        let trail = Trail::new(site.url(path).parse().unwrap(), None);
        (0..100).any(|_| runtime.block_on(fetcher.fetch(&trail)).is_ok())
    };
    assert!(comes("/") && comes("/dies"));
}

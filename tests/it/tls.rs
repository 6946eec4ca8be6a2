//! HTTP over TLS.

use serde_json::Value;

use crate::support::authority::Authority;
use crate::support::{Answer, Site, fetch, scrape};

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

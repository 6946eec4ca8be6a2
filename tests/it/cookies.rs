//! Cookies: none are kept unless asked for, and those that are go where they belong.

use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::support::authority::Authority;
use crate::support::site::PATIENCE;
use crate::support::{Answer, Gate, Hit, Run, Site, scrape};

/// A site whose login sets a cookie and redirects to a page that needs it.
fn members() -> Site {
    Site::start(|hit| match (&*hit.path, hit.header("cookie")) {
        ("/login", _) => Answer::redirect(302, "/in").header("Set-Cookie", "session=sesame; Path=/; HttpOnly"),
        ("/in", Some("session=sesame")) => Answer::title("members"),
        ("/in", _) => Answer::title("who are you?").with_status(403),
        _ => Answer::title("page").header("Set-Cookie", "seen=yes; Path=/; Max-Age=3600"),
    })
}

fn cookies(hits: &[Hit]) -> Vec<Option<&str>> {
    hits.iter().map(|hit| hit.header("cookie")).collect()
}

/// The cookies of a jar: the lines that are neither blank nor a comment.
fn lines(jar: &str) -> Vec<&str> {
    jar.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect()
}

fn jsonl(site: &Site, args: &[&str], path: &str) -> Run {
    scrape(args).args(["-f", "jsonl", "-c", "1", &site.url(path)]).run()
}

#[test]
fn without_being_asked_no_cookie_is_kept() {
    let site = members();
    jsonl(&site, &[], "/login").exits(4);
    jsonl(&site, &["-b", "mine=1"], "/login").exits(4);
    assert_eq!(cookies(&site.hits()), [None, None, Some("mine=1"), Some("mine=1")]);
}

#[test]
fn a_login_sets_a_cookie_that_the_next_page_needs() {
    let site = members();
    let run = jsonl(&site, &["--cookie-jar", "jar.txt"], "/login").succeeds();
    assert_eq!(run.record()["title"], "members");
    assert_eq!(lines(&run.file("jar.txt")), ["#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tsesame"]);
    assert_eq!(jsonl(&site, &["-b", ""], "/login").succeeds().record()["title"], "members");
}

#[test]
fn a_jar_is_used_again_by_the_next_run() {
    let site = members();
    let jar = jsonl(&site, &["--cookie-jar", "jar.txt"], "/login").succeeds().file("jar.txt");
    let run = scrape(["--cookie-jar", "jar.txt", &site.url("/in")]).file("jar.txt", &jar).run().succeeds();
    assert_eq!(run.file("jar.txt"), jar);
    let run = scrape(["-b", "jar.txt", &site.url("/in")]).file("jar.txt", &jar).run().succeeds();
    assert_eq!(run.file("jar.txt"), jar, "a file that is only read stays as it is");
    let args = ["-b", "jar.txt", "--cookie-jar", "new.txt", &site.url("/in")];
    let run = scrape(args).file("jar.txt", &jar).run().succeeds();
    assert_eq!(run.file("new.txt"), jar);
}

#[test]
fn a_jar_that_does_not_exist_is_empty_and_is_created_for_its_owner_alone() {
    let site = Site::start(|_| Answer::title("page"));
    for args in [&["--cookie-jar", "jar.txt"][..], &["-b", "jar.txt", "--cookie-jar", "./jar.txt"]] {
        let program = scrape(args).args([site.url("/")]);
        let path = program.path("jar.txt");
        let run = program.spawn().finish().succeeds();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!((mode & 0o777, lines(&run.file("jar.txt"))), (0o600, Vec::new()));
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1, "nothing else is left");
    }
}

#[test]
fn a_jar_that_others_could_read_is_theirs_no_longer() {
    let site = members();
    let program = scrape(["--cookie-jar", "jar.txt", &site.url("/")]).file("jar.txt", "");
    let path = program.path("jar.txt");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let run = program.spawn().finish().succeeds();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(lines(&run.file("jar.txt")).len(), 1);
}

#[test]
fn a_jar_behind_a_link_stays_there() {
    let site = members();
    let program = scrape(["--cookie-jar", "link.txt", &site.url("/login")]).file("jar.txt", "");
    let link = program.path("link.txt");
    std::os::unix::fs::symlink("jar.txt", &link).unwrap();
    let run = program.spawn().finish().succeeds();
    assert!(link.is_symlink());
    assert_eq!(lines(&run.file("jar.txt")).len(), 1);
}

#[test]
fn a_jar_that_cannot_be_written_is_told_before_the_first_fetch() {
    let site = members();
    for jar in ["nowhere/jar.txt", "folder", "/dev/null", "/proc/jar.txt"] {
        let run = scrape(["--cookie-jar", jar, &site.url("/")]).file("folder/x", "").run().exits(5);
        assert!(run.stderr.contains(jar), "{run:?}");
    }
    for args in [&["--cookie-jar", "-"][..], &["--cookie-jar", "out.jsonl", "-o", "./out.jsonl"]] {
        scrape(args).args([site.url("/")]).run().refused_over("cookie");
    }
    assert!(site.hits().is_empty());
}

#[test]
fn a_jar_with_a_line_that_would_be_lost_is_left_alone() {
    let site = members();
    let list = format!("{}\n", site.url("/"));
    let run = scrape(["--cookie-jar", "urls.txt", "urls.txt"]).file("urls.txt", &list).run().exits(5);
    assert!(run.stderr.contains("urls.txt:1"), "{run:?}");
    assert_eq!(run.file("urls.txt"), list);
    assert!(site.hits().is_empty());
}

#[test]
fn a_line_that_is_wrong_is_passed_over_and_told_without_its_value() {
    let site = members();
    let file = format!("# x\r\n\r\nwrong\tsesame\r\n127.0.0.1\tFALSE\t/\tFALSE\t{}\tsession\tsesame\r\n", u32::MAX);
    let run = scrape(["-b", "cookies.txt", &site.url("/in")]).file("cookies.txt", file).run().exits(0);
    assert!(run.stderr.contains("warning: cookies.txt:3: "), "{run:?}");
    assert!(!run.stderr.contains("sesame"), "{run:?}");
    assert_eq!(cookies(&site.hits()), [Some("session=sesame")]);
}

#[test]
fn a_file_of_cookies_that_is_missing_is_told_before_the_first_fetch_but_not_quoted() {
    let site = members();
    let run = scrape(["-b", "sesame", &site.url("/")]).run().refused_over("--cookie");
    assert!(!run.stderr.contains("sesame"), "{run:?}");
    let run = scrape(["-b", "folder", &site.url("/")]).file("folder/x", "").run().exits(5);
    assert!(run.stderr.contains("folder"), "{run:?}");
    assert!(site.hits().is_empty());
}

#[test]
fn a_folder_that_somebody_else_filled_names_no_cookies() {
    for line in ["cookie = \"cookies.txt\"", "cookie-jar = \"jar.txt\""] {
        scrape(["http://127.0.0.1:1/"]).file("scrape.toml", line).run().refused_over("cookie");
    }
}

#[test]
fn error_pages_set_cookies_too() {
    let site = Site::start(|hit| match hit.nth {
        0 => Answer::status(503).header("Set-Cookie", "first=1").header("Set-Cookie", "second=2"),
        _ => Answer::title("page"),
    });
    jsonl(&site, &["-b", "", "--retry-delay", "1ms"], "/").succeeds();
    assert_eq!(cookies(&site.hits()), [None, Some("first=1; second=2")]);
}

#[test]
fn what_is_given_is_sent_beside_what_is_kept_but_to_its_origin_alone() {
    let elsewhere = members();
    let there = elsewhere.url("/away");
    let site = Site::start(move |hit| match &*hit.path {
        "/" => Answer::redirect(302, "/b").header("Set-Cookie", "kept=2"),
        _ => Answer::redirect(302, &there),
    });
    jsonl(&site, &["-b", "", "-b", "given=1", "-b", "too=1"], "/").succeeds();
    assert_eq!(cookies(&site.hits()), [Some("given=1; too=1"), Some("kept=2; given=1; too=1")]);
    assert_eq!(elsewhere.hit().header("cookie"), Some("kept=2"), "ports are of no account, but origins are");
}

#[test]
fn cookies_go_to_no_other_host() {
    let site = Site::with_hosts(2, |hit| match &*hit.path {
        "/" => Answer::redirect(302, &format!("//{}/b", hit.header("host").unwrap().replace("0.0.1", "0.0.2")))
            .header("Set-Cookie", "a=b")
            .header("Set-Cookie", "c=d; Domain=0.0.1"),
        _ => Answer::title("b"),
    });
    jsonl(&site, &["-b", ""], "/").succeeds();
    assert_eq!(cookies(&site.hits()), [None, None]);
}

#[test]
fn names_under_a_domain_get_what_is_meant_for_them() {
    let site = Site::start(|hit| match (&*hit.path, hit.header("host").unwrap()) {
        ("/", host) => Answer::redirect(302, &format!("//www.{host}/under"))
            .header("Set-Cookie", "host=1")
            .header("Set-Cookie", "domain=2; Domain=.shop.test")
            .header("Set-Cookie", "suffix=3; Domain=test")
            .header("Set-Cookie", "safe=4; Secure")
            .header("Set-Cookie", "__Host-x=5; Path=/"),
        ("/under", host) => Answer::redirect(302, &format!("//not{}/", host.trim_start_matches("www.")))
            .header("Set-Cookie", "foreign=6; Domain=notshop.test"),
        _ => Answer::title("end"),
    });
    let hosts = ["shop.test", "www.shop.test", "notshop.test", "www.notshop.test"];
    let mut program = scrape(["-b", "", "-f", "jsonl", &site.url_of("shop.test", "/")]);
    for host in hosts {
        program = program.args(["--resolve", &site.resolve(host)]);
    }
    program.args(["--max-redirs", "2"]).run();
    assert_eq!(cookies(&site.hits()), [None, Some("domain=2"), None]);
}

#[test]
fn what_is_secure_is_not_sent_without_tls() {
    let plain = Site::start(|_| Answer::title("plain"));
    let there = plain.url_of("a.test", "/");
    let secure = Site::secure(Authority::new().server(), move |hit| match &*hit.path {
        "/" => Answer::redirect(302, "/b").header("Set-Cookie", "safe=1; Secure").header("Set-Cookie", "open=2"),
        _ => Answer::redirect(302, &there),
    });
    let resolve = [secure.resolve("a.test"), plain.resolve("a.test")];
    scrape(["-k", "-b", "", "--resolve", &resolve[0], "--resolve", &resolve[1], &secure.url_of("a.test", "/")])
        .run()
        .succeeds();
    assert_eq!(cookies(&secure.hits()), [None, Some("safe=1; open=2")]);
    assert_eq!(plain.hit().header("cookie"), Some("open=2"));
}

#[test]
fn values_are_neither_logged_nor_recorded() {
    let site = members();
    let run = jsonl(&site, &["-vv", "--cookie-jar", "jar.txt"], "/login").exits(0);
    assert!(!run.stdout.contains("sesame") && !run.stderr.contains("sesame"), "{run:?}");
}

#[test]
fn what_was_finished_before_a_signal_is_kept() {
    let gate = Gate::shut();
    let behind = gate.clone();
    let site = Site::start(move |hit| match &*hit.path {
        "/first" => Answer::title("first").header("Set-Cookie", "a=b"),
        _ => Answer::title("second").header("Set-Cookie", "c=d").behind(&behind),
    });
    let mut running = scrape(["--cookie-jar", "jar.txt", "-c", "1"]).spawn();
    running.write(&format!("{}\n{}\n", site.url("/first"), site.url("/second")));
    site.wait_for(2);
    running.signal(Signal::INT);
    gate.open();
    assert!(running.ends_within(PATIENCE), "though its list has not ended");
    let run = running.finish().exits(130);
    assert_eq!(lines(&run.file("jar.txt")).len(), 2, "{run:?}");
}

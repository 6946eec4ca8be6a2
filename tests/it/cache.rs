//! The cache: what later runs need not ask for, and what they must; and runs that ask nobody.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::scrape::Scrape;
use crate::support::{Answer, Hit, Run, Site, scrape};

/// A folder for a cache, and the runs that share it.
struct Shared(TempDir);

impl Shared {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A run with these arguments.
    fn scrape<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Scrape {
        scrape(args).args(["-f", "jsonl", "--retry", "0", "--cache"]).args([self.path()])
    }

    /// The record of a URL.
    fn fetch<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Value {
        self.scrape(args).run().record()
    }

    /// The files of the answers.
    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path().join("v1")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

fn lasting(answer: Answer) -> Answer {
    answer.header("Cache-Control", "max-age=3600")
}

/// A site all of whose pages may be kept.
fn lasting_site() -> Site {
    Site::start(|hit| lasting(Answer::title(&hit.path)))
}

fn kind(record: &Value) -> &str {
    record["error"]["kind"].as_str().unwrap_or("none")
}

/// A record without what is not the same in any two runs.
fn without_times(mut record: Value) -> Value {
    record["elapsed_ms"] = Value::Null;
    record
}

#[test]
fn a_page_that_is_fresh_is_not_asked_for_and_gives_the_same_record() {
    let page = "<html lang=en><title>Lamps</title><h1>All lamps</h1><a href=/next>Next</a>";
    let site = Site::start(move |_| {
        let answer = Answer::html(page).header("Set-Cookie", "a=1").header("Set-Cookie", "b=2");
        lasting(answer).header("Date", "Sun, 22 Nov 2026 12:00:00 GMT").chunked()
    });
    let shared = Shared::new();
    let args = [&*site.url("/lamps"), "-x", "headers,links,h1,cookies,lang"];
    let [first, second] = [shared.fetch(args), shared.fetch(args)].map(without_times);
    assert_eq!(first["fields"]["cookies"].as_array().map(Vec::len), Some(2), "{first}");
    assert_eq!(first, second, "the time is that of the fetch, too");
    site.hit();
}

#[test]
fn what_came_from_the_cache_is_told() {
    let site = lasting_site();
    let shared = Shared::new();
    shared.fetch([site.url("/a")]);
    let run = shared.scrape(["-v", "--summary", "totals.json"]).args([site.url("/a"), site.url("/b")]).run().exits(0);
    assert!(run.stderr.lines().any(|line| line.contains("from the cache") && line.contains("/a")), "{}", run.stderr);
    assert!(run.stderr.contains("1 from the cache"), "{}", run.stderr);
    let totals: Value = serde_json::from_str(&run.file("totals.json")).unwrap();
    assert_eq!((&totals["fetched"], &totals["cached"]), (&json!(2), &json!(1)));
}

#[test]
fn how_long_a_page_is_kept_is_for_its_server_to_say() {
    let site = Site::start(|hit| {
        let answer = Answer::title(&hit.path);
        let with = |directives| answer.clone().header("Cache-Control", directives);
        match &*hit.path {
            "/fresh" => with("private, Max-Age=60"),
            "/expires" => answer.clone().header("Expires", "Fri, 31 Dec 2999 00:00:00 GMT"),
            "/old" => with("max-age=60").header("Age", "61"),
            "/absurd" => with("max-age=60").header("Age", "18446744073709551615"),
            "/no-store" => with("max-age=60, No-Store").header("ETag", "\"1\""),
            "/no-cache" => with("no-cache").header("ETag", "\"1\""),
            "/any" => with("max-age=60").header("Vary", "*"),
            _ => answer.clone(),
        }
    });
    for (path, asked, condition) in [
        ("/fresh", 1, None),
        ("/expires", 1, None),
        ("/old", 2, None),
        ("/absurd", 2, None),
        ("/no-store", 2, None),
        ("/no-cache", 2, Some("\"1\"")),
        ("/any", 2, None),
        ("/silent", 2, None),
    ] {
        let shared = Shared::new();
        let records = [shared.fetch([site.url(path)]), shared.fetch([site.url(path)])];
        assert!(records.iter().all(|record| record["title"] == path), "{records:?}");
        let hits = site.hits_of(path);
        assert_eq!(hits.len(), asked, "{path}");
        assert_eq!(hits.last().and_then(|hit| hit.header("If-None-Match")), condition, "{path}");
    }
}

#[test]
fn the_user_may_ask_for_what_is_newer() {
    let site = lasting_site();
    let shared = Shared::new();
    shared.fetch([site.url("/")]);
    shared.fetch([&*site.url("/"), "-H", "Cache-Control: no-cache"]);
    shared.fetch([&*site.url("/"), "-H", "If-None-Match: \"mine\""]);
    assert_eq!(site.count(), 3);
    assert_eq!(site.hits()[2].header("If-None-Match"), Some("\"mine\""));
}

/// Answers with 304 where the page is known by its entity tag or its date.
fn confirms(hit: &Hit) -> Answer {
    let fields =
        |answer: Answer| answer.header("ETag", "\"one\"").header("Last-Modified", "Sun, 01 Nov 2026 12:00:00 GMT");
    match hit.header("If-None-Match") {
        Some("\"one\"") => lasting(fields(Answer::status(304))).header("X-Seen", "again"),
        _ => fields(Answer::title("The page")).header("Cache-Control", "max-age=0").header("X-Seen", "once"),
    }
}

#[test]
fn a_page_that_has_not_changed_is_read_from_the_cache_and_its_fields_are_renewed() {
    let site = Site::start(confirms);
    let shared = Shared::new();
    let args = [&*site.url("/"), "-x", "headers"];
    let [first, second, third] = [0, 1, 2].map(|_| shared.fetch(args));
    assert_eq!(site.count(), 2, "the 304 says that it is fresh");
    assert_eq!(site.hits()[1].header("If-Modified-Since"), Some("Sun, 01 Nov 2026 12:00:00 GMT"));
    for record in [&second, &third] {
        for key in ["status", "title", "length", "bytes", "content_type", "charset"] {
            assert_eq!(record[key], first[key], "{key}");
        }
    }
    let seen = |record: &Value| {
        let fields = record["fields"]["headers"].as_array().unwrap();
        let field = |name| fields.iter().find(|field| field["name"] == name).unwrap()["value"].clone();
        [field("x-seen"), field("cache-control"), field("content-length")]
    };
    let length = first["bytes"].to_string();
    assert_eq!(seen(&first), ["once", "max-age=0", &length]);
    assert_eq!(seen(&second), ["again", "max-age=3600", &length]);
    assert_eq!(without_times(third)["fetched_at"], second["fetched_at"], "it holds since it was confirmed");
    assert_ne!(second["fetched_at"], first["fetched_at"]);
}

#[test]
fn a_304_about_another_page_than_ours_is_not_believed() {
    let site = Site::start(|hit| match (hit.nth, hit.header("If-None-Match")) {
        (0, _) => Answer::title("old").header("ETag", "\"1\""),
        (_, Some(_)) => Answer::status(304).header("ETag", "\"2\""),
        _ => Answer::title("new").header("ETag", "\"2\""),
    });
    let shared = Shared::new();
    let titles = [0, 1].map(|_| shared.fetch([site.url("/")])["title"].clone());
    assert_eq!(titles, ["old", "new"]);
    assert_eq!(site.count(), 3);
}

#[test]
fn a_304_that_nobody_asked_for_is_no_page_of_ours() {
    let site = Site::start(|hit| if hit.nth == 0 { Answer::title("page") } else { Answer::status(304) });
    let shared = Shared::new();
    let statuses = [0, 1].map(|_| shared.fetch([site.url("/")])["status"].clone());
    assert_eq!(statuses, [200, 304], "there was nothing to ask by");
}

#[test]
fn failures_and_what_is_not_whole_are_never_kept() {
    let site = Site::start(|hit| match &*hit.path {
        "/missing" => lasting(Answer::title("no").with_status(404)),
        "/broken" => lasting(Answer::title("no").with_status(500)),
        "/cut" => lasting(Answer::title("a long title")).cut_after(9),
        "/large" => lasting(Answer::html("x".repeat(3000))),
        _ => lasting(Answer::redirect(301, "ftp://a.test/")),
    });
    let shared = Shared::new();
    for path in ["/missing", "/broken", "/cut", "/large", "/astray"] {
        for _ in 0..2 {
            assert_ne!(kind(&shared.fetch([&*site.url(path), "--max-body", "2K"])), "none", "{path}");
        }
        assert_eq!(site.hits_of(path).len(), 2, "{path}");
    }
    assert!(shared.files().is_empty(), "{:?}", shared.files());
}

#[test]
fn a_failure_takes_nothing_away_but_that_the_page_is_gone_does() {
    let site = Site::start(|hit| match (hit.nth, &*hit.path) {
        (0, _) => Answer::title("old").header("ETag", "\"1\""),
        (_, "/gone") => Answer::status(410),
        _ => Answer::status(503),
    });
    let shared = Shared::new();
    for path in ["/gone", "/down"] {
        let [kept, failed] = [0, 1].map(|_| shared.fetch([site.url(path)]));
        assert_eq!((kind(&kept), kind(&failed)), ("none", "status"));
    }
    assert_eq!(kind(&shared.fetch([&*site.url("/gone"), "--offline"])), "offline");
    assert_eq!(shared.fetch([&*site.url("/down"), "--offline"])["title"], "old");
}

#[test]
fn a_body_that_is_larger_than_this_run_allows_is_asked_for() {
    let site = Site::start(|_| lasting(Answer::html("x".repeat(3000))));
    let shared = Shared::new();
    assert_eq!(kind(&shared.fetch([site.url("/")])), "none");
    assert_eq!(kind(&shared.fetch([&*site.url("/"), "--max-body", "2K"])), "too_large");
}

#[test]
fn what_vary_names_must_be_the_same() {
    let site = Site::start(|hit| {
        let language = hit.header("Accept-Language").unwrap_or("none");
        lasting(Answer::title(language)).header("Vary", "Accept-Encoding, Accept-Language")
    });
    let shared = Shared::new();
    let title = |language: &str| shared.fetch([&*site.url("/"), "-H", language])["title"].clone();
    let titles = ["de", "de", "en", "en"].map(|language| title(&format!("Accept-Language: {language}")));
    assert_eq!(titles, ["de", "de", "en", "en"]);
    assert_eq!(site.count(), 2);
}

#[test]
fn nobody_sees_the_pages_of_another_identity() {
    let site = Site::start(|hit| {
        let who = ["Authorization", "X-Api-Key", "Cookie"].into_iter().find_map(|name| hit.header(name));
        lasting(Answer::title(who.unwrap_or("nobody")))
    });
    let shared = Shared::new();
    let identities = [
        &["-u", "me:sesame"][..],
        &["-u", "you:sesame"],
        &["-H", "X-Api-Key: k1"],
        &["-H", "X-Api-Key: k2"],
        &["-b", "session=1"],
        &["-b", "session=2"],
        &[],
    ];
    let title = |args: &&[&str]| shared.fetch([&*site.url("/")].iter().chain(*args))["title"].to_string();
    let titles: Vec<_> = identities.iter().map(title).collect();
    let mut distinct = titles.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), identities.len(), "{titles:?}");
    assert_eq!(identities.iter().map(title).collect::<Vec<_>>(), titles, "each has its own");
    assert_eq!(site.count(), identities.len());
    for file in shared.files() {
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).replace("<title>", "");
        assert!(!text.contains("sesame"), "{text}");
    }
}

#[test]
fn pages_for_cookies_that_servers_set_are_told_apart_where_vary_says_so() {
    let site =
        Site::start(|hit| lasting(Answer::title(hit.header("Cookie").unwrap_or("none"))).header("Vary", "Cookie"));
    let shared = Shared::new();
    let line = |value| format!("127.0.0.1\tFALSE\t/\tFALSE\t0\tid\t{value}\n");
    for (value, asked) in [("1", 1), ("1", 1), ("2", 2)] {
        let run = shared.scrape([&*site.url("/"), "-b", "jar.txt"]).file("jar.txt", line(value)).run();
        assert_eq!(run.record()["title"], format!("id={value}"));
        assert_eq!(site.count(), asked);
    }
}

#[test]
fn a_redirect_that_may_be_kept_is_followed_without_asking() {
    let site = Site::start(|hit| match &*hit.path {
        "/moved" => lasting(Answer::redirect(301, "/page")),
        "/lent" => Answer::redirect(302, "/page"),
        _ => lasting(Answer::title("Here")),
    });
    let shared = Shared::new();
    let [first, second] = [0, 1].map(|_| without_times(shared.fetch([site.url("/moved")])));
    assert_eq!(first, second);
    assert_eq!(site.paths(), ["/moved", "/page"]);
    for _ in 0..2 {
        assert_eq!(shared.fetch([site.url("/lent")])["title"], "Here");
    }
    assert_eq!(site.paths(), ["/moved", "/page", "/lent", "/lent"]);
}

#[test]
fn a_kept_redirect_leads_nowhere_that_a_live_one_may_not() {
    let site = Site::with_hosts(2, |_| lasting(Answer::title("Private")));
    let start = Site::start({
        let to = site.url_at(2, "/");
        move |_| lasting(Answer::redirect(301, &to))
    });
    let shared = Shared::new();
    assert_eq!(kind(&shared.fetch([&*start.url("/"), "--deny-private=never"])), "none");
    assert_eq!(kind(&shared.fetch([&*start.url("/"), "--deny-private=always"])), "forbidden_address");
}

#[test]
fn another_address_for_a_host_is_another_page() {
    let site = Site::with_hosts(2, |hit| lasting(Answer::title(&hit.host.to_string())));
    let shared = Shared::new();
    let url = site.url_of("shop.test", "/");
    let resolve = |host: u8| format!("shop.test:{}:127.0.0.{host}", site.port());
    let titles = [1, 2, 1].map(|host| shared.fetch([&*url, "--resolve", &resolve(host)])["title"].clone());
    assert_eq!(titles, ["127.0.0.1", "127.0.0.2", "127.0.0.1"]);
    assert_eq!(site.count(), 2);
}

#[test]
fn only_get_is_answered_and_what_changes_a_page_removes_it() {
    let site = lasting_site();
    let shared = Shared::new();
    let url = site.url("/");
    for args in [&["-I"][..], &["-I"], &[], &["-d", "x"], &["-d", "x"], &[], &[], &["-X", "GET", "-d", "x"]] {
        shared.fetch([&*url].iter().chain(args));
    }
    let methods: Vec<_> = site.hits().into_iter().map(|hit| hit.method).collect();
    assert_eq!(methods, ["HEAD", "HEAD", "GET", "POST", "POST", "GET", "GET"]);
}

#[test]
fn what_is_damaged_is_asked_for_again() {
    let site = lasting_site();
    let shared = Shared::new();
    for damage in [
        |file: &Path| fs::write(file, "").unwrap(),
        |file: &Path| fs::write(file, &fs::read(file).unwrap()[..90]).unwrap(),
        |file: &Path| {
            fs::write(file, String::from_utf8(fs::read(file).unwrap()).unwrap().replace("title", "tiTle")).unwrap();
        },
        |file: &Path| fs::write(file, [0; 5000]).unwrap(),
    ] {
        shared.fetch([site.url("/")]);
        damage(&shared.files()[0]);
        let before = site.count();
        for _ in 0..2 {
            assert_eq!(shared.fetch([site.url("/")])["title"], "/");
        }
        assert_eq!(site.count(), before + 1, "it was replaced");
    }
}

#[test]
fn a_name_is_a_hash_whatever_the_url_is() {
    let site = lasting_site();
    let shared = Shared::new();
    let paths = ["/../../etc/passwd", "/%2e%2e/%2fx", "/a?b=../../c", "/.new-x"];
    shared.scrape(paths.map(|path| site.url(path))).run().exits(0);
    for file in shared.files() {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }
    assert_eq!(shared.files().len(), paths.len());
    let mut beside: Vec<_> = fs::read_dir(shared.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    beside.sort();
    assert_eq!(beside, ["CACHEDIR.TAG", "v1"]);
}

#[test]
fn runs_at_the_same_time_share_it_safely() {
    let site = lasting_site();
    let shared = Shared::new();
    let list: String = (0..200).map(|n| site.url(&format!("/{n}\n"))).collect();
    let mut runs: Vec<_> = (0..3).map(|_| shared.scrape(["-"]).spawn()).collect();
    for run in &mut runs {
        run.write(&list);
    }
    for run in runs {
        let run = run.finish().succeeds();
        assert!(
            run.records()
                .iter()
                .all(|record| record["url"].as_str().unwrap().ends_with(record["title"].as_str().unwrap()))
        );
    }
    let asked = site.count();
    let run = shared.scrape(["--offline", "-"]).stdin(list).run().succeeds();
    assert_eq!((run.records().len(), site.count()), (200, asked));
}

#[test]
fn the_oldest_pages_go_where_there_is_no_room() {
    let site = Site::start(|hit| lasting(Answer::html(format!("<title>{}</title>{}", hit.path, "x".repeat(4000)))));
    let shared = Shared::new();
    let urls: Vec<_> = (0..20).map(|n| site.url(&format!("/{n}"))).collect();
    shared.scrape(["-c", "1", "--cache-size", "20K"]).args(&urls).run().succeeds();
    let kept: u64 = shared.files().iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!((8 << 10..=20 << 10).contains(&kept), "{kept}");
    assert_eq!(kind(&shared.fetch([&*urls[19], "--offline"])), "none");
    assert_eq!(kind(&shared.fetch([&*urls[0], "--offline"])), "offline");
}

#[test]
fn a_page_from_the_cache_waits_for_no_turn_of_its_host() {
    let site = lasting_site();
    let shared = Shared::new();
    let urls = ["/a", "/b", "/c"].map(|path| site.url(path));
    shared.scrape(&urls).run().succeeds();
    let run = shared.scrape(["--delay", "1h", "--rate", "1/h"]).args(&urls).args([site.url("/d")]).run().succeeds();
    assert_eq!((run.records().len(), site.count()), (4, 4));
}

#[test]
fn pages_are_saved_from_the_cache_too_and_archives_do_without() {
    let site = lasting_site();
    let shared = Shared::new();
    let fetched = shared.fetch([site.url("/a")]);
    let run = shared.scrape([&*site.url("/a"), "--save", "pages"]).run().succeeds();
    let line: Value = serde_json::from_str(&run.file("pages/manifest.jsonl")).unwrap();
    assert_eq!(line["fetched_at"], fetched["fetched_at"]);
    assert!(run.file(&format!("pages/{}", line["file"].as_str().unwrap())).contains("<title>/a</title>"));
    site.hit();
    shared.scrape([&*site.url("/a"), "-o", "x.warc"]).run().refused_over("--cache does not go with an archive");
}

#[test]
fn a_folder_that_cannot_be_a_cache_is_told_before_anything_is_fetched() {
    let site = lasting_site();
    for args in [&["--cache", "/dev/null/x"][..], &["--cache", "nowhere", "--offline"]] {
        let run = scrape([site.url("/")]).args(args).run().exits(5);
        assert!(run.stderr.contains(&format!("cannot open the cache {}", args[1])), "{}", run.stderr);
    }
    let run = scrape([site.url("/")]).file("scrape.toml", "cache = \"x\"").run();
    run.refused_over("cache may not be set by a file in the working directory");
    assert_eq!(site.count(), 0);
}

#[test]
fn offline_nobody_is_asked_and_what_is_kept_is_used_however_old() {
    let site = Site::start(|hit| Answer::title(&hit.path).header("Cache-Control", "no-cache").header("ETag", "\"1\""));
    let shared = Shared::new();
    let first = shared.fetch([site.url("/kept")]);
    let urls = [&*site.url("/kept"), &site.url("/other"), "http://nowhere.invalid/", "--offline"];
    let run = shared.scrape(urls).run().exits(1);
    assert_eq!(without_times(run.record_of("/kept")), without_times(first));
    for path in ["/other", "nowhere.invalid/"] {
        let record = run.record_of(path);
        assert_eq!(record["error"]["kind"], "offline");
        assert_eq!(record["error"]["message"], "nobody is asked (--offline), and the cache does not have it");
        assert_eq!(record["attempts"], 1);
    }
    assert_eq!(site.connections(), 1);
}

#[test]
fn offline_without_a_cache_there_are_archives_alone() {
    let site = lasting_site();
    let run = scrape([&*site.url("/"), "-f", "jsonl", "--offline"]).run().exits(4);
    assert_eq!(run.record()["error"]["message"], "nobody is asked (--offline), and there is no --cache");
    assert_eq!(site.connections(), 0);
    let kept = scrape([&*site.url("/page"), "-o", "x.warc"]).run().succeeds();
    let archive = kept.path("x.warc");
    let run: Run = scrape([OsStr::new("--offline"), "-f".as_ref(), "jsonl".as_ref(), archive.as_os_str()]).run();
    assert_eq!(run.succeeds().record()["title"], "/page");
    assert_eq!(site.count(), 1);
}

#[test]
fn lists_are_followed_from_page_to_page_in_the_cache() {
    let site = Site::start(|hit| {
        let next = if hit.path == "/1" { "<a rel=next href=/2>more</a>" } else { "" };
        lasting(Answer::html(format!("<title>{}</title><p>{}</p>{next}", hit.path, hit.path)))
    });
    let shared = Shared::new();
    let recipe = "[[recipe]]\nnext = \"a[rel=next]@href\"\nfields = { text = \"p\" }\n";
    let run = || shared.scrape([&*site.url("/1"), "-r", "r.toml"]).file("r.toml", recipe).run().succeeds().records();
    let [first, second] = [run(), run()].map(|records| records.into_iter().map(without_times).collect::<Vec<_>>());
    assert_eq!(first.len(), 2);
    assert_eq!((first, site.count()), (second, 2));
}

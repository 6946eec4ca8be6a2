//! Lists that go on: a recipe's `next` leads from page to page.

use std::collections::BTreeMap;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::scrape::{Run, Scrape, scrape};
use crate::support::{Answer, Gate, Hit, Site};

const NAMED: &str = "[[recipe]]\nitems = 'li'\nnext = 'a.next@href'\nfields = { name = ':scope' }\n";
const COUNTED: &str = "[[recipe]]\nitems = 'li'\nnext = { query = 'page' }\nfields = { name = ':scope' }\n";

/// A page with these items, and a link to the next page.
fn page(items: &[&str], next: Option<&str>) -> Answer {
    let items = items.iter().map(|item| format!("<li>{item}")).collect::<Vec<_>>().concat();
    let next = next.map_or_else(String::new, |next| format!("<a class=next href='{next}'>Next</a>"));
    Answer::html(format!("<title>List</title><ul>{items}</ul>{next}"))
}

/// Pages `/1` to `/last`, each of which names the next.
fn named(last: u32) -> impl Fn(&Hit) -> Answer {
    move |hit| {
        let number: u32 = hit.path[1..].parse().unwrap();
        let next = (number < last).then(|| (number + 1).to_string());
        page(&[&format!("item {number}")], next.as_deref())
    }
}

/// A list of which `?page=N` is a page, up to `last`.
fn counted(last: u32, beyond: impl Fn() -> Answer) -> impl Fn(&Hit) -> Answer {
    move |hit| {
        let number = hit.path.split_once("page=").map_or(1, |(_, number)| number.parse().unwrap());
        if number > last { beyond() } else { page(&[&format!("a{number}"), &format!("b{number}")], None) }
    }
}

fn run_with(recipe: &str, args: &[&str]) -> Scrape {
    scrape(["-f", "jsonl", "-r", "list.toml", "--summary", "summary.json"]).args(args).file("list.toml", recipe)
}

fn names(run: &Run) -> Vec<String> {
    run.records().iter().map(|record| record["fields"]["name"].as_str().unwrap_or("-").to_owned()).collect()
}

fn summary(run: &Run) -> Value {
    serde_json::from_str(&run.file("summary.json")).unwrap()
}

#[test]
fn a_list_goes_on_where_its_pages_say() {
    let site = Site::start(named(3));
    let line = json!({"url": site.url("/1"), "shop": "north"}).to_string();
    let run = run_with(NAMED, &["--ordered", "list.jsonl"]).file("list.jsonl", line).run().succeeds();
    assert_eq!(names(&run), ["item 1", "item 2", "item 3"]);
    for (record, path) in run.records().iter().zip(["/1", "/2", "/3"]) {
        assert_eq!((&record["url"], &record["final_url"]), (&json!(site.url(path)), &json!(site.url(path))));
        assert_eq!(record["input"], json!({"shop": "north"}));
        assert_eq!(record["source"], json!({"file": "list.jsonl", "line": 1}));
    }
    assert_eq!(site.paths(), ["/1", "/2", "/3"]);
    assert_eq!((&summary(&run)["targets"], &summary(&run)["fetched"]), (&json!(3), &json!(3)));
}

#[test]
fn an_xpath_and_a_jsonpath_name_the_next_page_as_well() {
    let site = Site::start(|hit| match &*hit.path {
        "/x/1" => Answer::html("<base href=/y/><li>one<link rel=next href=2>"),
        "/y/2" => Answer::html("<li>two"),
        "/api" => Answer::typed("application/json", r#"{"items": ["three"], "next": "?cursor=b%2Fc"}"#),
        "/api?cursor=b%2Fc" => Answer::typed("application/json", r#"{"items": ["four"], "next": null}"#),
        path => panic!("{path}"),
    });
    let recipe = "[[recipe]]\nmatch = '/api*'\nitems = '$.items[*]'\nnext = '$.next'\nfields = { name = '$' }\n\
                  [[recipe]]\nitems = 'li'\nnext = \"//link[@rel='next']/@href\"\nfields = { name = ':scope' }\n";
    let run = run_with(recipe, &["--ordered", &site.url("/x/1"), &site.url("/api")]).run().succeeds();
    assert_eq!(names(&run), ["one", "two", "three", "four"]);
}

#[test]
fn the_url_may_be_made_of_what_is_found() {
    let site = Site::start(|hit| match &*hit.path {
        "/1" => Answer::html("<li>one</li><button onclick=\"go('/2')\">More</button>"),
        _ => Answer::html("<li>two"),
    });
    let recipe = NAMED.replace("'a.next@href'", r#""button@onclick | re:go\\('(.+)'\\)""#);
    assert_eq!(names(&run_with(&recipe, &[&site.url("/1")]).run().succeeds()), ["one", "two"]);
}

#[test]
fn no_url_comes_twice_in_a_chain_whatever_its_pages_say() {
    for duplicates in [None, Some("--keep-duplicates")] {
        let site = Site::start(|hit| match &*hit.path {
            "/1" => page(&["one"], Some("/2#top")),
            "/2" => page(&["two"], Some("/old")),
            "/old" => Answer::redirect(302, "/3"),
            "/3" => page(&["three"], Some("/1")),
            path => panic!("{path}"),
        });
        let run = run_with(NAMED, &[&site.url("/1")]).args(duplicates).run().succeeds();
        assert_eq!(names(&run), ["one", "two", "three"]);
        assert_eq!(site.paths(), ["/1", "/2", "/old", "/3"]);
        assert_eq!(summary(&run)["duplicates"], 0);
    }
    let itself = Site::start(|_| page(&["one"], Some("#")));
    assert_eq!(names(&run_with(NAMED, &[&itself.url("/1")]).run().succeeds()), ["one"]);
}

#[test]
fn a_list_that_never_ends_is_cut_at_its_limit_of_pages_and_that_is_told() {
    for (recipe, pages) in [(format!("{NAMED}pages = 3"), 3), (NAMED.to_owned(), 100)] {
        let site = Site::start(named(u32::MAX));
        let run = run_with(&recipe, &["-v", &site.url("/1")]).run().exits(0);
        assert_eq!((run.records().len(), site.hits().len()), (pages, pages));
        assert_eq!(summary(&run)["cut"], 1);
        assert!(run.stderr.contains("omitted  1 list cut at its limit of pages"), "{}", run.stderr);
    }
    let site = Site::start(named(3));
    assert_eq!(summary(&run_with(&format!("{NAMED}pages = 3"), &[&site.url("/1")]).run().succeeds())["cut"], 0);
}

#[test]
fn a_page_is_fetched_once_though_the_list_of_urls_names_it_too() {
    let site = Site::start(named(4));
    let urls = ["/1", "/3", "/1"].map(|path| site.url(path));
    let run = run_with(NAMED, &["--per-host", "1", "--ordered"]).args(&urls).run().succeeds();
    let mut paths = site.paths();
    paths.sort_unstable();
    assert_eq!(paths, ["/1", "/2", "/3", "/4"]);
    assert_eq!(run.records().len(), 4);
}

#[test]
fn records_are_in_the_order_of_the_input_with_the_pages_of_a_list_behind_its_first() {
    let gate = Gate::shut();
    let site = {
        let gate = gate.clone();
        Site::start(move |hit| {
            let (list, number) = hit.path[1..].split_once('/').unwrap();
            let next = (number != "3").then(|| format!("/{list}/{}", number.parse::<u32>().unwrap() + 1));
            let answer = page(&[&format!("{list}{number}")], next.as_deref());
            // The first list goes on only when all others have ended.
            if list == "a" && number == "2" { answer.behind(&gate) } else { answer }
        })
    };
    let urls = ["/a/1", "/b/1", "/c/1"].map(|path| site.url(path));
    let running = run_with(NAMED, &["--ordered"]).args(&urls).spawn();
    site.wait_for(8);
    gate.open();
    let run = running.finish().succeeds();
    assert_eq!(names(&run), ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"]);
}

#[test]
fn a_counter_goes_on_until_a_page_has_no_items_which_is_no_record() {
    let beyond: [fn() -> Answer; 4] = [
        || page(&[], None),
        || Answer::status(404),
        || Answer::status(410),
        // As sites do that take every number for their last.
        || page(&["a3", "b3"], None),
    ];
    for beyond in beyond {
        let site = Site::start(counted(3, beyond));
        for (required, path) in [("", "/l?q=x%20y&page=1"), ("required = ['name']", "/l")] {
            let args = ["--ordered", "--expect", "name != ''", &site.url(path)];
            let run = run_with(&format!("{COUNTED}{required}"), &args).run().succeeds();
            assert_eq!(names(&run), ["a1", "b1", "a2", "b2", "a3", "b3"]);
            let summary = summary(&run);
            assert_eq!(
                (&summary["targets"], &summary["failed"], &summary["records"]),
                (&json!(4), &json!(0), &json!(6))
            );
        }
        let paths = site.paths();
        assert_eq!((&*paths[3], &*paths[4], &*paths[7]), ("/l?q=x%20y&page=4", "/l", "/l?page=4"));
    }
}

#[test]
fn a_counter_may_count_items() {
    let site = Site::start(|hit| match &*hit.path {
        "/l" => page(&["1", "2"], None),
        "/l?start=2" => page(&["3"], None),
        _ => page(&[], None),
    });
    let recipe = COUNTED.replace("query = 'page'", "query = 'start', from = 0, step = 2");
    assert_eq!(names(&run_with(&recipe, &[&site.url("/l")]).run().succeeds()), ["1", "2", "3"]);
    assert_eq!(site.paths(), ["/l", "/l?start=2", "/l?start=4"]);
}

#[test]
fn a_first_page_that_has_no_items_is_a_record_and_fails_as_ever() {
    let site = Site::start(|_| page(&[], None));
    let run = run_with(COUNTED, &[&site.url("/l")]).run().succeeds();
    assert_eq!(names(&run), ["-"]);
    let run = run_with(&format!("{COUNTED}required = ['name']"), &[&site.url("/l")]).run().exits(4);
    assert_eq!(run.record()["error"]["kind"], "missing");
    assert_eq!(site.paths(), ["/l", "/l"]);
}

#[test]
fn a_following_page_that_fails_is_a_record_and_ends_its_list() {
    let site = Site::start(|hit| match &*hit.path {
        "/1" => page(&["one"], Some("/2")),
        "/2" => page(&["two"], Some("/3")).with_status(404),
        _ => Answer::status(500),
    });
    let run = run_with(NAMED, &[&site.url("/1")]).run().exits(1);
    assert_eq!(run.record_of("/2")["error"]["kind"], "status");
    assert_eq!(site.paths(), ["/1", "/2"]);
    let site = Site::start(|hit| match &*hit.path {
        path if path.ends_with("=2") => Answer::status(403),
        _ => page(&["one"], None),
    });
    let run = run_with(COUNTED, &[&site.url("/l?page=1")]).run().exits(1);
    assert_eq!(run.record_of("page=2")["error"]["message"], "403 Forbidden");
}

#[test]
fn a_following_page_is_tried_again_and_redirected_as_others_are() {
    let site = Site::start(|hit| match (&*hit.path, hit.nth) {
        ("/1", _) => page(&["one"], Some("/2")),
        ("/2", 0) => Answer::status(503),
        ("/2", _) => Answer::redirect(301, "/list/2"),
        ("/list/2", _) => page(&["two"], Some("3")),
        ("/list/3", _) => page(&["three"], None),
        (path, _) => panic!("{path}"),
    });
    let run = run_with(NAMED, &["--retry-delay", "0.01", "--ordered", &site.url("/1")]).run().succeeds();
    assert_eq!(names(&run), ["one", "two", "three"]);
    let second = run.record_of("/2");
    assert_eq!((&second["attempts"], &second["redirects"][0]["url"]), (&json!(2), &json!(site.url("/2"))));
    assert_eq!((&second["url"], &second["final_url"]), (&json!(site.url("/2")), &json!(site.url("/list/2"))));
}

#[test]
fn what_is_meant_for_the_origin_that_was_named_goes_to_no_other_one() {
    let site = Site::with_hosts(2, |hit| match &*hit.path {
        "/1" => page(&["one"], Some("/2")),
        "/2" => page(&["two"], Some(&format!("//127.0.0.2:{}/3", port(hit)))),
        "/3" => page(&["three"], Some("/4")),
        "/4" => Answer::redirect(302, "/5"),
        "/5" => page(&["five"], Some(&format!("http://evil:too@127.0.0.1:{}/6", port(hit)))),
        _ => page(&["six"], None),
    });
    for trusting in [None, Some("--location-trusted")] {
        let url = site.url("/1").replace("://", "://me:sesame@");
        let args = ["--deny-private=never", "-H", "X-Key: k", "-b", "a=b", &url];
        let run = run_with(NAMED, &args).args(trusting).run().succeeds();
        assert_eq!(run.records().len(), 5);
    }
    let is_told = |hit: &Hit| ["authorization", "x-key", "cookie"].map(|name| hit.header(name).is_some());
    let told: BTreeMap<_, _> = site.hits().iter().map(|hit| (hit.path.clone(), is_told(hit))).collect();
    let homely = ["/1", "/2", "/6"].map(|path| (path.to_owned(), [true; 3]));
    let foreign = ["/3", "/4", "/5"].map(|path| (path.to_owned(), [false; 3]));
    assert_eq!(told, homely.into_iter().chain(foreign).collect());
    assert_eq!(site.hits().len(), 12);
    assert!(site.hits_of("/6").iter().all(|hit| hit.header("authorization") == Some("Basic bWU6c2VzYW1l")));
}

fn port(hit: &Hit) -> &str {
    hit.header("host").unwrap().rsplit_once(':').unwrap().1
}

#[test]
fn a_page_leads_to_private_addresses_no_more_than_a_redirect_does() {
    let site = Site::with_hosts(2, |hit| match &*hit.path {
        "/1" => page(&["one"], Some(&format!("http://127.0.0.2:{}/2", port(hit)))),
        _ => page(&["two"], None),
    });
    let denied = run_with(NAMED, &["--deny-private", &site.url("/1")]).run().exits(1);
    assert_eq!(denied.record_of("/2")["error"]["kind"], "forbidden_address");
    assert_eq!(site.paths(), ["/1"]);
    run_with(NAMED, &[&site.url("/1")]).run().succeeds();
    assert_eq!(site.paths(), ["/1", "/1", "/2"]);
}

#[test]
fn counting_on_from_what_the_user_typed_is_no_servers_choice() {
    let site = Site::start(counted(2, || Answer::status(404)));
    let run = run_with(COUNTED, &["--deny-private", &site.url("/l")]).run().succeeds();
    assert_eq!(run.records().len(), 4);
}

#[test]
fn what_no_request_can_name_is_not_followed() {
    for next in ["javascript:void(0)", "file:///etc/passwd", "mailto:me@a.test", "http://[", "http://a\"b.test/", ""] {
        let site = Site::start(move |_| page(&["one"], Some(next)));
        let run = run_with(NAMED, &[&site.url("/1")]).run().succeeds();
        assert_eq!((names(&run), site.hits().len()), (vec!["one".to_owned()], 1), "{next}");
    }
}

#[test]
fn a_named_page_is_asked_for_by_get_and_a_counter_repeats_the_request() {
    let site = Site::start(|hit| match &*hit.path {
        "/1" => page(&["one"], Some("/2")),
        "/c" => page(&["one"], None),
        _ => page(&[], None),
    });
    run_with(NAMED, &["-d", "q=x", &site.url("/1")]).run().succeeds();
    run_with(COUNTED, &["-d", "q=x", &site.url("/c")]).run().succeeds();
    let asked: Vec<_> = site.hits().into_iter().map(|hit| (hit.method, hit.path, hit.body.len())).collect();
    let wanted = [("POST", "/1", 3), ("GET", "/2", 0), ("POST", "/c", 3), ("POST", "/c?page=2", 3)];
    assert_eq!(asked, wanted.map(|(method, path, length)| (method.to_owned(), path.to_owned(), length)));
}

#[test]
fn the_delay_to_a_host_holds_from_page_to_page() {
    let site = Site::start(named(3));
    run_with(NAMED, &["--delay", "0.2", &site.url("/1")]).run().succeeds();
    let times: Vec<_> = site.hits().iter().map(|hit| hit.at).collect();
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0]).as_millis() >= 150), "{times:?}");
}

#[test]
fn a_limit_is_of_the_urls_that_were_named() {
    let site = Site::start(named(3));
    let urls = ["/1", "/7"].map(|path| site.url(path));
    let run = run_with(NAMED, &["--limit", "1"]).args(&urls).run().succeeds();
    assert_eq!(names(&run), ["item 1", "item 2", "item 3"]);
}

#[test]
fn an_interrupted_list_keeps_what_is_there_and_starts_no_further_page() {
    let site = Site::start(named(u32::MAX));
    let recipe = format!("{NAMED}pages = 1000000");
    let running = run_with(&recipe, &["--ordered", &site.url("/1")]).spawn();
    site.wait_for(3);
    running.signal(Signal::INT);
    let run = running.finish().exits(130);
    assert_eq!(run.records().len(), site.hits().len());
    assert!(run.records().iter().all(|record| record["error"].is_null()), "{}", run.stdout);
}

#[test]
fn one_url_is_explained_without_the_pages_behind_it() {
    let site = Site::start(named(3));
    scrape(["explain", "-r", "list.toml", &site.url("/1")]).file("list.toml", NAMED).run().exits(0);
    assert_eq!(site.paths(), ["/1"]);
}

#[test]
fn a_next_that_means_nothing_is_refused_with_file_line_and_caret() {
    for (line, caret, what) in [
        ("next = 'a.next'", 8, "the text of an element, and no URL"),
        ("next = 'a..next@href'", 9, "not a CSS selector"),
        ("next = 1", 7, "expected an expression such as"),
        ("next = { }", 7, "missing field `query`"),
        ("next = { query = 'p', form = 1 }", 22, "unknown field `form`"),
        ("next = { query = 'p', step = 0 }", 29, "expected a whole number above 0"),
        ("next = { query = '' }", 17, "a parameter without a name"),
        ("next = { query = 'p', from = -1 }", 29, "expected a whole number"),
        ("pages = 5", 8, "`pages` is for a recipe with `next`"),
        ("next = '$.next'\npages = 0", 8, "expected a whole number above 0"),
    ] {
        let recipe = format!("[[recipe]]\nitems = 'li'\nfields = {{ a = 'p' }}\n{line}\n");
        let run = run_with(&recipe, &["http://127.0.0.1:1/"]).run().exits(2);
        let lines: Vec<_> = run.stderr.lines().collect();
        assert!(lines[0].contains(what) && lines[0].starts_with("scrape: list.toml:"), "{line}: {}", run.stderr);
        assert_eq!(lines[2], format!("  {:caret$}^", ""), "{}", run.stderr);
    }
    let recipe = "[[recipe]]\nnext = { query = 'page' }\nfields = { a = 'p' }\n";
    run_with(recipe, &["http://127.0.0.1:1/"]).run().refused_over("list.toml:2: a counter goes on until");
}

//! Following redirects: methods, what may be sent where, and where it ends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Hit, Site, fetch, scrape};

/// A site whose page `/STATUS` redirects with that status to `/here`.
fn site() -> Site {
    Site::start(|hit| match hit.path[1..].parse() {
        Ok(status) => Answer::redirect(status, "/here"),
        Err(_) => Answer::title("here"),
    })
}

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

#[test]
fn every_kind_of_redirect_is_followed_and_recorded() {
    let site = site();
    for status in STATUSES {
        let url = site.url(&format!("/{status}"));
        let record = fetch([&url]);
        assert_eq!((&record["url"], &record["final_url"]), (&json!(url), &json!(site.url("/here"))));
        assert_eq!(record["redirects"], json!([{"status": status, "url": url}]));
        assert_eq!(
            (&record["status"], &record["title"], &record["attempts"]),
            (&json!(200), &json!("here"), &json!(1))
        );
    }
}

/// The second request of a run that starts with `args` at `/status`.
fn request_after(status: u16, args: &[&str]) -> Hit {
    let site = site();
    scrape(args).args([site.url(&format!("/{status}"))]).run().succeeds();
    let hits = site.hits();
    assert_eq!(hits.len(), 2);
    hits[1].clone()
}

#[test]
fn a_post_becomes_a_get_after_301_302_and_303() {
    for status in [301, 302, 303] {
        let hit = request_after(status, &["-d", "x=1"]);
        assert_eq!((&*hit.method, &*hit.body), ("GET", &b""[..]), "{status}");
        assert_eq!((hit.header("content-type"), hit.header("content-length")), (None, None), "{status}");
    }
}

#[test]
fn a_post_stays_a_post_after_307_and_308() {
    for status in [307, 308] {
        let hit = request_after(status, &["-d", "x=1"]);
        assert_eq!((&*hit.method, &*hit.body), ("POST", &b"x=1"[..]), "{status}");
        assert_eq!(hit.header("content-type"), Some("application/x-www-form-urlencoded"));
    }
}

#[test]
fn other_methods_change_after_303_alone() {
    for (status, method) in [(301, "PUT"), (302, "PUT"), (303, "GET"), (307, "PUT"), (308, "PUT")] {
        assert_eq!(request_after(status, &["-X", "PUT"]).method, method, "{status}");
    }
}

#[test]
fn a_head_stays_a_head() {
    for status in STATUSES {
        assert_eq!(request_after(status, &["-I"]).method, "HEAD", "{status}");
    }
}

const SECRETS: [&str; 8] =
    ["-u", "me:sesame", "-b", "session=sesame", "-H", "X-Api-Key: sesame", "-H", "Private: sesame"];

#[test]
fn what_is_meant_for_the_seed_goes_to_no_other_origin() {
    let elsewhere = Site::start(|_| Answer::title("elsewhere"));
    let target = elsewhere.url("/");
    let site = Site::start(move |hit| match hit.path[1..].parse() {
        Ok(status) => Answer::redirect(status, &target),
        Err(_) => Answer::title("here"),
    });
    for status in STATUSES {
        scrape([site.url(&format!("/{status}"))]).args(SECRETS).run().succeeds();
    }
    let harmless = ["Accept: text/html", "Accept-Language: eo", "User-Agent: tester"];
    scrape([site.url("/302")]).args(SECRETS).args(harmless.iter().flat_map(|line| ["-H", line])).run().succeeds();
    assert_eq!(elsewhere.hits().len(), STATUSES.len() + 1);
    for hit in elsewhere.hits() {
        let text = format!("{:?}", hit.headers);
        // Base64 of `me:sesame` starts with `bWU6`.
        assert!(!text.contains("sesame") && !text.contains("bWU6"), "{text}");
        assert!(hit.header("referer").is_none(), "{text}");
    }
    let last = elsewhere.hits().pop().unwrap();
    assert_eq!(last.header("accept"), Some("text/html"));
    assert_eq!(last.header("accept-language"), Some("eo"));
    assert_eq!(last.header("user-agent"), Some("tester"));
    assert!(site.hits().iter().all(|hit| hit.header("x-api-key") == Some("sesame")));
}

#[test]
fn another_host_and_another_scheme_are_other_origins_too() {
    let site = Site::with_hosts(2, |hit| match &*hit.path {
        "/" => Answer::redirect(302, &format!("//{}/b", hit.header("host").unwrap().replace("0.0.1", "0.0.2"))),
        _ => Answer::title("b"),
    });
    scrape([site.url("/")]).args(SECRETS).run().succeeds();
    let hit = &site.hits()[1];
    assert_eq!(hit.host.to_string(), "127.0.0.2");
    assert_eq!([hit.header("authorization"), hit.header("cookie"), hit.header("private")], [None; 3]);
}

#[test]
fn the_origin_of_the_seed_keeps_what_is_meant_for_it() {
    let site = site();
    scrape([site.url("/302")]).args(SECRETS).run().succeeds();
    let hit = &site.hits_of("/here")[0];
    assert_eq!(hit.header("authorization"), Some("Basic bWU6c2VzYW1l"));
    assert_eq!(hit.header("cookie"), Some("session=sesame"));
    assert_eq!(hit.header("x-api-key"), Some("sesame"));
}

#[test]
fn location_trusted_takes_what_is_meant_for_the_seed_along() {
    let elsewhere = Site::start(|_| Answer::title("elsewhere"));
    let target = elsewhere.url("/");
    let site = Site::start(move |_| Answer::redirect(307, &target));
    scrape(["--location-trusted", &site.url("/")]).args(SECRETS).run().succeeds();
    let hit = elsewhere.hit();
    assert_eq!(hit.header("authorization"), Some("Basic bWU6c2VzYW1l"));
    assert_eq!(hit.header("cookie"), Some("session=sesame"));
    assert_eq!([hit.header("x-api-key"), hit.header("private")], [Some("sesame"); 2]);
    assert_eq!(hit.header("referer"), None);
    scrape(["--location-trusted", &site.url("/").replace("://", "://you:simsim@")]).run().succeeds();
    assert_eq!(elsewhere.hits()[1].header("authorization"), Some("Basic eW91OnNpbXNpbQ=="), "as curl does");
}

#[test]
fn a_query_goes_no_further_than_its_page() {
    let elsewhere = Site::start(|_| Answer::title("elsewhere"));
    let target = elsewhere.url("/");
    let site = Site::start(move |_| Answer::redirect(302, &target));
    scrape([site.url("/?token=sesame#sesame")]).run().succeeds();
    assert_eq!(site.hit().path, "/?token=sesame");
    assert!(!format!("{:?}", elsewhere.hit()).contains("sesame"), "{:?}", elsewhere.hit());
}

#[test]
fn userinfo_in_a_location_is_neither_sent_nor_shown() {
    let site = Site::with_hosts(2, |hit| match &*hit.path {
        "/" => {
            let host = hit.header("host").unwrap().replace("0.0.1", "0.0.2");
            Answer::redirect(302, &format!("http://you:sesame@{host}/b"))
        }
        _ => Answer::title("b"),
    });
    let run = scrape(["-f", "jsonl", "-vv", &site.url("/")]).run().exits(0);
    assert_eq!(site.hits()[1].header("authorization"), None);
    assert_eq!(run.record()["final_url"], site.url_at(2, "/b"));
    assert!(!run.stdout.contains("sesame") && !run.stderr.contains("sesame"), "{run:?}");
}

#[test]
fn userinfo_in_a_location_that_is_not_followed_is_not_shown() {
    for location in ["ftp://me:sesame@b.test/x", "http://me:sesame@ho st/"] {
        let site = Site::start(move |_| Answer::redirect(302, location));
        let run = scrape(["-vv", "-f", "jsonl", &site.url("/")]).run().exits(4);
        assert_eq!(run.record()["error"]["kind"], "redirect");
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains("sesame"), "{location}: {text}");
        }
    }
}

#[test]
fn a_location_is_resolved_against_the_page_that_sent_it() {
    for (location, path) in
        [("d", "/a/d"), ("../d?x", "/d?x"), ("?y", "/a/b?y"), ("/d#part", "/d"), ("d\u{e9} f", "/a/d%C3%A9%20f")]
    {
        let site = Site::start(move |hit| match &*hit.path {
            "/a/b" => Answer::redirect(302, location),
            _ => Answer::title("d"),
        });
        fetch([site.url("/a/b")]);
        assert_eq!(site.paths(), ["/a/b", path]);
    }
}

/// A site whose page `/n` redirects to `/n-1`, down to `/0`.
fn stairs() -> Site {
    Site::start(|hit| match hit.path[1..].parse::<u32>().unwrap() {
        0 => Answer::title("down"),
        n => Answer::redirect(302, &format!("/{}", n - 1)),
    })
}

#[test]
fn ten_redirects_are_followed_and_no_more() {
    let site = stairs();
    let record = fetch([site.url("/10")]);
    assert_eq!((&record["error"], record["redirects"].as_array().unwrap().len()), (&Value::Null, 10));
    let record = fetch([site.url("/111")]);
    assert_eq!(record["error"]["kind"], "redirect");
    assert_eq!(site.hits().len(), 11 + 11);
}

#[test]
fn how_many_are_followed_can_be_chosen() {
    let site = stairs();
    assert_eq!(fetch(["--max-redirs", "3", &site.url("/3")])["error"], Value::Null);
    assert_eq!(fetch(["--max-redirs", "3", &site.url("/14")])["error"]["kind"], "redirect");
    assert_eq!(fetch(["--max-redirs", "0", &site.url("/21")])["error"]["kind"], "redirect");
    assert_eq!(site.hits().len(), 4 + 4 + 1);
}

#[test]
fn a_hundred_are_followed_where_so_many_may_be() {
    let site = stairs();
    let record = fetch(["--max-redirs", "100", &site.url("/100")]);
    assert_eq!((&record["title"], record["redirects"].as_array().unwrap().len()), (&json!("down"), 100));
    assert_eq!(fetch(["--max-redirs", "100", &site.url("/101")])["error"]["kind"], "redirect");
}

#[test]
fn a_location_with_a_line_break_adds_no_header() {
    for (location, path) in [
        ("/b%0d%0aInjected:%20yes", Some("/b%0d%0aInjected:%20yes")),
        ("/b\tInjected: yes", Some("/bInjected:%20yes")),
        ("/b\nInjected: yes", Some("/b")),
        ("/b\r\nInjected: yes", Some("/b")),
        ("/b\r\n Injected: yes", Some("/b%20Injected:%20yes")),
        ("/b\rInjected: yes", None),
        ("/b\0Injected: yes", None),
    ] {
        let site = Site::start(move |hit| match &*hit.path {
            "/" => Answer::redirect(302, location),
            _ => Answer::title("b"),
        });
        fetch([site.url("/")]);
        assert_eq!(site.paths().get(1).map(String::as_str), path, "{location:?}");
        assert!(site.hits().iter().all(|hit| hit.header("injected").is_none()), "{location:?}");
    }
}

#[test]
fn a_loop_comes_to_an_end() {
    let site = Site::start(|hit| Answer::redirect(301, if hit.path == "/a" { "/b" } else { "/a" }));
    let run = scrape(["-f", "jsonl", &site.url("/a")]).run().exits(4);
    assert_eq!(run.record()["error"]["kind"], "redirect");
    assert_eq!(run.record()["attempts"], 1, "the answer would be the same");
    assert_eq!(site.hits().len(), 11);
}

#[test]
fn a_redirect_to_what_is_no_page_of_the_web_is_not_followed() {
    let locations =
        ["file:///etc/passwd", "ftp://127.0.0.1/", "javascript:alert(1)", "data:text/html,x", "http://", "http://a b/"];
    for location in locations {
        let site = Site::start(move |_| Answer::redirect(302, location));
        let record = fetch([site.url("/")]);
        assert_eq!(record["error"]["kind"], "redirect", "{location}");
        assert_eq!((&record["final_url"], site.hits().len()), (&json!(site.url("/")), 1));
    }
}

#[test]
fn a_redirect_without_a_location_is_an_answer() {
    let site = Site::start(|_| Answer::title("multiple choices").with_status(302));
    let record = fetch([site.url("/")]);
    assert_eq!((&record["status"], &record["title"]), (&json!(302), &json!("multiple choices")));
    assert_eq!((&record["error"], &record["redirects"]), (&Value::Null, &json!([])));
}

#[test]
fn a_redirect_to_nothing_is_an_answer() {
    for location in ["", "  "] {
        let site = Site::start(move |_| Answer::title("moved").with_status(301).header("Location", location));
        let record = fetch([site.url("/")]);
        assert_eq!(
            (&record["status"], &record["title"], &record["error"]),
            (&json!(301), &json!("moved"), &Value::Null)
        );
        assert_eq!(site.hits().len(), 1);
    }
}

#[test]
fn other_statuses_with_a_location_are_answers() {
    for status in [200, 201, 300] {
        let site = Site::start(move |_| Answer::title("here").header("Location", "/there").with_status(status));
        assert_eq!(fetch([site.url("/")])["status"], status);
        assert_eq!(site.hits().len(), 1);
    }
}

#[test]
fn the_elapsed_time_covers_the_redirects() {
    let site = Site::start(|hit| match &*hit.path {
        "/a" => Answer::redirect(302, "/b").after(Duration::from_millis(80)),
        _ => Answer::title("b").after(Duration::from_millis(80)),
    });
    assert!(fetch([site.url("/a")])["elapsed_ms"].as_u64().unwrap() >= 160);
}

#[test]
fn the_time_limit_covers_the_redirects() {
    let site = Site::start(|_| Answer::redirect(302, "/on").after(Duration::from_millis(200)));
    let record = fetch(["-m", "700ms", &site.url("/")]);
    assert_eq!(record["error"]["kind"], "timeout", "{record}");
    assert!(site.hits().len() <= 4, "each redirect takes 200 ms");
}

#[test]
fn the_body_of_a_redirect_need_not_be_read() {
    let site = Site::start(|hit| match &*hit.path {
        "/endless" => Answer::html("moved").with_status(302).header("Location", "/").endless(),
        _ => Answer::title("here"),
    });
    assert_eq!(fetch([site.url("/endless")])["title"], "here");
}

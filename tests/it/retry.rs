//! What is tried again, when, and how often.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::site::closed_port;
use crate::support::{Answer, Run, Site, scrape};

/// Runs with a back-off that tests can wait for.
fn quickly(args: &[&str]) -> Run {
    scrape(["-f", "jsonl", "--retry-delay", "1ms"]).args(args).run()
}

/// A site that answers `/500` with status 500, and `/500/200` with that first and status 200 from then on.
fn statuses() -> Site {
    Site::start(|hit| {
        let statuses: Vec<u16> = hit.path.split('/').filter_map(|word| word.parse().ok()).collect();
        Answer::title("answer").with_status(statuses[hit.nth.min(statuses.len() - 1)])
    })
}

#[test]
fn statuses_that_may_pass_are_tried_twice_more() {
    let site = statuses();
    for status in [408, 425, 429, 500, 502, 503, 504, 522, 524] {
        let path = format!("/{status}");
        let record = quickly(&[&site.url(&path)]).exits(4).record();
        assert_eq!(site.hits_of(&path).len(), 3, "{status}");
        assert_eq!((&record["attempts"], &record["status"]), (&json!(3), &json!(status)));
        assert_eq!(record["error"]["kind"], "status");
    }
}

#[test]
fn other_statuses_are_final() {
    let site = statuses();
    let statuses = [400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415, 416, 418, 421, 422, 451, 501, 505];
    let urls = statuses.map(|status| site.url(&format!("/{status}")));
    let run = scrape(["-f", "jsonl"]).args(&urls).run().exits(4);
    assert_eq!((run.records().len(), site.hits().len()), (statuses.len(), statuses.len()));
    assert!(run.records().iter().all(|record| record["attempts"] == 1));
}

#[test]
fn a_target_that_succeeds_at_last_is_one_record_and_a_success() {
    let site = statuses();
    let record = quickly(&[&site.url("/503/502/200")]).succeeds().record();
    assert_eq!((&record["attempts"], &record["status"], &record["error"]), (&json!(3), &json!(200), &Value::Null));
}

#[test]
fn how_often_can_be_chosen() {
    let site = statuses();
    assert_eq!(quickly(&["--retry", "0", &site.url("/500")]).exits(4).record()["attempts"], 1);
    assert_eq!(quickly(&["--retry", "4", &site.url("/502")]).exits(4).record()["attempts"], 5);
    assert_eq!((site.hits_of("/500").len(), site.hits_of("/502").len()), (1, 5));
}

#[test]
fn a_refused_connection_is_tried_again_whatever_the_method() {
    let url = format!("http://127.0.0.1:{}/", closed_port());
    for args in [&[&*url][..], &["-d", "x", &*url]] {
        let record = quickly(args).exits(4).record();
        assert_eq!((&record["attempts"], &record["error"]["kind"]), (&json!(3), &json!("connect")));
        assert_eq!((&record["status"], &record["final_url"]), (&Value::Null, &json!(url)));
    }
}

#[test]
fn a_connection_that_breaks_is_tried_again() {
    for answer in [Answer::nothing(), Answer::reset(), Answer::html("whole").cut_after(2)] {
        let site = Site::start(move |hit| if hit.nth < 2 { answer.clone() } else { Answer::title("at last") });
        let record = quickly(&[&site.url("/")]).succeeds().record();
        assert_eq!((&record["attempts"], &record["title"]), (&json!(3), &json!("at last")));
        assert_eq!(site.hits().len(), 3);
    }
}

#[test]
fn a_timeout_is_tried_again() {
    let site = Site::start(|hit| if hit.nth < 1 { Answer::silence() } else { Answer::title("at last") });
    let record = quickly(&["--read-timeout", "300ms", &site.url("/")]).succeeds().record();
    assert_eq!(record["attempts"], 2);
}

#[test]
fn a_name_that_does_not_exist_is_final() {
    // No label may be as long as this: no resolver needs to ask anyone. In a list it would be no URL.
    let site = Site::start(|_| Answer::redirect(302, &format!("http://{}.invalid/", "a".repeat(64))));
    let record = quickly(&[&site.url("/")]).exits(4).record();
    assert_eq!(record["error"]["kind"], "dns", "{record}");
    assert_eq!(record["attempts"], 1);
}

#[test]
fn what_is_not_idempotent_is_sent_once_when_it_may_have_been_carried_out() {
    let site = Site::start(|hit| match &*hit.path {
        "/reset" => Answer::reset(),
        "/silent" => Answer::silence(),
        "/cut" => Answer::html("whole").cut_after(2),
        path => Answer::status(path[1..].parse().unwrap()),
    });
    for path in ["/408", "/425", "/500", "/502", "/504", "/522", "/524", "/reset", "/silent", "/cut"] {
        let record = quickly(&["-d", "x", "--read-timeout", "300ms", &site.url(path)]).exits(4).record();
        assert_eq!((&record["attempts"], site.hits_of(path).len()), (&json!(1), 1), "{path}");
    }
}

#[test]
fn what_is_not_idempotent_is_sent_again_when_it_was_refused_unread() {
    let site = statuses();
    for path in ["/429", "/503"] {
        quickly(&["-d", "x", &site.url(path)]).exits(4);
        let hits = site.hits_of(path);
        assert_eq!(hits.len(), 3, "{path}");
        assert!(hits.iter().all(|hit| hit.method == "POST" && hit.body == b"x"));
    }
}

#[test]
fn idempotent_methods_are_sent_again_and_others_are_not() {
    let site = statuses();
    for (method, hits) in [("PUT", 3), ("DELETE", 3), ("OPTIONS", 3), ("HEAD", 3), ("PATCH", 1)] {
        let path = format!("/500/{method}");
        quickly(&["-X", method, &site.url(&path)]).exits(4);
        assert_eq!(site.hits_of(&path).len(), hits, "{method}");
    }
}

#[test]
fn a_retry_after_a_redirect_asks_the_page_that_failed() {
    let site = Site::start(|hit| match (&*hit.path, hit.nth) {
        ("/a", _) => Answer::redirect(302, "/b"),
        (_, 0) => Answer::status(500),
        _ => Answer::title("ok"),
    });
    let record = quickly(&[&site.url("/a")]).succeeds().record();
    assert_eq!(site.paths(), ["/a", "/b", "/b"]);
    assert_eq!(record["attempts"], 2);
    assert_eq!(record["redirects"], json!([{"status": 302, "url": site.url("/a")}]));
}

/// A site whose page `/busy` is busy at first and says `retry_after`.
fn busy(status: u16, retry_after: impl Fn() -> String + Send + Sync + 'static) -> Site {
    Site::start(move |hit| match (&*hit.path, hit.nth) {
        ("/busy", 0) => Answer::status(status).header("Retry-After", &retry_after()),
        (path, _) => Answer::title(path),
    })
}

#[test]
fn the_host_is_left_alone_for_as_many_seconds_as_retry_after_says() {
    for status in [429, 503] {
        let site = busy(status, || "1".into());
        let record =
            quickly(&["--per-host", "1", &site.url("/busy"), &site.url("/other")]).succeeds().record_of("/busy");
        assert_eq!(record["attempts"], 2);
        let hits = site.hits();
        assert_eq!((hits.len(), &*hits[0].path), (3, "/busy"));
        for hit in &hits[1..] {
            // The first was seen a little before its answer was: no request may come within the second after that.
            assert!(hit.at - hits[0].at >= Duration::from_secs(1), "{} came too early", hit.path);
        }
    }
}

#[test]
fn the_host_is_left_alone_until_the_date_that_retry_after_says() {
    let site = busy(503, || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2)));
    let record = quickly(&[&site.url("/busy")]).succeeds().record();
    assert_eq!(record["attempts"], 2);
    let hits = site.hits();
    // A date has whole seconds: of the two, up to one is cut off.
    assert!(hits[1].at - hits[0].at >= Duration::from_millis(900), "{:?}", hits[1].at - hits[0].at);
}

#[test]
fn a_host_that_wants_too_long_a_pause_is_given_up_for_this_url_and_paused_for_the_limit() {
    let site = busy(429, || "3600".into());
    let args = ["--max-retry-after", "1s", "--per-host", "1", &site.url("/busy"), &site.url("/other")];
    let run = quickly(&args).exits(1);
    assert_eq!(run.record_of("/busy")["attempts"], 1);
    assert_eq!(run.record_of("/busy")["error"]["kind"], "status");
    assert_eq!(run.record_of("/other")["error"], Value::Null);
    let hits = site.hits();
    assert_eq!(hits.len(), 2);
    assert!(hits[1].at - hits[0].at >= Duration::from_secs(1));
}

#[test]
fn a_retry_after_that_means_nothing_is_ignored() {
    for value in ["soon", "-1", "1e9", "", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let site = busy(429, move || value.into());
        let record = quickly(&[&site.url("/busy")]).succeeds().record();
        assert_eq!(record["attempts"], 2, "{value:?}");
    }
}

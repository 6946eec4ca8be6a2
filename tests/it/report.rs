//! Reports: of a run that ends, and of the records of one that has ended.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;
use scraper::{Html, Selector};
use serde_json::Value;

use crate::support::{Answer, Gate, Site, scrape};

fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/missing" => Answer::title("Missing").with_status(404),
        "/busy" => Answer::title("Busy").with_status(503),
        path => Answer::html(format!("<title>{path}</title><h1>Head</h1><p>{}</p>", "Some words of text. ".repeat(90))),
    })
}

fn texts(page: &str, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = Html::parse_document(page);
    page.select(&selector).map(|element| words(element.text().collect::<Vec<_>>().join(" "))).collect()
}

#[test]
fn the_figures_are_those_of_the_summary_and_of_the_records() {
    let site = site();
    let list = ["/a", "/b", "/c", "/missing", "/busy"].map(|path| site.url(path)).join("\n") + "\nhttp://\n";
    let outputs = ["-o", "out.jsonl", "-o", "out.jsonl.zst", "-o", "report.html", "--summary", "summary.json"];
    let run = scrape(outputs).args(["--retry", "0", "--chunk", "300", "-x", "h1"]).stdin(list).run().exits(1);
    assert_eq!(run.stdout, "", "-o replaces standard output");
    let (page, summary) = (run.file("report.html"), serde_json::from_str::<Value>(&run.file("summary.json")).unwrap());

    assert_eq!(texts(&page, "h1"), [format!("{} pages", summary["targets"])]);
    let tiles = texts(&page, ".tiles dd:not(.note)");
    assert_eq!(tiles[..2], [summary["fetched"].to_string(), summary["failed"].to_string()]);
    let counts = |caption: &str| {
        let tables = texts(&page, "section[aria-labelledby=outcomes] table");
        let table = tables.into_iter().find(|table| table.starts_with(caption)).unwrap();
        let words: Vec<_> = table.split(' ').map(String::from).collect();
        move |name: &str| {
            words.iter().skip_while(|word| *word != name).find_map(|word| word.parse::<u64>().ok().filter(|&n| n < 100))
        }
    };
    for (caption, key) in [("Answers by status", "by_status"), ("Failures by kind", "by_kind")] {
        let count = counts(caption);
        for (name, expected) in summary[key].as_object().unwrap() {
            assert_eq!(count(name), expected.as_u64(), "{name} in {key}");
        }
    }
    let fill = summary["fill"]["h1"].as_f64().unwrap();
    assert_eq!(
        (fill, texts(&page, "section[aria-labelledby=fields] tbody tr").iter().any(|row| row.starts_with("h1 "))),
        (1.0, true)
    );

    for name in ["out.jsonl", "out.jsonl.zst"] {
        let again = scrape(["report", name]).file(name, fs::read(run.path(name)).unwrap()).run().succeeds();
        assert_eq!(again.stdout, page, "{name}");
    }
    let again = scrape(["report", "-", "-o", "new.html"]).stdin(run.file("out.jsonl")).run().succeeds();
    assert_eq!((again.stdout.as_str(), again.file("new.html")), ("", page));
}

/// A list of three pages that change from day to day: one is another, one is gone, one as it was, and one comes later.
fn a_site_that_changes() -> (Site, Arc<AtomicU32>) {
    let day = Arc::new(AtomicU32::new(0));
    let today = Arc::clone(&day);
    let site = Site::start(move |hit| match (&*hit.path, today.load(Ordering::SeqCst)) {
        ("/gone", 1) | ("/later", 0) => Answer::status(404),
        ("/other", day) => {
            let name = format!("<script>alert({day})</script>{}", "x".repeat(900 * day as usize));
            Answer::html(format!("<title>Lamp</title><h1>{}</h1>", name.replace('<', "&lt;")))
        }
        (path, _) => Answer::title(path),
    });
    (site, day)
}

#[test]
fn what_changed_is_told_by_field_whether_the_run_its_records_or_its_state_are_asked() {
    let (site, day) = a_site_that_changes();
    let list = ["/other", "/gone", "/same", "/later"].map(|path| site.url(path)).join("\n");
    let desk = tempfile::tempdir().unwrap();
    std::fs::write(desk.path().join("urls.txt"), list).unwrap();
    let run = |args: &str| {
        let command = format!("cd '{}' && exec \"$scrape\" {args}", desk.path().display());
        crate::support::scrape::Scrape::in_shell(&command).run().exits(0);
    };
    let changes = |name: &str| {
        let page = fs::read_to_string(desk.path().join(name)).unwrap();
        let mut rows = texts(&page, "[aria-labelledby=changes] tbody tr");
        rows.sort();
        let summary = texts(&page, "[aria-labelledby=changes] > p");
        assert_eq!(texts(&page, "script").len(), 1, "{page}");
        (summary, rows)
    };
    let args = "urls.txt --state s.db --changed -x h1 --fail-on none --retry 0 -o out.jsonl -o report.html";
    run(args);
    assert_eq!(changes("report.html").0, ["3 new"]);
    day.store(1, Ordering::SeqCst);
    run(args);
    let (summary, rows) = changes("report.html");
    assert_eq!(summary, ["1 new, 1 changed, 1 gone"]);
    let [gone, later, other] =
        ["/gone", "/later", "/other"].map(|path| rows.iter().find(|row| row.contains(path)).unwrap());
    assert!(gone.ends_with("gone") && later.ends_with("new"), "{rows:?}");
    assert!(other.contains("changed h1 \"<script>alert(0)</script>\" \"<script>alert(1)</script>xxx"), "{other}");
    assert!(other.ends_with('…') && other.len() < 500, "{other}");
    run("report out.jsonl -o again.html");
    assert_eq!(changes("again.html"), (summary.clone(), rows.clone()));
    run("report s.db -o state.html");
    assert_eq!(changes("state.html"), (summary, rows));
    let page = fs::read_to_string(desk.path().join("state.html")).unwrap();
    assert_eq!(texts(&page, "h1"), ["4 pages"]);
    assert!(texts(&page, "[aria-labelledby=fields] tbody tr")[0].starts_with("h1 1 "), "{page}");
    day.store(2, Ordering::SeqCst);
    std::fs::write(desk.path().join("urls.txt"), site.url("/same")).unwrap();
    run(args);
    assert_eq!(changes("report.html").0, [""; 0], "nothing changed: there is nothing to tell");
}

#[test]
fn a_database_that_is_no_state_has_no_report() {
    let run = scrape(["report", "x.db"]).file("x.db", "SQLite format 3\0 and no more").run();
    run.refused_over("no state of scrape");
}

#[test]
fn it_takes_the_place_of_an_older_one_when_it_is_complete() {
    let gate = Gate::shut();
    let site = Site::start({
        let gate = gate.clone();
        move |hit| if hit.path == "/late" { Answer::title("Late").behind(&gate) } else { Answer::title("Early") }
    });
    let list = ["/early", "/late"].map(|path| site.url(path)).join("\n");
    let run = scrape(["-o", "dir/report.html", "-"]).file("dir/report.html", "an older one");
    let path = run.path("dir/report.html");
    let mut running = run.spawn();
    running.write_bytes(list.into());
    site.wait_for(2);
    assert_eq!(fs::read_to_string(&path).unwrap(), "an older one");
    running.signal(Signal::INT);
    gate.open();
    let run = running.finish().exits(130);
    assert_eq!(texts(&run.file("dir/report.html"), "h1"), ["2 pages"]);
    let names: Vec<_> = fs::read_dir(run.path("dir")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["report.html"], "nothing else is left");
}

#[test]
fn a_new_one_may_be_read_by_all() {
    let run = scrape(["-o", "report.html", "-"]).stdin("").run().exits(0);
    let mode = fs::metadata(run.path("report.html")).unwrap().permissions().mode();
    assert_ne!(mode & 0o777, 0o600, "it is as any other output");
    assert_eq!(texts(&run.file("report.html"), "h1"), ["0 pages"]);
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let site = site();
    scrape(["report", "-", "-o", "link.html"]).stdin("").run().exits(0);
    let shell = format!(
        "ln -s /dev/stdout link.html; \"$scrape\" {} -o link.html | grep -c '<h1>1 page</h1>'; test -L link.html",
        site.url("/a")
    );
    let run = crate::support::scrape::Scrape::in_shell(&shell).run().exits(0);
    assert_eq!(run.stdout, "1\n");
}

#[test]
fn nothing_is_lost_by_a_wrong_name() {
    let records = r#"{"v":1}"#;
    scrape(["report", "a.html", "-o", "a.html"]).file("a.html", records).run().refused_over("a.html is a source, too");
    scrape(["report", "a.jsonl", "-o", "b.jsonl"]).file("a.jsonl", "").run().refused_over("end its name in .html");
    scrape(["-o", "a.html", "a.html"]).file("a.html", "").run().refused_over("a.html is a source, too");
    scrape(["-o", "a.html", "-o", "./a.html", "-"]).stdin("").run().refused_over("is named twice as an output");
    scrape(["-o", "a.html", "--summary", "a.html", "-"]).stdin("").run().refused_over("is named twice as an output");
    scrape(["-o", "a.html", "--resume", "-"]).stdin("").run().refused_over("--resume needs one output");
    let run = scrape(["-o", "none/a.html", "-"]).stdin("").run().exits(5);
    assert!(run.stderr.contains("cannot write none/a.html: No such file"), "{run:?}");
}

#[test]
fn what_holds_no_records_is_told_with_its_place() {
    let run =
        scrape(["report", "list.jsonl", "-o", "report.html"]).file("list.jsonl", "\nhttp://a.test/\n").run().exits(5);
    assert!(run.stderr.contains("list.jsonl:2: it is no record (expected value, column 1)"), "{run:?}");
    assert!(run.stderr.contains("hint: ") && !run.path("report.html").exists(), "{run:?}");
    let run = scrape(["report", "none.jsonl"]).run().exits(5);
    assert!(run.stderr.contains("cannot read none.jsonl: No such file"), "{run:?}");
    let run = scrape(["report", "cut.jsonl.gz"]).file("cut.jsonl.gz", [0x1f, 0x8b, 8, 0]).run().exits(5);
    assert!(run.stderr.contains("cannot read cut.jsonl.gz: "), "{run:?}");
    let shown = scrape(["report", "-"]).run_in_terminal();
    assert!(shown.contains("-o report.html"), "{shown}");
    scrape(["report"]).run().refused_over("<FILE>...");
}

/// Texts that act where they are taken for HTML, for a script or for a link: each leaves a mark.
const HOSTILE: [&str; 4] = [
    "</title></script></style><script>document.documentElement.setAttribute('data-'+'acted','')</script>",
    "\"><img src=http://evil.test/x onerror=\"document.documentElement.setAttribute('data-'+'acted','')\">",
    "<svg onload=document.documentElement.setAttribute('data-'+'acted','')>",
    "javascript:document.documentElement.setAttribute('data-'+'acted','')",
];

#[test]
fn reports_have_what_a_browser_opens() {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let title = escaped(&(HOSTILE.concat() + &"wide".repeat(200)));
    let site = Site::start(move |hit| match hit.path.len() {
        ..20 => Answer::html(format!("<title>{title}</title><h1>{title}</h1>")),
        _ => Answer::status(404).header("Content-Type", HOSTILE[1]),
    });
    let lines = HOSTILE.iter().flat_map(|text| {
        [format!("{}?{text}\n", site.url("/a-path-that-is-not-there")), format!("{text}\n"), site.url("/1\n")]
    });
    let list: String = lines.chain(["w".repeat(300) + "://wide\n"]).collect();
    let run = scrape(["-", "-x", "h1", "--keep-duplicates", "-o", "hostile.html"]).stdin(list).run().exits(1);
    let page = run.file("hostile.html");
    assert!(page.contains("evil.test") && !page.contains("<img") && page.matches("<script").count() == 1);
    // Where `.ci/run` finds it.
    fs::copy(run.path("hostile.html"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile.html")).unwrap();
}

//! Databases: a row for each record, what it said before, and what becomes of a file that is not ours, damaged or full.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::scrape::{Scrape, parse};
use crate::support::{Answer, Gate, Run, Site, scrape};

/// A database in a folder of its own, which runs share.
struct Shared(TempDir);

impl Shared {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("pages.db")
    }

    fn scrape<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Scrape {
        scrape(args).args(["--retry", "0", "-o"]).args([self.path()])
    }

    /// The first column of what a query gives.
    fn query(&self, sql: &str) -> Vec<Value> {
        query(&self.path(), sql)
    }
}

/// The first column of what a query gives, as JSON.
fn query(path: &Path, sql: &str) -> Vec<Value> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let cells = statement.query_map([], |row| row.get::<_, Cell>(0)).unwrap();
    let json = |cell| match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => json!(number),
        Cell::Real(number) => json!(number),
        Cell::Text(text) => json!(text),
        Cell::Blob(bytes) => json!(bytes),
    };
    cells.map(|cell| json(cell.unwrap())).collect()
}

fn is_sound(path: &Path) -> bool {
    query(path, "PRAGMA integrity_check") == [json!("ok")]
}

/// A site whose pages say how often they were asked for.
fn counting_site() -> Site {
    Site::start(|hit| match (&*hit.path, hit.nth) {
        ("/still", _) => Answer::title("still"),
        ("/fails", 1) => Answer::title("down").with_status(500),
        (path, nth) => Answer::title(&format!("{path} {nth}")),
    })
}

#[test]
fn a_row_says_what_a_line_of_json_says() {
    let page = "<html lang=en><title>Lamps</title><p class=price>12.50<ul><li>red<li>blue</ul>\
        <script type=application/ld+json>{\"name\": \"Lamp\"}</script><a href=/next rel=nofollow>Next</a>";
    let site = Site::start(move |hit| match &*hit.path {
        "/missing" => Answer::title("Missing").with_status(404),
        "/moved" => Answer::redirect(301, "/page"),
        _ => Answer::html(page),
    });
    let list = ["/page", "/moved", "/missing"].map(|path| site.url(path)).join("\n") + "\nhttp://\n";
    let fields = ["-x", "lang,links,jsonld", "-s", "price=.price | number", "-s", "items[]=li", "-s", "url=h1"];
    let shared = Shared::new();
    let run = shared.scrape(["--ordered", "-o", "out.jsonl"]).args(fields).stdin(list).run().exits(1);
    let connection = Connection::open(shared.path()).unwrap();
    for record in parse(&run.file("out.jsonl")) {
        let record = record.as_object().unwrap();
        let fields = record["fields"].as_object().unwrap().iter();
        let fields =
            fields.map(|(name, value)| (if name == "url" { "fields.url".to_owned() } else { name.clone() }, value));
        let keys = record.iter().map(|(name, value)| (name.clone(), value)).filter(|(name, _)| name != "fields");
        for (name, value) in keys.chain(fields) {
            let sql = format!("SELECT \"{name}\" FROM pages WHERE url = ?");
            let cell: Cell = connection.query_row(&sql, [record["url"].as_str()], |row| row.get(0)).unwrap();
            let expected = match value {
                Value::Null => Cell::Null,
                Value::Number(number) if number.is_f64() => Cell::Real(number.as_f64().unwrap()),
                Value::Number(number) => Cell::Integer(number.as_i64().unwrap()),
                Value::String(text) => Cell::Text(text.clone()),
                value => {
                    let Cell::Text(text) = cell else { panic!("{name} is {cell:?}") };
                    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), *value, "{name}");
                    continue;
                }
            };
            assert_eq!(cell, expected, "{name}");
        }
    }
    drop(connection);
    let colours = "SELECT value FROM pages, json_each(items) WHERE url LIKE '%/page'";
    assert_eq!(shared.query(colours), ["red", "blue"]);
    assert_eq!(shared.query("SELECT kind FROM failures ORDER BY kind"), ["invalid_url", "status"]);
    assert_eq!(shared.query("SELECT pages || ' ' || fetched || ' ' || failed FROM hosts"), ["3 2 1"]);
    assert_eq!(shared.query("SELECT count(*) FROM latest"), [2]);
    let types = "SELECT name || ' ' || type FROM pragma_table_info('pages') WHERE name IN ('status', 'price', 'items')";
    assert_eq!(shared.query(types), ["status INTEGER", "price REAL", "items TEXT"]);
    assert_eq!(fs::read_dir(shared.0.path()).unwrap().count(), 1, "it is one file");
}

#[test]
fn a_later_run_replaces_a_row_and_keeps_what_it_said_if_that_has_changed() {
    let site = counting_site();
    let shared = Shared::new();
    let urls = ["/still", "/news", "/fails"].map(|path| site.url(path));
    shared.scrape(urls.iter().map(String::as_str)).run().succeeds();
    shared.scrape(urls.iter().map(String::as_str)).run().exits(1);
    assert_eq!(shared.query("SELECT title FROM pages ORDER BY url DESC"), ["still", "/news 1", "down"]);
    assert_eq!(shared.query("SELECT title FROM history ORDER BY title"), ["/fails 0", "/news 0"]);
    assert_eq!(shared.query("SELECT title FROM latest ORDER BY title"), ["/fails 0", "/news 1", "still"]);
    let order = "SELECT count(*) FROM history JOIN pages USING (url) WHERE history.fetched_at <= replaced_at \
        AND history.fetched_at < pages.fetched_at";
    assert_eq!(shared.query(order), [2]);
}

#[test]
fn a_run_with_other_fields_adds_columns() {
    let site = Site::start(|_| Answer::html("<title>t</title><h1>One</h1><h2>Two</h2>"));
    let shared = Shared::new();
    let url = site.url("/");
    shared.scrape([&*url, "-s", "a=h1"]).run().succeeds();
    shared.scrape([&*url, "-s", "order=h2", "-s", "x-y.z=h2", "-s", "item=h2"]).run().succeeds();
    assert_eq!(shared.query("SELECT a FROM pages"), [Value::Null]);
    assert_eq!(shared.query(r#"SELECT "order" || "x-y.z" || "fields.item" FROM pages"#), ["TwoTwoTwo"]);
    assert_eq!(shared.query("SELECT a FROM history"), ["One"]);
    shared.scrape([&*url, "-s", "A=h1"]).run().succeeds();
    assert_eq!(shared.query("SELECT a FROM pages"), ["One"], "it is the same column");
    let run = shared.scrape([&*url, "-s", "b=h1", "-s", "B=h2"]).run();
    run.refused_over("the fields b and B would be one column");
}

#[test]
fn each_item_of_a_page_is_a_row_and_those_that_are_gone_go() {
    let site = Site::start(|hit| {
        let names = if hit.nth == 0 { "<li>a<li>b<li>c" } else { "<li>a<li>x" };
        Answer::html(format!("<ul>{names}</ul>"))
    });
    let shared = Shared::new();
    let recipe = "[[recipe]]\nitems = \"li\"\nfields = { name = \":scope\" }\n";
    for _ in 0..2 {
        shared.scrape([&*site.url("/"), "-r", "r.toml"]).file("r.toml", recipe).run().succeeds();
    }
    assert_eq!(shared.query("SELECT item || name FROM pages ORDER BY item"), ["0a", "1x"]);
    let before = shared.query("SELECT item || name FROM history ORDER BY item");
    assert_eq!(before, ["0a", "1b", "2c"], "the page of the first one has another length");
    assert_eq!(shared.query("SELECT pages FROM hosts"), [1], "a page is one, whatever its items");
}

#[test]
fn what_is_not_ours_is_refused_and_stays_as_it_is() {
    let site = counting_site();
    let shared = Shared::new();
    let path = shared.path();
    shared.scrape([&*site.url("/")]).run().succeeds();
    let ours = fs::read(&path).unwrap();
    let other = |sql: &str| {
        fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        fs::read(&path).unwrap()
    };
    let mut newer = ours.clone();
    newer[63] = 9;
    let mut torn = ours.clone();
    let half = torn.len() / 2;
    torn[4096..].fill(0x5a);
    let cases = [
        (other("CREATE TABLE notes (a); INSERT INTO notes VALUES (1);"), "it is the database of another program"),
        (b"http://a.test/\n".to_vec(), "it is no SQLite database"),
        (newer, "its tables are of version 9"),
        (torn, "it is damaged"),
        (ours[..half].to_vec(), "it is damaged"),
    ];
    let asked = site.count();
    for (bytes, words) in cases {
        fs::write(&path, &bytes).unwrap();
        let run = shared.scrape([&*site.url("/"), "-o", "beside.csv"]).file("beside.csv", "precious").run().exits(5);
        assert!(run.stderr.contains(words) && run.stderr.contains("pages.db"), "{words}: {}", run.stderr);
        assert!(run.stderr.contains("move this one away"), "{}", run.stderr);
        assert!(fs::read(&path).unwrap() == bytes, "{words}: it was changed");
        assert_eq!(run.file("beside.csv"), "precious");
        assert_eq!(fs::read_dir(shared.0.path()).unwrap().count(), 1, "{words}");
    }
    assert_eq!(site.count(), asked);
    let run = Scrape::in_shell("ln -s /dev/null x.db; exec \"$scrape\" -o x.db -").run();
    run.refused_over("x.db: a database can only be a file");
}

/// A run over pages of which all but the first two are held back until it was sent a signal.
fn interrupted(signal: Signal) -> (Run, usize) {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match &*hit.path {
        "/0" | "/1" => Answer::title(&hit.path),
        _ => Answer::title(&hit.path).behind(&held),
    });
    let list: String = (0..50).map(|n| site.url(&format!("/{n}\n"))).collect();
    let mut run = scrape(["-c", "2", "-o", "out.db"]).spawn();
    run.write(&list);
    site.wait_for(4);
    run.signal(signal);
    gate.open();
    (run.finish(), site.count())
}

#[test]
fn ctrl_c_commits_all_that_was_fetched() {
    let (run, asked) = interrupted(Signal::INT);
    assert_eq!(run.code, Some(130));
    assert!(is_sound(&run.path("out.db")));
    assert_eq!(query(&run.path("out.db"), "SELECT count(*) FROM pages WHERE error IS NULL"), [asked]);
}

#[test]
fn a_database_is_sound_after_a_kill_and_the_next_run_goes_on_with_it() {
    let (run, _) = interrupted(Signal::KILL);
    let path = run.path("out.db");
    assert!(is_sound(&path));
    let site = counting_site();
    scrape(["-o", path.to_str().unwrap(), &*site.url("/next")]).run().succeeds();
    assert_eq!(query(&path, "SELECT title FROM pages WHERE url LIKE '%/next'"), ["/next 0"]);
}

#[test]
fn it_can_be_read_while_it_is_written() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match &*hit.path {
        "/last" => Answer::title("last").behind(&held),
        path => Answer::title(path),
    });
    let shared = Shared::new();
    let urls = [site.url("/first"), site.url("/last")];
    let run = shared.scrape(urls.iter().map(String::as_str)).spawn();
    site.wait_for(2);
    let connection = Connection::open(shared.path()).unwrap();
    // The transaction ends though nothing else comes.
    let count = || connection.query_row("SELECT count(*) FROM pages", [], |row| row.get::<_, u32>(0)).unwrap_or(0);
    while count() == 0 {
        std::thread::yield_now();
    }
    gate.open();
    run.finish().succeeds();
    assert_eq!(count(), 2);
}

#[test]
fn two_runs_at_once_write_all_of_both() {
    let site = counting_site();
    let shared = Shared::new();
    let lists = ["a", "b"].map(|name| (0..100).map(|n| site.url(&format!("/{name}{n}\n"))).collect::<String>());
    let runs = lists.map(|list| {
        let mut run = shared.scrape(["-"]).spawn();
        run.write(&list);
        run
    });
    for run in runs {
        run.finish().succeeds();
    }
    assert_eq!(shared.query("SELECT count(*) FROM pages"), [200]);
    assert!(is_sound(&shared.path()));
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let site = Site::start(|hit| Answer::html(format!("<title>{}</title><h1>{}</h1>", hit.path, "x".repeat(9000))));
    let urls: String = (0..200).map(|n| site.url(&format!("/{n}\n"))).collect();
    // No file may grow beyond 256 KiB.
    let script = "trap '' XFSZ; ulimit -f 512; exec \"$scrape\" - -x h1 -o out.db";
    let run = Scrape::in_shell(script).stdin(urls).run().exits(5);
    assert!(run.stderr.contains("cannot write out.db: "), "{}", run.stderr);
}

#[test]
fn it_is_no_journal_and_no_source() {
    let run = scrape(["--resume", "-o", "out.db", "-"]).run();
    run.refused_over("--resume needs one output");
    let run = scrape(["-o", "x.db.gz", "-"]).run();
    run.refused_over("its name does not tell the format");
    let run = scrape(["-o", "x.db", "-o", "./x.db", "-"]).run();
    run.refused_over("is named twice as an output");
}

#[test]
fn an_empty_list_is_a_database_without_rows() {
    let run = scrape(["-q", "-o", "out.db"]).stdin("").run().succeeds();
    assert_eq!(query(&run.path("out.db"), "SELECT count(*) FROM pages"), [0]);
}

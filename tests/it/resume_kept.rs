//! Archives, folders, databases and tables of runs that are killed and gone on with by the help of a state: each holds what that
//! of an undisturbed run does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::scrape::warc::{Header, Reader};
use parquet::file::reader::{FileReader, SerializedFileReader};
use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::coding::gzip;
use crate::support::scrape::{Run, Scrape, parse};
use crate::support::{Answer, Gate, Hit, Site};

/// All outputs that keep more than lines.
const OUTPUTS: &str = "-o a.warc.gz -o b.warc -o pages.db -o pages.parquet -o out.jsonl --save saved";

/// A folder in which the program runs again and again.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn scrape(&self, args: &str) -> Scrape {
        Scrape::in_shell(&format!("cd '{}' && exec \"$scrape\" {args}", self.0.path().display()))
    }

    fn run(&self, args: &str) -> Run {
        self.scrape(args).run()
    }

    fn write_list(&self, site: &Site, pages: usize) {
        let list: String = (0..pages).map(|n| site.url(&format!("/{n}\n"))).collect();
        fs::write(self.path("urls.txt"), list).unwrap();
    }

    /// Starts the program and kills it when so many more requests were made, or when `is_time`. False where it ended before.
    fn kill(&self, args: &str, (site, more): (&Site, usize), is_time: impl Fn() -> bool) -> bool {
        let asked = site.count();
        let mut run = self.scrape(args).spawn();
        while site.count() < asked + more && !is_time() && !run.ends_within(Duration::from_micros(200)) {}
        if run.ends_within(Duration::ZERO) {
            run.finish();
            return false;
        }
        run.signal(Signal::KILL);
        let is_killed = run.finish().code.is_none();
        assert_eq!(query::<String>(&self.path("s.db"), "PRAGMA integrity_check"), "ok");
        is_killed
    }

    fn is_replacing(&self) -> bool {
        ["a.warc.gz", "saved/manifest.jsonl", "out.jsonl"]
            .iter()
            .any(|name| self.path(&format!("{name}.resuming")).exists())
    }

    /// What all outputs hold, each once: status and title by URL.
    fn check(&self, expected: &BTreeMap<String, String>, why: &str) {
        let lines = parse(&fs::read_to_string(self.path("out.jsonl")).unwrap());
        assert_eq!(&once(lines.iter().map(essence)), expected, "lines, {why}");
        assert_eq!(&once(rows(&self.path("pages.parquet")).iter().map(essence)), expected, "table, {why}");
        assert_eq!(&self.database(), expected, "database, {why}");
        let archives = [check_archive(&self.path("a.warc.gz")), check_archive(&self.path("b.warc"))];
        for name in ["a.warc.gz", "b.warc"] {
            let again = self.run(&format!("{name} -f jsonl --fail-on none")).exits(0).records();
            assert_eq!(&once(again.iter().map(essence)), expected, "{name}, {why}");
        }
        assert_eq!(archives[0], archives[1], "{why}");
        assert_eq!(archives[0].iter().collect::<BTreeSet<_>>(), expected.keys().collect(), "final answers, {why}");
        self.check_folder(expected, why);
    }

    fn database(&self) -> BTreeMap<String, String> {
        let connection = Connection::open(self.path("pages.db")).unwrap();
        let mut statement = connection.prepare("SELECT url, status, title FROM pages").unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            let title: Option<String> = row.get(2)?;
            Ok((row.get(0)?, format!("{} {}", Value::from(row.get::<_, Option<u16>>(1)?), Value::from(title))))
        };
        once(statement.query_map([], row).unwrap().map(Result::unwrap))
    }

    /// The manifest names each file once, and each file is named.
    fn check_folder(&self, expected: &BTreeMap<String, String>, why: &str) {
        let lines = parse(&fs::read_to_string(self.path("saved/manifest.jsonl")).unwrap());
        let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
        let files = once(lines.iter().map(|line| (text(line, "url"), text(line, "file"))));
        let fetched = expected.iter().filter(|(_, essence)| essence.starts_with("200"));
        assert_eq!(files.keys().collect::<Vec<_>>(), fetched.map(|(url, _)| url).collect::<Vec<_>>(), "{why}");
        let names =
            fs::read_dir(self.path("saved")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names = names.filter(|name| !name.starts_with("manifest.jsonl"));
        assert_eq!(names.collect::<BTreeSet<_>>(), files.values().cloned().collect(), "{why}");
        let lengths = lines.iter().map(|line| fs::metadata(self.path("saved").join(text(line, "file"))).unwrap().len());
        assert!(lengths.eq(lines.iter().map(|line| line["length"].as_u64().unwrap())), "{why}");
        let again = self.run("saved -f jsonl").exits(0).records();
        assert_eq!(again.len(), lines.len(), "{why}");
    }
}

fn query<T: rusqlite::types::FromSql>(path: &Path, sql: &str) -> T {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A map of pairs, of which none has the key of another.
fn once(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        let other = map.insert(key.clone(), value);
        assert!(other.is_none(), "{key} is there twice");
    }
    map
}

/// What a record says of a URL, whenever that was asked for.
fn essence(record: &Value) -> (String, String) {
    (record["url"].as_str().unwrap().to_owned(), format!("{} {}", record["status"], record["title"]))
}

fn rows(path: &Path) -> Vec<Value> {
    let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_json_value()).collect()
}

/// Checks that each record is whole, that payloads are where they are looked for, and that the index tells where each answer
/// stands: the URLs that were given, by the answers that were the last.
fn check_archive(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let (mut answers, mut payloads, mut given, mut infos) = (BTreeMap::new(), HashMap::new(), Vec::new(), 0);
    let mut is_last = HashMap::new();
    while let Some(header) = reader.next_record().unwrap() {
        let (block, is_whole) = reader.read_block(usize::MAX).unwrap();
        assert!(is_whole);
        let field = |name: &str| header.get(name).map(String::from);
        let (id, digest) = (field("WARC-Record-ID").unwrap(), field("WARC-Payload-Digest"));
        match header.kind() {
            "warcinfo" => infos += 1,
            "metadata" => {
                let said = Header::parse(&block);
                let last = (said.get("final") == Some("yes")).then(|| said.get("given").unwrap().to_owned());
                is_last.insert(field("WARC-Concurrent-To").unwrap(), last);
            }
            "response" | "revisit" => {
                match field("WARC-Refers-To") {
                    Some(original) => assert_eq!(payloads.get(&original), digest.as_ref(), "{header:?}"),
                    None => _ = payloads.insert(id.clone(), digest.unwrap()),
                }
                given.extend(is_last.remove(&id).unwrap());
                answers.insert(reader.offset().unwrap(), field("WARC-Target-URI").unwrap());
            }
            _ => {}
        }
    }
    assert_eq!(infos, 1, "{}", path.display());
    let index = fs::read_to_string(
        path.with_file_name(path.file_name().unwrap().to_str().unwrap().replace(".gz", "")).with_extension("cdxj"),
    );
    let index = index.unwrap();
    assert!(index.lines().is_sorted());
    let mut listed = BTreeMap::new();
    for line in index.lines() {
        let entry: Value = serde_json::from_str(line.splitn(3, ' ').nth(2).unwrap()).unwrap();
        let number = |key: &str| entry[key].as_str().unwrap().parse::<u64>().unwrap();
        let (offset, length) = (number("offset"), number("length"));
        let record = &bytes[usize::try_from(offset).unwrap()..usize::try_from(offset + length).unwrap()];
        let mut reader = Reader::new(record).unwrap();
        let header = reader.next_record().unwrap().unwrap();
        assert_eq!(header.get("WARC-Payload-Digest"), entry["digest"].as_str());
        assert_eq!(header.get("WARC-Target-URI"), entry["url"].as_str());
        assert_eq!(header.kind() == "revisit", entry["mime"] == "warc/revisit");
        assert!(reader.next_record().unwrap().is_none(), "{line}");
        listed.insert(offset, entry["url"].as_str().unwrap().to_owned());
    }
    assert_eq!(listed, answers, "{}", path.display());
    given.sort_unstable();
    given
}

/// Pages that are there, and some that are not, move, are busy at first, look like another, or are of another kind each time.
fn answer(hit: &Hit) -> Answer {
    match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 20 == 1 => Answer::title("missing").with_status(404),
        Ok(n) if n % 17 == 2 && hit.nth == 0 => Answer::title("busy").with_status(503),
        Ok(n) if n % 13 == 3 => Answer::redirect(302, &format!("/to/{n}")),
        Ok(n) if n % 5 == 4 => Answer::title("the same"),
        Ok(n) if n % 11 == 5 => {
            let kind = if hit.nth.is_multiple_of(2) { "text/html" } else { "application/xhtml+xml" };
            Answer::typed(
                kind,
                format!("<html xmlns='http://www.w3.org/1999/xhtml'><head><title>{n}</title></head></html>"),
            )
        }
        Ok(n) if n % 11 == 6 => {
            Answer::html(gzip(format!("<title>{n}</title>").as_bytes())).header("Content-Encoding", "gzip")
        }
        _ => Answer::title(&hit.path),
    }
}

#[test]
fn whenever_it_is_killed_every_output_holds_what_that_of_an_undisturbed_run_does() {
    const PAGES: usize = 600;
    const KILLS: usize = 24;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (site, desk) = (Site::start(answer), Desk::new());
    desk.write_list(&site, PAGES);
    let usual = "urls.txt --state s.db --resume --fail-on none --retry 0";
    let args = format!("{usual} {OUTPUTS}");
    let mut killed = 0;
    for _ in 0..KILLS {
        let waits_for_copy = random.u8(..4) == 0;
        let more = random.usize(..3 * PAGES / KILLS);
        killed += usize::from(desk.kill(&args, (&site, more), || waits_for_copy && desk.is_replacing()));
    }
    // What was busy until now is not any more.
    desk.run(&args).exits(0);
    desk.run(&args).exits(0);
    let why = format!("seed {seed}, {killed} kills");
    let undisturbed = desk.run("urls.txt -f jsonl --fail-on none").exits(0).records();
    let expected = once(undisturbed.iter().map(essence));
    assert_eq!(expected.len(), PAGES);
    desk.check(&expected, &why);
    assert!(killed > KILLS / 4, "{why}");
    assert!(!desk.is_replacing(), "{why}");
}

/// A site whose page N links to 2N, 2N + 1 and some that were met before, behind some of the answers above.
fn answer_linking(hit: &Hit, pages: usize) -> Answer {
    match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 50 == 27 => Answer::title("missing").with_status(404),
        Ok(n) if n % 50 == 19 => Answer::redirect(302, &format!("/{}", n + 1)),
        Ok(n) if n % 30 == 11 && hit.nth == 0 => Answer::status(503),
        Ok(n) => {
            let links = [2 * n, 2 * n + 1, n / 2 + 1, n * 7 % pages + 1].into_iter().filter(|&it| it <= pages);
            let links: String = links.map(|it| ["<a href=/", &it.to_string(), ">x</a>"].concat()).collect();
            Answer::html(format!("<title>{n}</title>{links}"))
        }
        Err(_) => Answer::status(404),
    }
}

#[test]
fn whenever_a_crawl_is_killed_every_output_has_each_page_once() {
    const PAGES: usize = 400;
    const KILLS: usize = 12;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (site, desk) = (Site::start(|hit| answer_linking(hit, PAGES)), Desk::new());
    let usual = format!("{} --depth all --allow-traps --fail-on none", site.url("/1"));
    let args = format!("{usual} --state s.db --resume --retry 1 --retry-delay 0.01 {OUTPUTS}");
    let killed = (0..KILLS).filter(|_| desk.kill(&args, (&site, random.usize(..3 * PAGES / KILLS)), || false)).count();
    desk.run(&args).exits(0);
    desk.run(&args).exits(0);
    let why = format!("seed {seed}, {killed} kills");
    // Which of two ways to a page is gone first is not the same each time.
    let by_answer = |records: &[Value]| {
        let answer = |record: &Value| record["final_url"].as_str().or(record["url"].as_str()).unwrap().to_owned();
        once(records.iter().map(|record| (answer(record), essence(record).1)))
    };
    let records = parse(&fs::read_to_string(desk.path("out.jsonl")).unwrap());
    let undisturbed = desk.run(&format!("{usual} -f jsonl")).exits(0).records();
    assert_eq!(by_answer(&records), by_answer(&undisturbed), "{why}");
    desk.check(&once(records.iter().map(essence)), &why);
    assert!(killed > KILLS / 4, "{why}");
}

#[test]
fn failures_that_are_tried_again_are_in_every_output_once() {
    let site = Site::start(|hit| match hit.path.as_str() {
        "/3" => Answer::redirect(302, "/moved"),
        "/1" | "/moved" if hit.nth < 2 => Answer::title("missing").with_status(404),
        "/2" => Answer::title("missing").with_status(404),
        path => Answer::title(path),
    });
    let desk = Desk::new();
    desk.write_list(&site, 6);
    let args = format!("urls.txt --state s.db --resume --fail-on none --retry 0 {OUTPUTS}");
    let check = || {
        let records = parse(&fs::read_to_string(desk.path("out.jsonl")).unwrap());
        desk.check(&once(records.iter().map(essence)), "");
        records.iter().filter(|record| !record["error"].is_null()).count()
    };
    desk.run(&args).exits(0);
    assert_eq!(check(), 3);
    for left in [3, 1, 1] {
        desk.run(&format!("{args} --retry-failed")).exits(0);
        assert_eq!(check(), left);
    }
    let words: i64 = query(&desk.path("pages.db"), "SELECT count(*) FROM history WHERE status = 404");
    assert_eq!(words, 2, "what a URL said before is known, and said once");
    assert_eq!(site.hits_of("/0").len(), 1);
}

#[test]
fn what_an_ordered_run_held_back_is_not_taken_for_the_last_word() {
    const PAGES: usize = 400;
    let (first, last) = (Gate::shut(), Gate::shut());
    let held = [first.clone(), last.clone()];
    let site = Site::start(move |hit| match hit.path.as_str() {
        "/0" => Answer::title("first").behind(&held[0]),
        "/270" if hit.nth == 0 => Answer::title("last").behind(&held[1]),
        path => Answer::title(path),
    });
    let desk = Desk::new();
    desk.write_list(&site, PAGES);
    let mut run = desk.scrape(&format!("urls.txt --state s.db --ordered -c 4 {OUTPUTS}")).spawn();
    site.wait_for(300);
    first.open();
    let known = || query::<i64>(&desk.path("s.db"), "SELECT count(*) FROM pages");
    while known() < 256 && !run.ends_within(Duration::from_millis(1)) {}
    run.signal(Signal::KILL);
    run.finish();
    last.open();
    desk.run(&format!("urls.txt --state s.db --resume {OUTPUTS}")).succeeds();
    assert!(site.hits_of("/299").len() == 2, "it was held back");
    let records = parse(&fs::read_to_string(desk.path("out.jsonl")).unwrap());
    assert_eq!(records.len(), PAGES);
    desk.check(&once(records.iter().map(essence)), "");
}

#[test]
fn a_sitemap_that_is_read_once_more_is_no_page_of_an_output() {
    let site = Site::start(|hit| match hit.path.as_str() {
        "/sitemap.xml" => {
            let entry = |n| format!("<url><loc>http://{}/{n}</loc></url>", hit.header("host").unwrap());
            Answer::typed("text/xml", format!("<urlset>{}</urlset>", (0..9).map(entry).collect::<String>()))
        }
        path => Answer::title(path),
    });
    let desk = Desk::new();
    let args = format!("--sitemap {} --state s.db --resume --max-pages 4 {OUTPUTS}", site.url("/sitemap.xml"));
    for _ in 0..3 {
        desk.run(&args).exits(0);
    }
    assert!(site.hits_of("/sitemap.xml").len() > 1);
    let records = parse(&fs::read_to_string(desk.path("out.jsonl")).unwrap());
    assert_eq!(records.len(), 9);
    desk.check(&once(records.iter().map(essence)), "");
}

#[test]
fn what_a_killed_run_was_saving_is_removed_and_nothing_else() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new();
    desk.write_list(&site, 2);
    let args = "urls.txt --save saved --state s.db --resume";
    desk.run(args).succeeds();
    let names = || {
        let names = fs::read_dir(desk.path("saved")).unwrap().map(|entry| entry.unwrap().file_name());
        names.collect::<BTreeSet<_>>()
    };
    for name in [".saving-mine", ".saving-7.html", ".saving-abcdefg", "x.saving-abcdef"] {
        fs::write(desk.path("saved").join(name), "mine").unwrap();
    }
    fs::create_dir(desk.path("saved/.saving-folder")).unwrap();
    let kept = names();
    fs::write(desk.path("saved/.saving-aB3xYz"), "half a page").unwrap();
    desk.run(args).succeeds();
    assert_eq!(names(), kept);
}

#[test]
fn an_output_that_was_damaged_or_taken_away_is_refused_with_words_and_left_as_it_is() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new();
    desk.write_list(&site, 5);
    let args = format!("urls.txt --state s.db --resume {OUTPUTS}");
    desk.run(&args).succeeds();
    let damage = |name: &str, bytes: &[u8], words: &str| {
        let whole = fs::read(desk.path(name)).unwrap();
        fs::write(desk.path(name), bytes).unwrap();
        desk.run(&args).refused_over(words);
        assert_eq!(fs::read(desk.path(name)).unwrap(), bytes, "{name}");
        fs::write(desk.path(name), whole).unwrap();
    };
    damage("a.warc.gz", b"", "cannot resume a.warc.gz: it had");
    damage("b.warc", &b"x".repeat(99_999), "b.warc: ");
    damage("saved/manifest.jsonl", &b"x".repeat(99_999), "manifest.jsonl: ");
    damage("pages.parquet.jsonl.zst", b"", "pages.parquet.jsonl.zst: it had");
    let whole = fs::read(desk.path("pages.db")).unwrap();
    fs::remove_file(desk.path("pages.db")).unwrap();
    desk.run(&args).refused_over("cannot resume pages.db: it is empty");
    fs::write(desk.path("pages.db"), whole).unwrap();
    let asked = site.count();
    desk.run(&args).succeeds();
    assert_eq!(site.count(), asked);
    desk.check(&once(parse(&fs::read_to_string(desk.path("out.jsonl")).unwrap()).iter().map(essence)), "");
    desk.run(&args.replace("-o b.warc", "")).refused_over("b.warc, too");
    desk.run(&args.replace("-o pages.db", "")).refused_over("pages.db, too");
}

#[test]
fn a_table_appears_when_its_run_has_ended_and_not_before() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    let desk = Desk::new();
    desk.write_list(&site, 3);
    let args = "urls.txt --state s.db -x lang,links -s 'n=title | number' -o pages.parquet";
    fs::write(desk.path("pages.parquet"), "before").unwrap();
    let run = desk.scrape(args).spawn();
    site.wait_for(3);
    assert_eq!(fs::read(desk.path("pages.parquet")).unwrap(), b"before");
    gate.open();
    run.finish().succeeds();
    let undisturbed = "urls.txt -x lang,links -s 'n=title | number' -o other.parquet";
    desk.run(undisturbed).succeeds();
    let rows = |name: &str| {
        let rows = rows(&desk.path(name)).into_iter().map(|mut row| {
            for key in ["elapsed_ms", "fetched_at"] {
                row[key] = Value::Null;
            }
            row
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|row| row["url"].to_string());
        rows
    };
    assert_eq!(rows("pages.parquet"), rows("other.parquet"));
}

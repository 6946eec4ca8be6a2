//! Whatever became of a file, what stands in it is what was finished, and nothing else is there.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::job::Outcome;
use crate::sink::sample::{self, Tape, page_at, with_failure, with_rows};
use crate::sink::{Lines, Options};
use crate::value::Value;

/// A folder with the file `name` in it.
fn folder(name: &str, bytes: &[u8]) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn fields() -> Arc<[Box<str>]> {
    sample::names(&["text", "title"])
}

fn rules(fields: &[Box<str>]) -> Rules<'_> {
    Rules { fields, retry_failed: false, is_idempotent: true, has_groups: false }
}

fn page(url: &str, texts: &[&str]) -> Outcome {
    let page = page_at(url, 200, 1, Duration::ZERO);
    with_rows(page, texts.iter().map(|&text| vec![text.to_owned().into(), Value::Null]))
}

fn failed(url: &str, kind: Kind, message: &str) -> Outcome {
    with_failure(page_at(url, 200, 1, Duration::ZERO), kind, message)
}

fn write(format: Format, outcomes: &[Outcome]) -> String {
    sample::write(format, &Options { fields: fields(), ..Options::default() }, outcomes)
}

fn compressed(compression: Compression, text: &str) -> Vec<u8> {
    let tape = Tape::default();
    let mut lines = Lines::compressed("out", tape.clone(), compression).unwrap();
    for line in text.split_inclusive('\n') {
        lines.push(|out| out.write_all(line.as_bytes())).unwrap();
        lines.flush().unwrap();
    }
    lines.finish().unwrap();
    tape.writes().concat()
}

/// Reopens the file and gives the URLs of what stayed, and whether nothing did.
fn reopen(path: &Path, format: Format, rules: Rules<'_>) -> Result<(Vec<String>, bool), Error> {
    let mut urls: Vec<String> = Vec::new();
    let reopened = Journal { path, format, rules }.reopen(|url| {
        let is_new = !urls.contains(&url.to_string());
        urls.push(url.to_string());
        is_new
    })?;
    Ok((urls, reopened.is_empty))
}

/// The text of a file, compression undone. All of it must be whole.
fn read(path: &Path) -> String {
    let mut text = String::new();
    let file = BufReader::new(File::open(path).unwrap());
    if fs::metadata(path).unwrap().len() > 0 {
        Compression::of(path).0.reader(file).unwrap().read_to_string(&mut text).unwrap();
    }
    text
}

const READABLE: [Format; 3] = [Format::Jsonl, Format::Csv, Format::Tsv];

#[test]
fn a_file_cut_at_any_byte_keeps_its_whole_records_and_can_be_added_to() {
    let fields = fields();
    for format in READABLE {
        let outcomes: Vec<_> = [
            ("https://a.test/1", "plain"),
            ("https://a.test/b\u{fc}\\\"x,y", "\"quoted\",\n\tand\nbroken \u{2028}\u{e9}\\"),
            ("HTTPS://A.test:443/3#top", "last\n"),
        ]
        .map(|(url, text)| page("https://a.test/", &[text]).tap(|page| page.target.given = url.into()))
        .into();
        let whole = write(format, &outcomes);
        let ends: Vec<_> = (0..=3).map(|n| write(format, &outcomes[..n]).len()).collect();
        let names = if format == Format::Jsonl { &["out", "out.gz", "out.zst"][..] } else { &["out"] };
        for name in names {
            let compression = Compression::of(Path::new(name)).0;
            let bytes = compressed(compression, &whole);
            for cut in 0..=bytes.len() {
                let (_folder, path) = folder(name, &bytes[..cut]);
                let (urls, is_empty) = reopen(&path, format, rules(&fields)).unwrap();
                let text = read(&path);
                if compression == Compression::None {
                    let kept = ends.iter().rev().find(|&&end| end <= cut).copied().unwrap_or(0);
                    assert_eq!(text.len(), kept, "{format} cut at {cut}");
                }
                let records = ends.iter().rposition(|&end| end == text.len()).unwrap_or(0);
                assert_eq!(
                    (text.as_str(), urls.len()),
                    (&whole[..text.len()], records),
                    "{format} {name} cut at {cut}"
                );
                assert_eq!(is_empty, text.is_empty());
                assert!(cut < bytes.len() || records == 3);
                assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
            }
        }
    }
}

trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Outcome {}

#[test]
fn what_a_run_would_try_again_does_not_stand_and_what_it_would_not_does() {
    let status = |status| {
        let mut outcome = failed(&format!("http://a.test/{status}"), Kind::Status, "no");
        outcome.facts.as_mut().unwrap().status = status;
        outcome
    };
    let outcomes = [
        page("http://a.test/fine", &["x"]),
        failed("http://a.test/cancelled", Kind::Cancelled, "the run was stopped"),
        failed("http://a.test/tls", Kind::Tls, "expired"),
        failed("http://a.test/reset", Kind::Reset, "closed"),
        failed("http://a.test/connect", Kind::Connect, "refused"),
        failed("http://a.test/unknown", Kind::Dns, "a.test: Name or service not known"),
        failed("http://a.test/nobody", Kind::Dns, "a.test: Temporary failure in name resolution"),
        sample::rejected("ftp://a.test", "no"),
        status(404),
        status(503),
        status(500),
    ];
    let fields = fields();
    for format in READABLE {
        let stays = |rules| {
            let (_folder, path) = folder("out", write(format, &outcomes).as_bytes());
            let (urls, _) = reopen(&path, format, rules).unwrap();
            let text = read(&path);
            assert!(urls.iter().all(|url| text.contains(url)), "{text}");
            assert_eq!(text.lines().count(), urls.len() + usize::from(format == Format::Csv), "{text}");
            urls.iter().map(|url| url.trim_start_matches("http://a.test/").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(stays(rules(&fields)), ["fine", "tls", "unknown", "404"]);
        assert_eq!(stays(Rules { retry_failed: true, ..rules(&fields) }), ["fine"]);
        let careful = Rules { is_idempotent: false, ..rules(&fields) };
        assert_eq!(stays(careful), ["fine", "tls", "reset", "unknown", "404", "500"]);
    }
}

#[test]
fn the_last_page_of_a_file_goes_where_pages_have_several_records() {
    let outcomes = [page("http://a.test/1", &["a", "b"]), page("http://a.test/2", &["c", "d", "e"])];
    let fields = fields();
    let grouped = Rules { has_groups: true, ..rules(&fields) };
    for format in READABLE {
        let text = write(format, &outcomes);
        let first = write(format, &outcomes[..1]);
        for cut in first.len()..=text.len() {
            let (_folder, path) = folder("out", &text.as_bytes()[..cut]);
            let (urls, _) = reopen(&path, format, grouped).unwrap();
            let is_followed = text[first.len()..cut].contains('\n');
            let expected = if is_followed { first.clone() } else { write(format, &[]) };
            assert_eq!(read(&path), expected, "{format} cut at {cut}");
            assert_eq!(urls.len(), usize::from(is_followed));
        }
        let failure = write(format, &[failed("http://a.test/3", Kind::Reset, "x")]);
        let last = failure.split_inclusive('\n').next_back().unwrap();
        let (_folder, path) = folder("out", (text.clone() + last).as_bytes());
        reopen(&path, format, grouped).unwrap();
        assert_eq!(read(&path), text, "what follows the last page tells that it was whole");
    }
}

#[test]
fn a_second_record_of_a_url_goes() {
    let outcomes = [page("http://a.test/", &["1"]), page("http://b.test/", &["2"]), page("http://a.test/#x", &["3"])];
    let fields = fields();
    let (_folder, path) = folder("out", write(Format::Jsonl, &outcomes).as_bytes());
    reopen(&path, Format::Jsonl, rules(&fields)).unwrap();
    assert_eq!(read(&path), write(Format::Jsonl, &outcomes[..2]));
}

#[test]
fn lines_that_the_disk_lost_go() {
    let fields = fields();
    for format in [Format::Jsonl, Format::Tsv] {
        let [one, two] = ["http://a.test/1", "http://a.test/2"].map(|url| write(format, &[page(url, &["x"])]));
        let text = format!("{one}{}\0\0\0\0{}{two}\0\0\0", &one[..9], &two[7..]);
        let (_folder, path) = folder("out", text.as_bytes());
        reopen(&path, format, rules(&fields)).unwrap();
        assert_eq!(read(&path), one + &two);
    }
}

#[test]
fn what_is_no_file_of_such_records_is_refused_with_its_line_and_left_as_it_is() {
    let fields = fields();
    let refuse = |format, name: &str, bytes: &[u8]| {
        let (_folder, path) = folder(name, bytes);
        let error = reopen(&path, format, rules(&fields)).unwrap_err().to_string();
        assert_eq!(fs::read(&path).unwrap(), bytes, "{error}");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        error
    };
    let other = |format, names: &[&str]| {
        let options = Options { fields: sample::names(names), ..Options::default() };
        sample::write(format, &options, &[sample::page("t")])
    };
    let good = write(Format::Jsonl, &[failed("http://a.test/", Kind::Reset, "x"), page("http://b.test/", &["x"])]);
    let jsonl = |text: &str| refuse(Format::Jsonl, "out", (good.clone() + text).as_bytes());
    assert_eq!(jsonl(&other(Format::Jsonl, &["text"])), "line 3: it has no \"title\"");
    assert_eq!(jsonl(&other(Format::Jsonl, &["text", "titel"])), "line 3: it has \"titel\" and no \"title\"");
    assert_eq!(jsonl(&other(Format::Jsonl, &["title", "text"])), "line 3: it has its values in another order");
    assert!(
        jsonl("{\"url\":\"http://a.test/\"}\n").starts_with("line 3: it is no record of this version: it has no \"v\"")
    );
    assert!(jsonl("notes\n").starts_with("line 3: it is no record ("));
    assert!(jsonl(&good.replace("http://b.test/", "://")).contains("its url"), "of a failure that stands");
    assert_eq!(refuse(Format::Csv, "out", b"a,b\n1,2\n")[..10], *"line 1: it");
    let csv = write(Format::Csv, &[page("http://b.test/", &["1\n2"])]) + "1,2\n";
    assert_eq!(refuse(Format::Csv, "out", csv.as_bytes()), "line 4: it has 2 cells, not 21");
    assert_eq!(refuse(Format::Tsv, "out", b"a\tb\n"), "line 1: it has 2 cells, not 8");
    assert_eq!(refuse(Format::Tsv, "out", b"\xff\n"), "line 1: it is not UTF-8");
    assert!(refuse(Format::Jsonl, "out.gz", good.as_bytes()).contains("gzip"));
    refuse(Format::Jsonl, "out.zst", good.as_bytes());
    assert!(refuse(Format::Table, "out", b"x").contains("table"));
    let damaged = [compressed(Compression::Gzip, &good), b"no gzip member".to_vec()].concat();
    refuse(Format::Jsonl, "out.gz", &damaged);
}

#[test]
fn a_file_that_is_copied_keeps_its_permissions_and_the_links_to_it() {
    let fields = fields();
    let text = write(Format::Jsonl, &[failed("http://a.test/", Kind::Reset, "x"), page("http://b.test/", &["x"])]);
    let (folder, path) = folder("out", text.as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    // Left by a run that was killed; and it must not be written through.
    let bystander = folder.path().join("bystander");
    fs::write(&bystander, "mine").unwrap();
    symlink(&bystander, folder.path().join("out.resuming")).unwrap();
    let (urls, _) = reopen(&link, Format::Jsonl, rules(&fields)).unwrap();
    assert_eq!(urls, ["http://b.test/"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    assert_eq!((read(&path).lines().count(), fs::read_to_string(&bystander).unwrap()), (1, "mine".into()));
    assert!(!folder.path().join("out.resuming").exists());
}

#[test]
fn a_file_has_one_writer_also_when_it_has_been_replaced() {
    let fields = fields();
    let lost = failed("http://a.test/", Kind::Reset, "x");
    for outcomes in [vec![], vec![page("http://b.test/", &["x"])], vec![lost, page("http://b.test/", &["x"])]] {
        let (_folder, path) = folder("out", write(Format::Jsonl, &outcomes).as_bytes());
        let journal = Journal { path: &path, format: Format::Jsonl, rules: rules(&fields) };
        let first = journal.reopen(|_| true).unwrap();
        assert!(matches!(journal.reopen(|_| true), Err(Error::Busy)));
        drop(first);
        assert!(journal.reopen(|_| true).is_ok());
    }
}

#[test]
fn what_follows_stands_behind_what_stays() {
    let fields = fields();
    let one = write(Format::Jsonl, &[page("http://a.test/", &["x"])]);
    for name in ["out", "out.gz", "out.zst"] {
        let compression = Compression::of(Path::new(name)).0;
        for (whole, torn) in [(one.as_str(), ""), (&one, "{\"v\":1,"), ("", "{\"v\":1,"), ("", "")] {
            let (_folder, path) = folder(name, &compressed(compression, &(whole.to_owned() + torn)));
            let journal = Journal { path: &path, format: Format::Jsonl, rules: rules(&fields) };
            let mut reopened = journal.reopen(|_| true).unwrap();
            assert_eq!(reopened.is_empty, whole.is_empty());
            reopened.file.write_all(&compressed(compression, "next\n")).unwrap();
            assert_eq!(read(&path), whole.to_owned() + "next\n", "{name}");
        }
    }
}

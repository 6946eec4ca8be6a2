//! Reports of runs that are killed and gone on with by the help of a state: each tells of the whole run, and of each page once.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use scraper::{ElementRef, Html, Selector};
use tempfile::TempDir;

use crate::support::scrape::{Run, Scrape};
use crate::support::{Answer, Hit, Site};

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

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn figures(&self, name: &str) -> BTreeMap<&'static str, Vec<String>> {
        figures(&self.text(name))
    }

    /// Kills the program so many times, each after up to `most` requests, and lets it end then: how often it was killed.
    fn kill_and_resume(&self, args: &str, (site, kills, most): (&Site, usize, usize)) -> usize {
        let mut random = fastrand::Rng::new();
        let mut killed = 0;
        while killed < kills {
            let (asked, more) = (site.count(), random.usize(..most));
            let mut run = self.scrape(args).spawn();
            while site.count() < asked + more && !run.ends_within(Duration::from_micros(200)) {}
            if run.ends_within(Duration::ZERO) {
                break;
            }
            run.signal(Signal::KILL);
            killed += usize::from(run.finish().code.is_none());
        }
        self.run(args).exits(0);
        killed
    }
}

fn words(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The cells of these columns in each row that is found, the rows in order.
fn rows(page: &Html, selector: &str, columns: &[usize]) -> Vec<String> {
    let (rows, cells) = (Selector::parse(selector).unwrap(), Selector::parse("th, td").unwrap());
    let row = |row: ElementRef<'_>| {
        let cells: Vec<_> = row.select(&cells).map(words).collect();
        columns.iter().map(|&column| &*cells[column]).collect::<Vec<_>>().join(" | ")
    };
    let mut rows: Vec<_> = page.select(&rows).map(row).collect();
    rows.sort_unstable();
    rows
}

/// What a report tells, but for times.
fn figures(page: &str) -> BTreeMap<&'static str, Vec<String>> {
    let page = Html::parse_document(page);
    let texts = |selector| page.select(&Selector::parse(selector).unwrap()).map(words).collect::<Vec<_>>();
    let tiles = texts(".tiles dt").into_iter().zip(texts(".tiles dd:not(.note)"));
    let tiles = tiles.filter(|(name, _)| !["Median time", "Duration"].contains(&&**name));
    BTreeMap::from([
        ("heading", texts("h1")),
        ("tiles", tiles.map(|(name, value)| format!("{name}: {value}")).collect()),
        ("statuses and kinds", rows(&page, "[aria-labelledby=outcomes] tbody tr", &[0, 1])),
        ("hosts", rows(&page, "[aria-labelledby=hosts] tbody tr", &[0, 1, 2, 5, 6])),
        ("fields", rows(&page, "[aria-labelledby=fields] tbody tr", &[0, 1, 2])),
        ("depths", rows(&page, "[aria-labelledby=site] div:nth-of-type(1) tbody tr", &[0, 1])),
        ("broken", rows(&page, "[aria-label='Broken links'] tbody tr", &[0, 1, 2])),
        ("redirects", rows(&page, "[aria-label=Redirects] tbody tr", &[0, 1, 2])),
        ("orphans", rows(&page, "[aria-label^=Orphans] tbody tr", &[0, 1, 3])),
        ("pages", rows(&page, "#all tbody tr", &[0, 1, 3, 4])),
    ])
}

/// Pages that are there, some with a heading, and some that are not there or have moved.
fn answer(hit: &Hit) -> Answer {
    match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 20 == 1 => Answer::title("missing").with_status(404),
        Ok(n) if n % 13 == 3 => Answer::redirect(302, &format!("/to/{n}")),
        Ok(n) if n % 5 == 4 => Answer::html(format!("<title>{n}</title><h1>{n}</h1>{}", "x".repeat(n))),
        _ => Answer::title(&hit.path),
    }
}

#[test]
fn whenever_it_is_killed_the_report_is_that_of_an_undisturbed_run() {
    const PAGES: usize = 2000;
    let (site, other, desk) = (Site::start(answer), Site::start(answer), Desk::new());
    let list: String = (0..PAGES).map(|n| [&site, &other][n % 2].url(&format!("/{n}\n"))).collect();
    desk.write("urls.txt", &list);
    let usual = "urls.txt -x h1 --fail-on none";
    desk.run(&format!("{usual} -o undisturbed.html")).exits(0);
    let expected = desk.figures("undisturbed.html");
    assert_eq!(expected["heading"], ["2,000 pages"]);
    assert_eq!((expected["hosts"].len(), expected["pages"].len(), expected["fields"].len()), (2, PAGES, 1));
    for outputs in ["-o report.html", "-o out.jsonl -o report.html"] {
        let args = format!("{usual} --state s.db --resume {outputs}");
        let killed = desk.kill_and_resume(&args, (&site, 8, PAGES / 4));
        assert_eq!(desk.figures("report.html"), expected, "{outputs}, {killed} kills");
        assert!(killed > 1, "{killed} kills");
        let asked = site.count();
        let before = desk.text("report.html");
        desk.run(&args).exits(0);
        assert_eq!(site.count(), asked);
        assert_eq!(desk.text("report.html"), before, "there was nothing left to do");
        let lines = desk.run("report report.html.jsonl").succeeds().stdout;
        assert_eq!(lines, before, "its lines tell the same");
        fs::remove_file(desk.path("s.db")).unwrap();
        fs::remove_file(desk.path("report.html")).unwrap();
        fs::remove_file(desk.path("report.html.jsonl")).unwrap();
    }
}

/// A tree: page N links to 2N and 2N + 1. Some of its pages are not there, lead to one of their own, or to another site.
fn answer_linking(hit: &Hit, (pages, elsewhere): (usize, &str)) -> Answer {
    match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 50 == 27 => Answer::title("missing").with_status(404),
        Ok(n) if n % 50 == 19 => Answer::redirect(302, elsewhere),
        Ok(n) if n % 50 == 31 => Answer::redirect(301, &format!("/to/{n}")),
        Ok(n) => {
            let links = [2 * n, 2 * n + 1].into_iter().filter(|&it| it <= pages);
            Answer::html(links.map(|it| format!("<a href=/{it}>x</a>")).collect::<Vec<_>>().concat())
        }
        Err(_) if hit.path.starts_with("/to/") => Answer::title("moved"),
        Err(_) => Answer::status(404),
    }
}

#[test]
fn whenever_a_crawl_is_killed_its_report_has_the_map_of_the_whole_site() {
    const PAGES: usize = 2000;
    let other = Site::start(|_| Answer::title("elsewhere"));
    let elsewhere = other.url("/x");
    let (site, desk) = (Site::start(move |hit| answer_linking(hit, (PAGES, &elsewhere))), Desk::new());
    let usual = format!("{} --depth all --allow-traps --fail-on none", site.url("/1"));
    desk.run(&format!("{usual} -o undisturbed.html")).exits(0);
    let expected = desk.figures("undisturbed.html");
    assert!(["depths", "broken", "redirects"].iter().all(|table| expected[table].len() > 5), "{expected:?}");
    assert!(expected["redirects"].iter().any(|row| row.ends_with("/x")), "{expected:?}");
    let args = format!("{usual} --state s.db --resume -o report.html");
    let killed = desk.kill_and_resume(&args, (&site, 8, PAGES / 3));
    assert_eq!(desk.figures("report.html"), expected, "{killed} kills");
    assert!(killed > 1, "{killed} kills");
}

/// A sitemap of pages of which each tenth one links to nine others, the last ones first, and nobody to these.
fn answer_listing(hit: &Hit, pages: usize) -> Answer {
    match hit.path.strip_prefix("/p").and_then(|n| n.parse::<usize>().ok()) {
        None if hit.path == "/map.xml" => {
            let url = |n| format!("<url><loc>http://{}/p{n}</loc></url>", hit.header("Host").unwrap());
            Answer::untyped(format!("<urlset>{}</urlset>", (0..pages).map(url).collect::<String>()))
        }
        Some(n) if n % 10 == 0 => {
            Answer::html((1..10).map(|k| format!("<a href=/p{}>x</a>", pages - n - k)).collect::<Vec<_>>().concat())
        }
        Some(n) => Answer::title(&format!("{n}")),
        None => Answer::status(404),
    }
}

#[test]
fn whenever_it_is_killed_orphans_are_what_no_page_of_the_whole_crawl_links_to() {
    const PAGES: usize = 1000;
    let (site, desk) = (Site::start(|hit| answer_listing(hit, PAGES)), Desk::new());
    let usual = format!("--sitemap {} --depth 1 --allow-traps --fail-on none", site.url("/map.xml"));
    desk.run(&format!("{usual} -o undisturbed.html")).exits(0);
    let expected = desk.figures("undisturbed.html");
    assert_eq!(expected["orphans"].len(), PAGES / 10, "{expected:?}");
    assert_eq!(expected["heading"], ["1,000 pages"]);
    let args = format!("{usual} --state s.db --resume -o report.html");
    let killed = desk.kill_and_resume(&args, (&site, 8, PAGES / 2));
    for table in ["heading", "tiles", "orphans", "pages"] {
        assert_eq!(desk.figures("report.html")[table], expected[table], "{table}, {killed} kills");
    }
    assert!(killed > 1, "{killed} kills");
}

#[test]
fn pages_that_are_tried_again_are_in_it_once() {
    let site = Site::start(|hit| match &*hit.path {
        "/1" if hit.nth == 0 => Answer::status(404),
        "/2" if hit.nth < 2 => Answer::status(503),
        path => Answer::title(path),
    });
    let desk = Desk::new();
    desk.write("urls.txt", &(0..4).map(|n| site.url(&format!("/{n}\n"))).collect::<String>());
    let args = "urls.txt --retry 0 --state s.db --resume -o report.html -o other.html --fail-on none";
    let tiles = |first: &str| {
        let [one, other] = ["report.html", "other.html"].map(|name| desk.figures(name));
        assert_eq!(one, other);
        assert_eq!((&*one["heading"][0], one["pages"].len()), ("4 pages", 4));
        assert_eq!(one["tiles"][0], first);
    };
    desk.run(args).exits(0);
    tiles("Fetched: 2");
    desk.run(args).exits(0);
    tiles("Fetched: 2");
    desk.run(args).exits(0);
    tiles("Fetched: 3");
    desk.run(&format!("{args} --retry-failed")).exits(0);
    tiles("Fetched: 4");
    assert_eq!(site.count(), 4 + 1 + 1 + 1);
}

#[test]
fn a_report_on_changes_is_gone_on_with_and_the_next_run_has_its_own() {
    let site = Site::start(|hit| match (&*hit.path, hit.nth) {
        ("/0" | "/2" | "/3", 1..) => Answer::title("changed"),
        (path, _) => Answer::title(path),
    });
    let desk = Desk::new();
    desk.write("urls.txt", &(0..4).map(|n| site.url(&format!("/{n}\n"))).collect::<String>());
    let args = "urls.txt -c 1 --state s.db --changed --resume -o report.html";
    let changes = || rows(&Html::parse_document(&desk.text("report.html")), "[aria-labelledby=changes] tbody tr", &[0]);
    desk.run(args).succeeds();
    assert_eq!(changes().len(), 4, "{:?}", changes());
    desk.run(&format!("{args} --max-pages 3")).succeeds();
    assert_eq!((site.count(), changes().len()), (7, 2), "{:?}", changes());
    assert!(!desk.text("report.html").contains(" parts"), "it is a run of its own");
    desk.run(args).succeeds();
    assert_eq!((site.count(), changes().len()), (8, 3), "{:?}", changes());
    assert!(desk.text("report.html").contains(" UTC, in 2 parts</p>"), "that it was gone on with is told");
    assert_eq!(desk.figures("report.html")["heading"], ["3 pages"]);
    desk.run(args).succeeds();
    assert_eq!(desk.figures("report.html")["heading"], ["0 pages"], "nothing has changed since");
}

#[test]
fn a_report_whose_lines_are_damaged_or_gone_is_refused_with_words_and_left_as_it_is() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new();
    desk.write("urls.txt", &(0..3).map(|n| site.url(&format!("/{n}\n"))).collect::<String>());
    let args = "urls.txt --state s.db --resume -o report.html";
    desk.run(args).succeeds();
    let (page, lines) = (desk.text("report.html"), fs::read(desk.path("report.html.jsonl")).unwrap());
    for (bytes, words) in
        [(&b""[..], "cannot resume report.html.jsonl: it had"), (&b"x".repeat(9999), "report.html.jsonl: ")]
    {
        fs::write(desk.path("report.html.jsonl"), bytes).unwrap();
        let run = desk.run(args).refused_over(words);
        assert!(run.stderr.contains("leave --resume out"), "{run:?}");
        assert_eq!(fs::read(desk.path("report.html.jsonl")).unwrap(), bytes);
        assert_eq!(desk.text("report.html"), page);
    }
    fs::write(desk.path("report.html.jsonl"), lines).unwrap();
    desk.run("urls.txt --state s.db --resume -f jsonl -o /dev/null -o report.html")
        .refused_over("does not go with a pipe");
    desk.run("urls.txt --state t.db -o report.html -o report.html.jsonl")
        .refused_over("report.html.jsonl is where the records of report.html are gathered");
    desk.run(args).succeeds();
    assert_eq!(desk.text("report.html"), page);
    assert_eq!(site.count(), 3);
}

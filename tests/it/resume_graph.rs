//! Graphs of runs that are killed and gone on with by the help of a state: each is that of an undisturbed run.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use rusqlite::Connection;
use rusqlite::types::FromSql;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::scrape::{Run, Scrape, parse};
use crate::support::{Answer, Gate, Hit, Site};

/// A folder in which the program runs again and again.
struct Desk(TempDir);

/// What a graph says: of each node its URL, status, title and failure; of each edge its ends, and the kind.
#[derive(Debug, Default)]
struct Drawn {
    nodes: BTreeSet<[String; 4]>,
    edges: BTreeSet<[String; 3]>,
}

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

    fn query<T: FromSql>(&self, sql: &str) -> T {
        Connection::open(self.path("s.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Starts the program and sends it a signal when so many more requests were made, unless it has ended before. Tells whether
    /// it was killed where something of the graph stood already.
    fn stop(&self, args: &str, (site, more): (&Site, usize), signal: Signal) -> bool {
        let asked = site.count();
        let mut run = self.scrape(args).spawn();
        while site.count() < asked + more && !run.ends_within(Duration::from_micros(200)) {}
        if run.ends_within(Duration::ZERO) {
            run.finish();
            return false;
        }
        run.signal(signal);
        let is_killed = run.finish().code.is_none();
        assert_eq!(self.query::<String>("PRAGMA integrity_check"), "ok");
        is_killed && self.query("SELECT position > 0 FROM outputs WHERE path LIKE '%.steps.zst'")
    }

    fn read(&self, name: &str) -> String {
        let (bytes, mut text) = (fs::read(self.path(name)).unwrap(), String::new());
        match name.strip_suffix(".gz") {
            Some(_) => MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap(),
            None => (&bytes[..]).read_to_string(&mut text).unwrap(),
        };
        text
    }

    /// The graph in a file, which is well-formed and says nothing twice.
    fn graph(&self, name: &str) -> Drawn {
        let text = self.read(name);
        match name.trim_end_matches(".gz").rsplit('.').next().unwrap() {
            "dot" => of_dot(&text),
            "graphml" => of_graphml(&text),
            _ => of_json(&text),
        }
    }
}

impl Drawn {
    fn node(&mut self, node: [String; 4]) {
        assert!(!self.nodes.iter().any(|other| other[0] == node[0]), "{node:?} is there twice");
        self.nodes.insert(node);
    }

    fn edge(&mut self, edge: [String; 3]) {
        assert!(!self.edges.contains(&edge), "{edge:?} is there twice");
        self.edges.insert(edge);
    }

    fn is(&self, other: &Self, why: &str) {
        let nodes: Vec<_> = self.nodes.symmetric_difference(&other.nodes).collect();
        let edges: Vec<_> = self.edges.symmetric_difference(&other.edges).collect();
        assert!(nodes.is_empty() && edges.is_empty(), "{why}: {nodes:#?} {edges:#?}");
    }

    fn edges_from(&self, url: &str) -> usize {
        self.edges.iter().filter(|[from, ..]| from == url).count()
    }
}

fn of_json(text: &str) -> Drawn {
    let mut drawn = Drawn::default();
    for line in parse(text) {
        let value = |key: &str| match &line[key] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match line["type"].as_str().unwrap() {
            "node" => drawn.node(["url", "status", "title", "error"].map(value)),
            _ => drawn.edge(["from", "to", "kind"].map(value)),
        }
    }
    drawn
}

/// What stands in `text` between two others, or nothing.
fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split_once(start).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or("", |(inside, _)| inside).to_owned()
}

fn of_dot(text: &str) -> Drawn {
    let mut drawn = Drawn::default();
    let inside = text.strip_prefix("digraph links {\n").and_then(|text| text.strip_suffix("}\n")).expect(text);
    for line in inside.lines() {
        assert!(line.ends_with(';'), "{line}");
        let url = between(line, "\"", "\"");
        if let Some((_, to)) = line.split_once(" -> ") {
            let kind = between(to, "[kind=", "]");
            drawn.edge([url, between(to, "\"", "\""), kind.trim_end_matches(", style=dashed").to_owned()]);
        } else {
            let status: String = between(line, "status=", "]").chars().take_while(char::is_ascii_digit).collect();
            drawn.node([url, status, between(line, "title=\"", "\""), between(line, "error=\"", "\"")]);
        }
    }
    drawn
}

fn of_graphml(text: &str) -> Drawn {
    let mut drawn = Drawn::default();
    let (head, rest) = text.split_once("edgedefault=\"directed\">\n").expect(text);
    assert!(head.starts_with("<?xml ") && head.matches('\n').count() == 8, "{head}");
    let inside = rest.strip_suffix("</graph>\n</graphml>\n").expect(rest);
    let data = |line: &str, key: &str| between(line, &format!("<data key=\"{key}\">"), "</data>");
    let url = |name: &str| {
        let node = inside.lines().find(|line| line.starts_with(&format!("<node id=\"{name}\">")));
        data(node.unwrap_or_else(|| panic!("{name} is no node")), "url")
    };
    for line in inside.lines() {
        if line.starts_with("<edge ") && line.ends_with("</edge>") {
            let [from, to] = ["source=\"", "target=\""].map(|key| url(&between(line, key, "\"")));
            drawn.edge([from, to, data(line, "kind")]);
        } else {
            assert!(line.starts_with("<node ") && line.ends_with("</node>"), "{line}");
            drawn.node(["url", "status", "title", "error"].map(|key| data(line, key)));
        }
    }
    drawn
}

/// A site whose page N links to 2N, 2N + 1 and one that was met before; some pages are not there, busy at first, or moved, and
/// one is never asked for.
fn answer(hit: &Hit, pages: usize) -> Answer {
    match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 50 == 27 => Answer::title("missing").with_status(404),
        Ok(n) if n % 50 == 19 => Answer::redirect(302, &format!("/{}", n + 1)),
        Ok(n) if n % 200 == 11 && hit.nth == 0 => Answer::status(503),
        Ok(n) => {
            let links = [2 * n, 2 * n + 1, n / 2 + 1, n / 2 + 1].into_iter().filter(|&it| it <= pages);
            let links: String = links.map(|it| ["<a href=/", &it.to_string(), ">x</a>"].concat()).collect();
            Answer::html(format!("<title>{n}</title>{links}"))
        }
        Err(_) => Answer::status(404),
    }
}

#[test]
fn whenever_a_crawl_is_killed_its_graph_is_that_of_an_undisturbed_run() {
    const PAGES: usize = 400;
    const STOPS: usize = 5;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut killed = 0;
    for name in ["g.dot", "g.graphml", "g.jsonl", "g.jsonl.gz"] {
        let (site, desk) = (Site::start(|hit| answer(hit, PAGES)), Desk::new());
        let usual = format!("{} --depth all --allow-traps --fail-on none --retry-delay 0.01", site.url("/1"));
        let args = format!("{usual} --state s.db --resume --retry 1 --graph {name}");
        for stop in 0..STOPS {
            // One that is asked to end leaves something to be killed behind.
            let signal = if stop % 2 == 0 { Signal::TERM } else { Signal::KILL };
            killed += usize::from(desk.stop(&args, (&site, random.usize(1..3 * PAGES / STOPS)), signal));
            if fs::metadata(desk.path(name)).is_ok_and(|it| it.len() > 0) {
                // Of some run before: it is whole.
                desk.graph(name);
            }
        }
        desk.run(&args).exits(0);
        let why = format!("{name}, seed {seed}");
        let graph = desk.graph(name);
        desk.run(&format!("{usual} --graph other.jsonl")).exits(0);
        let undisturbed = desk.graph("other.jsonl");
        assert!(undisturbed.nodes.len() > PAGES / 2 && undisturbed.edges.len() > undisturbed.nodes.len());
        graph.is(&undisturbed, &why);
        // Where all is done, it is made once more.
        let asked = site.count();
        desk.run(&args).exits(0);
        desk.graph(name).is(&undisturbed, &why);
        assert_eq!(site.count(), asked, "{why}");
    }
    assert!(killed > 0, "seed {seed}");
}

#[test]
fn what_was_drawn_before_a_kill_is_there_after_it_and_nothing_is_asked_for_again() {
    for name in ["g.dot", "g.graphml", "g.jsonl", "g.graphml.zst"] {
        let gate = Gate::shut();
        let held = gate.clone();
        let site = Site::start(move |hit| match hit.path.as_str() {
            "/" => Answer::html((0..400).map(|n| ["<a href=/", &n.to_string(), ">x</a>"].concat()).collect::<String>()),
            "/399" if hit.nth == 0 => Answer::title("last").behind(&held),
            path => Answer::title(path),
        });
        let desk = Desk::new();
        let args =
            format!("{} --depth 1 --allow-traps --state s.db --resume --graph {name} -o out.jsonl", site.url("/"));
        let mut run = desk.scrape(&args).spawn();
        site.wait_for(401);
        let known = || desk.query::<u32>("SELECT count(*) FROM pages");
        while known() < 200 && !run.ends_within(Duration::from_millis(1)) {}
        assert_eq!(fs::metadata(desk.path(name)).unwrap().len(), 0, "it appears at the end");
        run.signal(Signal::KILL);
        run.finish();
        gate.open();
        desk.run(&args).succeeds();
        let asked_again = site.count() - 401;
        assert!((1..=201).contains(&asked_again), "{asked_again}");
        if let Some(name) = name.strip_suffix(".zst") {
            let graph = fs::read(desk.path(&format!("{name}.zst"))).unwrap();
            fs::write(desk.path(name), zstd::decode_all(&graph[..]).unwrap()).unwrap();
        }
        let graph = desk.graph(name.trim_end_matches(".zst"));
        assert_eq!((graph.nodes.len(), graph.edges.len()), (401, 400), "{name}");
        assert_eq!(graph.edges_from(&site.url("/")), 400);
    }
}

#[test]
fn a_sitemap_that_is_read_once_more_leads_to_each_page_once() {
    let site = Site::start(|hit| match hit.path.as_str() {
        "/sitemap.xml" => {
            let entry = |n| format!("<url><loc>http://{}/{n}</loc></url>", hit.header("host").unwrap());
            Answer::typed("text/xml", format!("<urlset>{}</urlset>", (0..9).map(entry).collect::<String>()))
        }
        path => Answer::title(path),
    });
    let desk = Desk::new();
    let map = site.url("/sitemap.xml");
    let args = format!("--sitemap {map} --state s.db --resume --max-pages 4 --graph g.jsonl");
    let asked: Vec<_> = [4, 8, 9]
        .map(|done| {
            desk.run(&args).exits(0);
            let graph = desk.graph("g.jsonl");
            assert_eq!((graph.nodes.len(), graph.edges.len(), graph.edges_from(&map)), (10, 9, 9));
            let asked = graph.nodes.iter().filter(|[_, status, ..]| status == "200").count();
            assert_eq!(asked, done + 1, "the sitemap, too");
            site.hits_of("/sitemap.xml").len()
        })
        .into();
    assert!(asked[2] > 1, "{asked:?}");
}

#[test]
fn what_failed_and_is_tried_again_is_drawn_as_it_came_out_then() {
    let answer = |hit: &Hit| match (hit.path.as_str(), hit.nth) {
        ("/", _) => Answer::html("<a href=/1>1</a><a href=/2>2</a><a href=/3>3</a>"),
        // It leads elsewhere, once it does not lead to what is missing.
        ("/1", 0) => Answer::redirect(302, "/old"),
        ("/1", _) => Answer::redirect(301, "/new"),
        ("/old", _) | ("/2", 0) => Answer::title("missing").with_status(404),
        ("/2", _) => Answer::html("<title>2</title><a href=/4>4</a>"),
        ("/3", _) => Answer::title("missing").with_status(410),
        (path, _) => Answer::title(path),
    };
    for name in ["g.dot", "g.graphml", "g.jsonl"] {
        let (site, desk) = (Site::start(answer), Desk::new());
        let args = format!(
            "{} --depth all --fail-on none --retry 0 --state s.db --resume --graph {name} -o out.jsonl",
            site.url("/")
        );
        desk.run(&args).exits(0);
        let before = desk.graph(name);
        assert!(before.nodes.iter().any(|[url, ..]| *url == site.url("/old")), "{before:?}");
        for _ in 0..2 {
            desk.run(&format!("{args} --retry-failed")).exits(0);
            let after = desk.graph(name);
            let paths = |[url, rest @ ..]: &[String; 4]| {
                let path = url.strip_prefix(&site.url("")).unwrap();
                format!("{path} {}", rest.join(" "))
            };
            let nodes: Vec<_> = after.nodes.iter().map(paths).collect();
            let expected =
                ["/ 200  ", "/1 301  ", "/2 200 2 ", "/3 410 missing status", "/4 200 /4 ", "/new 200 /new "];
            assert_eq!(nodes, expected, "{name}");
            assert_eq!(after.edges.len(), 5, "{after:?}");
        }
    }
}

#[test]
fn what_it_is_made_of_is_refused_where_it_was_damaged_or_taken_away_and_left_as_it_is() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new();
    let args = format!("{} --state s.db --resume --graph g.dot -o out.jsonl", site.url("/"));
    desk.run(&args).succeeds();
    let whole = fs::read(desk.path("g.dot.steps.zst")).unwrap();
    fs::write(desk.path("g.dot.steps.zst"), "").unwrap();
    desk.run(&args).refused_over("cannot resume g.dot.steps.zst: it had");
    assert_eq!(fs::read(desk.path("g.dot.steps.zst")).unwrap(), b"");
    fs::write(desk.path("g.dot.steps.zst"), &whole).unwrap();
    // A graph that was taken away is made again: nothing of it is known from there.
    fs::remove_file(desk.path("g.dot")).unwrap();
    desk.run(&args).succeeds();
    assert_eq!(desk.graph("g.dot").nodes.len(), 1);
    desk.run(&args.replace("--graph g.dot", "")).refused_over("g.dot.steps.zst, too");
    desk.run(&args.replace("g.dot", "g.jsonl")).refused_over("did not write to");
    assert!(!desk.path("g.jsonl").exists() && !desk.path("g.jsonl.steps.zst").exists());
    let length = fs::metadata(desk.path("g.dot.steps.zst")).unwrap().len();
    fs::write(desk.path("g.dot.steps.zst"), "x".repeat(usize::try_from(length).unwrap())).unwrap();
    let run = desk.run(&args).exits(5);
    assert!(run.stderr.contains("cannot make g.dot of g.dot.steps.zst: "), "{run:?}");
    assert_eq!(desk.graph("g.dot").nodes.len(), 1, "it is as it was");
    assert_eq!(site.count(), 1);
}

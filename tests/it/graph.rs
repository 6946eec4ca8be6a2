//! `--graph`: what leads where, in each format.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::support::scrape::{Scrape, parse};
use crate::support::site::closed_port;
use crate::support::{Answer, Site, scrape};

/// A list of two pages, the second of which is moved; its seed is moved, too.
fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/start" => Answer::redirect(302, "/1"),
        "/1" => Answer::html("<title>One \"&\" only</title><a class=next href=/2?a=1&b=2>Next</a>"),
        "/2?a=1&b=2" => Answer::redirect(301, "/last"),
        "/last" => Answer::status(404),
        _ => Answer::status(500),
    })
}

fn graph(site: &Site, name: &str) -> Scrape {
    let recipe = "[[recipe]]\nnext = 'a.next@href'\nfields = { title = 'title' }\n";
    scrape(["--graph", name, "-r", "list.toml", &*site.url("/start")]).file("list.toml", recipe)
}

fn kinds(lines: &[Value]) -> BTreeMap<(String, String), String> {
    let path = |value: &Value| format!("/{}", value.as_str().unwrap().splitn(4, '/').last().unwrap());
    let edges = lines.iter().filter(|line| line["type"] == "edge");
    edges.map(|it| ((path(&it["from"]), path(&it["to"])), it["kind"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn it_has_the_pages_of_a_list_and_the_redirects_between_them() {
    let site = site();
    let run = graph(&site, "links.jsonl").run().exits(1);
    let lines = parse(&run.file("links.jsonl"));
    let edges = [("/start", "/1", "redirect"), ("/1", "/2?a=1&b=2", "next"), ("/2?a=1&b=2", "/last", "redirect")];
    let edges = edges.map(|(from, to, kind)| ((from.to_owned(), to.to_owned()), kind.to_owned()));
    assert_eq!(kinds(&lines), BTreeMap::from(edges));
    let node = |path: &str| {
        let url = site.url(path);
        let nodes: Vec<_> = lines.iter().filter(|line| line["type"] == "node" && line["url"] == *url).collect();
        assert_eq!(nodes.len(), 1, "{path} in {lines:#?}");
        (nodes[0]["status"].as_u64(), nodes[0]["title"].as_str(), nodes[0]["error"].as_str())
    };
    assert_eq!(node("/start"), (Some(302), None, None));
    assert_eq!(node("/1"), (Some(200), Some("One \"&\" only"), None));
    assert_eq!(node("/2?a=1&b=2"), (Some(301), None, None));
    assert_eq!(node("/last"), (Some(404), None, Some("status")));
}

#[test]
fn its_other_formats_are_whole_and_may_be_compressed() {
    let site = site();
    let run = graph(&site, "links.graphml.gz").run().exits(1);
    let (file, mut xml) = (std::fs::read(run.path("links.graphml.gz")).unwrap(), String::new());
    MultiGzDecoder::new(&file[..]).read_to_string(&mut xml).unwrap();
    assert_eq!((xml.matches("<node id=").count(), xml.matches("<edge source=").count()), (4, 3), "{xml}");
    assert!(xml.contains("<data key=\"title\">One &quot;&amp;&quot; only</data>"), "{xml}");
    assert!(xml.ends_with("</graphml>\n"));
    let dot = graph(&site, "links.dot").run().exits(1).file("links.dot");
    assert!(dot.contains(&format!(
        "\"{}\" -> \"{}\" [kind=redirect, style=dashed];",
        site.url("/start"),
        site.url("/1")
    )));
    assert!(dot.contains(r#"title="One \"&\" only""#), "{dot}");
}

#[test]
fn what_cannot_be_written_is_found_before_the_first_request() {
    let site = site();
    graph(&site, "missing/links.dot").run().exits(5);
    graph(&site, "links.svg").run().refused_over(".graphml");
    graph(&site, "-").run().refused_over("--graph goes to a file");
    graph(&site, "links.jsonl").args(["-o", "links.jsonl"]).run().refused_over("named twice");
    graph(&site, "list.toml.dot").args(["-o", "pages.jsonl", "--resume"]).run().refused_over("--resume");
    assert_eq!(site.count(), 0);
}

#[test]
fn a_graph_of_what_nobody_answers_is_whole() {
    let url = format!("http://127.0.0.1:{}/", closed_port());
    let run = scrape(["--graph", "g.graphml", "--retry", "0", &*url, "ftp://a.test/"]).run();
    let xml = run.file("g.graphml");
    assert!(xml.contains("<data key=\"error\">connect</data>") && xml.ends_with("</graphml>\n"), "{xml}");
}

#[test]
fn a_crawl_is_told_link_by_link() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => {
            Answer::html("<title>Home</title><a href=a>A</a> <a href=gone>B</a> <a href=http://elsewhere.test/>C</a>")
        }
        "/a" => Answer::html("<title>A</title><a href=/>Home</a> <a href=deep>D</a>"),
        _ => Answer::status(404),
    });
    let run = scrape(["--depth", "1", "--graph", "g.jsonl", &*site.url("/")]).run().exits(0);
    let lines = parse(&run.file("g.jsonl"));
    let edges = [("/", "/a"), ("/", "/gone")].map(|(from, to)| ((from.to_owned(), to.to_owned()), "link".to_owned()));
    assert_eq!(kinds(&lines), BTreeMap::from(edges), "links out of the scope are none of the crawl's");
    let depths: BTreeMap<_, _> = lines
        .iter()
        .filter(|it| it["type"] == "node")
        .map(|it| (it["url"].to_string(), it["depth"].as_u64()))
        .collect();
    let expected =
        [("/", 0), ("/a", 1), ("/gone", 1)].map(|(path, depth)| (format!("{:?}", site.url(path)), Some(depth)));
    assert_eq!(depths, BTreeMap::from(expected));
}

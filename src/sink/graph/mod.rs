//! The links of a run as a graph: what was asked for, and what leads where. It is written as it comes.
//!
//! What was decided:
//! - A node is a URL without its fragment. It tells its status, its depth, its title, and the kind of its failure. What was named
//!   and never asked for is a node with nothing but its URL, at the end.
//! - An edge tells what the URL is to the one before: `link`, `next` (in a list), `redirect`, or `sitemap` (which names it). A
//!   redirect is a node of its own, also where it is followed.
//! - What is told again, by whoever goes on with a run or as two ways lead to one page, stays as it was told first: the node, the
//!   redirect, and all that a page leads to.
//! - No graph is in memory: some 30 bytes for each URL tell what is drawn already; the URLs to be nodes at the end are in a
//!   temporary file.
//! - Where a state has to know how far a graph has come, it is [gathered](Gathered) in a file of lines, of which it is made at
//!   the end of each run.

mod dot;
mod drawing;
mod gathered;
mod graphml;
mod json;
mod step;

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use self::drawing::Drawing;
pub use self::gathered::Gathered;
use self::step::tell;
use super::Lines;
use crate::engine::Sink;
use crate::job::{LinkKind, Outcome};

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    /// The language of Graphviz.
    Dot,
    /// `GraphML`, an XML format that many programs read.
    Graphml,
    /// JSON Lines: an object for each node and for each edge.
    Jsonl,
}

impl GraphFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Dot, Self::Graphml, Self::Jsonl];

    /// The format that a file of this name is expected to have.
    #[must_use]
    pub fn from_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        let is = |known: &&str| extension.eq_ignore_ascii_case(known);
        Self::ALL.into_iter().find(|format| format.extensions().iter().any(is))
    }

    const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Dot => &["dot", "gv"],
            Self::Graphml => &["graphml"],
            Self::Jsonl => &["jsonl", "ndjson"],
        }
    }

    fn render(self) -> &'static dyn Render {
        match self {
            Self::Dot => &dot::Dot,
            Self::Graphml => &graphml::Graphml,
            Self::Jsonl => &json::Json,
        }
    }
}

/// A URL, and what is known of it.
#[derive(Clone, Copy, Debug)]
struct Node<'a> {
    url: &'a str,
    status: Option<u16>,
    depth: Option<u32>,
    title: Option<&'a str>,
    /// The kind of its failure.
    error: Option<&'a str>,
}

/// What leads from one URL to another.
#[derive(Clone, Copy, Debug)]
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    kind: Kind,
}

/// What a URL is to the one that leads there.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Link,
    Next,
    Redirect,
    Sitemap,
}

impl Kind {
    fn of(kind: LinkKind) -> Self {
        match kind {
            LinkKind::Next { .. } | LinkKind::Counted { .. } => Self::Next,
            LinkKind::Crawled | LinkKind::Checked => Self::Link,
            LinkKind::Listed { .. } | LinkKind::Sitemap { .. } => Self::Sitemap,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Next => "next",
            Self::Redirect => "redirect",
            Self::Sitemap => "sitemap",
        }
    }
}

/// One format: nodes and edges in any order, each a line.
trait Render: Send + Sync {
    /// What stands above all.
    fn open(&self) -> &'static str {
        ""
    }

    fn node(&self, node: Node<'_>, out: &mut Vec<u8>) -> io::Result<()>;

    fn edge(&self, edge: Edge<'_>, out: &mut Vec<u8>) -> io::Result<()>;

    /// What stands below all.
    fn close(&self) -> &'static str {
        ""
    }
}

/// The sink of a graph.
pub struct Graph(Drawing);

impl Graph {
    /// Writes the graph of a run to `lines`.
    ///
    /// # Errors
    /// There is no temporary file to be had.
    pub fn new(lines: Lines, format: GraphFormat) -> io::Result<Self> {
        Drawing::new(lines, format).map(Self)
    }
}

impl Sink for Graph {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        tell(outcome, &mut self.0)
    }

    fn idle(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.finish()
    }
}

/// What a URL, which has no fragment, is known by: its [fingerprint](crate::canonical::fingerprint).
fn key(url: &str) -> u64 {
    xxh3_64(url.as_bytes())
}

/// Writes `text` with some characters as others.
fn write_replaced(text: &str, out: &mut Vec<u8>, replace: impl Fn(char) -> Option<&'static str>) {
    for c in text.chars() {
        match replace(c) {
            Some(other) => out.extend_from_slice(other.as_bytes()),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::num::NonZeroU32;

    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::failure::Kind as Why;
    use crate::job::{End, Hop, Link, Redirect, Trust};
    use crate::sink::Compression;
    use crate::sink::sample::{self, Tape, hostile_text, page_at, with_failure, with_title};

    fn write(format: GraphFormat, outcomes: &[Outcome]) -> String {
        let tape = Tape::default();
        let mut sink = Graph::new(Lines::new("graph", tape.clone()), format).unwrap();
        for outcome in outcomes {
            sink.accept(outcome).unwrap();
        }
        Box::new(sink).finish().unwrap();
        tape.text()
    }

    fn page(path: &str, status: u16) -> Outcome {
        page_at(&format!("http://a.test/{path}"), status, 9, std::time::Duration::ZERO)
    }

    fn linking(page: Outcome, links: &[(&str, LinkKind)]) -> Outcome {
        let link = |&(path, kind): &(&str, _)| {
            let url = Url::parse(&format!("http://a.test/{path}")).unwrap();
            Link { url, trust: Trust::Chosen { by: None }, kind, input: None, is_admitted: false }
        };
        Outcome { links: links.iter().map(link).collect(), ..page }
    }

    /// A run with all that there is.
    fn run() -> Vec<Outcome> {
        let next = LinkKind::Next { pages: NonZeroU32::MAX };
        let home = with_title(page("", 200), "Home & \"more\" <b> \\");
        let home = linking(home, &[("gone", LinkKind::Crawled), ("2", next), ("never?q=\\", LinkKind::Crawled)]);
        let gone = with_failure(page("gone", 404), Why::Status, "404 Not Found");
        let mut moved = page("new", 200);
        moved.trail.as_mut().unwrap().hops.push(Hop { status: 301, url: Url::parse("http://a.test/2").unwrap() });
        let to = Url::parse("http://b.test/").unwrap();
        let redirect = Redirect { status: 302, to, rewrite_to_get: false, by: None };
        let away = Outcome { end: End::Elsewhere(redirect), facts: None, ..page("away", 302) };
        let listed = LinkKind::Listed { priority: None };
        let map = Outcome { end: End::Listed, ..linking(page("sitemap.xml", 200), &[("gone", listed)]) };
        vec![home, gone, moved, away, map, sample::rejected("x y", "no URL")]
    }

    #[test]
    fn each_format_says_the_same_in_its_own_way() {
        insta::assert_snapshot!(write(GraphFormat::Jsonl, &run()), @r##"
        {"v":1,"type":"node","url":"http://a.test/","status":200,"depth":0,"title":"Home & \"more\" <b> \\","error":null}
        {"v":1,"type":"edge","from":"http://a.test/","to":"http://a.test/gone","kind":"link"}
        {"v":1,"type":"edge","from":"http://a.test/","to":"http://a.test/2","kind":"next"}
        {"v":1,"type":"edge","from":"http://a.test/","to":"http://a.test/never?q=\\","kind":"link"}
        {"v":1,"type":"node","url":"http://a.test/gone","status":404,"depth":0,"title":null,"error":"status"}
        {"v":1,"type":"node","url":"http://a.test/2","status":301,"depth":0,"title":null,"error":null}
        {"v":1,"type":"edge","from":"http://a.test/2","to":"http://a.test/new","kind":"redirect"}
        {"v":1,"type":"node","url":"http://a.test/new","status":200,"depth":0,"title":null,"error":null}
        {"v":1,"type":"node","url":"http://a.test/away","status":302,"depth":0,"title":null,"error":null}
        {"v":1,"type":"edge","from":"http://a.test/away","to":"http://b.test/","kind":"redirect"}
        {"v":1,"type":"node","url":"http://a.test/sitemap.xml","status":200,"depth":0,"title":null,"error":null}
        {"v":1,"type":"edge","from":"http://a.test/sitemap.xml","to":"http://a.test/gone","kind":"sitemap"}
        {"v":1,"type":"node","url":"http://a.test/never?q=\\","status":null,"depth":null,"title":null,"error":null}
        {"v":1,"type":"node","url":"http://b.test/","status":null,"depth":null,"title":null,"error":null}
        "##);
        insta::assert_snapshot!(write(GraphFormat::Dot, &run()), @r##"
        digraph links {
        "http://a.test/" [status=200, depth=0, title="Home & \"more\" <b> \\"];
        "http://a.test/" -> "http://a.test/gone" [kind=link];
        "http://a.test/" -> "http://a.test/2" [kind=next];
        "http://a.test/" -> "http://a.test/never?q=\\" [kind=link];
        "http://a.test/gone" [status=404, depth=0, error="status", color=red];
        "http://a.test/2" [status=301, depth=0];
        "http://a.test/2" -> "http://a.test/new" [kind=redirect, style=dashed];
        "http://a.test/new" [status=200, depth=0];
        "http://a.test/away" [status=302, depth=0];
        "http://a.test/away" -> "http://b.test/" [kind=redirect, style=dashed];
        "http://a.test/sitemap.xml" [status=200, depth=0];
        "http://a.test/sitemap.xml" -> "http://a.test/gone" [kind=sitemap];
        "http://a.test/never?q=\\";
        "http://b.test/";
        }
        "##);
        insta::assert_snapshot!(write(GraphFormat::Graphml, &run()), @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
        <key id="url" for="node" attr.name="url" attr.type="string"/>
        <key id="status" for="node" attr.name="status" attr.type="int"/>
        <key id="depth" for="node" attr.name="depth" attr.type="int"/>
        <key id="title" for="node" attr.name="title" attr.type="string"/>
        <key id="error" for="node" attr.name="error" attr.type="string"/>
        <key id="kind" for="edge" attr.name="kind" attr.type="string"/>
        <graph id="links" edgedefault="directed">
        <node id="n6a9430545c3317ee"><data key="url">http://a.test/</data><data key="status">200</data><data key="depth">0</data><data key="title">Home &amp; &quot;more&quot; &lt;b&gt; \</data></node>
        <edge source="n6a9430545c3317ee" target="n44e4463584d864a4"><data key="kind">link</data></edge>
        <edge source="n6a9430545c3317ee" target="n5847380c6204e520"><data key="kind">next</data></edge>
        <edge source="n6a9430545c3317ee" target="ne32cab0e09f48ed6"><data key="kind">link</data></edge>
        <node id="n44e4463584d864a4"><data key="url">http://a.test/gone</data><data key="status">404</data><data key="depth">0</data><data key="error">status</data></node>
        <node id="n5847380c6204e520"><data key="url">http://a.test/2</data><data key="status">301</data><data key="depth">0</data></node>
        <edge source="n5847380c6204e520" target="n5f08ec51e5f02334"><data key="kind">redirect</data></edge>
        <node id="n5f08ec51e5f02334"><data key="url">http://a.test/new</data><data key="status">200</data><data key="depth">0</data></node>
        <node id="n06aa3f7b3e2e2101"><data key="url">http://a.test/away</data><data key="status">302</data><data key="depth">0</data></node>
        <edge source="n06aa3f7b3e2e2101" target="nca0b2c5d3155a230"><data key="kind">redirect</data></edge>
        <node id="n636df0c65e8b645e"><data key="url">http://a.test/sitemap.xml</data><data key="status">200</data><data key="depth">0</data></node>
        <edge source="n636df0c65e8b645e" target="n44e4463584d864a4"><data key="kind">sitemap</data></edge>
        <node id="ne32cab0e09f48ed6"><data key="url">http://a.test/never?q=\</data></node>
        <node id="nca0b2c5d3155a230"><data key="url">http://b.test/</data></node>
        </graph>
        </graphml>
        "##);
    }

    #[test]
    fn what_is_a_node_already_is_none_again() {
        let text = write(
            GraphFormat::Jsonl,
            &[page("1", 200), page("1", 200), linking(page("2", 200), &[("1", LinkKind::Crawled)])],
        );
        assert_eq!(text.matches(r#""type":"node""#).count(), 2, "{text}");
        assert_eq!(text.matches(r#""type":"edge""#).count(), 1, "{text}");
    }

    #[test]
    fn what_a_page_leads_to_is_drawn_once_also_where_it_was_a_redirect_before() {
        let mut moved = page("new", 200);
        moved.trail.as_mut().unwrap().hops.push(Hop { status: 301, url: Url::parse("http://a.test/2").unwrap() });
        let walked = linking(page("2", 200), &[("3", LinkKind::Crawled), ("4", LinkKind::Crawled)]);
        let text = write(GraphFormat::Dot, &[moved.clone(), walked.clone(), page("2", 200), walked, moved]);
        insta::assert_snapshot!(text, @r#"
        digraph links {
        "http://a.test/2" [status=301, depth=0];
        "http://a.test/2" -> "http://a.test/new" [kind=redirect, style=dashed];
        "http://a.test/new" [status=200, depth=0];
        "http://a.test/2" -> "http://a.test/3" [kind=link];
        "http://a.test/2" -> "http://a.test/4" [kind=link];
        "http://a.test/3";
        "http://a.test/4";
        }
        "#);
    }

    #[test]
    fn what_several_runs_gather_is_drawn_as_that_of_one() {
        let folder = tempfile::tempdir().unwrap();
        for format in GraphFormat::ALL {
            let (source, path) = (folder.path().join("steps.zst"), folder.path().join("graph"));
            fs::write(&path, "before").unwrap();
            fs::write(&source, "").unwrap();
            for part in [&run()[..2], &[], &run()[1..4], &run()] {
                let file = File::options().append(true).open(&source).unwrap();
                let lines = Lines::compressed("steps", file, Compression::Zstd).unwrap();
                let mut sink = Box::new(Gathered::new((lines, &source), &path, format));
                for outcome in part {
                    sink.accept(outcome).unwrap();
                    sink.commit().unwrap();
                }
                sink.finish().unwrap();
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), write(format, &run()));
        }
    }

    #[test]
    fn a_run_without_a_page_is_an_empty_graph() {
        assert_eq!(write(GraphFormat::Jsonl, &[]), "");
        assert_eq!(write(GraphFormat::Dot, &[]), "digraph links {\n}\n");
        assert!(write(GraphFormat::Graphml, &[]).ends_with("edgedefault=\"directed\">\n</graph>\n</graphml>\n"));
    }

    #[test]
    fn a_format_is_known_by_its_extension() {
        let of = |name| GraphFormat::from_extension(Path::new(name));
        assert_eq!(of("a/links.DOT"), Some(GraphFormat::Dot));
        assert_eq!(
            [of("x.gv"), of("x.graphml"), of("x.ndjson")],
            [Some(GraphFormat::Dot), Some(GraphFormat::Graphml), Some(GraphFormat::Jsonl)]
        );
        assert_eq!([of("x.svg"), of("dot"), of("x.dot.gz")], [None; 3]);
    }

    proptest! {
        #[test]
        fn no_title_breaks_a_line_or_a_format(title in hostile_text()) {
            let outcomes = [with_title(page("", 200), &title)];
            let json = write(GraphFormat::Jsonl, &outcomes);
            let node: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(node["title"].as_str(), Some(&*title));
            let dot = write(GraphFormat::Dot, &outcomes);
            prop_assert_eq!(dot.lines().count(), 3);
            // Outside of escapes, quotes come in pairs: of the URL, and of the title.
            let bare = dot.replace(r"\\", "").replace("\\\"", "");
            prop_assert_eq!(bare.matches('"').count(), 4, "{}", dot);
            let xml = write(GraphFormat::Graphml, &outcomes);
            let data = xml.split("<data key=\"title\">").nth(1).unwrap().split("</data>").next().unwrap();
            prop_assert!(!data.contains(['<', '>', '"']));
            prop_assert!(!xml.chars().any(|c| matches!(c, '\0'..='\x08' | '\x0b'..='\x1f' | '\u{fffe}' | '\u{ffff}')), "{:?}", xml);
        }
    }
}

//! A graph on its way to a file: nodes and edges, each once.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use xxhash_rust::xxh3::xxh3_64;

use super::step::{Listen, Page, Step};
use super::{Edge, GraphFormat, Kind, Node, Render, key};
use crate::frontier::Seen;
use crate::sink::Lines;

/// A graph that is told step by step, and some of them perhaps again.
pub(super) struct Drawing {
    lines: Lines,
    render: &'static dyn Render,
    /// The URLs that are nodes.
    nodes: Seen,
    /// The URLs that edges lead from to other pages, and the redirects, by both their ends.
    drawn: Seen,
    named: Named,
    page: Current,
}

/// The page of the last step.
#[derive(Default)]
struct Current {
    url: String,
    /// Whether edges are drawn from there, once there is one.
    is_drawn: Option<bool>,
}

impl Drawing {
    /// A graph that is written to `lines`.
    ///
    /// # Errors
    /// There is no temporary file to be had.
    pub(super) fn new(mut lines: Lines, format: GraphFormat) -> io::Result<Self> {
        let render = format.render();
        lines.lead(|out| out.extend_from_slice(render.open().as_bytes()));
        let (nodes, drawn) = (Seen::new(), Seen::new());
        Ok(Self { lines, render, nodes, drawn, named: Named::new()?, page: Current::default() })
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }

    /// Completes the file.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self { mut lines, render, nodes, named, .. } = self;
        named.read(|url| {
            let node = Node { url, status: None, depth: None, title: None, error: None };
            if nodes.contains(key(url)) { Ok(()) } else { lines.push(|out| render.node(node, out)) }
        })?;
        lines.push(|out| out.write_all(render.close().as_bytes()))?;
        lines.finish()
    }

    fn node(&mut self, node: Node<'_>) -> io::Result<()> {
        if self.nodes.insert(key(node.url)) { self.lines.push(|out| self.render.node(node, out)) } else { Ok(()) }
    }

    fn edge(&mut self, edge: Edge<'_>) -> io::Result<()> {
        let key = key(edge.to);
        if !self.nodes.contains(key) {
            self.named.add(edge.to, key)?;
        }
        self.lines.push(|out| self.render.edge(edge, out))
    }

    /// Adds the redirects of a step, whose first URLs are nodes then.
    fn redirects(&mut self, step: &Step<'_>) -> io::Result<()> {
        let next = step.hops.iter().skip(1).map(|hop| &*hop.url).chain([&*step.url]);
        for (hop, to) in step.hops.iter().zip(next) {
            let (status, depth) = (Some(hop.status), Some(step.depth));
            self.node(Node { url: &hop.url, status, depth, title: None, error: None })?;
            // No URL has a space in it.
            if self.drawn.insert(xxh3_64(format!("{} {to}", hop.url).as_bytes())) {
                self.edge(Edge { from: &hop.url, to, kind: Kind::Redirect })?;
            }
        }
        Ok(())
    }
}

impl Listen for Drawing {
    fn step(&mut self, step: &Step<'_>) -> io::Result<()> {
        self.redirects(step)?;
        let Some(Page { status, title, error }) = &step.page else { return Ok(()) };
        self.page = Current { url: step.url.to_string(), is_drawn: None };
        self.node(Node {
            url: &step.url,
            status: *status,
            depth: Some(step.depth),
            title: title.as_deref(),
            error: error.as_deref(),
        })
    }

    fn lead(&mut self, to: &str, kind: Kind) -> io::Result<()> {
        let Current { url, is_drawn } = &mut self.page;
        if !*is_drawn.get_or_insert_with(|| self.drawn.insert(key(url))) {
            return Ok(());
        }
        let from = std::mem::take(url);
        let drawn = self.edge(Edge { from: &from, to, kind });
        self.page.url = from;
        drawn
    }
}

/// The URLs that edges lead to, each once, but those that were nodes before.
struct Named {
    known: Seen,
    /// A line each.
    file: BufWriter<File>,
}

impl Named {
    fn new() -> io::Result<Self> {
        Ok(Self { known: Seen::new(), file: BufWriter::new(tempfile::tempfile()?) })
    }

    fn add(&mut self, url: &str, key: u64) -> io::Result<()> {
        if self.known.insert(key) { writeln!(self.file, "{url}") } else { Ok(()) }
    }

    fn read(self, mut each: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        BufReader::new(file).lines().try_for_each(|line| each(&line?))
    }
}

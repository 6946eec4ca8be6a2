//! The language of Graphviz (<https://graphviz.org/doc/info/lang.html>). A quotation mark and a backslash have one before
//! them: of a backslash, which the language leaves alone, that is what labels are read by, and what keeps the end of a text
//! from being none.

use std::io::{self, Write};

use super::{Edge, Kind, Node, Render, write_replaced};
use crate::sink::neutralise;

pub(super) struct Dot;

impl Render for Dot {
    fn open(&self) -> &'static str {
        "digraph links {\n"
    }

    fn node(&self, node: Node<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        write_text(node.url, out);
        let mut open = " [";
        let mut name = |name: &str, out: &mut Vec<u8>| {
            write!(out, "{open}{name}=")?;
            open = ", ";
            Ok::<_, io::Error>(())
        };
        if let Some(status) = node.status {
            name("status", out)?;
            write!(out, "{status}")?;
        }
        if let Some(depth) = node.depth {
            name("depth", out)?;
            write!(out, "{depth}")?;
        }
        for (key, text) in [("title", node.title), ("error", node.error)] {
            let Some(text) = text else { continue };
            name(key, out)?;
            write_text(text, out);
        }
        if node.error.is_some() {
            name("color", out)?;
            out.extend_from_slice(b"red");
        }
        let is_bare = open == " [";
        out.extend_from_slice(if is_bare { b";\n" } else { b"];\n" });
        Ok(())
    }

    fn edge(&self, edge: Edge<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        write_text(edge.from, out);
        out.extend_from_slice(b" -> ");
        write_text(edge.to, out);
        let style = if matches!(edge.kind, Kind::Redirect) { ", style=dashed" } else { "" };
        writeln!(out, " [kind={}{style}];", edge.kind.name())
    }

    fn close(&self) -> &'static str {
        "}\n"
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_replaced(&neutralise(text), out, |c| match c {
        '"' => Some("\\\""),
        '\\' => Some(r"\\"),
        _ => None,
    });
    out.push(b'"');
}

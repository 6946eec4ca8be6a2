//! `GraphML` (<http://graphml.graphdrawing.org/specification.html>). What names a node there can be no URL: it is the
//! [fingerprint](crate::canonical::fingerprint) of one. Characters that XML does not have (XML 1.0, section 2.2) are U+FFFD.

use std::io::{self, Write};

use super::{Edge, Node, Render, key, write_replaced};
use crate::sink::neutralise;

pub(super) struct Graphml;

const OPEN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="url" for="node" attr.name="url" attr.type="string"/>
<key id="status" for="node" attr.name="status" attr.type="int"/>
<key id="depth" for="node" attr.name="depth" attr.type="int"/>
<key id="title" for="node" attr.name="title" attr.type="string"/>
<key id="error" for="node" attr.name="error" attr.type="string"/>
<key id="kind" for="edge" attr.name="kind" attr.type="string"/>
<graph id="links" edgedefault="directed">
"#;

impl Render for Graphml {
    fn open(&self) -> &'static str {
        OPEN
    }

    fn node(&self, node: Node<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        write!(out, "<node id=\"{}\">", name(node.url))?;
        let number = |number: u64| number.to_string();
        let (status, depth) = (node.status.map(u64::from).map(number), node.depth.map(u64::from).map(number));
        let data = [
            ("url", Some(node.url)),
            ("status", status.as_deref()),
            ("depth", depth.as_deref()),
            ("title", node.title),
            ("error", node.error),
        ];
        for (key, value) in data {
            let Some(value) = value else { continue };
            write!(out, "<data key=\"{key}\">")?;
            write_text(value, out);
            out.extend_from_slice(b"</data>");
        }
        out.extend_from_slice(b"</node>\n");
        Ok(())
    }

    fn edge(&self, edge: Edge<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let (from, to, kind) = (name(edge.from), name(edge.to), edge.kind.name());
        writeln!(out, "<edge source=\"{from}\" target=\"{to}\"><data key=\"kind\">{kind}</data></edge>")
    }

    fn close(&self) -> &'static str {
        "</graph>\n</graphml>\n"
    }
}

/// What a node is called: the same for the same URL.
fn name(url: &str) -> String {
    format!("n{:016x}", key(url))
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    write_replaced(&neutralise(text), out, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\u{fffe}' | '\u{ffff}' => Some("\u{fffd}"),
        _ => None,
    });
}

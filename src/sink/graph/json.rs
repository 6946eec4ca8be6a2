//! JSON Lines. The keys of a node and of an edge are always all present; [`VERSION`] changes when one is removed or means
//! something else.

use std::io;

use super::{Edge, Node, Render};
use crate::sink::jsonl::{write_key, write_value};
use crate::value::Value;

/// The version of a line, its key `v`.
const VERSION: u64 = 1;

pub(super) struct Json;

impl Render for Json {
    fn node(&self, node: Node<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let line = [
            ("v", Value::Int(VERSION)),
            ("type", Value::from("node")),
            ("url", Value::from(node.url)),
            ("status", Value::int(node.status)),
            ("depth", Value::int(node.depth)),
            ("title", Value::text(node.title)),
            ("error", Value::text(node.error)),
        ];
        write_object(&line, out)
    }

    fn edge(&self, edge: Edge<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let line = [
            ("v", Value::Int(VERSION)),
            ("type", Value::from("edge")),
            ("from", Value::from(edge.from)),
            ("to", Value::from(edge.to)),
            ("kind", Value::from(edge.kind.name())),
        ];
        write_object(&line, out)
    }
}

fn write_object(line: &[(&str, Value<'_>)], out: &mut Vec<u8>) -> io::Result<()> {
    let mut open = b'{';
    for (key, value) in line {
        out.push(open);
        open = b',';
        write_key(key, out)?;
        write_value(value, out)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

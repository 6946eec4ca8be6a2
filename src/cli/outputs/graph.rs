//! `--graph`.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::target::{Target, open_file};
use crate::cli::exit::Stop;
use crate::engine::Sink;
use crate::sink::{Compression, GatheredGraph, Graph, GraphFormat};

/// A graph, open and untouched.
pub(super) struct Plot {
    /// Its file, or that in which it is gathered.
    pub(super) target: Target,
    format: GraphFormat,
    /// Its file, where it is gathered in another one.
    pub(super) made: Option<PathBuf>,
}

impl Plot {
    pub(super) fn open(path: &Path) -> Result<Self, Stop> {
        let format = GraphFormat::from_extension(Compression::of(path).1).ok_or_else(|| {
            let error = anyhow!("--graph {}: its name does not tell the format", path.display());
            Stop::usage(error)
                .with_hint(Some("end it in .dot, .graphml or .jsonl, also with .gz or .zst behind".into()))
        })?;
        Ok(Self { target: open_file(path)?, format, made: None })
    }

    /// Has it gathered in another file first.
    pub(super) fn gathered_in(self, lines: Target) -> Self {
        Self { target: lines, made: Some(self.target.path), ..self }
    }

    pub(super) fn start(self) -> Result<Box<dyn Sink>, Stop> {
        let Self { target, format, made } = self;
        if let Some(path) = made {
            let source = target.path.clone();
            let lines = target.emptied_unless_continued()?.lines()?;
            return Ok(Box::new(GatheredGraph::new((lines, &source), &path, format)));
        }
        let graph = Graph::new(target.emptied()?.lines()?, format);
        Ok(Box::new(graph.context("there is no temporary file for --graph").map_err(Stop::broken)?))
    }
}

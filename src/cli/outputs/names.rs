//! What the names of outputs say of what they are.

use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::anyhow;

use crate::cli::args;
use crate::cli::exit::Stop;
use crate::sink::{Compression, Format, archive_compression};

/// Whether somebody wants what went over the wire.
pub(in crate::cli) fn want_exchanges(args: &args::Output) -> bool {
    args.save.is_some() || want_raw_bodies(args)
}

/// Whether somebody wants bodies as they came.
pub(in crate::cli) fn want_raw_bodies(args: &args::Output) -> bool {
    args.output.iter().any(|path| is_archive(path))
}

pub(super) fn is_archive(path: &Path) -> bool {
    archive_compression(path).is_some()
}

/// Whether a report is meant.
pub(in crate::cli) fn is_report(path: &Path) -> bool {
    let is = |extension: &std::ffi::OsStr| ["html", "htm"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    path.extension().is_some_and(is)
}

pub(in crate::cli) fn is_stdout(path: impl AsRef<Path>) -> bool {
    path.as_ref().as_os_str() == "-"
}

pub(super) fn format_of(path: &Path, asked: Option<Format>) -> Result<Format, Stop> {
    let (compression, name) = Compression::of(path);
    match Format::from_extension(name).or(asked) {
        Some(format) if compression != Compression::None && !format.is_text() => {
            let error = anyhow!("{}: {format} is compressed already, and readers expect it as it is", path.display());
            Err(Stop::usage(error).with_hint(Some(format!("name it {}.{format}", name.with_extension("").display()))))
        }
        Some(format) => Ok(format),
        // Its format is found where it is opened.
        None if is_stdout(path) => Ok(Format::Tsv),
        None => {
            let error = anyhow!("{}: its name does not tell the format", path.display());
            Err(Stop::usage(error).with_hint(Some(
                "end it in .jsonl, .csv or .tsv, also with .gz or .zst behind, or in .parquet, .db or .html, or add --format"
                    .into(),
            )))
        }
    }
}

pub(super) fn format_of_stdout(asked: Option<Format>) -> Result<Format, Stop> {
    let is_terminal = io::stdout().is_terminal();
    let format = asked.unwrap_or(if is_terminal { Format::Table } else { Format::Tsv });
    if is_terminal && !format.is_text() {
        let error = anyhow!("{format} is nothing that a terminal can show");
        let hint = format!("write it to a file (-o pages.{format}) or to a pipe");
        return Err(Stop::usage(error).with_hint(Some(hint)));
    }
    Ok(format)
}

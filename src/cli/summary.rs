//! What a run came to, for a person and for a program.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};

use serde_json::json;

use super::exit::Status;
use super::text::{grouped, human_duration, human_size, rate};
use crate::job::Summary;

/// The lines at the end of a run in a terminal.
pub(super) fn lines(summary: &Summary) -> String {
    let Summary { targets, fetched, duplicates, bytes, elapsed, .. } = *summary;
    let mut totals = vec![
        format!("{} of {} fetched in {}", grouped(fetched), grouped(targets), human_duration(elapsed)),
        rate(targets, elapsed),
        human_size(bytes),
    ];
    if duplicates > 0 {
        totals.push(format!("{} named again", grouped(duplicates)));
    }
    let mut lines = vec![totals.join("  ")];
    if !summary.by_status.is_empty() {
        lines.push(format!("  status  {}", counts(summary.by_status.iter())));
    }
    if !summary.by_kind.is_empty() {
        lines.push(format!("  failed  {}", counts(summary.by_kind.iter())));
    }
    lines.join("\n")
}

/// One line for a log or a mail, where something failed.
pub(super) fn complaint(summary: &Summary) -> String {
    let (failed, all) = (grouped(summary.failed()), grouped(summary.targets));
    format!("{failed} of {all} failed: {}", counts(summary.by_kind.iter()))
}

/// Each name with its count, the most frequent first.
fn counts<'a, N: Display + 'a>(counts: impl Iterator<Item = (N, &'a u64)>) -> String {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(name, &count)| format!("{name} ×{}", grouped(count))).collect::<Vec<_>>().join("  ")
}

/// Writes the totals as a JSON object.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(mut file: File, summary: &Summary, status: Status) -> io::Result<()> {
    let by_kind: serde_json::Map<_, _> =
        summary.by_kind.iter().map(|(kind, &count)| (kind.slug().to_owned(), count.into())).collect();
    let totals = json!({
        "v": 1,
        "targets": summary.targets,
        "fetched": summary.fetched,
        "failed": summary.failed(),
        "duplicates": summary.duplicates,
        "by_status": summary.by_status,
        "by_kind": by_kind,
        "bytes": summary.bytes,
        "elapsed_ms": u64::try_from(summary.elapsed.as_millis()).unwrap_or(u64::MAX),
        "exit_status": status.code(),
    });
    file.write_all(format!("{totals:#}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use std::time::Duration;

    #[test]
    fn the_most_frequent_comes_first() {
        let summary = Summary {
            targets: 1003,
            fetched: 1000,
            duplicates: 2,
            by_status: [(404, 1), (200, 1000)].into(),
            by_kind: [(Kind::Timeout, 2), (Kind::Status, 1)].into(),
            bytes: 12_300_000,
            elapsed: Duration::from_millis(2100),
        };
        insta::assert_snapshot!(lines(&summary), @"
        1,000 of 1,003 fetched in 2.1 s  478/s  12.3 MB  2 named again
          status  200 ×1,000  404 ×1
          failed  timeout ×2  status ×1
        ");
        insta::assert_snapshot!(complaint(&summary), @"3 of 1,003 failed: timeout ×2  status ×1");
    }
}

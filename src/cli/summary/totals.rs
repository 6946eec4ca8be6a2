//! The end of a run as JSON.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Conclusion, Crawled, Ending};
use crate::cli::exit::Status;
use crate::frontier::Slowed;
use crate::frontier::traps::Trap;
use crate::job::Summary;
use crate::sink::expect::Verdict;
use crate::store::Change;

/// Writes the totals as a JSON object.
///
/// # Errors
/// The file cannot be written.
pub(in crate::cli) fn write(mut file: File, conclusion: &Conclusion, status: Status) -> io::Result<()> {
    let summary: Map<_, _> = [("v".to_owned(), 1.into())].into_iter().chain(totals(conclusion, status)).collect();
    file.write_all(format!("{:#}\n", Value::Object(summary)).as_bytes())
}

/// The totals as keys of a JSON object.
pub(in crate::cli) fn totals(conclusion: &Conclusion, status: Status) -> Map<String, Value> {
    let summary = &conclusion.totals;
    let by_kind: serde_json::Map<_, _> =
        summary.by_kind.iter().map(|(kind, &count)| (kind.slug().to_owned(), count.into())).collect();
    let rates: serde_json::Map<_, _> =
        conclusion.fills.iter().map(|fill| (fill.field.to_string(), fill.rate().into())).collect();
    let totals = json!({
        "targets": summary.targets,
        "fetched": summary.fetched,
        "cached": summary.cached,
        "failed": summary.failed(),
        "duplicates": summary.duplicates,
        "left_out": summary.left_out,
        "cut": summary.cut,
        "sitemaps_failed": summary.sitemaps_failed,
        "done_before": summary.done_before,
        "by_status": summary.by_status,
        "by_kind": by_kind,
        "bytes": summary.bytes,
        "elapsed_ms": u64::try_from(summary.elapsed.as_millis()).unwrap_or(u64::MAX),
        "records": conclusion.records,
        "changes": conclusion.changes.as_ref().map(changes),
        "fill": rates,
        "expectations": conclusion.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "crawl": conclusion.crawl.to_value(summary),
        "slowed": conclusion.slowed.iter().map(slowed_host).collect::<Vec<_>>(),
        "given_up": conclusion.given_up.iter().map(|host| json!({"origin": host.origin, "urls": host.urls})).collect::<Vec<_>>(),
        "ended_by": conclusion.ended_by.map(Ending::name),
        "exit_status": status.code(),
    });
    if let Value::Object(totals) = totals { totals } else { Map::new() }
}

impl Crawled {
    fn to_value(&self, totals: &Summary) -> Value {
        let trap = |trap: &Trap| json!({"why": trap.kind.words(), "pattern": trap.pattern, "urls": trap.count});
        json!({
            "discovered": totals.discovered,
            "discovered_failed": totals.discovered_failed,
            "elsewhere": self.elsewhere,
            "beyond_host": self.beyond_host,
            "trapped": self.trapped.iter().map(trap).collect::<Vec<_>>(),
            "ignored_robots": self.ignores_robots,
            "links": self.checked.as_ref().map(|tally| {
                json!({"checked": tally.checked(), "broken": tally.broken(), "unknown": tally.unknown()})
            }),
        })
    }
}

/// The number of each change, also of those that there were none of.
fn changes(counts: &BTreeMap<Change, u64>) -> Map<String, Value> {
    let count = |change: Change| counts.get(&change).copied().unwrap_or(0);
    Change::ALL.into_iter().map(|change| (change.name().to_owned(), count(change).into())).collect()
}

fn slowed_host(host: &Slowed) -> Value {
    json!({
        "host": host.host,
        "by_status": host.by_status,
        "timeouts": host.timeouts,
        "slow": host.slow,
        "limit": host.limit,
    })
}

fn verdict(verdict: &Verdict) -> Value {
    json!({
        "expect": verdict.expectation,
        "place": verdict.place,
        "held": verdict.held,
        "measured": verdict.measured(),
        "broken": verdict.broken,
        "urls": verdict.urls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_there_were_none_of_are_told_too() {
        let counts = Value::Object(changes(&[(Change::New, 2), (Change::Gone, 1200)].into()));
        assert_eq!(counts.to_string(), r#"{"back":0,"changed":0,"gone":1200,"new":2}"#);
    }
}

//! Figures of the runs for Prometheus, in a file that its `node_exporter` picks up (the textfile collector).
//!
//! What was decided:
//! - The text format 0.0.4: for each metric `# HELP`, `# TYPE`, then its samples; names have units, counters end in `_total`.
//! - Counters grow from run to run: the file tells what they were. One that is not there, or not understood, begins at 0,
//!   which Prometheus takes for a restart.
//! - All have the label `list`, the name of the file without `.prom`: the samples of two files in one folder must differ.
//! - A run that broke before its totals were known counts as a run, and adds nothing else.
//! - There is a time of the last success from the start, 0, so that an alert on its age rings if there never was one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::exit::{Status, Stop};
use super::summary::Conclusion;

/// A metric: its name without the prefix, its type, and what it is.
struct Metric(&'static str, Type, &'static str);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Counter,
    Gauge,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

use Type::{Counter, Gauge};

/// Every metric, in the order in which they are written.
static METRICS: [Metric; 13] = [
    Metric("runs_total", Counter, "Runs that ended, by exit status."),
    Metric("urls_total", Counter, "URLs of the list that came to their end, by what they came to."),
    Metric("pages_total", Counter, "Answers by HTTP status."),
    Metric("failures_total", Counter, "URLs that failed, by the kind of failure."),
    Metric("bytes_total", Counter, "Bytes of all bodies, content codings undone."),
    Metric("records_total", Counter, "Records of pages that were fetched."),
    Metric("broken_expectations_total", Counter, "Expectations that did not hold."),
    Metric("run_seconds_total", Counter, "Time that runs took."),
    Metric("last_run_timestamp_seconds", Gauge, "When the last run ended, since the epoch."),
    Metric(
        "last_success_timestamp_seconds",
        Gauge,
        "When the last run with exit status 0 ended, since the epoch; 0: none.",
    ),
    Metric("last_run_exit_status", Gauge, "Exit status of the last run."),
    Metric("last_run_duration_seconds", Gauge, "Time that the last run took."),
    Metric("last_run_urls", Gauge, "URLs of the list that came to their end in the last run, by what they came to."),
];

/// The samples of one file: name and labels, as they are written, and the value.
type Samples = BTreeMap<(String, String), f64>;

/// A file of metrics, and what it tells of the runs before.
#[derive(Debug)]
pub(super) struct Metrics {
    path: PathBuf,
    /// The label that all of them have, as it is written.
    list: String,
    samples: Samples,
}

impl Metrics {
    /// Reads the file, if there is one, and makes sure that another one can take its place.
    pub(super) fn open(path: &Path) -> Result<Self, Stop> {
        let stem = path.file_stem().filter(|_| path.extension().is_some_and(|extension| extension == "prom"));
        let Some(stem) = stem else {
            let error = anyhow!("--metrics {}: node_exporter reads no file but .prom", path.display());
            return Err(
                Stop::usage(error).with_hint(Some(format!("name it {}", path.with_extension("prom").display())))
            );
        };
        let list = format!("list=\"{}\"", escape(&stem.to_string_lossy()));
        let opened = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Samples::new()),
            read => read.map(|text| parse(&String::from_utf8_lossy(&text))),
        };
        let opened = opened.and_then(|samples| tempfile::tempfile_in(folder(path)).map(|_| samples));
        let samples = opened.with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)?;
        Ok(Self { path: path.to_owned(), list, samples })
    }

    /// Writes the file anew, with a run that ended now: as a whole, and for all to read.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(mut self, status: Status, conclusion: Option<&Conclusion>) -> io::Result<()> {
        let elapsed = conclusion.map_or(Duration::ZERO, |conclusion| conclusion.totals.elapsed);
        self.add_run(status, elapsed, Timestamp::now());
        if let Some(conclusion) = conclusion {
            self.add_totals(conclusion);
        }
        let mut file = tempfile::Builder::new().prefix(".scrape-").tempfile_in(folder(&self.path))?;
        file.write_all(self.text().as_bytes())?;
        // Whoever reads it is another user, whatever the umask says.
        file.as_file().set_permissions(Permissions::from_mode(0o644))?;
        file.persist(&self.path).map(|_| ()).map_err(|error| error.error)
    }

    #[expect(clippy::cast_precision_loss, reason = "Prometheus knows floats alone")]
    fn add_run(&mut self, status: Status, elapsed: Duration, now: Timestamp) {
        let now = now.as_millisecond() as f64 / 1000.0;
        self.add("runs_total", &[("exit_status", &status.code().to_string())], 1.0);
        self.add("run_seconds_total", &[], elapsed.as_secs_f64());
        self.set("last_run_timestamp_seconds", &[], now);
        self.set("last_run_exit_status", &[], status.code().into());
        self.set("last_run_duration_seconds", &[], elapsed.as_secs_f64());
        self.add("last_success_timestamp_seconds", &[], 0.0);
        if status == Status::Success {
            self.set("last_success_timestamp_seconds", &[], now);
        }
        for result in ["fetched", "failed"] {
            self.set("last_run_urls", &[("result", result)], 0.0);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Prometheus knows floats alone")]
    fn add_totals(&mut self, conclusion: &Conclusion) {
        let totals = &conclusion.totals;
        for (result, urls) in [("fetched", totals.fetched), ("failed", totals.failed())] {
            self.add("urls_total", &[("result", result)], urls as f64);
            self.set("last_run_urls", &[("result", result)], urls as f64);
        }
        for (status, &pages) in &totals.by_status {
            self.add("pages_total", &[("status", &status.to_string())], pages as f64);
        }
        for (kind, &urls) in &totals.by_kind {
            self.add("failures_total", &[("kind", kind.slug())], urls as f64);
        }
        self.add("bytes_total", &[], totals.bytes as f64);
        self.add("records_total", &[], conclusion.records as f64);
        let broken = conclusion.verdicts.iter().filter(|verdict| verdict.held == Some(false)).count();
        self.add("broken_expectations_total", &[], broken as f64);
    }

    fn set(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        *self.sample(name, labels) = value;
    }

    fn add(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        *self.sample(name, labels) += value;
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)]) -> &mut f64 {
        let label = |(name, value): &(&str, &str)| format!(",{name}=\"{}\"", escape(value));
        let labels = self.list.clone() + &labels.iter().map(label).collect::<String>();
        self.samples.entry((format!("scrape_{name}"), labels)).or_default()
    }

    /// The file's text. What is of no metric of ours is left out.
    fn text(&self) -> String {
        let mut text = String::new();
        for Metric(name, kind, help) in &METRICS {
            let name = format!("scrape_{name}");
            let samples: Vec<_> = self.samples.iter().filter(|((of, _), _)| *of == name).collect();
            if !samples.is_empty() {
                // Writing to a text does not fail.
                let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
            }
            for ((_, labels), value) in samples {
                let _ = writeln!(text, "{name}{{{labels}}} {value}");
            }
        }
        text
    }
}

/// The samples of a file of ours; of another one, whatever looks like them.
fn parse(text: &str) -> Samples {
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.strip_suffix('}')?.split_once('{')?;
        let value: f64 = value.parse().ok().filter(|value: &f64| value.is_finite())?;
        Some(((name.to_owned(), labels.to_owned()), value))
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
}

/// A label's value, as it stands between quotes.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        Metrics { path: "shop.prom".into(), list: "list=\"shop\"".into(), samples: Samples::new() }
    }

    #[test]
    fn counters_grow_from_run_to_run_and_gauges_tell_of_the_last_one() {
        let mut metrics = metrics();
        let run = |metrics: &mut Metrics, status, second| {
            metrics.add_run(status, Duration::from_millis(1500), Timestamp::from_second(second).unwrap());
            metrics.samples = parse(&metrics.text());
        };
        run(&mut metrics, Status::SomeFailed, 100);
        assert!(metrics.text().contains("scrape_last_success_timestamp_seconds{list=\"shop\"} 0\n"));
        run(&mut metrics, Status::Success, 200);
        run(&mut metrics, Status::SomeFailed, 300);
        insta::assert_snapshot!(metrics.text(), @r#"
        # HELP scrape_runs_total Runs that ended, by exit status.
        # TYPE scrape_runs_total counter
        scrape_runs_total{list="shop",exit_status="0"} 1
        scrape_runs_total{list="shop",exit_status="1"} 2
        # HELP scrape_run_seconds_total Time that runs took.
        # TYPE scrape_run_seconds_total counter
        scrape_run_seconds_total{list="shop"} 4.5
        # HELP scrape_last_run_timestamp_seconds When the last run ended, since the epoch.
        # TYPE scrape_last_run_timestamp_seconds gauge
        scrape_last_run_timestamp_seconds{list="shop"} 300
        # HELP scrape_last_success_timestamp_seconds When the last run with exit status 0 ended, since the epoch; 0: none.
        # TYPE scrape_last_success_timestamp_seconds gauge
        scrape_last_success_timestamp_seconds{list="shop"} 200
        # HELP scrape_last_run_exit_status Exit status of the last run.
        # TYPE scrape_last_run_exit_status gauge
        scrape_last_run_exit_status{list="shop"} 1
        # HELP scrape_last_run_duration_seconds Time that the last run took.
        # TYPE scrape_last_run_duration_seconds gauge
        scrape_last_run_duration_seconds{list="shop"} 1.5
        # HELP scrape_last_run_urls URLs of the list that came to their end in the last run, by what they came to.
        # TYPE scrape_last_run_urls gauge
        scrape_last_run_urls{list="shop",result="failed"} 0
        scrape_last_run_urls{list="shop",result="fetched"} 0
        "#);
    }

    #[test]
    fn a_file_that_is_none_of_ours_adds_nothing() {
        let mut metrics = metrics();
        metrics.samples = parse("# HELP x\nx 1\nother_total{a=\"b\"} 7\nscrape_runs_total{list=\"shop\" 3\n}{ NaN\n");
        assert_eq!(metrics.text(), "");
        metrics.samples = parse("scrape_bytes_total{list=\"shop\"} NaN\n");
        metrics.add("bytes_total", &[], 5.0);
        assert!(metrics.text().ends_with(" 5\n"));
    }

    #[test]
    fn a_label_is_escaped() {
        assert_eq!(escape("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }

    #[test]
    fn names_tell_their_units_and_what_grows() {
        for Metric(name, kind, _) in &METRICS {
            assert_eq!(name.ends_with("_total"), *kind == Counter, "{name}");
        }
    }
}

//! Settings from files and the environment: earlier arguments of the same parser.
//!
//! The command line wins over `SCRAPE_*`, that over `scrape.toml` in the working directory, that over the one in the
//! user's configuration folder. A key is an option's long name. A setting whose option was typed is left out, so that
//! a list is replaced, not extended.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::de::{DeTable, DeValue};

/// The name of a configuration file.
const FILE: &str = "scrape.toml";

/// Options that decide what is run, written or sent, or who is trusted. A folder that somebody else filled may not set
/// them.
const RESERVED: [&str; 25] = [
    "cacert",
    "cache",
    "cert",
    "cookie",
    "cookie-jar",
    "data",
    "default-scheme",
    "deny-private",
    "failed-to",
    "graph",
    "insecure",
    "key",
    "location-trusted",
    "metrics",
    "notify",
    "output",
    "proxy",
    "request",
    "resolve",
    "save",
    "shared-politeness",
    "state",
    "summary",
    "webhook",
    "webhook-secret",
];

/// What the environment says. Nothing else reads it.
#[derive(Debug)]
pub(super) struct Environment {
    /// Whether colour is welcome (<https://no-color.org>).
    pub(super) wants_color: bool,
    /// Whether it names a proxy.
    pub(super) has_proxy: bool,
    settings: BTreeMap<String, String>,
    no_config: bool,
    user_file: Option<PathBuf>,
    locale: Option<OsString>,
}

impl Environment {
    /// Reads the environment of the process.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub(super) fn read() -> Self {
        let non_empty = |name| env::var_os(name).filter(|value| !value.is_empty());
        let is_set = |name| non_empty(name).is_some_and(|value| value != "0" && value != "false");
        let home = || non_empty("HOME").map(|home| Path::new(&home).join(".config"));
        let folder =
            non_empty("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute()).or_else(home);
        let setting = |(name, value): (OsString, OsString)| {
            if value.is_empty() {
                return None;
            }
            let key = name.to_str()?.strip_prefix("SCRAPE_")?.to_ascii_lowercase().replace('_', "-");
            Some((key, value.into_string().ok()?))
        };
        Self {
            wants_color: non_empty("NO_COLOR").is_none() && env::var_os("TERM").is_none_or(|term| term != "dumb"),
            has_proxy: env::vars_os().any(|(name, value)| {
                let is_proxy = name.to_str().is_some_and(|name| name.to_ascii_lowercase().ends_with("_proxy"));
                is_proxy && !value.is_empty()
            }),
            settings: env::vars_os().filter_map(setting).collect(),
            no_config: is_set("SCRAPE_NO_CONFIG"),
            user_file: folder.map(|folder| folder.join("scrape").join(FILE)),
            // What is set first tells (POSIX, section 8.2).
            locale: ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(non_empty),
        }
    }

    /// Whether a terminal is said to show more than ASCII.
    pub(super) fn is_utf8(&self) -> bool {
        let locale = self.locale.as_ref().map(|locale| locale.to_string_lossy().to_ascii_lowercase());
        locale.is_some_and(|locale| locale.contains("utf-8") || locale.contains("utf8"))
    }
}

/// A value and where it stands.
#[derive(Debug)]
struct Setting {
    values: Vec<String>,
    place: String,
}

/// Parses what was typed (`matches` is what it means alone) behind the settings. A subcommand, which is typed first, heeds
/// those of the options that it shares with the main job.
///
/// # Errors
/// A file cannot be read or is no TOML, a key is no option, a value is not the option's.
pub(super) fn complete(
    command: &mut Command,
    typed: Vec<OsString>,
    matches: &ArgMatches,
    environment: &Environment,
) -> Result<ArgMatches> {
    let (subcommand, matches) = matches.subcommand().map_or((None, matches), |(name, inner)| (Some(name), inner));
    let files = !environment.no_config && !matches.get_flag("no_config");
    let mut settings = BTreeMap::new();
    if files {
        settings = read_files(command, environment.user_file.as_deref())?;
    }
    for option in options(command) {
        if let Some((key, value)) = environment.settings.get_key_value(name(option)) {
            let place = format!("SCRAPE_{}", key.to_uppercase().replace('-', "_"));
            settings.insert(key.clone(), Setting { values: vec![value.clone()], place });
        }
    }
    let leading = 1 + usize::from(subcommand.is_some());
    let mut arguments: Vec<OsString> = typed.iter().take(leading).cloned().collect();
    let known = subcommand.and_then(|name| command.find_subcommand(name)).unwrap_or(command);
    let is_shared = |option: &&Arg| options(known).any(|other| other.get_id() == option.get_id());
    for option in options(command).filter(is_shared) {
        let typed = matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine);
        if let Some(setting) = settings.get(name(option)).filter(|_| !typed) {
            let setting = spell(option, setting)?;
            arguments.extend(setting.iter().map(OsString::from));
        }
    }
    arguments.extend(typed.into_iter().skip(leading));
    command.try_get_matches_from_mut(arguments).map_err(|error| blame(&error, &settings))
}

/// The error of a command line that was right until the settings came.
fn blame(error: &clap::Error, settings: &BTreeMap<String, Setting>) -> anyhow::Error {
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let long = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) => option.trim_start_matches('-').split([' ', '=']).next(),
        _ => None,
    };
    match long.and_then(|long| settings.get(long)) {
        Some(setting) => anyhow!("{}: {text}", setting.place),
        None => anyhow!("{text} (with the settings of {FILE} and SCRAPE_*)"),
    }
}

/// The options that can be set.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_setting = |option: &&Arg| !matches!(option.get_long(), None | Some("help" | "version" | "no-config"));
    command.get_arguments().filter(is_setting)
}

fn name(option: &Arg) -> &str {
    option.get_long().unwrap_or_default()
}

/// The arguments that a setting stands for.
fn spell(option: &Arg, setting: &Setting) -> Result<Vec<String>> {
    let (long, place) = (name(option), &setting.place);
    let arguments = match option.get_action() {
        ArgAction::SetTrue => match setting.values.join(",").as_str() {
            "true" | "1" => vec![format!("--{long}")],
            "false" | "0" | "" => Vec::new(),
            other => bail!("{place}: {long} is true or false, not {other:?}"),
        },
        ArgAction::Count => {
            let count: u8 = setting.values.join(",").parse().with_context(|| format!("{place}: {long} is a number"))?;
            vec![format!("--{long}"); count.into()]
        }
        ArgAction::Append => setting.values.iter().map(|value| format!("--{long}={value}")).collect(),
        _ => {
            ensure!(setting.values.len() == 1, "{place}: {long} has one value");
            vec![format!("--{long}={}", setting.values[0])]
        }
    };
    Ok(arguments)
}

fn read_files(command: &Command, user_file: Option<&Path>) -> Result<BTreeMap<String, Setting>> {
    let mut settings = BTreeMap::new();
    let mut same = false;
    if let Some(path) = user_file {
        settings.extend(read_file(command, path)?.unwrap_or_default());
        let canonical = |path: &Path| fs::canonicalize(path).ok();
        same = canonical(path).is_some_and(|path| canonical(Path::new(FILE)) == Some(path));
    }
    if !same {
        let here = read_file(command, Path::new(FILE))?.unwrap_or_default();
        if let Some((key, setting)) = here.iter().find(|(key, _)| RESERVED.contains(&key.as_str())) {
            let user_file = user_file.map_or_else(|| "the user's".into(), |path| path.display().to_string());
            bail!(
                "{}: {key} may not be set by a file in the working directory, as it decides what is run, written, \
                 sent or trusted: set it in {user_file} or on the command line",
                setting.place
            );
        }
        settings.extend(here);
    }
    Ok(settings)
}

fn read_file(command: &Command, path: &Path) -> Result<Option<BTreeMap<String, Setting>>> {
    let text = match fs::read_to_string(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        text => text.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let at = |offset: usize| format!("{}:{}", path.display(), 1 + text[..offset].matches('\n').count());
    let table = DeTable::parse(&text).map_err(|error| {
        let place = error.span().map_or_else(|| path.display().to_string(), |span| at(span.start));
        anyhow!("{place}: {}", error.message())
    })?;
    let mut settings = BTreeMap::new();
    for (key, value) in table.into_inner() {
        let place = at(key.span().start);
        let key = key.into_inner().into_owned();
        ensure!(options(command).any(|option| name(option) == key), "{place}: {}", unknown(command, &key));
        let values = values(value.get_ref())
            .with_context(|| format!("{place}: {key} is a text, a number, true, false, or a list of texts"))?;
        settings.insert(key, Setting { values, place });
    }
    Ok(Some(settings))
}

fn unknown(command: &Command, key: &str) -> String {
    let underscored = key.replace('_', "-");
    let close = options(command).map(name).find(|name| *name == underscored || name.starts_with(key));
    let hint = close.map(|name| format!(", did you mean {name}?")).unwrap_or_default();
    format!("{key} is no option{hint} (keys are the long names of options)")
}

/// The texts of a value: one, or those of a list.
fn values(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::Array(items) => items.iter().map(|item| scalar(item.get_ref())).collect(),
        value => scalar(value).map(|text| vec![text]),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

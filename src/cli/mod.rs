//! The program: the only place that prints, reads the environment, and knows clap or anyhow.

mod args;
mod commands;
mod config;
mod cookies;
mod cron;
mod delivery;
mod draft;
mod exit;
mod files;
mod logging;
mod metrics;
mod outputs;
mod parse;
mod progress;
mod sheet;
mod signals;
mod standing;
mod state;
mod summary;
mod terminal;

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use self::args::{COMMANDS, Cli, Command};
use self::config::Environment;
use self::exit::{Status, Stop};
use crate::extract::Ask;

/// Runs the program with the arguments of a command line, the program's name first.
///
/// It writes to standard output and standard error, reads the environment and configuration files, and watches for
/// signals, as its documentation says; what comes back is the exit status. Call it from the main thread.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    logging::tame_panics();
    let arguments: Vec<_> = arguments.into_iter().collect();
    let typed = arguments.clone();
    match catch_unwind(AssertUnwindSafe(|| run(arguments))).unwrap_or(Ok(Status::Internal)) {
        Ok(status) => status.into(),
        Err(Ended::ByParser(error)) => match logging::parser_words(&error, &typed) {
            // There is nobody to tell what is wrong when standard error is gone.
            Err(unwritten) if !error.use_stderr() && unwritten.kind() != ErrorKind::BrokenPipe => {
                logging::last_words(format_args!("cannot write standard output: {unwritten}"));
                Status::Broken.into()
            }
            // Help for a reader that has seen enough is no error.
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Status::Usage.code())),
        },
        Err(Ended::ByUs(stop)) => {
            logging::last_words(&stop);
            stop.status.into()
        }
    }
}

/// The command line that the help tells of.
#[must_use]
pub fn command() -> clap::Command {
    // There alone, the file may be left out.
    Cli::command().mut_subcommand("schema", |schema| schema.mut_arg("recipe", |recipe| recipe.num_args(0..=1)))
}

/// Why there was nothing to run.
enum Ended {
    ByParser(clap::Error),
    ByUs(Stop),
}

impl From<clap::Error> for Ended {
    fn from(error: clap::Error) -> Self {
        Self::ByParser(error)
    }
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self::ByUs(stop)
    }
}

fn run(typed: Vec<OsString>) -> Result<Status, Ended> {
    if commands::jq::is_meant(&typed) {
        return Ok(commands::jq::run()?);
    }
    let environment = Environment::read();
    let (mut command, mut matches) = parse(&typed)?;
    refuse_typed_secret(&matches)?;
    if matches!(matches.subcommand_name(), None | Some("map" | "explain" | "plan" | "check" | "guess")) {
        matches = config::complete(&mut command, typed, &matches, &environment).map_err(Stop::usage)?;
    }
    let cli = Cli::from_arg_matches(&matches)?;
    let asks_of = |command| matches.subcommand_matches(command).map_or_else(|| Ok(Vec::new()), asks);
    let status = match cli.command {
        None => commands::run::run(&cli.run, &asks(&matches)?, &environment),
        Some(Command::Map(args)) => commands::map::run(&args, &environment),
        Some(Command::Explain(args)) => commands::explain::run(&args, &asks_of("explain")?, &environment),
        Some(Command::Plan(args)) => commands::plan::run(&args, &environment),
        Some(Command::Check(args)) => commands::check::run(&args, &recipes(&args.recipe)?, &environment),
        Some(Command::Schema(_)) if names_no_recipe(&matches) => commands::schema::run_for_recipes(),
        Some(Command::Guess(args)) => commands::guess::run(&args, &environment),
        Some(Command::Report(args)) => commands::report::run(&args),
        Some(Command::Diff(args)) => commands::history::diff(&args, &environment),
        Some(Command::History(args)) => commands::history::run(&args, &environment),
        Some(Command::Schema(_)) => commands::schema::run(&asks_of("schema")?),
        Some(Command::Completions { shell }) => commands::completions::run(shell),
        Some(Command::Man) => commands::man::run(),
    };
    Ok(status?)
}

/// Parses what was typed.
fn parse(typed: &[OsString]) -> Result<(clap::Command, ArgMatches), clap::Error> {
    let names_another = typed.iter().skip(1).any(|argument| COMMANDS.iter().any(|name| argument == name));
    if !names_another {
        let mut command = args::main_job();
        if let Ok(matches) = command.try_get_matches_from_mut(typed) {
            return Ok((command, matches));
        }
        // What there is to say is said with all commands in view.
    }
    let mut command = command();
    let matches = command.try_get_matches_from_mut(typed)?;
    Ok((command, matches))
}

/// What is typed is shown to all users of the machine, and kept by the shell.
fn refuse_typed_secret(typed: &ArgMatches) -> Result<(), Stop> {
    if typed.get_one::<String>("webhook_secret").is_none_or(|secret| secret.starts_with('@')) {
        return Ok(());
    }
    let hint = "write it to a file, for --webhook-secret @FILE, or set SCRAPE_WEBHOOK_SECRET to it";
    let error = anyhow!("--webhook-secret is on the command line itself, where all users of this machine see it");
    Err(Stop::usage(error).with_hint(Some(hint.into())))
}

/// Whether `scrape schema --recipe` is asked without a file.
fn names_no_recipe(matches: &ArgMatches) -> bool {
    let of_schema = matches.subcommand_matches("schema");
    let given = of_schema.and_then(|matches| matches.get_occurrences::<PathBuf>("recipe"));
    given.is_some_and(|mut given| given.any(|files| files.len() == 0))
}

/// What `-x`, `-s` and `-r` ask for, in the order in which they were typed, then what other options do.
fn asks(matches: &ArgMatches) -> Result<Vec<Ask>, Stop> {
    let of = |option, ask: fn(String) -> Ask| {
        let values = matches.get_many::<String>(option).into_iter().flatten().cloned().map(ask);
        matches.indices_of(option).into_iter().flatten().zip(values)
    };
    let mut asks: Vec<_> = of("extract", Ask::Field).chain(of("select", Ask::Select)).collect();
    let files = matches.get_many::<PathBuf>("recipe").into_iter().flatten();
    for (position, file) in matches.indices_of("recipe").into_iter().flatten().zip(files) {
        asks.push((position, recipes(file)?));
    }
    asks.sort_by_key(|&(position, _)| position);
    let duplicates = matches.get_flag("dedupe_text").then_some(Ask::Duplicates);
    let changes = matches.get_flag("changed").then_some(Ask::Changes);
    let chunks = matches.get_one("chunk").map(|limit| Ask::Chunks(*limit));
    Ok(asks.into_iter().map(|(_, ask)| ask).chain(chunks).chain(duplicates).chain(changes).collect())
}

/// The recipes in a file.
fn recipes(file: &Path) -> Result<Ask, Stop> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}, a file of recipes"));
    Ok(Ask::Recipes { name, text: text.map_err(Stop::usage)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn every_command_is_known_by_its_name() {
        let mut command = command();
        command.build();
        let mut names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        let mut known = COMMANDS;
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known);
    }

    #[test]
    fn the_main_job_by_itself_is_parsed_as_it_is_beside_the_others() {
        for line in ["scrape urls.txt -x h1 -x h2 -c 5 -c 6", "scrape - --select a=b --dedupe-text", "scrape"] {
            let (_, alone) = parse(&typed(line)).unwrap();
            let beside = command().try_get_matches_from(typed(line)).unwrap();
            let [alone, beside] =
                [alone, beside].map(|matches| format!("{:?}", Cli::from_arg_matches(&matches).unwrap()));
            assert_eq!(alone, beside);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_all_commands_in_view() {
        for line in ["scrape --nonsense", "scrape --help", "scrape -V", "scrape -c x", "scrape explain", "scrape x man"]
        {
            let alone = parse(&typed(line)).map(|(_, matches)| matches).map_err(|error| error.to_string());
            let beside = command().try_get_matches_from(typed(line)).map_err(|error| error.to_string());
            assert_eq!(alone.err(), beside.err(), "{line}");
        }
    }
}

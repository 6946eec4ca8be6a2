//! `scrape man`

use std::io;

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::args::Cli;
use crate::cli::exit::{Status, Stop};

/// A term and what it means.
type Entry = (&'static str, &'static str);

const EXIT_STATUS: [Entry; 8] = [
    (
        "0",
        "All URLs were fetched, or --fail-on says that it is fine; or the reader of a pipe has seen enough; or the \
         list is empty.",
    ),
    ("1", "Some URLs failed."),
    ("2", "The command, the configuration, a selector or a recipe is wrong."),
    ("4", "Not one URL could be fetched."),
    ("5", "A source cannot be read, or an output not be written."),
    ("70", "A bug."),
    ("130", "Stopped by SIGINT (Ctrl-C), after what was in flight had ended."),
    ("143", "Stopped by SIGTERM or SIGHUP, after what was in flight had ended."),
];

const ENVIRONMENT: [Entry; 4] = [
    (
        "SCRAPE_NAME",
        "Sets the option --name: SCRAPE_MAX_TIME=10 is as --max-time 10. The command line wins over the environment, \
         the environment over files.",
    ),
    ("SCRAPE_NO_CONFIG", "Any value but 0 and false: no file is read, as with --no-config."),
    ("NO_COLOR", "Any value: nothing is coloured."),
    (
        "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "The proxies of http, of https and of all URLs, and the hosts that are asked directly. --proxy wins over them.",
    ),
];

const FILES: [Entry; 2] = [
    (
        "scrape.toml",
        "In the working directory. Keys are the long names of options. It may not set what decides where things are \
         written or sent and who is trusted.",
    ),
    (
        "~/.config/scrape/scrape.toml",
        "The user's own, in $XDG_CONFIG_HOME/scrape where that is set. The file in the working directory wins over it.",
    ),
];

const EXAMPLES: [Entry; 3] = [
    (
        "scrape urls.txt",
        "Fetches a list and shows a row for each URL, in a terminal with a bar below and a summary at the end.",
    ),
    (
        "scrape urls.txt -f jsonl | jq -r 'select(.error == null) | .title'",
        "Passes on each record as soon as its page is fetched.",
    ),
    (
        "scrape shops.csv --column website -s price=.price -o prices.csv",
        "Reads the URLs from one column of a table and writes a table with a field more. The other columns come back in \
         the column input.",
    ),
];

pub(in crate::cli) fn run() -> Result<Status, Stop> {
    let mut page = Vec::new();
    write(&mut page).map_err(Stop::broken)?;
    super::print(&page)
}

fn write(page: &mut Vec<u8>) -> io::Result<()> {
    let cli = Cli::command();
    let man = Man::new(cli.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    let mut rest = Roff::new();
    let about = |command: &clap::Command| command.get_about().map(|about| format!("{about}.")).unwrap_or_default();
    let commands = cli.get_subcommands().map(|command| (usage(command), about(command)));
    add_section(&mut rest, "COMMANDS", commands);
    add_section(&mut rest, "EXIT STATUS", EXIT_STATUS);
    add_section(&mut rest, "ENVIRONMENT", ENVIRONMENT);
    add_section(&mut rest, "FILES", FILES);
    add_section(&mut rest, "EXAMPLES", EXAMPLES);
    rest.to_writer(page)
}

/// How a subcommand is called.
fn usage(command: &clap::Command) -> String {
    let arguments = command.get_positionals().map(|argument| {
        let name = argument.get_value_names().unwrap_or_default().join(" ");
        let more = if matches!(argument.get_action(), clap::ArgAction::Append) { "..." } else { "" };
        if argument.is_required_set() { name + more } else { format!("[{name}]{more}") }
    });
    let options = if command.get_opts().next().is_some() { " [OPTIONS]" } else { "" };
    arguments.fold(format!("scrape {}{options}", command.get_name()), |usage, argument| usage + " " + &argument)
}

fn add_section<T: Into<String>, M: Into<String>>(
    page: &mut Roff,
    title: &str,
    entries: impl IntoIterator<Item = (T, M)>,
) {
    page.control("SH", [title]);
    for (term, meaning) in entries {
        page.control("TP", []);
        page.text([bold(term)]);
        page.text([roman(meaning)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let mut page = Vec::new();
        write(&mut page).unwrap();
        String::from_utf8(page).unwrap()
    }

    #[test]
    fn the_page_names_no_page_that_there_is_not_and_no_section_that_says_nothing() {
        let page = page();
        for word in ["(1)", ".SH EXTRA\n", "SUBCOMMANDS"] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn every_command_and_every_exit_status_has_its_line() {
        let page = page();
        for (title, terms) in [
            (
                ".SH COMMANDS",
                vec![
                    "scrape map [OPTIONS] [URL]...",
                    "scrape explain [OPTIONS] URL",
                    "scrape plan [OPTIONS] [SOURCE]...",
                    "scrape check [OPTIONS] RECIPE [PAGE]",
                    "scrape guess [OPTIONS] URL|FILE",
                    "scrape report [OPTIONS] FILE...",
                    "scrape diff [OPTIONS] STATE.db [URL]",
                    "scrape history [OPTIONS] STATE.db URL",
                    "scrape schema [OPTIONS]",
                    "scrape completions SHELL",
                    "scrape man",
                ],
            ),
            (".SH \"EXIT STATUS\"", EXIT_STATUS.map(|(code, _)| code).to_vec()),
        ] {
            let section = page.split_once(title).expect(title).1;
            let section = section.split_once("\n.SH").expect("a section after it").0;
            let entries: Vec<_> = section.split(".TP\n").skip(1).map(|entry| entry.lines().next().unwrap()).collect();
            assert_eq!(entries, terms.iter().map(|term| format!("\\fB{term}\\fR")).collect::<Vec<_>>());
        }
        let of = |statuses: &[Status]| statuses.iter().map(|status| status.code().to_string()).collect::<Vec<_>>();
        let all = of(&[
            Status::Success,
            Status::SomeFailed,
            Status::Usage,
            Status::NothingFetched,
            Status::Broken,
            Status::Internal,
            Status::Interrupted,
            Status::Terminated,
        ]);
        assert_eq!(all, EXIT_STATUS.map(|(code, _)| code));
    }
}

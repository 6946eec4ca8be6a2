//! Options from files and from the environment are earlier arguments.

use crate::support::authority::Authority;
use crate::support::scrape::Scrape;
use crate::support::{Answer, Hit, Site, scrape};

const HERE: &str = "scrape.toml";
const XDG: &str = ".config/scrape/scrape.toml";

/// What is sent by a run that `configure` prepares.
fn sent(configure: impl FnOnce(Scrape) -> Scrape) -> Hit {
    let site = Site::start(|_| Answer::title("page"));
    configure(scrape([site.url("/")])).run().succeeds();
    site.hit()
}

fn agent(configure: impl FnOnce(Scrape) -> Scrape) -> String {
    sent(configure).header("user-agent").unwrap().into()
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_folder_over_the_home() {
    let home = |run: Scrape| run.file(XDG, "user-agent = \"home\"");
    let here = |run: Scrape| run.file(HERE, "user-agent = \"here\"");
    let environment = |run: Scrape| run.env("SCRAPE_USER_AGENT", "environment");
    assert_eq!(agent(home), "home");
    assert_eq!(agent(|run| here(home(run))), "here");
    assert_eq!(agent(|run| environment(here(home(run)))), "environment");
    assert_eq!(agent(|run| environment(here(home(run))).args(["-A", "argument"])), "argument");
}

#[test]
fn xdg_config_home_is_heeded() {
    let other = "user-agent = \"other\"";
    let configure = |run: Scrape| {
        let folder = run.path("elsewhere").to_str().unwrap().to_owned();
        run.file("elsewhere/scrape/scrape.toml", other).env("XDG_CONFIG_HOME", &folder)
    };
    assert_eq!(agent(configure), "other");
}

#[test]
fn lists_replace_and_do_not_append() {
    let hit = sent(|run| run.file(HERE, "header = [\"X-One: 1\", \"X-Two: 2\"]"));
    assert_eq!((hit.header("x-one"), hit.header("x-two")), (Some("1"), Some("2")));
    let hit = sent(|run| run.file(HERE, "header = [\"X-One: 1\"]").args(["-H", "X-Two: 2"]));
    assert_eq!((hit.header("x-one"), hit.header("x-two")), (None, Some("2")));
}

#[test]
fn numbers_and_truth_values_are_written_as_toml_has_them() {
    let site = Site::start(|_| Answer::status(500));
    scrape([site.url("/")]).file(HERE, "retry = 1\nretry-delay = \"1ms\"\nordered = true\n").run().exits(4);
    assert_eq!(site.hits().len(), 2);
    assert_eq!(sent(|run| run.file(HERE, "head = false")).method, "GET");
    assert_eq!(sent(|run| run.file(HERE, "head = true")).method, "HEAD");
}

#[test]
fn a_setting_gives_way_to_an_argument_that_excludes_it() {
    let site = Site::start(|_| Answer::title("page"));
    let run = scrape(["-v", &site.url("/")]).file(HERE, "quiet = true").run().exits(0);
    assert!(!run.stderr.is_empty(), "{run:?}");
    assert_eq!(sent(|run| run.file(XDG, "request = \"POST\"").args(["-I"])).method, "HEAD");
}

#[test]
fn an_argument_may_need_a_setting() {
    let (certificate, key) = Authority::new().issue("client.test");
    sent(|run| {
        let run = run.file("cert.pem", certificate).file("key.pem", key);
        run.file(XDG, "cert = \"cert.pem\"").args(["--key", "key.pem"])
    });
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let site = Site::start(|_| Answer::title("page"));
    let run = scrape([site.url("/")]).env("SCRAPE_OUTPUT", "").env("SCRAPE_CONCURRENCY", "").run().succeeds();
    assert_eq!(run.stdout.lines().count(), 1);
}

#[test]
fn no_config_reads_no_file() {
    let config = |run: Scrape| run.file(HERE, "user-agent = \"here\"").file(XDG, "user-agent = \"home\"");
    assert!(agent(|run| config(run).args(["--no-config"])).starts_with("scrape/"));
    assert!(agent(|run| config(run).env("SCRAPE_NO_CONFIG", "1")).starts_with("scrape/"));
}

#[test]
fn an_unknown_key_is_refused_with_its_file_and_line() {
    let run = scrape(["http://127.0.0.1:1/"]).file(HERE, "retry = 1\n\nretrys = 2\n").run().refused_over("retrys");
    assert!(run.stderr.contains("scrape.toml:3"), "{run:?}");
}

#[test]
fn a_value_that_the_option_does_not_take_is_refused_with_its_file() {
    let run = scrape(["http://127.0.0.1:1/"]).file(HERE, "concurrency = \"many\"").run().refused_over("many");
    assert!(run.stderr.contains("concurrency"), "{run:?}");
}

#[test]
fn what_is_not_toml_is_refused_with_its_file_and_line() {
    let run = scrape(["http://127.0.0.1:1/"]).file(HERE, "retry = 1\nretry 2\n").run().refused_over("scrape.toml");
    assert!(run.stderr.contains('2'), "{run:?}");
}

#[test]
fn a_file_that_came_with_a_folder_may_not_say_where_to_write() {
    let site = Site::start(|_| Answer::title("page"));
    for line in ["output = [\"out.jsonl\"]", "output = \"out.jsonl\"", "summary = \"out.json\""] {
        let key = line.split(' ').next().unwrap();
        let run = scrape([site.url("/")]).file(HERE, line).run().refused_over(key);
        assert!(run.stderr.contains("scrape.toml"), "{run:?}");
    }
    assert!(site.hits().is_empty());
    let run = scrape([site.url("/")]).file(XDG, "output = [\"out.jsonl\"]").run().succeeds();
    assert_eq!((run.stdout.len(), run.file("out.jsonl").lines().count()), (0, 1));
}

#[test]
fn a_subcommand_heeds_the_options_it_knows_and_no_others() {
    for args in [&["schema"][..], &["completions", "bash"], &["man"]] {
        let config = "concurrency = 3\nordered = true";
        let run = scrape(args).file(HERE, config).env("SCRAPE_USER_AGENT", "x").run().succeeds();
        assert!(!run.stdout.is_empty(), "{args:?}");
    }
}

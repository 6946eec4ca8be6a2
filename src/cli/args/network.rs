//! How hosts are asked.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use reqwest::Method;

use crate::cli::parse;
use crate::fetch::{DenyPrivate, Resolution};
use crate::frontier::LimitBy;

#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub(in crate::cli) struct Pace {
    /// Requests in flight at most
    #[arg(short = 'c', long, value_name = "N", default_value = "64", value_parser = parse::count)]
    pub(in crate::cli) concurrency: NonZeroUsize,
    /// Requests in flight at most to one host
    #[arg(long, value_name = "N", default_value = "8", value_parser = parse::count)]
    pub(in crate::cli) per_host: NonZeroUsize,
    /// What counts as one host for that, and for --delay: host (a name), domain (all names below a registered one), or
    /// ip (all names at one address)
    #[arg(long, value_name = "WHAT", default_value = "host", hide_possible_values = true, value_parser = parse::limit_by())]
    pub(in crate::cli) limit_by: LimitBy,
    /// Time between the starts of two requests to one host
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = parse::duration)]
    pub(in crate::cli) delay: Duration,
    /// Requests started at most, such as 20, 20/s or 90/m
    #[arg(long, value_name = "N", value_parser = parse::rate)]
    pub(in crate::cli) rate: Option<Duration>,
    /// Keep --delay and Retry-After also together with other runs on this machine that name the same DIR
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) shared_politeness: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Retries")]
pub(in crate::cli) struct Retries {
    /// Tries after the first one, where trying again makes sense
    #[arg(long, value_name = "N", default_value = "2")]
    pub(in crate::cli) retry: u32,
    /// The longest wait before the first retry; it doubles with each one
    #[arg(long, value_name = "TIME", default_value = "1", value_parser = parse::duration)]
    pub(in crate::cli) retry_delay: Duration,
    /// The longest Retry-After that is waited for
    #[arg(long, value_name = "TIME", default_value = "120", value_parser = parse::duration)]
    pub(in crate::cli) max_retry_after: Duration,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as the options are")]
#[command(next_help_heading = "Request")]
pub(in crate::cli) struct Request {
    /// Send a header to the named URLs' own origins; 'Name:' removes one
    #[arg(short = 'H', long, value_name = "LINE")]
    pub(in crate::cli) header: Vec<String>,
    /// The User-Agent
    #[arg(short = 'A', long, value_name = "NAME")]
    pub(in crate::cli) user_agent: Option<String>,
    /// Basic authentication at the named URLs' own origins
    #[arg(short = 'u', long, value_name = "USER:PASSWORD")]
    pub(in crate::cli) user: Option<String>,
    /// Send NAME=VALUE to the named URLs' own origins, or read FILE and keep what servers set
    #[arg(short = 'b', long, value_name = "DATA|FILE")]
    pub(in crate::cli) cookie: Vec<String>,
    /// Read cookies from FILE if it exists, keep what servers set, and write all to FILE at the end
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) cookie_jar: Option<PathBuf>,
    /// The method [default: GET; POST with --data]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(in crate::cli) request: Option<Method>,
    /// Send a body (@FILE: from a file); several are joined by &
    #[arg(short = 'd', long, value_name = "DATA")]
    pub(in crate::cli) data: Vec<String>,
    /// Ask for the headers alone
    #[arg(short = 'I', long)]
    pub(in crate::cli) head: bool,
    /// Taken for curl's sake: redirects are always followed (see --max-redirs)
    #[arg(short = 'L', long)]
    pub(in crate::cli) location: bool,
    /// Send what is for the named URLs' own origins also to where they redirect
    #[arg(long)]
    pub(in crate::cli) location_trusted: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(in crate::cli) struct Connection {
    /// Use a proxy: http, https, socks4, socks4a, socks5 or socks5h [default: the environment's]
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) proxy: Option<String>,
    /// Do not verify TLS certificates
    #[arg(short = 'k', long)]
    pub(in crate::cli) insecure: bool,
    /// Trust the certificates in this PEM file, and no others
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) cacert: Option<PathBuf>,
    /// The client's certificate, as PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) cert: Option<PathBuf>,
    /// The key of --cert, where it is not in the same file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) key: Option<PathBuf>,
    /// Use these addresses for a host and port
    #[arg(long, value_name = "HOST:PORT:ADDR,…", value_parser = parse::resolution)]
    pub(in crate::cli) resolve: Vec<Resolution>,
    /// Keep servers from sending us to private addresses: always (if no WHEN is given), from-public (if their own is
    /// public) or never; names that are asked by a proxy are beyond this
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_value = "from-public",
        default_missing_value = "always",
        hide_possible_values = true,
        value_parser = parse::deny_private()
    )]
    pub(in crate::cli) deny_private: DenyPrivate,
    /// Use IPv4 only
    #[arg(short = '4', long, overrides_with = "ipv6")]
    pub(in crate::cli) ipv4: bool,
    /// Use IPv6 only
    #[arg(short = '6', long, overrides_with = "ipv4")]
    pub(in crate::cli) ipv6: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(in crate::cli) struct Limits {
    /// Time for name, connection and TLS (0: no limit)
    #[arg(long, value_name = "TIME", default_value = "10", value_parser = parse::limit)]
    pub(in crate::cli) connect_timeout: Duration,
    /// Time without a byte (0: no limit)
    #[arg(long, value_name = "TIME", default_value = "15", value_parser = parse::limit)]
    pub(in crate::cli) read_timeout: Duration,
    /// Time for one attempt, redirects included (0: no limit)
    #[arg(short = 'm', long, alias = "timeout", value_name = "TIME", default_value = "30", value_parser = parse::limit)]
    pub(in crate::cli) max_time: Duration,
    /// Largest body, decoded
    #[arg(long, value_name = "SIZE", default_value = "10M", value_parser = parse::size)]
    pub(in crate::cli) max_body: usize,
    /// Memory for the bodies in flight; what finds none waits [default: 1G, or what one body may take]
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    pub(in crate::cli) max_memory: Option<usize>,
    /// Redirects to follow
    #[arg(long, value_name = "N", default_value = "10")]
    pub(in crate::cli) max_redirs: usize,
}

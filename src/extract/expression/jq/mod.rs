//! jq programs on a JSON page.
//!
//! They are run by `jaq`, whose language is jq 1.7's with few differences. Nothing bounds what a program takes there: one
//! that calls itself overflows the stack, and ends its whole process. So it is not run in this process but in one that does
//! nothing else ([`serve`]), and that the system ends where a program takes more than its page is worth. That is the
//! failure of this page alone; the next one has a new process. There is at most one for each core, started by the first
//! page that needs it; it has neither environment nor standard error nor files, and ends when the pipe from us does.
//!
//! Where the language leaves room:
//!
//! - All that follows `jq:` is the program, bars too.
//! - A program sees nothing but the page: `input`, `inputs`, `input_filename`, `$ENV`, `env`, `halt`, `halt_error`, `debug`,
//!   `stderr`, `import` and `include` are not there, and are refused like any other name that is not.
//! - A field is null where its program fails (`.a.b` of a text), a list as well, of which the rest would be missing; the
//!   log tells why.
//! - What JSON cannot say becomes what is next to it: a number that is not finite is null, bytes are text, and a key that is
//!   no text is its JSON.

mod compile;
mod pool;
mod process;

use std::process::Command;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::value::Value;
pub(in crate::extract) use pool::{Pool, Runner};
pub use process::serve;

/// How to start a process that calls [`serve`]. Its arguments are all that has to be said: environment, working directory
/// and pipes are set by whoever starts it.
pub type Process = fn() -> Command;

/// A program that can be compiled. What it compiles to cannot leave the thread.
#[derive(Debug)]
pub(in crate::extract) struct Program(Box<str>);

impl Program {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        compile::check(text).map(|()| Self(text.into()))
    }
}

/// What the process is asked: a line of JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Task<T> {
    /// The programs, each with whether all that it gives is wanted, or only the first value.
    programs: Vec<(String, bool)>,
    /// How much time all of them may take, in seconds of computing.
    seconds: f64,
    /// What they are run on.
    input: T,
}

/// What it answers: a line of JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    /// How much time it took, in seconds of computing.
    seconds: f64,
    /// What each program gave, and why no more than that; none where all of them gave more than is wanted of one page.
    given: Option<Vec<(Vec<Value<'static>>, Option<String>)>>,
}

//! The process that programs run in.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::process::abort;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use jaq_core::data::JustLut;
use jaq_core::{Ctx, Filter, Vars, unwrap_valr};
use jaq_json::{Num, Val};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Number;

use super::compile::{STACK, compile};
use super::{Answer, Task};
use crate::extract::FOUND;
use crate::value::Value;

/// How much address space the process may take, in bytes: stacks and code are in it. A page's values take up to forty times
/// as much as its text.
const MEMORY: u64 = 768 << 20;

/// How long the reason for a failure may be, in characters: it quotes values.
const REASON: usize = 200;

/// Runs the jq programs that come on standard input, until that ends. The process should end then, too: a program that still
/// runs is not waited for.
///
/// It is for a process of its own, which [`Process`](super::Process) starts: it bounds what this process may take, and a
/// program that takes more ends it.
///
/// # Errors
/// The bounds cannot be set, or standard input not be read.
pub fn serve() -> io::Result<()> {
    limit(Resource::As, MEMORY)?;
    limit(Resource::Core, 0)?;
    // Whatever goes wrong is told by how the process ends.
    std::panic::set_hook(Box::new(|_| abort()));
    let (lines, asked) = sync_channel(0);
    thread::Builder::new().stack_size(STACK).spawn(move || answer_all(&asked))?;
    // This thread sees the end of the input while a program runs.
    let mut input = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 || lines.send(line).is_err() {
            return Ok(());
        }
    }
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let maximum = getrlimit(resource).maximum;
    let current = Some(maximum.map_or(most, |maximum| maximum.min(most)));
    Ok(setrlimit(resource, Rlimit { current, maximum })?)
}

/// The filters of the programs that have come.
type Filters = HashMap<String, Filter<JustLut<Val>>>;

fn answer_all(lines: &Receiver<Vec<u8>>) {
    let mut filters = Filters::new();
    for line in lines {
        let started = computed(ClockId::ThreadCPUTime);
        // The other end is this program, too: it asks for nothing that means nothing.
        let Ok(task) = serde_json::from_slice::<Task<Val>>(&line) else { abort() };
        drop(line);
        if limit_time(task.seconds).is_err() {
            abort();
        }
        let given = run_all(task, &mut filters);
        let spent = computed(ClockId::ThreadCPUTime).saturating_sub(started);
        if write(&Answer { seconds: spent.as_secs_f64(), given }).is_err() {
            return;
        }
    }
}

fn write(answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

fn computed(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// Lets the system end this process when it has computed for so long, or up to a second more.
fn limit_time(seconds: f64) -> io::Result<()> {
    let end = computed(ClockId::ProcessCPUTime).as_secs_f64() + seconds;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a time, and saturates")]
    limit(Resource::Cpu, end.ceil() as u64)
}

/// What programs give, and why no more than that; none where it is too much.
fn run_all(task: Task<Val>, filters: &mut Filters) -> Option<Vec<(Vec<Value<'static>>, Option<String>)>> {
    let mut room = Room(FOUND);
    let Task { programs, input, .. } = task;
    let run = |(program, is_list): (String, bool)| {
        let filter = filters.entry(program).or_insert_with_key(|text| compile(text).unwrap_or_else(|_| abort()));
        let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
        let mut given = Vec::new();
        for value in filter.id.run((context, input.clone())).map(unwrap_valr).take(if is_list { usize::MAX } else { 1 })
        {
            match value {
                Ok(value) => given.push(room.value(value)?),
                Err(error) => return Some((Vec::new(), Some(error.to_string().chars().take(REASON).collect()))),
            }
        }
        Some((given, None))
    };
    programs.into_iter().map(run).collect()
}

/// How many bytes values may still take.
struct Room(usize);

impl Room {
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }

    /// The value as one of ours.
    fn value(&mut self, value: Val) -> Option<Value<'static>> {
        self.take(size_of::<Value<'_>>())?;
        Some(match value {
            Val::Null => Value::Null,
            Val::Bool(truth) => Value::Bool(truth),
            Val::Num(number) => self::number(&number),
            Val::TStr(bytes) | Val::BStr(bytes) => self.text(&bytes)?.into(),
            Val::Arr(values) => {
                Value::List(values.iter().map(|value| self.value(value.clone())).collect::<Option<_>>()?)
            }
            Val::Obj(members) => {
                let member = |(key, value): (&Val, &Val)| {
                    let key = match key {
                        Val::TStr(bytes) | Val::BStr(bytes) => self.text(bytes)?,
                        other => self.text(other.to_string().as_bytes())?,
                    };
                    self.take(size_of::<Value<'_>>())?;
                    Some((key.into(), self.value(value.clone())?))
                };
                Value::Map(members.iter().map(member).collect::<Option<_>>()?)
            }
        })
    }

    fn text(&mut self, bytes: &[u8]) -> Option<String> {
        self.take(bytes.len())?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

fn number(number: &Num) -> Value<'static> {
    match number.to_string().parse::<Number>() {
        Ok(number) if number.is_f64() => number.as_f64().map_or(Value::Null, Value::number),
        Ok(number) => Value::Number(number),
        Err(_) => Value::Null,
    }
}

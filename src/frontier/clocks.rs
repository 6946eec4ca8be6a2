//! What processes on one machine tell each other of the hosts that they ask.
//!
//! A folder has a file for each host, named by a hash of it: 16 bytes, the time of the next start that is permitted
//! (microseconds since 1970) and who waits for it. A process that wants to start looks there while it holds the file's lock
//! (`flock`), which ends with the process however that ends.
//!
//! What was decided:
//! - A start is entered when it happens, not ahead: no two are closer than the delay of whichever came first.
//! - Of two that wait for a host, the one that did not have the last turn goes first: who waits leaves its mark, and the other
//!   one gives it a quarter of the delay, 50 ms at most, to come.
//! - A time further ahead than an hour and the delay is of a clock that was wrong: it does not count.
//! - Where the folder fails, the process goes by its own clock, and says so once.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use xxhash_rust::xxh3::xxh3_64;

/// What several processes know of the hosts that they ask.
pub trait Clocks: Debug + Send {
    /// Enters a start on `host`, after which none may follow for `delay`; or tells until when it has to wait, and ask again.
    fn reserve(&mut self, host: &str, now: Instant, delay: Duration) -> Option<Instant>;

    /// Nobody starts anything on `host` for so long.
    fn pause(&mut self, host: &str, now: Instant, wait: Duration);
}

/// The longest that somebody is given to take its turn.
const COURTESY: Duration = Duration::from_millis(50);

/// How far ahead a start may be, and the delay on top.
const AHEAD: Duration = Duration::from_hours(1);

/// Clocks in a folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// This process: no other one has this number.
    own: u64,
    has_failed: bool,
}

/// What a file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// In microseconds since 1970.
    next: u64,
    /// Who waits for that; 0 where nobody does.
    waiting: u64,
}

impl Folder {
    /// The clocks in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made, or nothing can be written there.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        fs::create_dir_all(&path)?;
        tempfile::NamedTempFile::new_in(&path)?;
        Ok(Self { path, own: fastrand::u64(1..), has_failed: false })
    }

    /// Changes what is known of a host. Others wait meanwhile.
    fn change(&self, host: &str, change: impl FnOnce(Entry) -> Entry) -> io::Result<()> {
        let path = self.path.join(format!("{:016x}", xxh3_64(host.as_bytes())));
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        file.lock()?;
        let mut bytes = [0; 16];
        let entry = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Entry::from_bytes(bytes),
            // It is new.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Entry::default(),
            Err(error) => return Err(error),
        };
        let changed = change(entry);
        if changed != entry {
            file.write_all_at(&changed.to_bytes(), 0)?;
        }
        Ok(())
    }

    /// Whether it went well; that it did not is said once.
    fn told(&mut self, done: io::Result<()>) {
        if let Err(error) = done
            && !std::mem::replace(&mut self.has_failed, true)
        {
            tracing::warn!("{}: {error}: other runs are not heeded", self.path.display());
        }
    }
}

impl Clocks for Folder {
    fn reserve(&mut self, host: &str, now: Instant, delay: Duration) -> Option<Instant> {
        let mut wait = None;
        let own = self.own;
        let done = self.change(host, |entry| {
            let (changed, waits) = entry.reserve(micros(SystemTime::now()), delay, own);
            wait = waits;
            changed
        });
        self.told(done);
        wait.map(|wait| now + wait)
    }

    fn pause(&mut self, host: &str, _: Instant, wait: Duration) {
        let until = micros(SystemTime::now()) + length(wait);
        let done = self.change(host, |entry| Entry { next: entry.next.max(until), ..entry });
        self.told(done);
    }
}

impl Entry {
    /// What becomes of it when the process `own` wants to start, and how long that has to wait before it asks again.
    fn reserve(self, now: u64, delay: Duration, own: u64) -> (Self, Option<Duration>) {
        let next = if self.next > now + length(AHEAD + delay) { 0 } else { self.next };
        if now < next {
            // Who waits already goes first.
            let waiting = if self.waiting == 0 { own } else { self.waiting };
            return (Self { next, waiting }, Some(Duration::from_micros(next - now)));
        }
        let courtesy = next + length((delay / 4).min(COURTESY));
        if self.waiting != 0 && self.waiting != own && now < courtesy {
            return (self, Some(Duration::from_micros(courtesy - now)));
        }
        (Self { next: now + length(delay), waiting: 0 }, None)
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        let bytes = u128::from_le_bytes(bytes);
        let [next, waiting] = [bytes, bytes >> 64].map(|part| u64::try_from(part & u128::from(u64::MAX)));
        Self { next: next.unwrap_or_default(), waiting: waiting.unwrap_or_default() }
    }

    fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.next) | u128::from(self.waiting) << 64).to_le_bytes()
    }
}

fn micros(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, length)
}

fn length(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;
    const DELAY: Duration = Duration::from_secs(1);

    const fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn starts_are_a_delay_apart_and_who_waits_is_next() {
        let now = 5_000 * SECOND;
        let (entry, waits) = Entry::default().reserve(now, DELAY, 1);
        assert_eq!((entry, waits), (Entry { next: now + SECOND, waiting: 0 }, None));
        let (entry, waits) = entry.reserve(now + 1, DELAY, 2);
        assert_eq!((entry.waiting, waits), (2, Some(micros(SECOND - 1))));
        let (entry, waits) = entry.reserve(now + 2, DELAY, 1);
        assert_eq!((entry.waiting, waits), (2, Some(micros(SECOND - 2))), "2 waits longer");
        let (entry, waits) = entry.reserve(now + SECOND, DELAY, 1);
        assert_eq!((entry.waiting, waits), (2, Some(micros(50_000))), "and is given a moment");
        let (_, waits) = entry.reserve(now + SECOND + 50_000, DELAY, 1);
        assert_eq!(waits, None, "it may have gone");
        let (entry, waits) = entry.reserve(now + SECOND + 30, DELAY, 2);
        assert_eq!((entry, waits), (Entry { next: now + 2 * SECOND + 30, waiting: 0 }, None));
    }

    #[test]
    fn a_clock_that_was_wrong_holds_nobody_up() {
        let now = 5_000 * SECOND;
        let ahead = |micros| Entry { next: now + micros, waiting: 7 }.reserve(now, DELAY, 1).1;
        assert_eq!(ahead(3601 * SECOND), Some(micros(3601 * SECOND)));
        assert_eq!(ahead(3601 * SECOND + 1), None);
    }

    #[test]
    fn an_entry_comes_back_as_it_was_written() {
        let entry = Entry { next: u64::MAX - 3, waiting: 0x0123_4567_89ab_cdef };
        assert_eq!(Entry::from_bytes(entry.to_bytes()), entry);
    }

    #[test]
    fn what_one_process_enters_another_one_heeds() {
        let folder = tempfile::tempdir().unwrap();
        let [mut one, mut other] = [(); 2].map(|()| Folder::open(folder.path().join("clocks")).unwrap());
        let (now, delay) = (Instant::now(), Duration::from_mins(5));
        assert_eq!(one.reserve("a.test", now, delay), None);
        let at = other.reserve("a.test", now, delay).expect("it has to wait");
        assert!(at > now + delay / 2 && at <= now + delay);
        assert_eq!(other.reserve("b.test", now, delay), None, "another host");
        one.pause("c.test", now, delay);
        assert!(other.reserve("c.test", now, Duration::ZERO).is_some());
    }

    #[test]
    fn where_the_folder_fails_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let mut clocks = Folder::open(folder.path().join("clocks")).unwrap();
        fs::remove_dir_all(folder.path().join("clocks")).unwrap();
        let now = Instant::now();
        assert_eq!(clocks.reserve("a.test", now, Duration::from_mins(1)), None);
        assert_eq!(clocks.reserve("a.test", now, Duration::from_mins(1)), None);
        assert!(Folder::open("/dev/null/clocks").is_err());
    }
}

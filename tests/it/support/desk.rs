//! A folder in which the program runs again and again, with a state.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use rusqlite::types::FromSql;
use tempfile::TempDir;

use super::scrape::{Run, Scrape};
use super::{Answer, Hit, Site};

/// A folder with a list, in which the program runs again and again.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new(site: &Site, pages: usize) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("urls.txt", &list(site, pages));
        desk
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The program, started in the folder.
    pub(crate) fn scrape(&self, args: &str) -> Scrape {
        Scrape::in_shell(&format!("cd '{}' && exec \"$scrape\" {args}", self.folder().display()))
    }

    /// Runs it with the list.
    pub(crate) fn run(&self, args: &str) -> Run {
        self.scrape(&format!("urls.txt {args}")).run()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// The text of a file whose name may tell that it is compressed. It has to be whole.
    pub(crate) fn unpack(&self, name: &str) -> String {
        let bytes = fs::read(self.folder().join(name)).unwrap();
        match name.rsplit('.').next() {
            Some("gz") => std::io::read_to_string(flate2::read::MultiGzDecoder::new(&*bytes)).unwrap(),
            Some("zst") => String::from_utf8(zstd::decode_all(&*bytes).unwrap()).unwrap(),
            _ => String::from_utf8(bytes).unwrap(),
        }
    }

    /// The first value that the state answers with.
    pub(crate) fn query<T: FromSql>(&self, sql: &str) -> T {
        let connection = Connection::open(self.folder().join("s.db")).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn execute(&self, sql: &str) {
        Connection::open(self.folder().join("s.db")).unwrap().execute_batch(sql).unwrap();
    }

    /// What is in the folder.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// The first pages of a site, as a list of URLs.
pub(crate) fn list(site: &Site, pages: usize) -> String {
    (0..pages).map(|n| site.url(&format!("/{n}\n"))).collect()
}

/// A site whose answers depend on the day, which the test turns.
pub(crate) fn site_of_days(answer: impl Fn(&Hit, u32) -> Answer + Send + Sync + 'static) -> (Site, Arc<AtomicU32>) {
    let day = Arc::new(AtomicU32::new(0));
    let today = Arc::clone(&day);
    (Site::start(move |hit| answer(hit, today.load(Ordering::SeqCst))), day)
}

//! What pages say to those who check links, in a temporary file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::canonical::fingerprint;
use crate::job::{Anchor, Fragments, Outcome, Trail, Written};

/// Two lines for each page: what it says, and where its links stand.
pub(super) struct Pages {
    file: BufWriter<File>,
    length: u64,
    /// Where the second line of each page begins, by fingerprints.
    anchors: HashMap<u64, u64>,
    /// The last of these that was read: one page has many broken links.
    last: Option<(u64, Anchors)>,
    /// Whether its links to places have been judged.
    pub(super) is_judged: bool,
}

/// What a page says.
#[derive(Deserialize, Serialize)]
pub(super) struct Page {
    pub(super) url: Box<str>,
    pub(super) depth: u32,
    pub(super) id: u64,
    pub(super) file: Option<Box<str>>,
    pub(super) line: u64,
    pub(super) input: Option<Box<RawValue>>,
    pub(super) places: Option<Vec<u64>>,
    /// Its links to places.
    pub(super) links: Vec<Box<str>>,
}

/// Where the links of a page stand.
#[derive(Default)]
pub(super) struct Anchors(HashMap<u64, Anchor>);

impl Anchors {
    /// Reads the second line of a page.
    pub(super) fn read(line: &str) -> io::Result<Self> {
        let list: Vec<(u64, Anchor)> = serde_json::from_str(line)?;
        Ok(Self(list.into_iter().collect()))
    }

    pub(super) fn of(&self, link: &Url) -> Option<&Anchor> {
        self.0.get(&key(link))
    }
}

/// What stands for a link.
fn key(link: &Url) -> u64 {
    xxh3_64(link.as_str().as_bytes())
}

impl Page {
    fn of(outcome: &Outcome, trail: &Trail, fragments: &Fragments) -> Self {
        let target = &outcome.target;
        let links = fragments.links.iter().filter_map(|link| link.to.as_ref().ok());
        Self {
            url: trail.url.as_str().into(),
            depth: trail.depth(),
            id: target.id,
            file: target.at.file.as_deref().map(Box::from),
            line: target.at.line,
            input: target.input.as_deref().map(RawValue::to_owned),
            places: fragments.places.clone(),
            links: links.filter(|link| link.fragment().is_some()).map(|link| link.as_str().into()).collect(),
        }
    }

    /// Its links to places.
    pub(super) fn links(&self) -> impl Iterator<Item = Url> {
        self.links.iter().filter_map(|link| Url::parse(link).ok())
    }
}

impl Pages {
    pub(super) fn new() -> io::Result<Self> {
        let file = BufWriter::new(tempfile::tempfile()?);
        Ok(Self { file, length: 0, anchors: HashMap::new(), last: None, is_judged: false })
    }

    /// Adds a page.
    pub(super) fn push(&mut self, outcome: &Outcome, trail: &Trail, fragments: &Fragments) -> io::Result<()> {
        let links = fragments.links.iter().filter_map(|Written { to, anchor }| Some((to.as_ref().ok()?, anchor)));
        let anchors: Vec<_> = links.map(|(link, anchor)| (key(link), anchor)).collect();
        let mut said = serde_json::to_vec(&Page::of(outcome, trail, fragments))?;
        said.push(b'\n');
        self.anchors.insert(fingerprint(&trail.url), self.length + said.len() as u64);
        serde_json::to_writer(&mut said, &anchors)?;
        said.push(b'\n');
        self.length += said.len() as u64;
        self.file.write_all(&said)
    }

    /// Where a page has this link, if the page is known.
    pub(super) fn anchor(&mut self, page: &Url, link: &Url) -> io::Result<Option<Anchor>> {
        let Some(&at) = self.anchors.get(&fingerprint(page)) else { return Ok(None) };
        let anchors = match self.last.take() {
            Some((last, anchors)) if last == at => anchors,
            _ => self.anchors_at(at)?,
        };
        let anchor = anchors.of(link).cloned();
        self.last = Some((at, anchors));
        Ok(anchor)
    }

    fn anchors_at(&mut self, at: u64) -> io::Result<Anchors> {
        self.file.seek(SeekFrom::Start(at))?;
        let mut line = String::new();
        BufReader::new(self.file.get_mut()).read_line(&mut line)?;
        self.file.seek(SeekFrom::End(0))?;
        Anchors::read(&line)
    }

    /// Reads all pages, each with its second line.
    pub(super) fn each(&mut self, mut take: impl FnMut(&Url, &Page, &str) -> io::Result<()>) -> io::Result<()> {
        self.file.rewind()?;
        let mut lines = BufReader::new(self.file.get_mut()).lines();
        while let (Some(page), Some(anchors)) = (lines.next(), lines.next()) {
            let page: Page = serde_json::from_str(&page?)?;
            take(&Url::parse(&page.url).map_err(io::Error::other)?, &page, &anchors?)?;
        }
        Ok(())
    }
}

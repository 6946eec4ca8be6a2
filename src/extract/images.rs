//! The images of a page.
//!
//! Every URL that an `<img>`, or a `<source>` in its `<picture>`, offers is one row, in the order of the page: those of
//! `srcset` first. `best` marks one for each image: the widest candidate, or the densest where none tells its width,
//! and of several such the first. Which of them a browser takes depends on its window, so that no answer is right for all.

use std::borrow::Cow;

use html5ever::local_name;

use super::links::Base;
use super::tokens::Tag;
use crate::value::{Table, Value};

/// The images of a page, in order.
#[derive(Debug, Default)]
pub(super) struct Images<'t> {
    list: Vec<Image<'t>>,
    /// Whether the last one is a `<picture>` whose `<img>` has not come yet.
    is_open: bool,
}

/// An `<img>`, with the `<picture>` around it.
#[derive(Debug, Default)]
struct Image<'t> {
    alt: Option<Cow<'t, str>>,
    /// What the `<source>`s and the `<img>` have.
    srcsets: Vec<Cow<'t, str>>,
    src: Option<Cow<'t, str>>,
}

impl<'t> Images<'t> {
    /// Reads an `<img>`, `<picture>` or `<source>`.
    pub(super) fn start(&mut self, tag: &Tag<'t>) {
        if *tag.name == local_name!("picture") {
            self.list.push(Image::default());
            self.is_open = true;
            return;
        }
        let is_source = *tag.name == local_name!("source");
        let [src, srcset, alt, lazy_src, lazy_srcset] = tag.values(["src", "srcset", "alt", "data-src", "data-srcset"]);
        if !self.is_open {
            // One of audio or video.
            if is_source {
                return;
            }
            self.list.push(Image::default());
        }
        let Some(image) = self.list.last_mut() else { return };
        image.srcsets.extend(srcset.or(lazy_srcset));
        if !is_source {
            let is_placeholder =
                src.as_deref().is_none_or(|src| src.trim_ascii().is_empty() || src.starts_with("data:"));
            image.src = if is_placeholder { lazy_src.or(src) } else { src };
            image.alt = alt;
            self.is_open = false;
        }
    }

    /// They as a value, without URLs that make no sense.
    pub(super) fn to_value(&self, base: &Base) -> Value<'static> {
        let mut table = Table::new(&["url", "alt", "size", "best"], self.list.len());
        for image in &self.list {
            image.write(base, &mut table);
        }
        Value::Table(table)
    }
}

impl Image<'_> {
    fn write(&self, base: &Base, table: &mut Table) {
        let src = self.src.as_deref().map(str::trim_ascii).filter(|src| !src.is_empty());
        let candidates = self.srcsets.iter().flat_map(|srcset| Candidates(srcset));
        let all: Vec<_> = candidates.chain(src.map(|url| Candidate { url, size: "" })).collect();
        let best = (0..all.len()).rev().max_by(|&a, &b| all[a].rank().total_cmp(&all[b].rank()));
        let alt = self.alt.as_deref().map(str::trim_ascii);
        for (n, candidate) in all.iter().enumerate() {
            let written = table.push_written(|url| {
                base.take(alt.map_or(0, str::len))?;
                base.join(candidate.url, url)
            });
            if written.is_none() {
                continue;
            }
            table.push_text(alt);
            table.push_text(Some(candidate.size).filter(|size| !size.is_empty()));
            table.push_bool(Some(n) == best);
        }
    }
}

/// One of the URLs of a `srcset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate<'a> {
    url: &'a str,
    /// As it is written: `480w`, `2x`; empty where there is none, which means `1x`.
    size: &'a str,
}

impl Candidate<'_> {
    /// How good it is: every width is better than any density.
    fn rank(&self) -> f64 {
        let number = |unit| self.size.strip_suffix(unit)?.parse::<f64>().ok().filter(|number| number.is_finite());
        number('w').map_or_else(|| number('x').unwrap_or(1.0).min(1e6), |width| 1e6 + width)
    }
}

/// The candidates of a `srcset` (WHATWG HTML, section 4.8.4.3.8), of which this is what has not been read.
struct Candidates<'a>(&'a str);

impl<'a> Iterator for Candidates<'a> {
    type Item = Candidate<'a>;

    fn next(&mut self) -> Option<Candidate<'a>> {
        let text = self.0.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
        let (written, rest) = text.split_at(end);
        let url = written.trim_end_matches(',');
        if url.is_empty() {
            self.0 = "";
            return None;
        }
        if url.len() < written.len() {
            self.0 = rest;
            return Some(Candidate { url, size: "" });
        }
        let end = end_of_descriptors(rest);
        self.0 = &rest[end..];
        Some(Candidate { url, size: rest[..end].trim_ascii() })
    }
}

/// Where the comma is that ends the descriptors of a candidate: outside of parentheses.
fn end_of_descriptors(text: &str) -> usize {
    let mut is_inside = false;
    let is_end = |c: char| {
        is_inside = c == '(' || is_inside && c != ')';
        c == ',' && !is_inside
    };
    text.find(is_end).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(srcset: &str) -> Vec<(&str, &str)> {
        Candidates(srcset).map(|candidate| (candidate.url, candidate.size)).collect()
    }

    #[test]
    fn a_srcset_is_taken_apart() {
        assert_eq!(candidates("a.png 1x, b.png 2x"), [("a.png", "1x"), ("b.png", "2x")]);
        assert_eq!(candidates(" a.png, b.png 480w ,c,"), [("a.png", ""), ("b.png", "480w"), ("c", "")]);
        assert_eq!(candidates("data:,a 1x, /x,y.png 2x"), [("data:,a", "1x"), ("/x,y.png", "2x")]);
        assert_eq!(candidates("a (b, c) 1x, d"), [("a", "(b, c) 1x"), ("d", "")]);
        assert_eq!(candidates(",, ,"), []);
        assert_eq!(candidates("a (,"), [("a", "(,")]);
    }

    #[test]
    fn width_is_better_than_density() {
        let rank = |size| Candidate { url: "", size }.rank();
        for (better, worse) in [("2x", "1x"), ("", "0.5x"), ("2w", "1w"), ("1w", "9x"), ("1x", "NaNx"), ("3x", "x")] {
            assert!(rank(better) >= rank(worse), "{better} {worse}");
        }
    }
}

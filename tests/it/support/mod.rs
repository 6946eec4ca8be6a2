//! What the tests stand on: a site to scrape and the program that scrapes it.

pub(crate) mod answer;
pub(crate) mod authority;
pub(crate) mod coding;
pub(crate) mod desk;
pub(crate) mod scrape;
pub(crate) mod site;
pub(crate) mod wire;

pub(crate) use answer::{Answer, Gate};
pub(crate) use scrape::{Run, fetch, scrape};
pub(crate) use site::{Hit, Site};
pub(crate) use wire::{Step, Wire};

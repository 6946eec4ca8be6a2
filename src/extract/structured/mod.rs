//! Data that a page gives in a form made for machines: JSON-LD, microdata, Open Graph, Twitter cards.
//!
//! All of it is passed on as the page has it; what URLs in it are relative to is the reader's business, as it is with
//! JSON-LD (whose URLs cannot be told from other strings without its contexts).

pub(super) mod jsonld;
pub(super) mod microdata;
pub(super) mod opengraph;
pub(super) mod schema_org;

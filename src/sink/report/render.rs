//! The page of a report, of a template.

use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use ring::digest::{SHA256, digest};

use super::statistics::Statistics;
use super::view::View;

/// The name tells that all text is escaped as HTML has it.
const NAME: &str = "page.html";
const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page of these figures.
pub(super) fn render(statistics: &Statistics) -> io::Result<String> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut render = || {
        templates.add_template(NAME, PAGE)?;
        templates.get_template(NAME)?.render(context! {
            view => Value::from(Serde(View::of(statistics))),
            style => Value::from_safe_string(STYLE.into()),
            script => Value::from_safe_string(SCRIPT.into()),
            style_hash => hash(STYLE),
            script_hash => hash(SCRIPT),
            version => env!("CARGO_PKG_VERSION"),
        })
    };
    render().map_err(io::Error::other)
}

/// What lets a style or a script through (Content Security Policy Level 3, section 2.3.1).
fn hash(text: &str) -> Value {
    Value::from_safe_string(format!("'sha256-{}'", BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()))))
}

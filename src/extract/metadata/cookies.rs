//! The cookies that an answer sets.
//!
//! Their values are among them: they are part of the answer, as in `headers`, and who asks for this field wants them. What
//! keeps records should know that a value may be a session's key.

use reqwest::header::{HeaderMap, SET_COOKIE};

use crate::value::{Table, Value};

/// Every `Set-Cookie`, whether or not a browser would take it (RFC 6265, section 5.2).
pub(in crate::extract) fn cookies(headers: &HeaderMap) -> Value<'static> {
    let keys = &["name", "value", "domain", "path", "expires", "max_age", "secure", "http_only", "same_site"];
    let fields = headers.get_all(SET_COOKIE).iter().map(|field| String::from_utf8_lossy(field.as_bytes()));
    let mut table = Table::new(keys, 0);
    for field in fields {
        write(&field, &mut table);
    }
    Value::Table(table)
}

fn write(field: &str, table: &mut Table) {
    let (pair, attributes) = field.split_once(';').unwrap_or((field, ""));
    // One without a name has only a value (RFC 6265bis, section 5.6).
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    let attributes: Vec<_> = attributes
        .split(';')
        .map(|attribute| attribute.split_once('=').unwrap_or((attribute, "")))
        .map(|(name, value)| (name.trim_ascii(), value.trim_ascii()))
        .collect();
    // The last one counts.
    let attribute = |wanted: &str| {
        let mut named = attributes.iter().rev().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.next().map(|&(_, value)| value)
    };
    table.push_text(Some(name.trim_ascii()));
    table.push_text(Some(value.trim_ascii()));
    for name in ["domain", "path", "expires", "max-age"] {
        table.push_text(attribute(name));
    }
    for name in ["secure", "httponly"] {
        table.push_bool(attribute(name).is_some());
    }
    table.push_text(attribute("samesite"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn a_cookie_is_taken_apart() {
        let cookies = |field| {
            cookies(&HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_static(field))])).to_cell().into_owned()
        };
        assert_eq!(
            cookies(
                "a = b=c ; Path=/x; path=/; Secure;HTTPONLY; SameSite=Lax; Max-Age=60; expires=Thu, 01 Jan 2026 00:00:00 GMT; domain=.a.test"
            ),
            r#"[{"name":"a","value":"b=c","domain":".a.test","path":"/","expires":"Thu, 01 Jan 2026 00:00:00 GMT","max_age":"60","secure":true,"http_only":true,"same_site":"Lax"}]"#
        );
        assert!(cookies("x").starts_with(r#"[{"name":"","value":"x","domain":null"#));
    }
}

//! Where a page sends its reader by itself: `<meta http-equiv=refresh>`, and the header field of that name.

use reqwest::header::{HeaderMap, REFRESH};

use crate::extract::head::Head;
use crate::extract::links::Base;

/// The absolute URL of the first refresh that names one. A page that loads itself again leads nowhere.
pub(in crate::extract) fn target(head: &Head<'_>, headers: &HeaderMap, base: &Base) -> Option<String> {
    let field = headers.get(REFRESH).and_then(|value| value.to_str().ok());
    let metas = head.metas.iter().filter(|meta| meta.is_http_equiv("refresh")).map(|meta| &*meta.content);
    field.into_iter().chain(metas).find_map(|content| base.absolute(url_of(content)?))
}

/// The URL in a refresh (WHATWG HTML, section 4.2.5.3, "shared declarative refresh steps"); none where there is none, or
/// no time.
pub(in crate::extract) fn url_of(content: &str) -> Option<&str> {
    let content = content.trim_ascii_start();
    if !content.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let rest = content.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !rest.starts_with(|c: char| c == ';' || c == ',' || c.is_ascii_whitespace()) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_ascii_start();
    let url = after_name(rest).unwrap_or(rest);
    let quoted = url.strip_prefix('"').map(|url| (url, '"')).or_else(|| url.strip_prefix('\'').map(|url| (url, '\'')));
    let url = quoted.map_or(url, |(url, quote)| url.split(quote).next().unwrap_or_default());
    Some(url.trim_ascii()).filter(|url| !url.is_empty())
}

/// What follows `url=`.
fn after_name(text: &str) -> Option<&str> {
    let (name, rest) = text.split_at_checked("url".len())?;
    let rest = rest.trim_ascii_start().strip_prefix('=')?;
    name.eq_ignore_ascii_case("url").then(|| rest.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_is_read_as_browsers_read_it() {
        for content in ["0;url=a", " 5 ; URL = 'a' b", "0,a", "0 a", ".5;url=\"a", "1.5.; a", "0; url=a "] {
            assert_eq!(url_of(content), Some("a"), "{content}");
        }
        for content in ["", "5", "5;", "url=a", ";url=a", "5x;url=a", "0;url=''"] {
            assert_eq!(url_of(content), None, "{content}");
        }
        assert_eq!(url_of("0; url"), Some("url"));
        assert_eq!(url_of("0; é=x"), Some("é=x"));
    }
}

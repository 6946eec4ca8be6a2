//! The keys by which indexes are sorted.

use url::{Host, Position, Url};

/// The URL in sort-friendly order (SURT), as `pywb` and the Internet Archive's `surt` write it: without scheme, `www.` and
/// default port, the host's labels turned round, in lower case, the query's parameters sorted, no slash at the end.
#[must_use]
pub fn surt(url: &Url) -> String {
    let host = match url.host() {
        Some(Host::Domain(name)) => turned(without_www(name.trim_end_matches('.'))),
        Some(Host::Ipv4(address)) => turned(&address.to_string()),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => String::new(),
    };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = url[Position::BeforePath..Position::AfterPath].to_ascii_lowercase();
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { &path };
    let path = if path.is_empty() { "/" } else { path };
    let query = url.query().filter(|query| !query.is_empty()).map(|query| {
        let query = query.to_ascii_lowercase();
        let mut parameters: Vec<_> = query.split('&').collect();
        parameters.sort_unstable();
        format!("?{}", parameters.join("&"))
    });
    format!("{host}{port}){path}{}", query.unwrap_or_default())
}

/// What stands between dots, the last of it first: in an address, too, as those tools have it.
fn turned(name: &str) -> String {
    let labels: Vec<_> = name.split('.').rev().collect();
    labels.join(",")
}

/// A host without `www.`, or `www12.`.
fn without_www(name: &str) -> &str {
    let rest = name.strip_prefix("www").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    rest.and_then(|rest| rest.strip_prefix('.')).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_other_tools() {
        for (url, key) in [
            ("http://www.Example.com:80/A/b/?z=1&a=2#x", "com,example)/a/b?a=2&z=1"),
            ("https://a.b.example.org:8443/", "org,example,b,a:8443)/"),
            ("http://127.0.0.1:8080/x", "1,0,0,127:8080)/x"),
            ("http://[2001:db8::1]:80/", "2001:db8::1)/"),
            ("http://www2.example.com/?", "com,example)/"),
            ("http://wwwx.test/", "test,wwwx)/"),
        ] {
            assert_eq!(surt(&Url::parse(url).unwrap()), key, "{url}");
        }
    }
}

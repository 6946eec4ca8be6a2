//! Which hosts and paths a cookie is for.

use url::{Host, Url};

use crate::canonical::is_address;

/// Whether `host` is `domain` or a name under it (RFC 6265bis, section 5.1.3). Nothing is under an address.
pub(super) fn is_within(host: &str, domain: &str) -> bool {
    let under = |rest: &str| rest.ends_with('.') && !is_address(host);
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || under(rest))
}

/// Whether `path` is `of` or lies beneath it (section 5.1.4).
pub(super) fn is_beneath(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || of.ends_with('/') || rest.starts_with('/'))
}

/// The path of a cookie that names none: the folder of the page (section 5.1.4).
pub(super) fn folder(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

/// Whether names under `domain` belong to different owners, as under `com`, `co.uk` and `github.io`. Where the list
/// knows nothing, as of `local`, the last label is such a domain (the list's own rule `*`).
pub(super) fn is_public_suffix(domain: &str) -> bool {
    !is_address(domain) && psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix == domain)
}

/// Whether what is sent for a URL cannot be read on its way: by TLS, or as it never leaves this machine. Browsers and
/// curl take loopback as secure, too (W3C Secure Contexts, section 3.1), which local development needs.
pub(super) fn is_secure(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::site;

    #[test]
    fn a_domain_covers_itself_and_the_names_under_it() {
        for (host, domain, expected) in [
            ("example.com", "example.com", true),
            ("a.b.example.com", "example.com", true),
            ("notexample.com", "example.com", false),
            ("example.com", "a.example.com", false),
            ("example.com.", "example.com", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "0.0.1", false),
            ("[::1]", "1]", false),
        ] {
            assert_eq!(is_within(host, domain), expected, "{host} in {domain}");
        }
    }

    #[test]
    fn a_path_covers_itself_and_what_lies_beneath_it() {
        for (path, of, expected) in [
            ("/a", "/a", true),
            ("/a/b", "/a", true),
            ("/a/b", "/a/", true),
            ("/ab", "/a", false),
            ("/a", "/a/", false),
            ("/", "/a", false),
            ("/A", "/a", false),
            ("/anything", "/", true),
        ] {
            assert_eq!(is_beneath(path, of), expected, "{path} in {of}");
        }
    }

    #[test]
    fn the_folder_of_a_page_is_all_up_to_the_last_slash() {
        let folders = ["", "/", "/a", "/a/", "/a/b", "/a/b/", "a/b"].map(folder);
        assert_eq!(folders, ["/", "/", "/", "/a", "/a", "/a/b", "a"]);
    }

    #[test]
    fn public_suffixes_are_those_of_the_list_and_unknown_last_labels() {
        for suffix in ["com", "co.uk", "github.io", "xn--55qx5d.cn", "www.ck.", "com.", "local", "localhost"] {
            assert_eq!(is_public_suffix(suffix), suffix != "www.ck.", "{suffix}");
        }
        for name in ["example.com", "a.co.uk", "me.github.io", "a.local", "127.0.0.1", "[::1]", ""] {
            assert!(!is_public_suffix(name), "{name}");
        }
    }

    #[test]
    fn a_site_is_what_one_owner_has() {
        for (host, expected) in [
            ("a.b.example.com", "example.com"),
            ("a.example.co.uk", "example.co.uk"),
            ("co.uk", "co.uk"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(site(host), expected);
        }
    }

    #[test]
    fn tls_and_loopback_are_secure() {
        let is_secure = |url| is_secure(&Url::parse(url).unwrap());
        for url in ["https://a.test/", "http://localhost:8080/", "http://127.0.0.9/", "http://[::1]/"] {
            assert!(is_secure(url), "{url}");
        }
        for url in ["http://a.test/", "http://a.localhost/", "http://localhost.a.test/", "http://10.0.0.1/"] {
            assert!(!is_secure(url), "{url}");
        }
    }
}

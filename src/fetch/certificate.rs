//! What a certificate says of itself (X.509 in DER: RFC 5280, section 4.1; ITU-T X.690), for a person to read. Nothing is
//! verified here, so anything may come: what cannot be read is left out.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for: the common name, else the organisation.
    pub subject: Option<String>,
    /// Who vouches for that, likewise.
    pub issuer: Option<String>,
    /// The DNS names and addresses that it is good for.
    pub names: Vec<String>,
    /// From when on it is valid.
    pub not_before: Option<Timestamp>,
    /// Until when.
    pub not_after: Option<Timestamp>,
}

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The context-specific tags of a version, of extensions, of a DNS name and of an address.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const ADDRESS: u8 = 0x87;

/// 2.5.4.3, 2.5.4.10 and 2.5.29.17.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANISATION: &[u8] = &[0x55, 4, 10];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 29, 17];

impl Certificate {
    /// Reads a certificate; none where it is no such thing.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let mut fields = Elements(Elements(Elements(der).content(SEQUENCE)?).content(SEQUENCE)?);
        if fields.0.first() == Some(&VERSION) {
            fields.next()?;
        }
        let (_serial, _algorithm) = (fields.next()?, fields.next()?);
        let issuer = name(fields.content(SEQUENCE)?);
        let mut validity = Elements(fields.content(SEQUENCE)?);
        let [not_before, not_after] = [validity.next()?, validity.next()?].map(|(tag, text)| time(tag, text));
        let subject = name(fields.content(SEQUENCE)?);
        let names = fields.find(|&(tag, _)| tag == EXTENSIONS).and_then(|(_, extensions)| alternatives(extensions));
        Some(Self { subject, issuer, names: names.unwrap_or_default(), not_before, not_after })
    }
}

/// The elements that stand one behind the other: their tags and contents. It ends with what is none.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the next one, which must have this tag.
    fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|&(found, _)| found == tag).map(|(_, content)| content)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let digits = usize::from(first & 0x7f);
        let (length, rest) = match first {
            0..0x80 => (digits, rest),
            _ if digits > 3 => return None,
            _ => {
                let (digits, rest) = rest.split_at_checked(digits)?;
                (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

/// What a distinguished name says: `SEQUENCE OF SET OF SEQUENCE { type, value }`.
fn name(content: &[u8]) -> Option<String> {
    let find = |wanted: &[u8]| {
        let mut parts = Elements(content).flat_map(|(_, set)| Elements(set)).map(|(_, part)| Elements(part));
        parts.find_map(|mut part| {
            let (_, kind) = part.next()?;
            let (_, value) = part.next()?;
            (kind == wanted).then(|| String::from_utf8_lossy(value).into_owned())
        })
    };
    find(COMMON_NAME).or_else(|| find(ORGANISATION))
}

/// The names among extensions: `SEQUENCE OF SEQUENCE { type, critical?, value }`.
fn alternatives(extensions: &[u8]) -> Option<Vec<String>> {
    let mut extensions = Elements(Elements(extensions).content(SEQUENCE)?);
    let value = extensions.find_map(|(_, extension)| {
        let mut parts = Elements(extension);
        let (_, kind) = parts.next()?;
        parts.last().filter(|_| kind == ALTERNATIVE_NAMES)
    })?;
    let names = Elements(Elements(value.1).content(SEQUENCE)?);
    Some(names.filter_map(|(tag, name)| alternative(tag, name)).collect())
}

fn alternative(tag: u8, name: &[u8]) -> Option<String> {
    match tag {
        DNS_NAME => Some(String::from_utf8_lossy(name).into_owned()),
        ADDRESS => {
            let v4 = <[u8; 4]>::try_from(name).map(|octets| Ipv4Addr::from(octets).to_string());
            v4.or_else(|_| <[u8; 16]>::try_from(name).map(|octets| Ipv6Addr::from(octets).to_string())).ok()
        }
        _ => None,
    }
}

/// A time in UTC (RFC 5280, section 4.1.2.5): a year of two digits is in the hundred from 1950 on.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(text).ok()?;
    let text = match tag {
        GENERALIZED_TIME => Cow::Borrowed(text),
        UTC_TIME => Cow::Owned(format!("{}{text}", if text < "50" { "20" } else { "19" })),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", &*text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate() -> Vec<u8> {
        let mut params =
            CertificateParams::new(["a.test".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "A & B");
        (params.not_before, params.not_after) = (date_time_ymd(1999, 12, 31), date_time_ymd(2051, 1, 2));
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_tells_its_names_and_its_time() {
        let read = Certificate::read(&certificate()).unwrap();
        assert_eq!((read.subject.as_deref(), read.issuer.as_deref()), (Some("A & B"), Some("A & B")));
        assert_eq!(read.names, ["a.test", "127.0.0.1", "::1"]);
        let day = |time: Option<Timestamp>| time.unwrap().to_string();
        assert_eq!(day(read.not_before), "1999-12-31T00:00:00Z", "a year of two digits");
        assert_eq!(day(read.not_after), "2051-01-02T00:00:00Z", "a year of four");
    }

    #[test]
    fn what_is_cut_is_no_certificate_or_says_less() {
        let whole = certificate();
        assert!((0..whole.len()).all(|end| Certificate::read(&whole[..end]).is_none()));
    }

    proptest! {
        #[test]
        fn anything_may_come(bytes: Vec<u8>, at: prop::sample::Index, byte: u8) {
            let _ = Certificate::read(&bytes);
            let mut bent = certificate();
            let at = at.index(bent.len());
            bent[at] = byte;
            let _ = Certificate::read(&bent);
        }
    }
}

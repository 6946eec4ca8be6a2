//! The cookies that are kept, so many and no more.

use std::cmp::Reverse;
use std::collections::HashMap;

use url::Url;

use super::cookie::Cookie;
use crate::canonical;

/// The most cookies that are kept for one site (a registrable domain with all names under it): what browsers keep.
pub(super) const MAX_PER_SITE: usize = 180;

/// The most cookies that are kept: some 55 MB if all of them are as large as can be.
pub(super) const MAX: usize = 10_000;

/// The longest `Cookie` field in bytes, which is curl's: servers refuse longer ones.
const MAX_FIELD: usize = 8190;

/// A cookie and the turn in which it was set or sent last.
#[derive(Debug)]
struct Kept {
    cookie: Cookie,
    used: u64,
}

/// All cookies of a run, by site and in the order in which they were set first.
#[derive(Debug, Default)]
pub(super) struct Store {
    sites: HashMap<Box<str>, Vec<Kept>>,
    count: usize,
    turn: u64,
}

impl Store {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Keeps a cookie, or forgets the one in whose place it stands if it has expired. It `came_safely` from a server
    /// that nobody could stand in for, or from the user.
    pub(super) fn insert(&mut self, cookie: Cookie, came_safely: bool, now: i64) {
        let name = canonical::site(&cookie.domain);
        let known = self.sites.get(name).map_or(&[][..], Vec::as_slice);
        let hides = |kept: &Kept| cookie.hides(&kept.cookie) && !kept.cookie.has_expired(now);
        if !came_safely && !cookie.secure && known.iter().any(hides) {
            return;
        }
        self.turn += 1;
        let name: Box<str> = name.into();
        let has_expired = cookie.has_expired(now);
        let kept = Kept { cookie, used: self.turn };
        let site = self.sites.entry(name.clone()).or_default();
        let before = site.len();
        match site.iter().position(|old| kept.cookie.replaces(&old.cookie)) {
            Some(at) if has_expired => drop(site.remove(at)),
            Some(at) => site[at] = kept,
            None if has_expired => {}
            None => site.push(kept),
        }
        if site.len() > MAX_PER_SITE {
            thin(site, now);
        }
        self.count = self.count + site.len() - before;
        if site.is_empty() {
            self.sites.remove(&name);
        }
        if self.count > MAX {
            self.thin(now);
        }
    }

    /// The `Cookie` field for a request (RFC 6265bis, section 5.8.3); nothing if no cookie fits.
    pub(super) fn select(&mut self, url: &Url, now: i64) -> Vec<u8> {
        let host = url.host_str().unwrap_or_default();
        let Some(site) = self.sites.get_mut(canonical::site(host)) else { return Vec::new() };
        let fits = |kept: &&mut Kept| kept.cookie.fits(url) && !kept.cookie.has_expired(now);
        let mut fitting: Vec<_> = site.iter_mut().filter(fits).collect();
        // This sort is stable: those with equal paths stay in the order in which they were set.
        fitting.sort_by_key(|kept| Reverse(kept.cookie.path.len()));
        let mut field = Vec::new();
        for kept in fitting {
            let Cookie { name, value, .. } = &kept.cookie;
            if field.len() + name.len() + value.len() + "; =".len() > MAX_FIELD {
                break;
            }
            if !field.is_empty() {
                field.extend(b"; ");
            }
            field.extend(&**name);
            field.extend(if name.is_empty() { &b""[..] } else { b"=" });
            field.extend(&**value);
            self.turn += 1;
            kept.used = self.turn;
        }
        field
    }

    /// Every cookie that has not expired, in an order that does not change from run to run.
    pub(super) fn all(&self, now: i64) -> impl Iterator<Item = &Cookie> {
        let mut sites: Vec<_> = self.sites.iter().collect();
        sites.sort_unstable_by_key(|&(name, _)| name);
        let kept = sites.into_iter().flat_map(|(_, site)| site);
        kept.map(|kept| &kept.cookie).filter(move |cookie| !cookie.has_expired(now))
    }

    /// Makes room for a tenth: what has expired goes first, then what was not used for longest (section 5.7).
    fn thin(&mut self, now: i64) {
        const KEEP: usize = MAX - MAX / 10;
        let live = |kept: &Kept| !kept.cookie.has_expired(now);
        let mut used: Vec<_> = self.sites.values().flatten().filter(|kept| live(kept)).map(|kept| kept.used).collect();
        used.sort_unstable();
        let oldest = used.get(used.len().saturating_sub(KEEP)).copied().unwrap_or_default();
        for site in self.sites.values_mut() {
            site.retain(|kept| live(kept) && kept.used >= oldest);
        }
        self.sites.retain(|_, site| !site.is_empty());
        self.count = self.sites.values().map(Vec::len).sum();
    }
}

/// Makes room in a site: what has expired goes first, then what is not Secure, then what was not used for longest.
fn thin(site: &mut Vec<Kept>, now: i64) {
    const KEEP: usize = MAX_PER_SITE - MAX_PER_SITE / 6;
    site.retain(|kept| !kept.cookie.has_expired(now));
    let rank = |kept: &Kept| (kept.cookie.secure, kept.used);
    let mut ranks: Vec<_> = site.iter().map(rank).collect();
    ranks.sort_unstable();
    if let Some(&least) = ranks.len().checked_sub(KEEP).and_then(|least| ranks.get(least)) {
        site.retain(|kept| rank(kept) >= least);
    }
}

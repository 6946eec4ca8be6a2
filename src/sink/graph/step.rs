//! What an outcome says of a graph: a step, and then what its page leads to, one by one, as there may be millions.

use std::borrow::Cow;
use std::io;

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::job::{End, Outcome};

/// The redirects on a way, and the page at its end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Step<'a> {
    #[serde(borrow)]
    pub(super) hops: Vec<Hop<'a>>,
    /// Where they lead.
    #[serde(borrow)]
    pub(super) url: Cow<'a, str>,
    pub(super) depth: u32,
    /// What came of asking for that; none where nobody did, or where it is no page.
    #[serde(borrow)]
    pub(super) page: Option<Page<'a>>,
}

/// A URL that answered with a redirect.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hop<'a> {
    #[serde(borrow)]
    pub(super) url: Cow<'a, str>,
    pub(super) status: u16,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Page<'a> {
    pub(super) status: Option<u16>,
    pub(super) title: Option<Cow<'a, str>>,
    /// The kind of its failure.
    pub(super) error: Option<Cow<'a, str>>,
}

/// Whoever is told what outcomes say.
pub(super) trait Listen {
    fn step(&mut self, step: &Step<'_>) -> io::Result<()>;

    /// The page of the last step leads there.
    fn lead(&mut self, to: &str, kind: Kind) -> io::Result<()>;
}

/// Tells what an outcome says.
pub(super) fn tell(outcome: &Outcome, listener: &mut impl Listen) -> io::Result<()> {
    let Some(step) = Step::of(outcome) else { return Ok(()) };
    listener.step(&step)?;
    if step.page.is_none() {
        return Ok(());
    }
    outcome.leads().try_for_each(|link| listener.lead(link.url.as_str(), Kind::of(link.kind)))
}

impl<'a> Step<'a> {
    /// None where there is nothing to say.
    fn of(outcome: &'a Outcome) -> Option<Self> {
        // A place in a page is no page.
        let trail = outcome.trail.as_ref().filter(|trail| trail.url.fragment().is_none())?;
        let hops = trail.hops.iter().map(|hop| Hop { url: hop.url.as_str().into(), status: hop.status });
        let (mut hops, mut url, mut page) = (hops.collect::<Vec<_>>(), trail.url.as_str(), None);
        match &outcome.end {
            End::Robots { .. } | End::Address(_) | End::Beyond => {}
            End::Elsewhere(redirect) | End::Redirect(redirect) => {
                hops.push(Hop { url: url.into(), status: redirect.status });
                url = redirect.to.as_str();
            }
            End::Done { .. } | End::Listed | End::Unchanged => {
                let facts = outcome.facts.as_ref();
                page = Some(Page {
                    status: facts.map(|facts| facts.status),
                    title: facts.and_then(|facts| facts.title.as_deref()).map(Cow::Borrowed),
                    error: outcome.failure().map(|failure| failure.kind.slug().into()),
                });
            }
        }
        Some(Self { hops, url: url.into(), depth: trail.depth(), page })
    }

    pub(super) fn has_failed(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.error.is_some())
    }
}

//! What says when a page was published or changed, weighed.

use super::stamp::Stamp;
use super::written::{Dates, Order};
use crate::extract::bylines::{Evidence, Kind, Mark};
use crate::extract::structured::schema_org;

/// The names of `<meta>`s with the date of publication, in lower case and without what separates their words.
const PUBLISHED: &[&str] = &[
    "articlepublishedtime",
    "articlepublished",
    "ogarticlepublishedtime",
    "ogpublishedtime",
    "ogpubdate",
    "datepublished",
    "published",
    "firstpublished",
    "firstpublicationdate",
    "publisheddate",
    "publishedtime",
    "publicationdate",
    "publishdate",
    "publishtime",
    "pubdate",
    "parselypubdate",
    "sailthrudate",
    "cxenseparserecspublishtime",
    "rnewsdatepublished",
    "btpubdate",
    "rbpubdate",
    "shareaholicarticlepublishedtime",
    "originalpublicationdate",
    "articledateoriginal",
    "citationpublicationdate",
    "citationonlinedate",
    "citationdate",
    "dcdateissued",
    "dctermsissued",
    "dctermsdate",
    "dctermscreated",
    "dcdatecreated",
    "dcdate",
    "dccreated",
    "articlecreated",
    "datecreated",
    "creationdate",
    "displaydate",
    "releasedate",
    "videoreleasedate",
    "bookreleasedate",
    "uploaddate",
    "articledate",
    "msdate",
    "lwdate",
    "contentdate",
    "postdatetime",
    "postdate",
    "issuedate",
    "date",
    "created",
    "gentime",
    "timestamp",
    "pdate",
];

/// The same for the date of the last change.
const MODIFIED: &[&str] = &[
    "articlemodifiedtime",
    "articlemodified",
    "ogarticlemodifiedtime",
    "ogupdatedtime",
    "ogmodifiedtime",
    "datemodified",
    "modifieddate",
    "modifiedtime",
    "dctermsmodified",
    "dcdatemodified",
    "dcmodified",
    "lastmodified",
    "lastupdated",
    "updatedtime",
    "dateupdated",
    "datelastmodified",
    "revised",
    "articleupdated",
    "lastmod",
];

/// Keys of a date of publication in data.
const KEYS: &[&str] = &[
    "datePublished\"",
    "datePublished\\\"",
    "publishedAt",
    "published_at",
    "publishDate",
    "publish_date",
    "publicationDate",
    "first_publication_date",
];

/// Words next to a date of publication.
const PUBLISHED_WORDS: &[&str] = &[
    "publish",
    "posted",
    "written on",
    "veröffentlicht",
    "erstellt",
    "publié",
    "publie",
    "mis en ligne",
    "publicado",
    "pubblicato",
    "gepubliceerd",
    "geplaatst",
    "opublikowan",
    "публик",
    "опублик",
    "发布",
    "發布",
    "公開",
    "date:",
    "datum:",
    "stand:",
];

/// Words next to a date of change.
const MODIFIED_WORDS: &[&str] = &[
    "updated",
    "modified",
    "last edited",
    "reviewed",
    "aktualisiert",
    "geändert",
    "mis à jour",
    "modifié",
    "actualizado",
    "atualizado",
    "aggiornato",
    "bijgewerkt",
    "zaktualizowan",
    "обновл",
    "更新",
];

/// How much of a marked element is searched for a date, in bytes.
const MARKED: usize = 200;

/// How long a line may be that is there for its date, in bytes.
const LINE: usize = 150;

/// A date that may be the one, and how far it is from being it.
type Candidate = (usize, Stamp);

impl Evidence<'_> {
    /// When the page was published, as ISO 8601.
    pub(in crate::extract) fn published(&self) -> Option<String> {
        let stamp = self
            .jsonld(&["datePublished", "dateCreated", "uploadDate"])
            .or_else(|| self.meta(PUBLISHED))
            .or_else(|| self.marked(Kind::Published))
            .or_else(|| self.url())
            .or_else(|| self.nearest())
            .or_else(|| self.scripted())
            .or_else(|| self.changed());
        stamp.map(|stamp| stamp.text)
    }

    /// When the page was changed last, as ISO 8601.
    pub(in crate::extract) fn modified(&self) -> Option<String> {
        self.changed().map(|stamp| stamp.text)
    }

    fn changed(&self) -> Option<Stamp> {
        let worded = || {
            let lines = self.lines().filter(|(_, line)| has_any(line, MODIFIED_WORDS));
            lines.filter_map(|(at, line)| Some((self.distance_of_line(at), self.dates(line).next()?))).min()
        };
        self.jsonld(&["dateModified"])
            .or_else(|| self.meta(MODIFIED))
            .or_else(|| self.marked(Kind::Modified))
            .or_else(|| worded().map(|(_, stamp)| stamp))
    }

    fn jsonld(&self, keys: &[&str]) -> Option<Stamp> {
        schema_org::texts(self.documents, keys).into_iter().find_map(|text| Stamp::parse(text, self.order()))
    }

    /// The date in the `<meta>` whose name comes first among `names`.
    fn meta(&self, names: &[&str]) -> Option<Stamp> {
        let dated = self.head.metas.iter().flat_map(|meta| {
            meta.names().filter_map(|name| {
                let letters = name.chars().filter(char::is_ascii_alphanumeric);
                let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
                let place = names.iter().position(|one| *one == name)?;
                Some((place, Stamp::parse(&meta.content, self.order())?))
            })
        });
        dated.min_by_key(|(place, _)| *place).map(|(_, stamp)| stamp)
    }

    /// The date in an element that is marked as `kind`: the one nearest to the headline.
    fn marked(&self, kind: Kind) -> Option<Stamp> {
        self.marks(kind).min().map(|(_, stamp)| stamp)
    }

    /// The dates in elements that are marked as `kind`.
    fn marks(&self, kind: Kind) -> impl Iterator<Item = Candidate> {
        let marks = self.bylines.marks.iter().filter(move |mark| mark.kind == kind);
        marks.filter_map(|mark| {
            let is_beside = self.bylines.is_beside(mark, self.headline);
            Some((self.distance(mark.at(), is_beside), self.stamp(mark)?))
        })
    }

    fn stamp(&self, mark: &Mark<'_>) -> Option<Stamp> {
        let told = mark.value.as_deref().and_then(|value| Stamp::parse(value, self.order()));
        let seen = || {
            let text = mark.text(self.text, MARKED);
            let is_of_change = has_any(text, MODIFIED_WORDS) && !has_any(text, PUBLISHED_WORDS);
            (mark.kind == Kind::Modified || !is_of_change).then(|| self.dates(text).next())?
        };
        told.or_else(seen)
    }

    /// The date that stands nearest to the headline, where one that is marked, or has words with it that say so, is nearer
    /// than it seems.
    fn nearest(&self) -> Option<Stamp> {
        let times = self.marks(Kind::Time);
        let dated = self.marks(Kind::Dated).map(|(distance, stamp)| (distance + 100, stamp));
        let bylines = self.marks(Kind::Byline).map(|(distance, stamp)| (distance + 200, stamp));
        let lines = self.lines().filter_map(|(at, line)| {
            let is_told = has_any(line, PUBLISHED_WORDS);
            if !is_told && (has_any(line, MODIFIED_WORDS) || line.contains('©')) {
                return None;
            }
            // Of a line without such a word nearly nothing may be left beside the date.
            let penalty = if is_told { 100 } else { 200 + 4 * line.len() };
            Some((self.distance_of_line(at) + penalty, self.dates(line).next()?))
        });
        times.chain(dated).chain(bylines).chain(lines).min().map(|(_, stamp)| stamp)
    }

    /// The date in the data of a script: of what a page shows by script, and of JSON-LD that cannot be mended.
    fn scripted(&self) -> Option<Stamp> {
        KEYS.iter().find_map(|key| {
            let (_, rest) = self.source.split_once(key)?;
            let value = rest.trim_start_matches(['"', '\\', ' ', ':']);
            let value = &value[..value.floor_char_boundary(MARKED)];
            Stamp::parse(value.split(['"', '\\', ',', '}']).next()?, self.order())
        })
    }

    fn order(&self) -> Order {
        Order::of(self.head.lang.as_deref())
    }

    /// The plausible dates in a text.
    fn dates<'t>(&self, text: &'t str) -> impl Iterator<Item = Stamp> + use<'t> {
        Dates::new(text, self.order()).filter_map(|(day, _)| Stamp::of_day(day))
    }

    /// How far a place in the text is from the headline: what comes before it is rather about something else, and so is
    /// what stands beside.
    fn distance(&self, at: usize, is_beside: bool) -> usize {
        /// Farther than anything that is not beside.
        const ASIDE: usize = usize::MAX / 2;
        let headline = self.headline;
        let beside = if is_beside { ASIDE } else { 0 };
        beside + if at >= headline { at - headline } else { 2 * (headline - at) }
    }

    fn distance_of_line(&self, at: usize) -> usize {
        self.distance(at, self.bylines.is_aside(at, self.headline))
    }

    /// The date in the path of one of the page's URLs: `/2024/05/17/`, `/2024-05-17-`.
    fn url(&self) -> Option<Stamp> {
        self.urls.iter().find_map(|url| {
            let path = url.split(['?', '#']).next().unwrap_or_default();
            self.dates(path).next()
        })
    }

    /// The short lines of the text, each with its place.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().filter(|line| line.len() <= LINE);
        let start = self.text.as_ptr().addr();
        lines.map(move |line| (line.as_ptr().addr() - start, line))
    }
}

/// Whether a text has one of `words`, in whatever case.
fn has_any(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(word))
}

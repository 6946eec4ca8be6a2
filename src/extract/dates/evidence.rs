//! All that says when a page was published or changed, weighed.

use super::bylines::{Bylines, Kind, Mark};
use super::stamp::Stamp;
use super::written::{Dates, Order};
use crate::extract::head::Head;
use crate::extract::structured::jsonld::Documents;
use crate::extract::structured::schema_org;

/// What a page is dated by.
pub(in crate::extract) struct Evidence<'a> {
    pub(in crate::extract) head: &'a Head<'a>,
    pub(in crate::extract) documents: &'a Documents,
    pub(in crate::extract) bylines: &'a Bylines<'a>,
    /// The visible text.
    pub(in crate::extract) text: &'a str,
    pub(in crate::extract) title: &'a str,
    /// The page's own URLs.
    pub(in crate::extract) urls: Vec<&'a str>,
}

/// The names of `<meta>`s with the date of publication, in lower case and without what separates their words.
const PUBLISHED: &[&str] = &[
    "articlepublishedtime",
    "articlepublished",
    "ogarticlepublishedtime",
    "ogpublishedtime",
    "ogpubdate",
    "datepublished",
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
const LINE: usize = 120;

impl Evidence<'_> {
    /// When the page was published, as ISO 8601.
    pub(in crate::extract) fn published(&self) -> Option<String> {
        let stamp = self
            .jsonld(&["datePublished", "dateCreated", "uploadDate"])
            .or_else(|| self.meta(PUBLISHED))
            .or_else(|| self.marked(Kind::Published))
            .or_else(|| self.marked(Kind::Time))
            .or_else(|| self.url())
            .or_else(|| self.marked(Kind::Dated))
            .or_else(|| self.marked(Kind::Byline))
            .or_else(|| self.worded(PUBLISHED_WORDS, MODIFIED_WORDS))
            .or_else(|| self.lone())
            .or_else(|| self.changed());
        stamp.map(|stamp| stamp.text)
    }

    /// When the page was changed last, as ISO 8601.
    pub(in crate::extract) fn modified(&self) -> Option<String> {
        self.changed().map(|stamp| stamp.text)
    }

    fn changed(&self) -> Option<Stamp> {
        self.jsonld(&["dateModified"])
            .or_else(|| self.meta(MODIFIED))
            .or_else(|| self.marked(Kind::Modified))
            .or_else(|| self.worded(MODIFIED_WORDS, &[]))
    }

    fn jsonld(&self, keys: &[&str]) -> Option<Stamp> {
        schema_org::texts(self.documents, keys).into_iter().find_map(Stamp::parse)
    }

    fn meta(&self, names: &[&str]) -> Option<Stamp> {
        let places = self.head.metas.iter().flat_map(|meta| {
            meta.names().filter_map(|name| {
                let letters = |c: &char| c.is_ascii_alphanumeric();
                let name: String = name.chars().filter(letters).map(|c| c.to_ascii_lowercase()).collect();
                let place = names.iter().position(|one| *one == name)?;
                Some((place, Stamp::parse(&meta.content)?))
            })
        });
        places.min_by_key(|(place, _)| *place).map(|(_, stamp)| stamp)
    }

    /// The date in an element that is marked as `kind`: the one nearest to the headline.
    fn marked(&self, kind: Kind) -> Option<Stamp> {
        let marks = self.bylines.marks.iter().filter(|mark| mark.kind == kind);
        let dated = marks.filter_map(|mark| Some((mark, self.stamp(mark)?)));
        let nearest = dated.min_by_key(|(mark, _)| (mark.is_aside, self.distance(mark.at())))?;
        // A time beside the content is that of something else.
        let is_told = matches!(kind, Kind::Published | Kind::Modified) || !nearest.0.is_aside;
        is_told.then_some(nearest.1)
    }

    fn stamp(&self, mark: &Mark<'_>) -> Option<Stamp> {
        let told = mark.value.as_deref().and_then(Stamp::parse);
        told.or_else(|| self.dates(mark.text(self.text, MARKED)).next())
    }

    /// The plausible dates in a text.
    fn dates<'t>(&self, text: &'t str) -> impl Iterator<Item = Stamp> + use<'t> {
        Dates::new(text, Order::of(self.head.lang.as_deref())).filter_map(|(day, _)| Stamp::of_day(day))
    }

    /// How far a place in the text is from the headline: what comes before it is rather about something else.
    fn distance(&self, at: usize) -> usize {
        let headline = self.headline();
        if at >= headline { at - headline } else { 2 * (headline - at) }
    }

    fn headline(&self) -> usize {
        self.bylines.headline(self.text, self.title)
    }

    /// The date in the path of one of the page's URLs: `/2024/05/17/`, `/2024-05-17-`, `/20240517/`.
    fn url(&self) -> Option<Stamp> {
        self.urls.iter().find_map(|url| {
            let path = url.split(['?', '#']).next().unwrap_or_default();
            self.dates(path).next()
        })
    }

    /// The lines of the text that are short and not beside the content, each with its place; from the headline on, then
    /// those before.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let (before, after) = self.text.split_at(self.text.floor_char_boundary(self.headline()));
        let all = [(after, before.len()), (before, 0)].into_iter();
        let lines = all.flat_map(|(part, offset)| {
            part.lines().map(move |line| (offset + line.as_ptr().addr() - part.as_ptr().addr(), line))
        });
        lines.filter(|(at, line)| line.len() <= LINE && !self.bylines.is_aside(*at)).map(|(_, line)| line)
    }

    /// The date in the first line that has one of `words` and none of `others`.
    fn worded(&self, words: &[&str], others: &[&str]) -> Option<Stamp> {
        self.lines().find_map(|line| {
            let lower = line.to_lowercase();
            let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
            (has(words) && !has(others)).then(|| self.dates(line).next())?
        })
    }

    /// The first date in a line that is little more than that.
    fn lone(&self) -> Option<Stamp> {
        self.lines().find_map(|line| self.dates(line).next())
    }
}

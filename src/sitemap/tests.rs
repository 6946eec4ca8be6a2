use std::io::Write;

use encoding_rs::WINDOWS_1252;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;

/// Reads a file in pieces of `size` bytes.
fn read_by(size: usize, file: &[u8], charset: Option<&'static Encoding>) -> (Vec<Entry>, Report) {
    let mut entries = Vec::new();
    let mut reader = Reader::new(Url::parse("http://a.test/dir/s.xml").unwrap(), charset);
    let damage = file.chunks(size).find_map(|piece| reader.push(piece, &mut |entry| entries.push(entry)).err());
    let report = reader.finish(&mut |entry| entries.push(entry));
    assert!(damage.is_none() || report.damage == damage);
    assert_eq!(report.entries, entries.len() as u64);
    (entries, report)
}

fn read(file: impl AsRef<[u8]>) -> (Vec<Entry>, Report) {
    let whole = read_by(usize::MAX, file.as_ref(), None);
    assert_eq!(whole, read_by(1, file.as_ref(), None), "where it is cut does not matter");
    whole
}

fn urls(file: impl AsRef<[u8]>) -> Vec<String> {
    read(file).0.into_iter().map(|entry| entry.url.into()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const PLAIN: &str = "<?xml version='1.0' encoding='UTF-8'?>
<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>
<url><loc>http://a.test/1</loc><lastmod>2024-05-17</lastmod><changefreq>weekly</changefreq><priority>0.8</priority></url>
<url><loc> http://a.test/2?a=1&amp;b=2 </loc></url>
</urlset>";

#[test]
fn a_sitemap_names_pages_and_what_is_known_of_them() {
    let (entries, report) = read(PLAIN);
    assert_eq!(report, Report { kind: Some(Kind::Pages), entries: 2, ..Report::default() });
    let [first, second] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((first.url.as_str(), first.role), ("http://a.test/1", Role::Page));
    assert_eq!(first.modified, Modified::parse("2024-05-17"));
    assert_eq!((first.priority, first.frequency), (Some(0.8), Some(Frequency::Weekly)));
    assert_eq!(second.url.as_str(), "http://a.test/2?a=1&b=2");
    assert_eq!((second.modified, second.priority, second.frequency), (None, None, None));
}

#[test]
fn an_index_names_sitemaps_and_never_itself() {
    let (entries, report) = read(
        "<sitemapindex><sitemap><loc>http://a.test/1.xml</loc><lastmod>2024</lastmod></sitemap>\
         <sitemap><loc>http://a.test/dir/s.xml</loc></sitemap></sitemapindex>",
    );
    assert_eq!((report.kind, report.entries, report.invalid), (Some(Kind::Index), 1, 1));
    assert_eq!((entries[0].role, entries[0].url.as_str()), (Role::Sitemap, "http://a.test/1.xml"));
    assert!(entries[0].modified.is_some());
}

#[test]
fn extensions_name_no_pages() {
    let found = urls(
        "<s:urlset><s:url><image:image><image:loc>http://a.test/i</image:loc></image:image><image:loc>http://a.test/j</image:loc>\
         <xhtml:link rel='alternate' href='http://a.test/de'/><link rel='alternate' href='http://a.test/fr'/>\
         <video:video><video:player_loc>http://a.test/v</video:player_loc><loc>http://a.test/w</loc></video:video>\
         <s:loc>http://a.test/p</s:loc></s:url></s:urlset>",
    );
    assert_eq!(found, ["http://a.test/p"]);
}

#[test]
fn feeds_name_pages() {
    let rss = "<rss version='2.0'><channel><link>http://a.test/</link><image><url>http://a.test/i</url></image>\
        <item><title>x</title><link>\n<![CDATA[http://a.test/1?a&b]]></link><pubDate>Fri, 17 May 2024 10:00:00 GMT</pubDate></item>\
        <item><atom:link rel='self' href='http://a.test/self'/><guid>http://a.test/2</guid></item>\
        <item><guid isPermaLink='false'>http://a.test/3</guid></item><item><guid>4</guid></item></channel></rss>";
    let (entries, report) = read(rss);
    assert_eq!((report.kind, report.invalid), (Some(Kind::Rss), 2));
    assert_eq!(
        entries.iter().map(|entry| entry.url.as_str()).collect::<Vec<_>>(),
        ["http://a.test/1?a&b", "http://a.test/2"]
    );
    assert_eq!(entries[0].modified.unwrap().to_string(), "2024-05-17T10:00:00Z");

    let rdf = "<rdf:RDF><channel rdf:about='http://a.test/'><items><rdf:Seq><rdf:li resource='http://a.test/1'/></rdf:Seq></items></channel>\
        <item rdf:about='http://a.test/1'><dc:date>2024-05-17</dc:date></item><item rdf:about='x'><link>http://a.test/2</link></item></rdf:RDF>";
    assert_eq!(urls(rdf), ["http://a.test/1", "http://a.test/2"]);
    assert!(read(rdf).0[0].modified.is_some());

    let atom = "<feed xml:base='http://b.test/x/'><link href='/'/><entry><link rel='edit' href='e'/><link type='application/json' href='j'/>\
        <link rel=alternate type='text/html' href='1'/><published>2024-01-01</published><updated>2024-05-17</updated></entry>\
        <entry xml:base='y/'><source><link href='s'/></source><link href='2'/></entry></feed>";
    assert_eq!(urls(atom), ["http://b.test/x/1", "http://b.test/x/y/2"]);
    assert_eq!(read(atom).0[0].modified, Modified::parse("2024-05-17"));
}

#[test]
fn a_list_has_a_url_a_line() {
    let (entries, report) = read(
        "\u{feff}Pages:\r\n  http://a.test/1 \r\n\nHTTPS://a.test/2#part\nftp://a.test/3\nwww.a.test\nhttp://a.test/4",
    );
    assert_eq!((report.kind, report.entries, report.invalid), (Some(Kind::Text), 3, 3));
    assert_eq!(entries[1].url.as_str(), "https://a.test/2");
    assert_eq!(urls(format!("http://a.test/1\n{}\nhttp://a.test/2", "x".repeat(100_000))).len(), 2);
}

#[test]
fn what_real_sites_get_wrong_is_put_up_with() {
    let two = ["http://a.test/1", "http://a.test/2"];
    for file in [
        // white space, a byte order mark, words, markup before the document
        " \n\u{feff}<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/2</loc></url></urlset>",
        "\u{feff}\n<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/2</loc></url></urlset>",
        "Warning: x in y\n<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/2</loc></url></urlset>",
        "<br /><b>Notice</b><urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/2</loc></url></urlset>",
        // no root, another namespace, any case
        "<url><loc>http://a.test/1</loc></url><url><loc>http://a.test/2</loc></url>",
        "<x:UrlSet xmlns:x='urn:y'><x:URL><x:Loc>http://a.test/1</x:Loc></x:URL><x:url><x:loc>http://a.test/2</x:loc></x:url>",
        // tags that are not closed
        "<urlset><url><loc>http://a.test/1<lastmod>2024</lastmod><url><loc>http://a.test/2</loc>",
        "<urlset><url><loc>http://a.test/1</url><url><loc>http://a.test/2</loc></url>",
        // comments and sections
        "<urlset><!-- <url><loc>http://a.test/0</loc></url> --><url><loc>http://<!-- x -->a.test/1</loc></url><url><loc><![CDATA[http://a.test/2]]></loc></url>",
    ] {
        let found = urls(file);
        assert!(found == two || found == two[1..] && file.contains("1<lastmod>"), "{file}: {found:?}");
    }
    assert_eq!(
        urls("<urlset><url><loc>http://a.test/?a=1&amp;amp;b=2&c=3</loc></url>"),
        ["http://a.test/?a=1&b=2&c=3"]
    );
}

#[test]
fn relative_addresses_are_resolved_and_counted_and_wrong_ones_counted() {
    let loc = |address: &str| format!("<url><loc>{address}</loc></url>");
    let file: String =
        ["/p", "q", "//b.test/r", "", "ftp://a.test/", "http://", "mailto:x@a.test", "http://me:x@a.test/s#t"]
            .map(loc)
            .concat();
    let (entries, report) = read(format!("<urlset>{file}<url></url></urlset>"));
    let found: Vec<_> = entries.iter().map(|entry| entry.url.as_str()).collect();
    assert_eq!(found, ["http://a.test/p", "http://a.test/dir/q", "http://b.test/r", "http://a.test/s"]);
    assert_eq!((report.relative, report.invalid), (3, 5));
}

#[test]
fn encodings_are_told_by_mark_header_and_declaration() {
    let text = "<urlset><url><loc>http://a.test/caf\u{e9}</loc></url></urlset>";
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<_>>();
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    let declared = format!("<?xml version='1.0' encoding='ISO-8859-1'?>{text}");
    for file in [
        text.as_bytes().to_vec(),
        latin(&declared),
        utf16(&format!("\u{feff}{text}"), u16::to_le_bytes),
        utf16(&format!("\u{feff}{declared}"), u16::to_be_bytes),
        utf16(text, u16::to_le_bytes),
        utf16(text, u16::to_be_bytes),
        format!("<?xml version='1.0' encoding='UTF-16'?>{text}").into_bytes(),
        gzip(&latin(&declared)),
    ] {
        assert_eq!(urls(&file), ["http://a.test/caf%C3%A9"], "{}", file.escape_ascii());
    }
    assert_eq!(read_by(5, &latin(text), Some(WINDOWS_1252)).0[0].url.as_str(), "http://a.test/caf%C3%A9");
}

#[test]
fn gzip_is_known_by_its_first_bytes_however_often_it_is_there() {
    let once = gzip(PLAIN.as_bytes());
    assert_eq!(urls(&once).len(), 2);
    assert_eq!(urls(gzip(&once)).len(), 2);
    assert_eq!(urls([&once[..], b"trailing"].concat()).len(), 2);
    let halves = PLAIN.split_at(200);
    assert_eq!(urls([gzip(halves.0.as_bytes()), gzip(halves.1.as_bytes())].concat()).len(), 2);
    let nested = (0..6).fold(once.clone(), |file, _| gzip(&file));
    assert_eq!(read(nested).1.damage, Some(Damage::Compression));
    assert_eq!(read(&once[..once.len() - 12]).1.damage, Some(Damage::Truncated));
    let mut wrong = once;
    let checksum = wrong.len() - 8;
    wrong[checksum] ^= 1;
    assert_eq!(read(wrong).1.damage, Some(Damage::Compression));
}

#[test]
fn what_is_whole_of_a_file_that_was_cut_short_counts() {
    let file = "<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/2</loc><last";
    assert_eq!((urls(file).len(), read(file).1.damage), (2, Some(Damage::Truncated)));
    let file = "<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/2";
    assert_eq!((urls(file).len(), read(file).1.damage), (1, Some(Damage::Truncated)));
}

#[test]
fn what_is_no_sitemap_has_no_entries() {
    for (file, kind) in [
        ("", None),
        (" \n", None),
        (
            "<!doctype html><html><body><a href='/x'>no</a><url><loc>http://a.test/1</loc></url></body></html>",
            Some(Kind::Html),
        ),
        ("<svg><rect/></svg>", Some(Kind::Other)),
        ("not found", Some(Kind::Text)),
        ("{\"a\": 1}", Some(Kind::Text)),
        ("\0\u{1}\u{2}", Some(Kind::Text)),
    ] {
        let (entries, report) = read(file);
        assert_eq!((entries.len(), report.kind), (0, kind), "{file}");
    }
}

#[test]
fn entities_are_never_expanded() {
    let bomb = (1..30).map(|n| format!("<!ENTITY e{n} \"&e{0};&e{0};\">", n - 1)).collect::<Vec<_>>().concat();
    let file = format!(
        "<!DOCTYPE x [<!ENTITY e0 'a'>{bomb}<!ENTITY f SYSTEM 'file:///etc/passwd'>]><urlset><url><loc>http://a.test/&e29;</loc></url>\
         <url><loc>http://a.test/&f;</loc></url><url><loc>http://a.test/1</loc></url></urlset>"
    );
    assert_eq!(urls(&file), ["http://a.test/1"]);
    assert_eq!(read(&file).1.invalid, 2);
}

#[test]
fn a_file_is_read_up_to_its_cap_and_held_in_little_memory() {
    let entry = b"<url><loc>http://a.test/1</loc></url>";
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let blank = vec![b' '; 1 << 20];
    encoder.write_all(b"<urlset>").unwrap();
    for _ in 0..60 {
        encoder.write_all(entry).unwrap();
        encoder.write_all(&blank).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let mut reader = Reader::new(Url::parse("http://a.test/s.xml.gz").unwrap(), None);
    let mut count = 0;
    let damage = bomb.chunks(4096).find_map(|piece| reader.push(piece, &mut |_| count += 1).err());
    assert_eq!(damage, Some(Damage::TooLarge));
    let report = reader.finish(&mut |_| count += 1);
    assert_eq!((report.damage, report.entries, count), (Some(Damage::TooLarge), 50, 50), "those that are whole");
}

#[test]
fn a_value_that_is_too_long_is_passed_over() {
    let file = format!(
        "<urlset><url><loc>http://a.test/{}</loc></url><url><loc>http://a.test/2</loc></url>",
        "x".repeat(1 << 20)
    );
    assert_eq!(urls(&file), ["http://a.test/2"]);
}

proptest! {
    #[test]
    fn where_any_document_is_cut_does_not_matter(
        document in "(<url>|</url>|<loc>|</loc>|http://a\\.test/|<urlset>|<!\\[CDATA\\[|\\]\\]>|<!--|-->|<item|>|<link href=|'|&amp;|&#38;|\n| |é|/p|<feed>|<entry>|</entry>){0,40}",
        size in 1..20usize,
    ) {
        prop_assert_eq!(read_by(size, document.as_bytes(), None), read_by(usize::MAX, document.as_bytes(), None));
    }

    #[test]
    fn any_bytes_are_a_file(file in prop::collection::vec(any::<u8>(), 0..400), is_packed in any::<bool>()) {
        let file = if is_packed { gzip(&file) } else { file };
        let (entries, _) = read_by(7, &file, None);
        prop_assert!(entries.iter().all(|entry| matches!(entry.url.scheme(), "http" | "https")));
    }

    #[test]
    fn every_page_that_is_written_is_read(paths in prop::collection::vec("[a-zA-Z0-9&<>'\"é?=%;]{0,20}", 0..20), is_packed in any::<bool>()) {
        let base = Url::parse("http://a.test/").unwrap();
        let pages: Vec<Url> = paths.iter().map(|path| base.join(&format!("/{path}")).unwrap()).filter(|url| !url.as_str().contains("&amp;")).collect();
        let escape = |url: &Url| url.as_str().replace('&', "&amp;").replace('<', "&lt;");
        let body = pages.iter().map(|url| format!("<url><loc>{}</loc></url>", escape(url))).collect::<Vec<_>>().concat();
        let file = format!("<urlset>{body}</urlset>").into_bytes();
        let (entries, report) = read_by(11, &if is_packed { gzip(&file) } else { file }, None);
        prop_assert_eq!(entries.into_iter().map(|entry| entry.url).collect::<Vec<_>>(), pages);
        prop_assert_eq!(report.damage, None);
    }
}

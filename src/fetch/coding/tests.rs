//! What every coding has to do.

use super::*;
use crate::fetch::memory::Memory;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn measure(expected: Option<usize>, cap: usize) -> Measure {
    Measure { expected, cap, room: Memory::new(usize::MAX).room(), taker: None }
}

fn decode_with_cap(codings: &str, body: &[u8], cap: usize) -> Result<Vec<u8>, Failure> {
    let headers = HeaderMap::from_iter([(CONTENT_ENCODING, codings.parse().unwrap())]);
    let mut decoder = Decoder::new(&headers, measure(None, cap))?;
    for piece in body.chunks(7) {
        decoder.push(Bytes::copy_from_slice(piece))?;
    }
    decoder.finish().map(Vec::from)
}

fn decode(codings: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
    decode_with_cap(codings, body, 1 << 20)
}

fn kind(result: &Result<Vec<u8>, Failure>) -> Option<Kind> {
    result.as_ref().err().map(|failure| failure.kind)
}

fn coded(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(text).unwrap();
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
    raw.write_all(text).unwrap();
    vec![
        ("gzip", gzip(text)),
        ("X-GZIP", gzip(text)),
        ("gzip, gzip", gzip(&gzip(text))),
        ("identity, GZip ,", gzip(text)),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", raw.finish().unwrap()),
        ("zstd", ::zstd::encode_all(text, 1).unwrap()),
    ]
}

#[test]
fn every_coding_is_undone() {
    let text = "Grüße, 你好 ".repeat(9_000).into_bytes();
    for (name, body) in coded(&text) {
        assert!(decode(name, &body).unwrap() == text, "{name}");
    }
    // Made by Google's encoder.
    let brotli = [
        27, 146, 0, 248, 29, 169, 83, 159, 187, 112, 37, 38, 151, 10, 32, 116, 153, 198, 246, 86, 246, 32, 86, 9, 0,
        225, 248, 73, 46,
    ];
    let text = "brotli brotli brotli brotli brotli brotli brotli\n".repeat(3);
    assert_eq!(decode("br", &brotli).unwrap(), text.as_bytes());
    assert_eq!(kind(&decode("br", &brotli[..20])), Some(Kind::Truncated));
    assert_eq!(decode("br", b";").unwrap(), b"", "what it makes of nothing");
}

#[test]
fn a_body_that_is_not_coded_as_it_claims_is_taken_as_it_is() {
    for name in ["gzip", "deflate", "br", "zstd", "gzip, br"] {
        let bom = "\u{feff}<p>Gr\u{fc}\u{df}e, \u{4f60}\u{597d}: this is no compressed data at all";
        for text in ["<!doctype html><p>Hello, this is no compressed data at all</p>", bom, "short", ""] {
            assert_eq!(decode(name, text.as_bytes()).unwrap(), text.as_bytes(), "{name}");
        }
    }
}

#[test]
fn members_follow_each_other_and_garbage_behind_them_is_ignored() {
    let body = [gzip(b"one "), gzip(b"two"), b"\0\0 garbage".to_vec()].concat();
    assert_eq!(decode("gzip", &body).unwrap(), b"one two");
}

#[test]
fn a_stream_that_ends_early_is_a_failure() {
    for (name, body) in coded(&b"some text that compresses, compresses, compresses".repeat(50)) {
        for cut in [2, body.len() / 2, body.len() - 1] {
            assert_eq!(kind(&decode(name, &body[..cut])), Some(Kind::Truncated), "{name} cut at {cut}");
        }
    }
}

#[test]
fn damage_is_a_failure() {
    let text: Vec<u8> = (0..3000_u32).map(|n| b'a' + u8::try_from(n * n % 23).unwrap()).collect();
    for (name, body) in coded(&text).into_iter().filter(|(name, _)| *name != "zstd") {
        // The last bytes are the checksum, where there is one.
        for damaged in [body.len() / 2, body.len() - 1] {
            let mut body = body.clone();
            body[damaged] ^= 0x5a;
            let found = decode(name, &body);
            assert!(found.is_err() || name == "deflate" && found.unwrap() != text, "{name} damaged at {damaged}");
        }
    }
    let mut body = gzip(b"text");
    for at in [body.len() - 8, body.len() - 1] {
        body[at] ^= 1;
        assert_eq!(kind(&decode("gzip", &body)), Some(Kind::Decode), "at {at}");
        body[at] ^= 1;
    }
}

#[test]
fn transfer_codings_are_undone_after_content_codings() {
    for (content, transfer) in [("gzip", "chunked"), ("", "gzip, chunked"), ("gzip", "Deflate, chunked")] {
        let mut body = b"text".to_vec();
        if content == "gzip" || transfer.contains("gzip") {
            body = gzip(&body);
        }
        if transfer.contains("Deflate") {
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
            zlib.write_all(&body).unwrap();
            body = zlib.finish().unwrap();
        }
        let fields = [(CONTENT_ENCODING, content.parse().unwrap()), (TRANSFER_ENCODING, transfer.parse().unwrap())];
        let mut decoder = Decoder::new(&HeaderMap::from_iter(fields), measure(None, 100)).unwrap();
        decoder.push(body.into()).unwrap();
        assert_eq!(decoder.finish().unwrap(), &b"text"[..], "{content}; {transfer}");
    }
}

#[test]
fn a_window_of_a_gigabyte_is_refused() {
    // The header of the large-window extension, 30 bits, and the end of the stream.
    assert_eq!(kind(&decode("br", &[0x11, 0b1101_1110])), Some(Kind::Decode));
}

#[test]
fn a_bomb_stops_at_the_cap() {
    let bomb = gzip(&gzip(&vec![0; 8 << 20]));
    assert_eq!(kind(&decode_with_cap("gzip, gzip", &bomb, 1 << 20)), Some(Kind::TooLarge));
    assert_eq!(decode_with_cap("gzip", &gzip(&[7; 100]), 100).unwrap().len(), 100);
    assert_eq!(kind(&decode_with_cap("gzip", &gzip(&[7; 101]), 100)), Some(Kind::TooLarge));
}

#[test]
fn what_makes_much_of_nothing_stops_too() {
    // What follows the end of a stream is ignored, and would keep a decoder busy as long as it comes.
    let garbage = [gzip(b"text"), vec![0; 3 << 20]].concat();
    assert_eq!(kind(&decode_with_cap("gzip", &garbage, 1 << 20)), Some(Kind::TooLarge));
    assert_eq!(kind(&decode_with_cap("gzip, gzip", &gzip(&garbage), 1 << 20)), Some(Kind::TooLarge));
    assert_eq!(decode_with_cap("gzip, gzip", &gzip(&garbage), 2 << 20).unwrap(), b"text");
    let empty_members = gzip(b"").repeat(70_000);
    assert_eq!(kind(&decode("gzip, gzip", &gzip(&empty_members))), Some(Kind::Decode));
    assert_eq!(decode_with_cap("gzip", &gzip(b""), 0).unwrap(), b"");
}

#[test]
fn a_body_without_codings_is_its_pieces_up_to_the_cap() {
    for pieces in [&["one piece"][..], &["", "two ", "pieces"], &["a", "", "b", "c"], &[]] {
        let whole = pieces.concat();
        let decode = |cap| {
            let mut decoder = Decoder::new(&HeaderMap::new(), measure(None, cap))?;
            pieces.iter().try_for_each(|piece| decoder.push(Bytes::from_static(piece.as_bytes())))?;
            decoder.finish()
        };
        assert_eq!(decode(whole.len()).unwrap(), whole, "{pieces:?}");
        if let Some(cap) = whole.len().checked_sub(1) {
            assert_eq!(decode(cap).unwrap_err().kind, Kind::TooLarge, "{pieces:?}");
        }
    }
}

#[test]
fn a_lie_about_the_length_costs_nothing() {
    let mut decoder = Decoder::new(&HeaderMap::new(), measure(Some(usize::MAX), usize::MAX)).unwrap();
    decoder.push(Bytes::from_static(b"short")).unwrap();
    assert_eq!(decoder.finish().unwrap(), &b"short"[..]);
}

#[test]
fn a_body_takes_room_as_it_comes_and_keeps_what_it_needs() {
    let text = b"some text that compresses, compresses, compresses".repeat(9_000);
    for (codings, body) in coded(&text).into_iter().chain([("identity", text.clone())]) {
        let memory = Memory::new(2 << 20);
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, codings.parse().unwrap())]);
        let measure = Measure { expected: None, cap: 1 << 20, room: memory.room(), taker: None };
        let mut decoder = Decoder::new(&headers, measure).unwrap();
        body.chunks(10_000).try_for_each(|piece| decoder.push(Bytes::copy_from_slice(piece))).unwrap();
        let whole = decoder.finish().unwrap();
        let taken = (2 << 20) - memory.free();
        assert!((text.len()..=1 << 20).contains(&taken), "{codings}: {taken}");
        drop(whole);
        assert_eq!(memory.free(), 2 << 20, "{codings}");
    }
}

#[test]
fn a_body_that_finds_no_room_lets_go_of_all_it_has() {
    for (codings, body) in [("identity", vec![b'x'; 900_000]), ("gzip", gzip(&vec![b'x'; 900_000]))] {
        let memory = Memory::new(800_000);
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, codings.parse().unwrap())]);
        let room = memory.room();
        let mut decoder =
            Decoder::new(&headers, Measure { expected: None, cap: 1 << 20, room: room.clone(), taker: None }).unwrap();
        let pushed = body.chunks(50_000).try_for_each(|piece| decoder.push(Bytes::copy_from_slice(piece)));
        assert!(pushed.is_err() && room.was_refused(), "{codings}");
        drop((decoder, room));
        assert_eq!(memory.free(), 800_000, "{codings}");
    }
}

#[test]
fn windows_in_windows_are_given_up_before_they_take_too_much() {
    let far = |body: &[u8]| ::zstd::encode_all(body, 1).unwrap();
    let bomb = far(&far(&far(&vec![0; 64 << 20])));
    assert!(decode_with_cap("zstd, zstd, zstd", &bomb, 1 << 20).is_err());
    let text = b"plain enough".repeat(100);
    assert_eq!(decode("zstd, zstd, zstd", &far(&far(&far(&text)))).unwrap(), text);
}

#[test]
fn unknown_codings_and_towers_of_them_are_failures() {
    assert_eq!(kind(&decode("compress", b"x")), Some(Kind::Decode));
    assert_eq!(kind(&decode("gzip,gzip,gzip,gzip,gzip", b"x")), Some(Kind::Decode));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        name in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "br, gzip"]),
        mut body in prop::collection::vec(any::<u8>(), 0..300),
        magic in any::<bool>(),
    ) {
        if magic {
            body.splice(0..0, [0x1f, 0x8b, 8, 0]);
        }
        let _ = decode(name, &body);
    }
}

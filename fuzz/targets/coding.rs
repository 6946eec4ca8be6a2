//! Any body in any content codings: each bit of the first byte is one of them.
//!
//! What must hold is told at `Wire::fetch`: above all that a bomb stops at the cap.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scrape_fuzz::Wire;

thread_local! {
    static WIRE: Wire = Wire::default();
}

const CODINGS: [&str; 8] = ["gzip", "br", "zstd", "deflate", "x-gzip", "Gzip", "identity", "zstd"];

fuzz_target!(|data: &[u8]| {
    let [choice, body @ ..] = data else { return };
    let chosen = CODINGS.iter().enumerate().filter(|(bit, _)| choice & 1 << bit != 0).map(|(_, coding)| *coding);
    let codings = chosen.collect::<Vec<_>>().join(", ");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Encoding: {codings}\r\n\r\n", body.len());
    WIRE.with(|wire| wire.fetch(&[head.as_bytes(), body].concat()));
});

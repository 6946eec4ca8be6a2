//! Any bytes in place of an answer: status line, header fields, framing, Location, content codings.
//!
//! What must hold is told at `Wire::fetch`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scrape_fuzz::Wire;

thread_local! {
    static WIRE: Wire = Wire::default();
}

fuzz_target!(|data: &[u8]| WIRE.with(|wire| wire.fetch(data)));

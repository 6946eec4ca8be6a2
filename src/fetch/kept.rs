//! Which connections have answered before: one that ends without an answer is nobody's fault then.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hyper::http::Extensions;
use hyper_util::client::legacy::connect::{Connected, HttpInfo};
use reqwest::Response;

use super::explain::connection_of;

const PORTS: usize = 1 << 16;

/// The local ports of connections on which an answer came. The HTTP client shows no connections, only this of them.
///
/// A port may have belonged to another connection before, as may one of another local address: what is said of it then
/// is wrong once, since [`forget`](Self::forget) does that.
#[derive(Debug)]
pub(super) struct Answered(Box<[AtomicU64; PORTS / 64]>);

impl Default for Answered {
    fn default() -> Self {
        Self(Box::new([const { AtomicU64::new(0) }; PORTS / 64]))
    }
}

impl Answered {
    /// An answer came.
    pub(super) fn remember(&self, response: &Response) {
        if let Some(info) = response.extensions().get() {
            let (word, bit) = self.find(info);
            if word.load(Relaxed) & bit == 0 {
                word.fetch_or(bit, Relaxed);
            }
        }
    }

    /// A request failed: whether its connection had answered another one before. It will not again.
    pub(super) fn forget(&self, error: &reqwest::Error) -> bool {
        connection_of(error).and_then(info_of).is_some_and(|info| {
            let (word, bit) = self.find(&info);
            word.fetch_and(!bit, Relaxed) & bit != 0
        })
    }

    fn find(&self, info: &HttpInfo) -> (&AtomicU64, u64) {
        let port = usize::from(info.local_addr().port());
        (&self.0[port / 64], 1 << (port % 64))
    }
}

fn info_of(connection: &Connected) -> Option<HttpInfo> {
    let mut extensions = Extensions::new();
    connection.get_extras(&mut extensions);
    extensions.remove()
}

//! Digests as archives write them: `sha1:` and base32.

use std::fmt;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// The SHA-1 of some bytes: what all tools that read archives know. It tells damage, and no malice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 20]);

impl Digest {
    /// The digest of the parts, one behind the other.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        for part in parts {
            context.update(part);
        }
        let mut digest = [0; 20];
        digest.copy_from_slice(context.finish().as_ref());
        Self(digest)
    }

    /// Reads a digest as it is written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.strip_prefix("sha1:")?.as_bytes().as_chunks::<8>();
        let (eights, digest) = (letters.0, &mut [0; 20]);
        if eights.len() != 4 || !letters.1.is_empty() {
            return None;
        }
        for (eight, five) in eights.iter().zip(digest.chunks_mut(5)) {
            let bits = eight.iter().try_fold(0_u64, |bits, letter| {
                let place = LETTERS.iter().position(|known| known == letter)?;
                Some(bits << 5 | place as u64)
            })?;
            five.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        Some(Self(*digest))
    }
}

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// `sha1:` and base32 (RFC 4648, section 6) without padding, which 20 bytes need none of.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha1:")?;
        for five in self.0.chunks(5) {
            let bits = five.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
            for place in (0..8).rev() {
                let letter = LETTERS[(bits >> (5 * place) & 31) as usize];
                fmt::Write::write_char(f, letter.into())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_all_parts_and_written_as_others_do() {
        assert_eq!(Digest::of(&[]).to_string(), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
        assert_eq!(Digest::of(&[b"a", b"bc"]), Digest::of(&[b"abc"]));
        assert_eq!(Digest::of(&[b"abc"]).to_string(), "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5");
    }

    #[test]
    fn a_digest_is_read_as_it_is_written_and_nothing_else_is_one() {
        for text in [&b""[..], b"abc", &[0xff; 99]] {
            let digest = Digest::of(&[text]);
            assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        }
        for none in
            ["", "sha1:", "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE", "sha1:vgmt4nsha2awvor6evyxqugcnsonbwe5", "md5:x"]
        {
            assert_eq!(Digest::parse(none), None, "{none}");
        }
    }
}

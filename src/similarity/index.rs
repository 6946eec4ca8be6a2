//! The texts that others are compared to.

use super::{FUNCTIONS, Signature, THRESHOLD};

/// How many texts are kept: a million.
const CAPACITY: usize = 1 << 20;

/// A signature is cut into so many bands. Only texts that have a band in common are compared ("locality-sensitive hashing",
/// Indyk and Motwani 1998): 99 % of the pairs of a similarity of 0.8 have, 99.98 % of those of 0.9.
const BANDS: usize = 8;

/// How many functions a band takes. Not all are in one.
const ROWS: usize = 4;

const _: () = assert!(BANDS * ROWS <= FUNCTIONS);

/// Texts that have a band in common, the last one first. One that is too much drives the oldest out, of this band only: no
/// more than these are ever compared, however alike the pages of a site are.
type Bucket = [u32; 4];

/// What stands in a bucket for nothing.
const FREE: u32 = u32::MAX;

/// The first of each group of near duplicates, by signature, with what it is called.
///
/// It keeps a million texts, in 150 bytes each (up to 220 on the way there) and what their names take; after that, each new
/// one takes the place of the oldest.
#[derive(Debug)]
pub struct Index {
    originals: Vec<Original>,
    capacity: usize,
    /// Which original goes next, once there is no more room.
    oldest: usize,
    /// A power of two of them. What they hold may have been replaced since: it is compared all the same.
    buckets: Vec<Bucket>,
}

#[derive(Debug)]
struct Original {
    signature: Signature,
    name: Box<str>,
}

impl Default for Index {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl Index {
    fn with_capacity(capacity: usize) -> Self {
        Self { originals: Vec::new(), capacity, oldest: 0, buckets: vec![[FREE; 4]; BANDS] }
    }

    /// The name of the text that is most similar, and how similar; none where there is no near duplicate.
    #[must_use]
    pub fn find(&self, signature: &Signature) -> Option<(&str, f64)> {
        let numbers = self.places(signature).into_iter().flat_map(|place| self.buckets[place]);
        let originals = numbers.filter_map(|number| self.originals.get(number as usize));
        let compared = originals.map(|original| (&*original.name, original.signature.similarity(signature)));
        compared.filter(|&(_, similarity)| similarity >= THRESHOLD).max_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// Adds a text.
    pub fn add(&mut self, signature: Signature, name: &str) {
        let original = Original { signature, name: name.into() };
        if self.originals.len() < self.capacity {
            self.originals.push(original);
            self.note(self.originals.len() - 1);
            self.grow();
        } else {
            let number = self.oldest;
            self.originals[number] = original;
            self.oldest = (number + 1) % self.capacity;
            self.note(number);
        }
    }

    /// Makes room where more than half of it is taken.
    fn grow(&mut self) {
        if self.originals.len() * BANDS * 2 > self.buckets.len() * size_of::<Bucket>() / size_of::<u32>() {
            self.buckets = vec![[FREE; 4]; self.buckets.len() * 2];
            (0..self.originals.len()).for_each(|number| self.note(number));
        }
    }

    /// Puts an original into its buckets.
    fn note(&mut self, number: usize) {
        for place in self.places(&self.originals[number].signature) {
            let bucket = &mut self.buckets[place];
            bucket.rotate_right(1);
            bucket[0] = u32::try_from(number).unwrap_or(FREE);
        }
    }

    /// Which bucket each band belongs to.
    fn places(&self, signature: &Signature) -> [usize; BANDS] {
        let (bands, _) = signature.first.as_chunks::<ROWS>();
        std::array::from_fn(|nth| {
            let band = u64::from(u32::from_le_bytes(bands[nth])) | (nth as u64) << 32;
            // Multiplicative hashing (Knuth, section 6.4): the upper bits are the good ones.
            let hash = band.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            usize::try_from(hash).unwrap_or(0) & (self.buckets.len() - 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{signature, text};
    use super::*;

    fn index(texts: &[String], capacity: usize) -> Index {
        let mut index = Index::with_capacity(capacity);
        texts.iter().enumerate().for_each(|(n, text)| index.add(signature(text), &n.to_string()));
        index
    }

    #[test]
    fn each_text_and_what_is_much_like_it_is_found_among_thousands() {
        let texts: Vec<_> = (0..3000).map(|n| text(n * 1000..n * 1000 + 200)).collect();
        let index = index(&texts, CAPACITY);
        let found = texts.iter().enumerate().filter(|(n, text)| {
            let similar = signature(&format!("{text} and four more words"));
            let name = n.to_string();
            index.find(&signature(text)) == Some((&name, 1.0))
                && index.find(&similar).is_some_and(|(found, similarity)| found == name && similarity < 1.0)
        });
        assert_eq!(found.count(), texts.len());
        assert!((0..3000).all(|n| index.find(&signature(&text(n * 1000 + 500..n * 1000 + 700))).is_none()));
    }

    #[test]
    fn the_oldest_makes_room() {
        let texts: Vec<_> = (0..30).map(|n| text(n * 1000..n * 1000 + 50)).collect();
        let index = index(&texts, 20);
        let found: Vec<_> = texts.iter().map(|text| index.find(&signature(text)).is_some()).collect();
        assert_eq!((&found[..10], &found[10..]), (&[false; 10][..], &[true; 20][..]));
        assert_eq!(index.originals.len(), 20);
    }

    #[test]
    fn a_million_texts_take_what_is_documented() {
        // All that grows, at the capacity: the vector of originals doubles, and so do the buckets.
        let mut buckets = BANDS;
        while CAPACITY * BANDS * 2 > buckets * 4 {
            buckets *= 2;
        }
        let bytes = CAPACITY * size_of::<Original>() + buckets * size_of::<Bucket>();
        assert!(bytes / CAPACITY <= 152, "{}", bytes / CAPACITY);
    }

    #[test]
    fn pages_that_share_most_of_their_text_are_still_found() {
        // Half of each text is that of the site.
        let texts: Vec<_> = (0..500).map(|n| text(0..100) + " " + &text(n * 1000 + 200..n * 1000 + 300)).collect();
        let index = index(&texts, CAPACITY);
        let found = texts.iter().enumerate().filter(|(n, text)| {
            index.find(&signature(&format!("{text} more"))).is_some_and(|(name, _)| name == n.to_string())
        });
        assert!(found.count() >= 495);
    }
}

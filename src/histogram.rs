//! How long things took, counted in buckets: the memory stays small however many there are.
//!
//! The buckets are those of `HdrHistogram` (<https://hdrhistogram.org>): microseconds, exact up to 64, from there on 32 buckets
//! for each doubling. A bucket is thus no wider than a 32nd of what is in it, and its middle at most a 64th away.

use std::time::Duration;

/// The doublings below which microseconds are exact; each doubling has as many buckets as this has values.
const PRECISION: u32 = 5;

/// The buckets of a doubling.
const STEPS: usize = 1 << PRECISION;

/// The edges of the [bars](Histogram::bars) of a decade, ten times over: the series E6 (IEC 60063), whose steps are alike on a
/// logarithmic scale, while whole milliseconds miss none of them.
const EDGES: [u64; 6] = [10, 15, 22, 33, 47, 68];

/// The last bar, which starts with 30,000 years and has all that is above.
const LAST: usize = 18 * EDGES.len();

/// Times, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many there are in each bucket, up to the last one that has any.
    counts: Vec<u64>,
    count: u64,
    max: u64,
}

/// How many times there are from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The shortest.
    pub from: Duration,
    /// What all are shorter than.
    pub to: Duration,
    /// How many there are, within the precision of the buckets.
    pub count: u64,
}

impl Histogram {
    /// Counts a time.
    pub fn record(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = bucket_of(micros);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// Counts all that another one did.
    pub fn add(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest, exactly; none where nothing was counted.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_micros(self.max))
    }

    /// The time that `percent` of all do not exceed (nearest rank), at most a 64th off; none where nothing was counted.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<Duration> {
        let rank = u128::from(self.count) * u128::from(percent.min(100));
        let rank = u64::try_from(rank.div_ceil(100)).unwrap_or(u64::MAX).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_micros(if rank == self.count { self.max } else { middle(bucket).min(self.max) }))
    }

    /// Bars of equal width on a logarithmic scale, six a decade, from the first to the last that has any.
    #[must_use]
    pub fn bars(&self) -> Vec<Bar> {
        let mut counts = Vec::new();
        for (bucket, &count) in self.counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
            let place = (1..=LAST).take_while(|&place| edge(place) <= middle(bucket)).count();
            counts.resize(counts.len().max(place + 1), 0);
            counts[place] += count;
        }
        let bar = |(place, count)| Bar {
            from: Duration::from_micros(edge(place)),
            to: Duration::from_micros(edge(place + 1)),
            count,
        };
        counts.into_iter().enumerate().skip_while(|&(_, count)| count == 0).map(bar).collect()
    }
}

/// The bucket that so many microseconds belong to.
fn bucket_of(micros: u64) -> usize {
    let shift = (u64::BITS - PRECISION - 1).saturating_sub(micros.leading_zeros());
    usize::try_from(micros >> shift).map_or(0, |steps| steps + shift as usize * STEPS)
}

/// The microseconds in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let shift = (bucket / STEPS).saturating_sub(1);
    let first = ((bucket - shift * STEPS) as u64) << shift;
    first + ((1 << shift) >> 1)
}

/// The microseconds that the bar at this place starts with: 1, 1.5, 2.2 and so on, cut to whole ones.
fn edge(place: usize) -> u64 {
    let decade = u32::try_from(place / EDGES.len()).unwrap_or(u32::MAX);
    EDGES[place % EDGES.len()].saturating_mul(10_u64.saturating_pow(decade)) / 10
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        micros.into_iter().for_each(|micros| histogram.record(Duration::from_micros(micros)));
        histogram
    }

    #[test]
    fn nothing_has_no_percentiles() {
        let empty = Histogram::default();
        assert_eq!((empty.count(), empty.max(), empty.percentile(50)), (0, None, None));
        assert!(empty.bars().is_empty());
    }

    #[test]
    fn small_numbers_are_exact_and_the_longest_always_is() {
        let histogram = of([1, 2, 3, 63, 1_234_567]);
        let percentiles = [1, 40, 60, 80, 100].map(|percent| histogram.percentile(percent).unwrap().as_micros());
        assert_eq!(percentiles, [1, 2, 3, 63, 1_234_567]);
    }

    #[test]
    fn any_time_has_a_bucket() {
        let histogram = of([0, u64::MAX]);
        assert_eq!(histogram.max(), Some(Duration::from_micros(u64::MAX)));
        assert!(histogram.counts.len() < 2048, "{}", histogram.counts.len());
        assert_eq!(histogram.bars().iter().map(|bar| bar.count).sum::<u64>(), 2);
    }

    #[test]
    fn bars_are_alike_in_width_and_whole_milliseconds_leave_no_gap() {
        let bars = of((1..=50).map(|millis| millis * 1000)).bars();
        assert!(bars.iter().all(|bar| bar.count > 0), "{bars:?}");
        assert!(bars.iter().all(|bar| (1.4..1.6).contains(&bar.to.div_duration_f64(bar.from))), "{bars:?}");
        assert!(bars.windows(2).all(|pair| pair[0].to == pair[1].from), "{bars:?}");
        assert_eq!((bars[0].from, bars[0].count), (Duration::from_millis(1), 1));
    }

    /// Times as a network has them, from microseconds to minutes.
    fn times() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(
            (0_u32..28, any::<u32>()).prop_map(|(shift, noise)| u64::from(noise >> 4) >> shift),
            1..300,
        )
    }

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_times_but_for_a_64th(times in times(), percent in 0_u8..=100) {
            let histogram = of(times.iter().copied());
            let mut sorted = times;
            sorted.sort_unstable();
            let rank = (sorted.len() * usize::from(percent)).div_ceil(100).max(1);
            let exact = sorted[rank - 1];
            let found = histogram.percentile(percent).unwrap().as_micros();
            prop_assert!(found.abs_diff(u128::from(exact)) * 64 <= u128::from(exact), "{found} for {exact}");
        }

        #[test]
        fn two_together_are_as_one_of_all(one in times(), other in times()) {
            let mut sum = of(one.iter().copied());
            sum.add(&of(other.iter().copied()));
            prop_assert_eq!(&sum, &of(one.into_iter().chain(other)));
            prop_assert_eq!(sum.bars().iter().map(|bar| bar.count).sum::<u64>(), sum.count());
        }
    }
}

//! Figures for people.

use std::time::Duration;

pub(super) use crate::sink::grouped;

/// How many a second.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
pub(super) fn rate(count: u64, elapsed: Duration) -> String {
    let rate = count as f64 / elapsed.as_secs_f64().max(0.001);
    if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") }
}

/// A size in a unit that leaves at most four digits.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub(super) fn human_size(bytes: u64) -> String {
    let (mut size, mut unit) = (bytes as f64, "B");
    for larger in ["kB", "MB", "GB", "TB"] {
        if size < 999.5 {
            break;
        }
        (size, unit) = (size / 1000.0, larger);
    }
    if unit == "B" || size >= 99.95 { format!("{size:.0} {unit}") } else { format!("{size:.1} {unit}") }
}

/// A time in its two largest units.
pub(super) fn human_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_that_fits() {
        assert_eq!(
            [0, 999, 1000, 56_700, 999_960, 12_300_000, 5_000_000_000].map(human_size),
            ["0 B", "999 B", "1.0 kB", "56.7 kB", "1.0 MB", "12.3 MB", "5.0 GB"]
        );
    }

    #[test]
    fn times_have_their_two_largest_units() {
        let human = |millis| human_duration(Duration::from_millis(millis));
        assert_eq!([0, 2_140, 59_999, 61_000, 7_500_000].map(human), ["0.0 s", "2.1 s", "59 s", "1m01s", "2h05m"]);
    }
}

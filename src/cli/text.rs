//! Figures for people.

use std::time::Duration;

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
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
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 12_345, 1_234_567].map(grouped), ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

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

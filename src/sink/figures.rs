//! Figures for people.

use std::time::Duration;

/// A number with its thousands apart.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many a second.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
pub fn rate(count: u64, elapsed: Duration) -> String {
    let rate = count as f64 / elapsed.as_secs_f64().max(0.001);
    if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") }
}

/// A size in a unit that leaves at most four digits.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn human_size(bytes: u64) -> String {
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
#[must_use]
pub fn human_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A time as answers take it: in milliseconds below a second.
#[must_use]
pub fn human_latency(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    match millis {
        ..9.95 => format!("{millis:.1} ms"),
        ..999.5 => format!("{millis:.0} ms"),
        _ => human_duration(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn sizes_have_a_unit_that_fits() {
        assert_eq!(
            [0, 999, 1000, 56_700, 999_960, 12_300_000, 5_000_000_000].map(human_size),
            ["0 B", "999 B", "1.0 kB", "56.7 kB", "1.0 MB", "12.3 MB", "5.0 GB"]
        );
    }

    #[test]
    fn latencies_have_as_many_digits_as_they_are_worth() {
        let human = |micros| human_latency(Duration::from_micros(micros));
        assert_eq!(
            [0, 420, 9_949, 9_950, 41_300, 999_499].map(human),
            ["0.0 ms", "0.4 ms", "9.9 ms", "10 ms", "41 ms", "999 ms"]
        );
        assert_eq!([1_000_000, 61_000_000].map(human), ["1.0 s", "1m01s"]);
    }

    #[test]
    fn times_have_their_two_largest_units() {
        let human = |millis| human_duration(Duration::from_millis(millis));
        assert_eq!([0, 2_140, 59_999, 61_000, 7_500_000].map(human), ["0.0 s", "2.1 s", "59 s", "1m01s", "2h05m"]);
    }
}

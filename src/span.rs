//! Durations and bytes as people read them.

use std::fmt::Write as _;

use jiff::SignedDuration;

/// `1h30m`, `59m`, `45s`: two units at most; what is over is `0s`.
pub fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    // Teleport's dates are whole seconds, ours are not: 59m59.8s is an hour to people.
    let seconds = if duration.subsec_millis() >= 500 { seconds + 1 } else { seconds };
    // From ten minutes on nobody counts seconds.
    let seconds = if seconds < 600 { seconds } else { (seconds + 30) / 60 * 60 };
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, rest) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, 0, _) => format!("{h}h"),
        (h, m, _) => format!("{h}h{m}m"),
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        for (seconds, want) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m1s"),
            (3_600, "1h"),
            (3_661, "1h1m"),
            (599, "9m59s"),
            (3_599, "1h"),
            (86_400, "24h"),
        ] {
            assert_eq!(span(SignedDuration::from_secs(seconds)), want);
        }
        assert_eq!(span(SignedDuration::from_millis(3_599_700)), "1h");
    }
}

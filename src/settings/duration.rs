//! Spans of time as people write them: `250ms`, `5s`, `2m`, `1h`, `1m30s`.
//! Never assumes a unit.

use std::fmt;
use std::time::Duration;

/// The longest span anybody may write; every deadline made from it stays in range.
pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The units, largest first, with their length in nanoseconds.
const UNITS: [(&str, u128); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Why a text is not a duration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DurationError {
    /// A number without a unit.
    NoUnit(String),
    /// Not a duration at all.
    Malformed(String),
    /// Longer than [`LONGEST`].
    TooLong(String),
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUnit(text) => write!(
                f,
                "`{text}` has no unit: write `{text}ms` for milliseconds, `{text}s` for seconds, \
                 `{text}m` for minutes or `{text}h` for hours"
            ),
            Self::Malformed(text) => write!(
                f,
                "`{}` is not a duration: write one like 250ms, 5s, 2m, 1h or 1m30s",
                text.escape_debug()
            ),
            Self::TooLong(text) => write!(f, "`{text}` is longer than {}", show(LONGEST)),
        }
    }
}

impl std::error::Error for DurationError {}

/// Reads a duration: whole numbers, each with a unit (h, m, s, ms, us, ns), without spaces.
///
/// # Errors
/// What is wrong with the text, with the forms that would be right.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError::NoUnit(text.into()));
    }
    // humantime also reads months, years and spaces; here `1M` must not be a month.
    if !is_number_unit_pairs(text) {
        return Err(DurationError::Malformed(text.into()));
    }
    match humantime::parse_duration(text) {
        Ok(span) if span <= LONGEST => Ok(span),
        Ok(_) | Err(_) => Err(DurationError::TooLong(text.into())),
    }
}

fn is_number_unit_pairs(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let unit_on = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let next = unit_on.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let unit = &unit_on[..unit_on.len() - next.len()];
        if unit_on.len() == rest.len() || !UNITS.iter().any(|(name, _)| *name == unit) {
            return false;
        }
        rest = next;
    }
    !text.is_empty()
}

/// Writes a duration in its shortest exact form; `parse` reads it back.
#[must_use]
pub fn show(span: Duration) -> String {
    let ns = span.as_nanos();
    let exact = UNITS.iter().find(|(_, length)| ns > 0 && ns.is_multiple_of(*length));
    exact.map_or_else(|| "0s".into(), |(name, length)| format!("{}{name}", ns / length))
}

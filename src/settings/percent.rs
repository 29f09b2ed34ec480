//! Shares as people write them: `1%`, `0.5%`; kept in parts per million.
//! Never rounds: what cannot be kept exactly is refused.

/// How many parts per million one percent is.
const PPM_PER_PERCENT: u64 = 10_000;

/// Reads `1%` or `0.05%` as parts per million, up to `100%`; `None` if it is not one, exactly.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let number = text.strip_suffix('%')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || part.len() > 4 {
        return None;
    }
    let fraction: u64 = format!("{part:0<4}").parse().ok()?;
    let ppm = whole.parse::<u64>().ok()?.checked_mul(PPM_PER_PERCENT)?.checked_add(fraction)?;
    (ppm <= 100 * PPM_PER_PERCENT).then_some(ppm)
}

/// Writes parts per million as percent; `parse` reads it back.
#[must_use]
pub fn show(ppm: u64) -> String {
    let decimals = format!("{:04}", ppm % PPM_PER_PERCENT);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals}%", ppm / PPM_PER_PERCENT)
}

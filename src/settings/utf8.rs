//! Takes a file's bytes for text, or says where they are not (H64).
//! Never replaces a byte it does not understand.

use super::problem::{Place, Problem};

/// The text of a file's bytes.
///
/// # Errors
/// The place of the first byte that is not UTF-8.
pub fn text<'a>(bytes: &'a [u8], file: &str) -> Result<&'a str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let hint = "save it as UTF-8 without BOM";
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Problem::new(file, "the file is UTF-16").hint(hint);
        }
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        let valid = String::from_utf8_lossy(valid);
        let wrong = rest.first().copied().unwrap_or_default();
        Problem::new(file, format!("the byte 0x{wrong:02X} here is not UTF-8"))
            .at(Place::of(&valid, valid.len()))
            .hint(hint)
    })
}

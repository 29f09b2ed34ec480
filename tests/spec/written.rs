//! Documents in contrib that are made from tables of the program: `UPDATE_DOCUMENTS=1` writes them
//! again, and the change is read before it is committed.
//! Never hides a difference.

use std::fs;
use std::path::Path;

/// Set, it lets documents be rewritten.
const UPDATE: &str = "UPDATE_DOCUMENTS";

/// That the file at `path` in the repository has that text.
#[track_caller]
pub(super) fn assert_written(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&file, text).unwrap();
        return;
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differs = written.lines().zip(text.lines()).find(|(written, made)| written != made);
    let differs = differs.map_or_else(String::new, |(written, made)| format!("{written}\n{made}"));
    assert!(
        written == text,
        "{path} is not what it is made from; the first line that differs:\n{differs}\n\nIf this \
         is wanted: {UPDATE}=1 cargo test spec::, and read the diff."
    );
}

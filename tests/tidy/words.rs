//! Keeps out what must not be committed: unfinished work, sleeping, paths of one machine.
//! Never looks at what is built; only at what is written. Patterns are made of two pieces, so
//! that this file does not contain them.

use super::source::{Source, all_files, rust_files};

/// What no Rust file may contain, comments included.
const UNFINISHED: [&str; 8] = [
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("X", "XX"),
    concat!("#[", "ignore"),
    concat!("#[should", "_panic"),
    concat!("thread::", "sleep"),
];

/// Roots of trees that exist on the machine of one developer only.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/", "root/"), concat!("/", "work/"), concat!("/", "farm/"), concat!("/tmp", "/q/")];

#[test]
fn nothing_is_unfinished_skipped_or_waited_for_by_sleeping() {
    let rust = rust_files("src").into_iter().chain(rust_files("tests"));
    assert_free_of(&UNFINISHED, rust);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    assert_free_of(&MACHINE_PATHS, all_files(".").into_iter());
}

fn assert_free_of(patterns: &[&str], files: impl Iterator<Item = Source>) {
    let mut wrong = Vec::new();
    for source in files {
        for (index, line) in source.text.lines().enumerate() {
            if let Some(pattern) = patterns.iter().find(|pattern| line.contains(*pattern)) {
                wrong.push(format!("{}:{}: {pattern}", source.path, index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! Finds the files that the rules speak about and separates code from comments and strings.
//! Never decides whether a file is good.

use std::fs;
use std::path::{Path, PathBuf};

/// One file of the repository.
pub(super) struct Source {
    /// Relative to the repository, with forward slashes.
    pub(super) path: String,
    /// Its text.
    pub(super) text: String,
}

impl Source {
    /// The text with comments and the insides of strings blanked out, line by line as before.
    pub(super) fn code(&self) -> String {
        code_of(&self.text)
    }
}

/// The folder that holds `Cargo.toml`.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, ordered by path.
pub(super) fn rust_files(folder: &str) -> Vec<Source> {
    all_files(folder).into_iter().filter(|source| source.path.ends_with(".rs")).collect()
}

/// Every text file below `folder` but what is built or belongs to git.
pub(super) fn all_files(folder: &str) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    visit(&root.join(folder), &mut found);
    found.sort();
    found.into_iter().filter_map(|path| read(&root, &path)).collect()
}

fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is part of the repository") {
        let entry = entry.expect("a listed entry can be read");
        let name = entry.file_name();
        if name == "target" || name == ".git" {
            continue;
        }
        if entry.file_type().expect("a listed entry has a type").is_dir() {
            visit(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

/// A file that is not text is nobody's business here.
fn read(root: &Path, path: &Path) -> Option<Source> {
    let text = fs::read_to_string(path).ok()?;
    let path = path.strip_prefix(root).expect("it was found below the root");
    Some(Source { path: path.to_string_lossy().into_owned(), text })
}

/// The strings of Rust code as they are said: lines that are folded in the source are one.
pub(super) fn strings_of(text: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped_bytes(rest).max(first.len_utf8());
        if first == '"' {
            let inside = &rest[1..skipped];
            strings.push(unfolded(inside.strip_suffix('"').unwrap_or(inside)));
        }
        rest = rest.get(skipped..).unwrap_or_default();
    }
    strings
}

fn unfolded(string: &str) -> String {
    let mut pieces = string.split("\\\n").map(str::to_owned);
    let first = pieces.next().unwrap_or_default();
    let folded = pieces.fold(first, |text, piece| text + piece.trim_start());
    folded.replace("\\n", "\n").replace("\\\"", "\"")
}

/// Blanks comments, strings and character literals; every line keeps its number.
pub(super) fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped_bytes(rest);
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        }
    }
    code
}

/// How many bytes at the start of `rest` are a comment, a string or a character literal.
fn skipped_bytes(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if rest.starts_with("r\"") || rest.starts_with("r#") {
        return raw_string_bytes(rest);
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return 1 + quoted_bytes(inside, '"');
    }
    match rest.strip_prefix('\'') {
        // A lifetime has no closing quote right after its first character.
        Some(inside) if inside.starts_with('\\') || inside.chars().nth(1) == Some('\'') => {
            1 + quoted_bytes(inside, '\'')
        }
        Some(_) | None => 0,
    }
}

/// Bytes up to and with the closing `quote`, minding backslashes.
fn quoted_bytes(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    inside.len()
}

fn raw_string_bytes(rest: &str) -> usize {
    let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 0; // a raw identifier
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    rest[body..].find(&close).map_or(rest.len(), |end| body + end + close.len())
}

#[test]
fn strings_are_read_as_they_are_said() {
    let text = "f(\"a \\\n     b\"); // \"c\"\nlet d = '\"'; g(\"e \\\"f\\\"\")";
    assert_eq!(strings_of(text), ["a b", "e \"f\""]);
}

#[test]
fn comments_and_strings_are_not_code() {
    let text = "let a = \"crate::b\"; // crate::c\nlet d = 'x'; r#\"crate::e\"#;\n&'a str '\"' f";
    let code = code_of(text);
    assert!(!code.contains("crate"), "{code}");
    assert!(code.contains("&'a str") && code.ends_with('f'), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
}

//! Reads and writes the programs an admin lets a node start: a list of words, without a shell.
//! Never looks whether such a program exists; the daemon does, each time before it starts one.

use super::field::Field;
use super::problem::Problem;

/// No command has more words.
const WORDS_MAX: usize = 64;
/// Nor more bytes in all of its words.
const BYTES_MAX: usize = 8192;

/// The words of a command; the first one is the whole path of a program.
pub(super) fn command(field: &Field<'_>) -> Result<Vec<String>, Problem> {
    if let Some(line) = field.as_text() {
        let words: Vec<_> = line.split_whitespace().map(quoted).collect();
        let list = format!("write it as a list of words: [{}]", words.join(", "));
        return Err(field.expected("a list").hint(list));
    }
    let items = field.items()?;
    let Some(program) = items.first() else {
        let message = format!("{} names no program", field.name());
        let hint = "write its whole path and its arguments: [/usr/local/bin/program, --argument]";
        return Err(field.problem(message).hint(hint));
    };
    program.absolute_path()?;
    if items.len() > WORDS_MAX {
        return Err(field.problem(format!("{} has more than {WORDS_MAX} words", field.name())));
    }
    let words: Vec<String> =
        items.iter().map(|item| item.text().map(str::to_owned)).collect::<Result<_, _>>()?;
    if let Some(item) = items.iter().zip(&words).find(|(_, word)| word.contains('\0')) {
        return Err(item.0.problem(format!("{} has a zero byte in it", item.0.name())));
    }
    if words.iter().map(String::len).sum::<usize>() > BYTES_MAX {
        let message = format!("{} is longer than {BYTES_MAX} bytes", field.name());
        return Err(field.problem(message).hint("put it into a file, and name that file here"));
    }
    Ok(words)
}

/// The words as node.yaml has them.
pub(super) fn render(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A text as YAML reads it back, whatever is in it: JSON is YAML. What nobody sees is escaped.
pub(super) fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).expect("a text is always JSON");
    let mut quoted = String::with_capacity(json.len());
    for c in json.chars() {
        let is_seen = c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
        match u16::try_from(u32::from(c)) {
            Ok(code) if !is_seen => quoted.push_str(&format!("\\u{code:04x}")),
            Ok(_) | Err(_) => quoted.push(c),
        }
    }
    quoted
}

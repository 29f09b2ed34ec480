//! Reads the documents of the repository: paragraphs, blocks of code and hidden lines, in order.
//! Never judges one; who asks for the pieces does.

use std::fs;
use std::path::Path;

use super::source::root;

/// What makes lines code without fences.
const INDENT: &str = "    ";
/// The language of such a block.
const INDENTED: &str = "indented";

/// One document.
pub(crate) struct Page {
    /// Relative to the repository.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// A piece of a document, with the number of its first line.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Piece<'a> {
    /// Lines up to the next blank one: prose, a heading, a list, a table.
    Prose(usize, &'a str),
    /// What stands between two fences, and the word after the first; or what is indented.
    Block(usize, &'a str, Vec<&'a str>),
    /// A comment of one line, which readers do not see.
    Hidden(usize, &'a str),
}

/// The README and everything in contrib/doc.
pub(crate) fn all() -> Vec<Page> {
    let folder = fs::read_dir(root().join("contrib/doc")).expect("it is part of the repository");
    let mut paths: Vec<String> = folder
        .map(|entry| entry.expect("a listed entry can be read").file_name())
        .map(|name| format!("contrib/doc/{}", name.to_string_lossy()))
        .filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.push("README.md".to_owned());
    paths.sort();
    paths.iter().map(|path| page(path)).collect()
}

/// The document at that path.
pub(crate) fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).expect("the document is there");
    Page { path: path.to_owned(), text }
}

/// The pieces of a document.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut lines = (1..).zip(text.split_inclusive('\n'));
    let mut prose: Option<(usize, usize)> = None;
    let mut end = 0;
    while let Some((number, line)) = lines.next() {
        let start = end;
        end += line.len();
        let line = line.trim_end();
        let hidden = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
        let fence = line.trim_start().strip_prefix("```");
        let indented = line.strip_prefix(INDENT).filter(|_| prose.is_none() && fence.is_none());
        if let Some(line) = indented {
            match pieces.last_mut() {
                Some(Piece::Block(from, INDENTED, block)) if *from + block.len() == number => {
                    block.push(line);
                }
                _ => pieces.push(Piece::Block(number, INDENTED, vec![line])),
            }
            continue;
        }
        if hidden.is_none() && fence.is_none() && !line.is_empty() {
            prose.get_or_insert((number, start));
            continue;
        }
        pieces.extend(prose.take().map(|(number, from)| Piece::Prose(number, &text[from..start])));
        pieces.extend(hidden.map(|words| Piece::Hidden(number, words)));
        let Some(language) = fence else { continue };
        let mut block = Vec::new();
        for (_, line) in lines.by_ref() {
            end += line.len();
            let line = line.trim_end();
            if line.trim_start().starts_with("```") {
                break;
            }
            block.push(line);
        }
        pieces.push(Piece::Block(number + 1, language, block));
    }
    pieces.extend(prose.map(|(number, from)| Piece::Prose(number, &text[from..])));
    pieces
}

/// What stands between backticks in prose, each on one line.
pub(crate) fn code_in(prose: &str) -> impl Iterator<Item = String> {
    let odd = prose.split('`').skip(1).step_by(2);
    odd.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Where the links in prose lead.
pub(crate) fn links_in(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The lines of a block that a person types, each with the machine that its prompt names, and what
/// stands below it until the next. A block without prompts is typed as it stands.
pub(crate) fn typed<'a>(block: &[&'a str]) -> Vec<Typed<'a>> {
    let mut typed: Vec<Typed<'a>> = Vec::new();
    let has_prompts = block.iter().any(|line| prompt(line).is_some());
    for line in block {
        let is_open = typed.last().is_some_and(|last| last.answer.is_empty() && last.is_open());
        match (prompt(line), typed.last_mut()) {
            (Some((machine, line)), _) => typed.push(Typed::on(Some(machine), line)),
            (None, Some(last)) if is_open => last.lines.push(line),
            (None, _) if !has_prompts => typed.push(Typed::on(None, line)),
            (None, Some(last)) => last.answer.push(line),
            (None, None) => {}
        }
    }
    typed.retain(|typed| !typed.lines[0].trim().is_empty());
    typed
}

/// What a person types at once, and what is answered.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Typed<'a> {
    /// Where, if the line says so.
    pub(crate) machine: Option<&'a str>,
    /// One line, or several that belong together.
    pub(crate) lines: Vec<&'a str>,
    /// What should be answered.
    pub(crate) answer: Vec<&'a str>,
}

impl<'a> Typed<'a> {
    fn on(machine: Option<&'a str>, line: &'a str) -> Self {
        Self { machine, lines: vec![line], answer: Vec::new() }
    }

    /// Whether the next line belongs to it.
    fn is_open(&self) -> bool {
        let text = self.text();
        let quotes = |quote: char| text.matches(quote).count() % 2 == 1;
        text.ends_with('\\') || quotes('\'') || quotes('"')
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// The machine that a prompt such as `alpha# ` names, and what is typed after it.
fn prompt(line: &str) -> Option<(&str, &str)> {
    let (machine, typed) = line.split_once("# ")?;
    let is_name = !machine.is_empty() && machine.bytes().all(|byte| byte.is_ascii_lowercase());
    is_name.then_some((machine, typed))
}

#[test]
fn a_page_is_taken_apart_in_order() {
    let text = "On `a`:\nmore\n\n```sh\none\n```\n<!-- lab: end -->\n[b](c.md)\n\n    d\n    e\n";
    let pieces = pieces(text);
    let wanted = [
        Piece::Prose(1, "On `a`:\nmore\n"),
        Piece::Block(5, "sh", vec!["one"]),
        Piece::Hidden(7, "lab: end"),
        Piece::Prose(8, "[b](c.md)\n"),
        Piece::Block(10, INDENTED, vec!["d", "e"]),
    ];
    assert_eq!(pieces, wanted);
    assert_eq!(code_in("`x\ny` z `w`").collect::<Vec<_>>(), ["x y", "w"]);
    assert_eq!(links_in("[b](c.md) [d](e)").collect::<Vec<_>>(), ["c.md", "e"]);
}

#[test]
fn what_is_typed_is_told_from_what_is_answered() {
    let block = ["alpha# echo 'a", "b'", "a", "", "bravo# true \\", "  x"];
    let [first, second] = typed(&block).try_into().expect("two prompts");
    assert_eq!((first.machine, first.text().as_str()), (Some("alpha"), "echo 'a\nb'"));
    assert_eq!(first.answer, ["a", ""]);
    assert_eq!((second.machine, second.text().as_str()), (Some("bravo"), "true \\\n  x"));
    assert_eq!(typed(&["true", "", "false"]).len(), 2);
}

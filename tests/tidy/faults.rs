//! Pairs the rows of the fault catalogue with the tests that show them, both ways.
//! Never judges whether a test shows its row; whoever writes the row does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::source::{Source, all_files, root, rust_files};

const CATALOGUE: &str = "contrib/doc/faults.md";
/// The faults and the hostile inputs, in the order of the page.
const ROWS: [(char, u32); 2] = [('F', 122), ('H', 76)];
/// What stands in place of a test.
const EXCUSES: [&str; 2] = ["not yet: ", "cannot be: "];

#[test]
fn every_fault_and_every_hostile_input_has_exactly_one_row() {
    let wanted: Vec<String> = ROWS.iter().flat_map(|(kind, last)| ids(*kind, *last)).collect();
    let found: Vec<String> = catalogue().into_iter().map(|row| row.id).collect();
    for id in &wanted {
        let rows = found.iter().filter(|other| *other == id).count();
        assert_eq!(rows, 1, "{CATALOGUE} has {rows} rows {id}: it must have exactly one");
    }
    assert_eq!(found, wanted, "{CATALOGUE}: the rows are not in order, or one is unknown");
}

#[test]
fn every_row_names_tests_that_exist_or_says_why_there_is_none() {
    let known = known();
    let mut wrong = Vec::new();
    for row in catalogue() {
        if row.shown.is_empty() && row.excuses.is_empty() {
            wrong.push(format!("{}: name a test, or `not yet: …`, or `cannot be: …`", row.id));
        }
        for name in row.shown.difference(&known) {
            wrong.push(format!("{}: no `{name}` in tests or contrib: correct the name", row.id));
        }
    }
    assert!(wrong.is_empty(), "{CATALOGUE}\n{}", wrong.join("\n"));
}

#[test]
fn every_test_that_names_a_row_is_named_in_it() {
    let rows: BTreeMap<String, BTreeSet<String>> =
        catalogue().into_iter().map(|row| (row.id, row.shown)).collect();
    let mut wrong = Vec::new();
    let mut marks = rust_files("tests").iter().flat_map(marks).collect::<Vec<_>>();
    marks.extend(all_files("tests/transcripts").iter().filter_map(page_marks));
    assert!(marks.len() > 50, "only {} tests name a row", marks.len());
    for (name, ids) in marks {
        for id in ids {
            match rows.get(&id) {
                None => wrong.push(format!("{id}: `{name}` names it, and there is no such row")),
                Some(shown) if !shown.contains(&name) => {
                    wrong.push(format!("{id}: add `{name}`, which says that it shows it"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{CATALOGUE}\n{}", wrong.join("\n"));
}

/// One row of a table of the page.
struct Row {
    id: String,
    /// What is between backticks in its last cell.
    shown: BTreeSet<String>,
    /// What the last cell says instead.
    excuses: Vec<String>,
}

fn catalogue() -> Vec<Row> {
    let text = fs::read_to_string(root().join(CATALOGUE)).expect("the catalogue is there");
    text.lines().filter_map(row).collect()
}

/// `| F01 | what | must | shown |`; the parts of the last cell are separated by semicolons.
fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    let id = cells.first().filter(|id| is_id(id))?;
    let [_, what, must, last] = cells.as_slice() else {
        panic!("{CATALOGUE}: {id} has {} cells instead of 4", cells.len());
    };
    assert!(!what.is_empty() && !must.is_empty(), "{CATALOGUE}: {id} has an empty cell");
    let mut row = Row { id: (*id).to_owned(), shown: BTreeSet::new(), excuses: Vec::new() };
    for part in last.split("; ") {
        let name = part.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let is_excuse = EXCUSES.iter().any(|excuse| part.starts_with(excuse));
        match name {
            Some(name) => drop(row.shown.insert(name.to_owned())),
            None if is_excuse => row.excuses.push(part.to_owned()),
            None => panic!("{CATALOGUE}: {id}: `{part}` is no name between backticks, no excuse"),
        }
    }
    Some(row)
}

/// Everything that a row may name.
fn known() -> BTreeSet<String> {
    let rust = rust_files("tests");
    let mut known: BTreeSet<String> = rust.iter().flat_map(tests).collect();
    let word = |line: &str| line.trim().trim_end_matches(',').to_owned();
    let between = |file: &str, from: &str, to: &str| -> Vec<String> {
        let text = fs::read_to_string(root().join(file)).expect("a known file");
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("{file}: no `{from}`"));
        let (body, _) = rest.split_once(to).expect("what begins ends");
        body.lines().map(str::to_owned).collect()
    };
    let named = |lines: Vec<String>| -> Vec<String> {
        let words = lines.iter().map(|line| word(line));
        words.filter(|w| !w.is_empty() && w.chars().all(char::is_alphanumeric)).collect()
    };
    let kinds = named(between("tests/sim/faults.rs", "enum Kind {", "\n}\n"));
    known.extend(kinds.into_iter().map(|kind| format!("sim: fault {kind}")));
    let rules = named(between("src/protocol/mutant.rs", "rules! {", "\n}\n"));
    let others = named(between("tests/sim/missing.rs", "enum Missing {", "\n}\n"));
    let mutants = rules.into_iter().chain(others);
    known.extend(mutants.map(|name| format!("sim: mutant {name}")));
    let scripts = between("tests/sim/scripts.rs", "const SCRIPTS", "\n];\n");
    let names = scripts.iter().filter_map(|line| line.split('"').nth(1));
    known.extend(names.map(|name| format!("sim: script {name}")));
    for part in ["plan", "children", "hooks"] {
        let chaos = between(&format!("contrib/chaos/{part}.py"), "\nKINDS = {", "\n}\n");
        let names = chaos.iter().filter_map(|line| line.split('"').nth(1));
        known.extend(names.map(|name| format!("chaos: {name}")));
    }
    if rust.iter().any(|source| source.path == "tests/sim/small_world/mod.rs") {
        known.insert("small world".to_owned());
    }
    known.extend(all_files("tests/transcripts").iter().filter_map(page));
    let commands = all_files("contrib/lab").into_iter().filter_map(|source| {
        let name = source.path.strip_prefix("contrib/lab/")?.to_owned();
        (!name.contains(['.', '/'])).then(|| format!("lab: {name}"))
    });
    known.extend(commands);
    known
}

/// `transcript 05-quiet-period` for a page of that name.
fn page(source: &Source) -> Option<String> {
    let name = source.path.rsplit('/').next()?.strip_suffix(".md")?;
    name.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("transcript {name}"))
}

/// The rows that a page says it shows.
fn page_marks(source: &Source) -> Option<(String, BTreeSet<String>)> {
    let said = source.text.lines().find(|line| line.contains("Fault"))?;
    let (_, rows) = said.split_once("Fault")?;
    Some((page(source)?, ids_in(rows)))
}

/// The full paths of the tests of a file.
fn tests(source: &Source) -> Vec<String> {
    scan(source).into_iter().map(|(name, _)| name).collect()
}

/// The tests of a file that name rows, and the rows.
fn marks(source: &Source) -> Vec<(String, BTreeSet<String>)> {
    scan(source).into_iter().filter(|(_, ids)| !ids.is_empty()).collect()
}

/// Each test, with the rows named by those lines of its comment that begin with a row.
fn scan(source: &Source) -> Vec<(String, BTreeSet<String>)> {
    let path = source.path.trim_start_matches("tests/").trim_end_matches(".rs");
    let module = path.trim_end_matches("/mod").replace('/', "::");
    let mut found = Vec::new();
    let (mut ids, mut is_test) = (BTreeSet::new(), false);
    for line in source.text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("/// ") {
            if comment.split([',', ':', ' ']).next().is_some_and(is_id) {
                ids.extend(ids_in(comment));
            }
        } else if line == "#[test]" {
            is_test = true;
        } else if !line.starts_with("#[") {
            let name = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            if let (true, Some(name)) = (is_test, name) {
                found.push((format!("{module}::{name}"), std::mem::take(&mut ids)));
            }
            (ids, is_test) = (BTreeSet::new(), false);
        }
    }
    found
}

/// `F01`, `F122`, `H07`.
fn is_id(word: &str) -> bool {
    let digits = word.strip_prefix(ROWS.map(|(kind, _)| kind));
    digits.is_some_and(|d| (2..4).contains(&d.len()) && d.chars().all(|c| c.is_ascii_digit()))
}

fn ids_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| is_id(word)).map(str::to_owned).collect()
}

fn ids(kind: char, last: u32) -> impl Iterator<Item = String> {
    (1..=last).map(move |number| format!("{kind}{number:02}"))
}

#[test]
fn a_row_and_the_marks_of_a_test_are_read_whole() {
    let read = row("| F07 | a | b | `x::y`; `sim: fault Deaf`; not yet: hooks |").expect("a row");
    assert_eq!(read.shown, ["sim: fault Deaf", "x::y"].map(str::to_owned).into());
    assert_eq!(read.excuses, ["not yet: hooks"]);
    assert!(row("| fault | what |").is_none() && row("F07").is_none());
    let text =
        "/// F01, H02: words F3.\n/// As F05 does.\n#[test]\nfn a_b_c() {\n}\n/// F09\nfn d()";
    let source = Source { path: "tests/spec/x/mod.rs".to_owned(), text: text.to_owned() };
    let ids = ["F01", "H02"].map(str::to_owned).into();
    assert_eq!(scan(&source), [("spec::x::a_b_c".to_owned(), ids)]);
}

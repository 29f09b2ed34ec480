//! What programs are told, as a JSON Schema made from the declarations of what is spelled; and the
//! judge by whom every test that reads such an output holds it against that.
//! contrib/doc/quorate.schema.json: `UPDATE_DOCUMENTS=1 cargo test spec::schema` writes it again.

mod declared;
mod judge;
mod made;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use log::Level;
use quorate::cli::help::{Shelf, TOPICS};
use quorate::daemon::log::{self as lines, Shape};
use quorate::protocol::units::NodeId;
use serde_json::Value;

pub(crate) use judge::Judge;

use super::written::assert_written;

/// The page that says which output is which definition.
const PAGE: &str = "contrib/doc/json.md";

/// The schema.
pub(crate) fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(made::schema)
}

/// What is asked, in words, and the definition of what comes: the rows of the page's tables.
fn rows() -> &'static [(Vec<String>, String)] {
    static ROWS: OnceLock<Vec<(Vec<String>, String)>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        let page = std::fs::read_to_string(page).expect("the page is there");
        let row = |line: &str| {
            let (asked, told) = line.strip_prefix("| `")?.split_once("` | ")?;
            let definition = told.split('`').nth(1)?.to_owned();
            let asked = asked.strip_prefix("quorate ").unwrap_or(asked);
            let words = asked.split(' ').filter(|word| !["--json", "…"].contains(word));
            Some((words.map(str::to_owned).collect(), definition))
        };
        page.lines().filter_map(row).collect()
    })
}

/// The definition of what comes for `asked`: that of the row with the most words of it.
fn definition(asked: &[&str]) -> Option<&'static str> {
    let is_flag = |word: &&&str| word.starts_with("--");
    let given: Vec<&str> = asked.iter().filter(|word| !is_flag(word)).copied().collect();
    let stands_for_any = |word: &str| word.chars().all(|letter| letter.is_ascii_uppercase());
    let fits = |words: &[String]| {
        let (flags, plain): (Vec<&str>, Vec<&str>) =
            words.iter().map(String::as_str).partition(|word| word.starts_with("--"));
        let is_same = |(word, given): (&&str, &&str)| {
            word == given || (stands_for_any(word) && *word != "GET")
        };
        plain.len() <= given.len()
            && plain.iter().zip(&given).all(is_same)
            && flags.iter().all(|flag| asked.contains(flag))
    };
    let fitting = rows().iter().filter(|(words, _)| fits(words));
    fitting.max_by_key(|(words, _)| words.len()).map(|(_, definition)| definition.as_str())
}

/// Has `judge` judge what came for `asked`, one value a line.
pub(crate) fn judged(judge: &mut Judge<'_>, asked: &[&str], told: &str) {
    let definition = definition(asked).unwrap_or_else(|| panic!("{PAGE} has no row of {asked:?}"));
    for line in told.lines() {
        let value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        judge.judge(definition, &value);
    }
}

/// That what came for `asked` is what the schema describes.
#[track_caller]
pub(crate) fn assert_described(asked: &[&str], told: &str) {
    let mut judge = Judge::by(schema());
    judged(&mut judge, asked, told);
    assert!(judge.wrong.is_empty(), "{asked:?}: {:#?}\n{told}", judge.wrong);
}

#[test]
fn the_schema_is_what_the_program_declares() {
    let text = made::text(schema());
    assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), schema());
    assert_written("contrib/doc/quorate.schema.json", &text);
}

#[test]
fn every_command_with_json_has_its_row_on_the_page() {
    let shown = TOPICS.iter().filter(|topic| topic.shelf != Shelf::Internal);
    let mut commands = 0;
    for topic in shown.filter(|topic| topic.flag("json").is_some()) {
        let name: Vec<&str> = topic.name.split(' ').collect();
        let is_own = |words: &[String]| words.iter().zip(&name).all(|(word, own)| word == own);
        let has_row = rows().iter().any(|(words, _)| words.len() >= name.len() && is_own(words));
        assert!(has_row, "{}", topic.name);
        commands += 1;
    }
    assert!(commands > 15, "{commands}");
}

#[test]
fn every_whole_output_of_the_schema_has_a_row_on_the_page_and_every_row_a_definition() {
    let name = |one: &Value| one["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let whole: BTreeSet<String> = schema()["anyOf"].as_array().unwrap().iter().map(name).collect();
    let rows: BTreeSet<String> = rows().iter().map(|(_, definition)| definition.clone()).collect();
    assert_eq!(whole, rows);
}

#[test]
fn a_whole_output_says_its_schema() {
    for one in schema()["anyOf"].as_array().unwrap() {
        let name = one["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let properties = &schema()["$defs"][name]["properties"];
        // The log is read by people's tools for logs, which know these four fields.
        assert_eq!(properties["schema"]["const"] == 1, name != "LogLine", "{name}");
    }
}

#[test]
fn an_output_is_found_by_the_most_words_that_fit() {
    assert_eq!(definition(&["explain", "who", "--json"]), Some("Who"));
    assert_eq!(definition(&["explain", "alarm-stall", "--json"]), Some("Code"));
    assert_eq!(definition(&["history", "--json", "--all"]), Some("Event"));
    assert_eq!(definition(&["history", "--json"]), Some("Reign"));
    assert_eq!(definition(&["config", "timing", "--json"]), Some("Presets"));
    assert_eq!(definition(&["config", "timing", "--json", "x.yaml"]), Some("Arithmetic"));
    assert_eq!(definition(&["no-such-thing"]), None);
}

#[test]
fn a_judge_sees_what_is_missing_not_described_or_of_another_type() {
    let schema = serde_json::json!({"$defs": {
        "Cat": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "age_ms": {"type": ["integer", "null"], "minimum": 0},
                "friends": {"type": "array", "items": {"$ref": "#/$defs/Cat"}},
                "mood": {"anyOf": [{"$ref": "#/$defs/Mood"}, {"type": "null"}]},
            },
            "required": ["name"],
        },
        "Mood": {"enum": ["good", "bad"]},
    }});
    let wrong = |text: &str| {
        let mut judge = Judge::by(&schema);
        judge.judge("Cat", &serde_json::from_str(text).unwrap());
        (judge.wrong.len(), judge.seen.len())
    };
    let sound = r#"{"name": "a", "age_ms": null, "friends": [{"name": "b"}], "mood": "good"}"#;
    assert_eq!(wrong(sound), (0, 3));
    assert_eq!(wrong(r#"{"name": "a", "mood": null}"#), (0, 1));
    for text in [
        "{}",
        "[]",
        r#"{"name": 1}"#,
        r#"{"name": "a", "age_ms": -1}"#,
        r#"{"name": "a", "friends": [{}]}"#,
        r#"{"name": "a", "mood": "fair"}"#,
        r#"{"name": "a", "tail": true}"#,
    ] {
        assert_eq!(wrong(text).0, 1, "{text}");
    }
}

#[test]
fn a_line_of_the_log_is_what_the_schema_says() {
    let node = NodeId::new("alpha").unwrap();
    let line = lines::line(Shape::Json, "2026-01-02T03:04:05.678Z", Level::Warn, &node, "a \"b\"");
    assert_described(&["log:", "{format:", "json}"], &line);
}

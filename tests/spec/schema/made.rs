//! Makes contrib/doc/quorate.schema.json from the declarations of what is spelled: one definition a
//! struct or enum, with its comments.
//! Never says what a field means; the program's comments do.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::declared::{Declared, Field, Inside, Shape, Variant, declared};

/// Where reports are declared.
const SOURCES: [&str; 17] = [
    "src/wire/control.rs",
    "src/wire/circumstances.rs",
    "src/wire/peers.rs",
    "src/wire/ranking.rs",
    "src/wire/facts.rs",
    "src/wire/keys.rs",
    "src/wire/archive.rs",
    "src/cli/nodes.rs",
    "src/cli/who.rs",
    "src/cli/config.rs",
    "src/cli/budget.rs",
    "src/cli/doctor/mod.rs",
    "src/cli/doctor/facts.rs",
    "src/cli/doctor/outlook.rs",
    "src/daemon/premises.rs",
    "src/daemon/log.rs",
    "tests/spec/schema/by_hand.txt",
];

/// What a whole output may be; all else is part of one.
const WHOLE: [&str; 23] = [
    "StatusReport",
    "EventReport",
    "ReignReport",
    "RevisionReport",
    "DocumentReport",
    "CodeReport",
    "WhoReport",
    "NodesReport",
    "DoctorReport",
    "ArithmeticReport",
    "PresetsReport",
    "OriginReport",
    "InviteReport",
    "KeyReport",
    "EditReport",
    "HandoverReport",
    "ClusterReport",
    "PastReport",
    "ConfigReport",
    "VerdictReport",
    "LaterReport",
    "HookReport",
    "JsonLine",
];

/// The whole schema.
pub(super) fn schema() -> Value {
    let declared: BTreeMap<String, Declared> = SOURCES
        .iter()
        .flat_map(|path| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            declared(&fs::read_to_string(path).expect("it is part of the repository"))
        })
        .map(|one| (one.name.clone(), one))
        .collect();
    let mut definitions = Map::new();
    let mut wanted: Vec<String> = WHOLE.iter().map(|name| (*name).to_owned()).collect();
    while let Some(name) = wanted.pop() {
        if !definitions.contains_key(public(&name)) {
            let one = declared.get(&name).unwrap_or_else(|| panic!("{name} is declared nowhere"));
            definitions.insert(public(&name).to_owned(), definition(one, &mut wanted));
        }
    }
    let whole: Vec<Value> = WHOLE.iter().map(|name| reference(name)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What quorate tells programs",
        "description": "One definition for each thing that `--json` prints, HTTP answers, hooks \
                        read and the log says; contrib/doc/json.md has which is which.",
        "anyOf": whole,
        "$defs": definitions,
    })
}

/// The schema as people read it: one line a field.
pub(super) fn text(schema: &Value) -> String {
    /// Below this a value is one line.
    const DEPTH: usize = 4;
    fn put(text: &mut String, value: &Value, depth: usize) {
        match value.as_object().filter(|_| depth < DEPTH) {
            None => text.push_str(&value.to_string()),
            Some(entries) => {
                text.push('{');
                for (at, (name, value)) in entries.iter().enumerate() {
                    text.push_str(if at > 0 { ",\n" } else { "\n" });
                    text.push_str(&format!("{}{}: ", "  ".repeat(depth + 1), json!(name)));
                    put(text, value, depth + 1);
                }
                text.push_str(&format!("\n{}}}", "  ".repeat(depth)));
            }
        }
    }
    let mut text = String::new();
    put(&mut text, schema, 0);
    text + "\n"
}

/// What a definition is called: a report's name without saying that it is one.
fn public(name: &str) -> &str {
    match name {
        "JsonLine" => "LogLine",
        name => name.strip_suffix("Report").unwrap_or(name),
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{}", public(name)) })
}

fn definition(one: &Declared, wanted: &mut Vec<String>) -> Value {
    assert!(!one.about.is_empty(), "{} is not explained", one.name);
    let mut made = match &one.shape {
        Shape::Struct(fields) => object(fields, wanted),
        Shape::Enum(all) if all.iter().all(|one| matches!(one.inside, Inside::Nothing)) => {
            json!({ "enum": all.iter().map(|one| &one.word).collect::<Vec<_>>() })
        }
        Shape::Enum(all) => {
            json!({ "oneOf": all.iter().map(|one| variant(one, wanted)).collect::<Vec<_>>() })
        }
    };
    made["description"] = one.about.clone().into();
    made
}

fn object(fields: &[Field], wanted: &mut Vec<String>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        properties.insert(field.name.clone(), property(field, wanted));
    }
    let needed = fields.iter().filter(|field| !field.is_optional);
    let needed: Vec<&str> = needed.map(|field| field.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": needed })
}

fn property(field: &Field, wanted: &mut Vec<String>) -> Value {
    let Field { name, about, kind: spelled, .. } = field;
    assert!(!about.is_empty(), "{name} is not explained");
    if name == "schema" {
        return json!({ "const": 1, "description": "Always 1." });
    }
    let units = [
        ("_ms", "milliseconds"),
        ("_us", "microseconds"),
        ("_ppm", "parts per million"),
        ("_bytes", "bytes"),
    ];
    let is_number = ["u32", "u64", "i64"].iter().any(|number| spelled.contains(number));
    let unit = units.iter().find(|(suffix, _)| is_number && name.ends_with(suffix));
    let mut made = kind(spelled, wanted);
    made["description"] = match unit {
        Some((_, unit)) => format!("{about} In {unit}.").into(),
        None => about.clone().into(),
    };
    made
}

fn variant(one: &Variant, wanted: &mut Vec<String>) -> Value {
    let inside = match &one.inside {
        Inside::Nothing => return json!({ "const": one.word, "description": one.about }),
        Inside::One(spelled) => kind(spelled, wanted),
        Inside::Fields(fields) => object(fields, wanted),
    };
    json!({
        "type": "object",
        "description": one.about,
        "properties": { one.word.clone(): inside },
        "required": [one.word],
    })
}

/// The schema of a type of Rust.
fn kind(spelled: &str, wanted: &mut Vec<String>) -> Value {
    let plain = spelled.trim_start_matches("&'static ").trim_start_matches("&'a ");
    let plain = plain.rsplit("::").next().filter(|_| !plain.contains('<')).unwrap_or(plain);
    let inside = |name: &str| plain.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>');
    if let Some(inside) = inside("Box") {
        return kind(inside, wanted);
    }
    if let Some(inside) = inside("Option") {
        return or_null(kind(inside, wanted));
    }
    let items = plain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let items = items.or_else(|| spelled_slice(spelled)).or_else(|| inside("Vec"));
    if let Some(items) = items {
        return json!({ "type": "array", "items": kind(items, wanted) });
    }
    if let Some((_, value)) = inside("BTreeMap").and_then(|inside| inside.split_once(", ")) {
        return json!({ "type": "object", "additionalProperties": kind(value, wanted) });
    }
    match plain {
        "String" | "str" | "PathBuf" => json!({ "type": "string" }),
        "bool" => json!({ "type": "boolean" }),
        "u32" | "u64" | "usize" => json!({ "type": "integer", "minimum": 0 }),
        "i64" => json!({ "type": "integer" }),
        name => {
            let name = name.split('<').next().unwrap_or(name);
            wanted.push(name.to_owned());
            reference(name)
        }
    }
}

/// The items of `&'a [premises::FileFacts]`.
fn spelled_slice(spelled: &str) -> Option<&str> {
    spelled.strip_prefix("&'a [")?.strip_suffix(']')
}

fn or_null(mut made: Value) -> Value {
    match made.get_mut("type") {
        Some(kind) => {
            *kind = json!([kind, "null"]);
            made
        }
        None => json!({ "anyOf": [made, { "type": "null" }] }),
    }
}

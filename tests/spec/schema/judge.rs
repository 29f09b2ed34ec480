//! Holds a value against a definition of the schema, strictly: what is there must be described, and
//! what is described must be there unless it may be left out. Remembers what it saw.
//! Knows as much of JSON Schema as the schema uses, and complains about all else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// A judge, and what it saw.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    definitions: &'a Map<String, Value>,
    /// What is wrong, each with its place.
    pub(crate) wrong: Vec<String>,
    /// Every field, as `Definition.field`, that was there and not null.
    pub(crate) seen: BTreeSet<String>,
}

impl<'a> Judge<'a> {
    pub(crate) fn by(schema: &'a Value) -> Self {
        let definitions = schema["$defs"].as_object().expect("a schema has definitions");
        Self { definitions, wrong: Vec::new(), seen: BTreeSet::new() }
    }

    /// Judges `value`, which should be what that definition describes.
    pub(crate) fn judge(&mut self, definition: &str, value: &Value) {
        match self.definitions.get(definition) {
            Some(rules) => self.follow(rules, value, definition, definition),
            None => self.wrong.push(format!("there is no definition of {definition}")),
        }
    }

    /// `owner` is the definition that is followed, `place` the way to the value.
    fn follow(&mut self, rules: &'a Value, value: &Value, owner: &str, place: &str) {
        let mut says = |what: String| self.wrong.push(format!("{place}: {what}"));
        let rules = rules.as_object().expect("rules are an object");
        let known = [
            "description",
            "type",
            "minimum",
            "const",
            "enum",
            "properties",
            "required",
            "items",
            "additionalProperties",
            "anyOf",
            "oneOf",
            "$ref",
        ];
        if let Some(rule) = rules.keys().find(|rule| !known.contains(&rule.as_str())) {
            says(format!("nobody here knows the rule {rule}"));
        }
        if let Some(kinds) = rules.get("type")
            && !is_of(kinds, value)
        {
            says(format!("{value} is not {kinds}"));
            return;
        }
        if rules.get("minimum").is_some() && !value.is_null() && !value.is_u64() {
            says(format!("{value} is below 0"));
        }
        if rules.get("const").is_some_and(|only| only != value) {
            says(format!("{value} is not {}", rules["const"]));
        }
        let words = rules.get("enum").and_then(Value::as_array);
        if words.is_some_and(|words| !words.contains(value)) {
            says(format!("{value} is none of {words:?}"));
        }
        if let Some(name) = rules.get("$ref").and_then(Value::as_str) {
            let name = name.strip_prefix("#/$defs/").expect("references stay here").to_owned();
            match self.definitions.get(&name) {
                Some(rules) => self.follow(rules, value, &name, place),
                None => self.wrong.push(format!("{place}: there is no definition of {name}")),
            }
        }
        let choices = ["anyOf", "oneOf"].iter().find_map(|one| rules.get(*one)?.as_array());
        if let Some(choices) = choices {
            self.choose(choices, value, owner, place);
        }
        if let (Some(items), Some(values)) = (rules.get("items"), value.as_array()) {
            for (at, value) in values.iter().enumerate() {
                self.follow(items, value, owner, &format!("{place}[{at}]"));
            }
        }
        if let Some(values) = value.as_object() {
            self.enter(rules, values, owner, place);
        }
    }

    fn enter(
        &mut self,
        rules: &'a Map<String, Value>,
        values: &Map<String, Value>,
        owner: &str,
        place: &str,
    ) {
        let properties = rules.get("properties").and_then(Value::as_object);
        let more = rules.get("additionalProperties");
        if properties.is_none() && more.is_none() {
            return; // A reference or a choice says what is in it.
        }
        for (name, value) in values {
            let inside = format!("{place}.{name}");
            match (properties.and_then(|all| all.get(name)), more) {
                (Some(rules), _) => {
                    if !value.is_null() {
                        self.seen.insert(format!("{owner}.{name}"));
                    }
                    self.follow(rules, value, owner, &inside);
                }
                (None, Some(rules)) => self.follow(rules, value, owner, &inside),
                (None, None) => self.wrong.push(format!("{inside} is not described")),
            }
        }
        let required = rules.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !values.contains_key(name) {
                self.wrong.push(format!("{place}.{name} is missing"));
            }
        }
    }

    /// One of the choices must describe the value wholly.
    fn choose(&mut self, choices: &'a [Value], value: &Value, owner: &str, place: &str) {
        let mut complaints = Vec::new();
        for rules in choices {
            let mut other =
                Judge { definitions: self.definitions, wrong: Vec::new(), seen: BTreeSet::new() };
            other.follow(rules, value, owner, place);
            if other.wrong.is_empty() {
                self.seen.append(&mut other.seen);
                return;
            }
            complaints.append(&mut other.wrong);
        }
        self.wrong.push(format!("{place} is no choice: {}", complaints.join("; ")));
    }
}

/// Whether `value` is of one of the types.
fn is_of(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(_) | None => false,
    };
    kinds.as_array().map_or_else(|| is(kinds), |kinds| kinds.iter().any(is))
}

//! Spells JSON by hand, field by field, where no type is worth its own spelling.
//! Never reads any.

use serde::Serialize;

/// An object that is being written.
#[derive(Debug)]
pub struct Object(String);

impl Object {
    /// Without fields.
    #[must_use]
    pub fn new() -> Self {
        Self("{".to_owned())
    }

    /// With one more field, whose value is JSON already.
    #[must_use]
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        for part in ["\"", key, "\":", json] {
            self.0.push_str(part);
        }
        self
    }

    /// A text, or null.
    #[must_use]
    pub fn text<'a>(self, key: &str, value: impl Into<Option<&'a str>>) -> Self {
        self.raw(key, &of(&value.into()))
    }

    /// A number, or null.
    #[must_use]
    pub fn number(self, key: &str, value: impl Into<Option<u64>>) -> Self {
        self.raw(key, &of(&value.into()))
    }

    /// Yes, no, or null.
    #[must_use]
    pub fn truth(self, key: &str, value: impl Into<Option<bool>>) -> Self {
        self.raw(key, &of(&value.into()))
    }

    /// All of it.
    #[must_use]
    pub fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

/// The list of `items`, each of which is JSON already.
#[must_use]
pub fn list(items: impl Iterator<Item = String>) -> String {
    let mut text = "[".to_owned();
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    text
}

/// Anything that knows its spelling.
#[must_use]
pub fn of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("reports have string keys only")
}

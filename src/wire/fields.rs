//! Reads reports by the names of their fields, one field after the other. What serde derives for
//! it is compiled for each report as a state machine of its own, five times as large.
//! Never knows what a field means; fields that nobody asks for are passed over.

use core::fmt;

use serde::de::{self, DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Error, Map, Value};

/// What is not read yet of a JSON object.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// The field of that name, if it is there.
    pub(super) fn taken<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Error> {
        self.0.remove(name).map(serde_json::from_value).transpose()
    }

    /// The field of that name.
    pub(super) fn needed<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, Error> {
        self.taken(name)?.ok_or_else(|| Error::missing_field(name))
    }

    /// All that is left, as a report.
    pub(super) fn rest<T: DeserializeOwned>(self) -> Result<T, Error> {
        serde_json::from_value(Value::Object(self.0))
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Result<(), Error> {
        self.0
            .keys()
            .next()
            .map_or(Ok(()), |name| Err(Error::custom(format_args!("unknown field `{name}`"))))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> de::Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(de::Error::custom(format_args!("duplicate field `{name}`")));
            }
            fields.insert(name, value);
        }
        Ok(Fields(fields))
    }
}

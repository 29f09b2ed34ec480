//! Finds the line and column of one value or key by reading the text once more, with the same
//! reader, up to it. Never decides what is wrong there.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::problem::Place;

/// One step from a mapping or list into what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// To the value of this key.
    Key(String),
    /// To this key itself, which ends the way.
    Name(String),
    /// To the item of this index.
    Item(usize),
}

/// Where the way `steps` ends in `text`.
pub(super) fn locate(text: &str, steps: &[Step]) -> Option<Place> {
    let arrival = Way(steps).deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    Place::reported_by(&arrival)
}

/// Arriving is an error: the reader puts the place at hand into errors and into nothing else.
#[derive(Clone, Copy)]
struct Way<'a>(&'a [Step]);

fn arrived<T, E: Error>() -> Result<T, E> {
    Err(E::custom("here"))
}

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A plain value matches nothing here, so reaching one is an error at its place, as wanted.
impl<'de> Visitor<'de> for Way<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the way to go on")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Some((Step::Item(wanted), rest)) = self.0.split_first() else {
            return arrived();
        };
        for _ in 0..*wanted {
            access.next_element::<IgnoredAny>()?;
        }
        access.next_element_seed(Way(rest))?;
        arrived()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.0.split_first() else {
            return arrived();
        };
        while let Some(found) = access.next_key_seed(Name(first))? {
            if found {
                access.next_value_seed(Way(rest))?;
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        arrived()
    }
}

/// Reads one key: whether the way goes through its value; an error if the way ends at the key.
struct Name<'a>(&'a Step);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        match self.0 {
            Step::Key(wanted) => Ok(wanted == key),
            Step::Name(wanted) if wanted == key => arrived(),
            Step::Name(_) | Step::Item(_) => Ok(false),
        }
    }
}

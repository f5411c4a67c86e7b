//! A line's JSON object, taken apart without building what is not needed: values of fields are texts or short lists of
//! numbers, and of anything else only the type is kept. Nesting costs no stack.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::{Field, LineError};

/// Of an unknown field's name, so many characters are repeated in the error.
const SHOWN_NAME: usize = 64;

/// A field's value, as far as any field has a use for it.
pub(super) enum Value {
    Text(String),
    /// Exactly two whole numbers.
    Pair(u64, u64),
    /// The name of what it is instead.
    Other(&'static str),
}

impl Value {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Pair(..) => "a list",
            Self::Other(name) => name,
        }
    }
}

/// The fields of one line, by the order of [`Field::ALL`].
#[derive(Default)]
pub(super) struct Object {
    values: [Option<Value>; Field::ALL.len()],
    /// The first thing that is wrong with the names.
    fault: Option<LineError>,
}

impl Object {
    /// Reads a line that must be one JSON object and nothing else.
    pub(super) fn read(line: &str) -> Result<Self, LineError> {
        let object: Self = serde_json::from_str(line).map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => LineError::CutShort,
            serde_json::error::Category::Data => LineError::NotAnObject,
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                LineError::NotJson { column: error.column() }
            }
        })?;
        match object.fault {
            Some(fault) => Err(fault),
            None => Ok(object),
        }
    }

    /// Takes a field's value out.
    pub(super) fn take(&mut self, field: Field) -> Option<Value> {
        let mut all = Field::ALL.iter().zip(&mut self.values);
        all.find(|(known, _)| **known == field).and_then(|(_, value)| value.take())
    }

    fn put(&mut self, name: &str, value: Value) {
        let mut all = Field::ALL.iter().zip(&mut self.values);
        let fault = match all.find(|(field, _)| field.name() == name) {
            Some((_, place @ None)) => {
                *place = Some(value);
                return;
            }
            Some((field, Some(_))) => LineError::Repeated { field: *field },
            None => LineError::UnknownField { name: shown(name) },
        };
        self.fault.get_or_insert(fault);
    }
}

/// The beginning of a name from outside, harmless on a terminal.
fn shown(name: &str) -> Box<str> {
    let mut shown = String::new();
    for character in name.chars().take(SHOWN_NAME) {
        if character == ' ' || character.is_ascii_graphic() {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown.into()
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object::default();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value()?;
            object.put(&name, value);
        }
        Ok(object)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other("true or false"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let first = list.next_element::<Number>()?;
        let second = list.next_element::<Number>()?;
        let mut more = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            more = true;
        }
        Ok(match (first, second, more) {
            (Some(Number(Some(first))), Some(Number(Some(second))), false) => Value::Pair(first, second),
            _ => Value::Other("a list"),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other("an object"))
    }
}

/// A whole number that is not negative, or not one.
struct Number(Option<u64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

struct AnyNumber;

impl<'de> Visitor<'de> for AnyNumber {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(Some(number)))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Number, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Number(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Number, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Number(None))
    }
}

//! Typed readers over the TOML: each takes one key, and leaves a fault where it does not find what belongs there.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Faults;
use super::problem::Problem;
use super::shape::Shape;

/// A value and its place.
pub(super) type At<T> = Spanned<T>;

/// One table of the file.
pub(super) struct Reader<'r, 't, 'i> {
    shape: &'static Shape,
    table: &'r DeTable<'i>,
    place: Range<usize>,
    faults: &'r Faults<'t>,
}

impl<'r, 't, 'i> Reader<'r, 't, 'i> {
    /// Opens a table whose header is at `place`; unknown keys become faults at once.
    pub(super) fn open(
        shape: &'static Shape,
        table: &'r DeTable<'i>,
        place: Range<usize>,
        faults: &'r Faults<'t>,
    ) -> Self {
        for (key, value) in table.iter().filter(|(key, _)| !shape.keys.contains(&key.get_ref().as_ref())) {
            let text = key.get_ref().to_string();
            let hint = shape.hint(&text);
            let problem = if matches!(text.as_str(), "secret" | "shared-secret" | "shared_secret") {
                Problem::SecretInFile
            } else if value.get_ref().is_table() {
                Problem::UnknownTable { key: text, hint }
            } else {
                Problem::UnknownKey { key: text, hint }
            };
            faults.add(key.span(), problem);
        }
        Self { shape, table, place, faults }
    }

    /// Where the table begins, for faults that have no place of their own.
    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// Is the key written at all, with whatever value?
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Like the other readers, for a key that the table cannot do without.
    pub(super) fn required<T>(&self, key: &'static str, value: Option<At<T>>) -> Option<At<T>> {
        if !self.has(key) {
            self.faults.add(self.place(), Problem::MissingKey { key, heading: self.shape.heading });
        }
        value
    }

    /// A value that `read` knows; it says `None` for a value of another type.
    pub(super) fn value<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        read: impl Fn(&DeValue<'i>) -> Option<Result<T, Problem>>,
    ) -> Option<At<T>> {
        self.one(key, expected, self.table.get(key)?, read)
    }

    /// A text, which `parse` understands.
    pub(super) fn text<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Result<T, Problem>,
    ) -> Option<At<T>> {
        self.value(key, expected, |value| value.as_str().map(&parse))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<At<bool>> {
        self.value(key, "true or false", |value| value.as_bool().map(Ok))
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(&self, key: &'static str, least: u64, most: u64) -> Option<At<u64>> {
        self.value(key, "a whole number", |value| {
            let integer = value.as_integer()?;
            let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
            let found = integer.to_string();
            Some(number.filter(|n| (least..=most).contains(n)).ok_or(Problem::NumberRange { key, least, most, found }))
        })
    }

    /// A list of texts, each of which `parse` understands; none may come twice.
    pub(super) fn texts<T: PartialEq>(
        &self,
        key: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Result<T, Problem>,
    ) -> Option<At<Vec<At<T>>>> {
        let value = self.table.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, expected, value);
            return None;
        };
        let mut list: Vec<At<T>> = Vec::new();
        for item in items {
            let read = self.one(key, expected, item, |value| value.as_str().map(&parse));
            match read {
                Some(item) if list.contains(&item) => self.faults.add(item.span(), Problem::Repeated { key }),
                Some(item) => list.push(item),
                None => {}
            }
        }
        Some(At::new(value.span(), list))
    }

    /// A table in this one. A table that is not written reads as an empty one.
    pub(super) fn table<T>(
        &self,
        key: &'static str,
        shape: &'static Shape,
        read: impl Fn(&Reader<'_, 't, 'i>) -> T,
    ) -> T {
        let empty = DeTable::new();
        let written = self.table.get(key).and_then(|value| match value.get_ref().as_table() {
            Some(table) => Some((table, value.span())),
            None => {
                self.wrong_type(key, "a table", value);
                None
            }
        });
        let (table, place) = written.unwrap_or((&empty, self.place()));
        read(&Reader::open(shape, table, place, self.faults))
    }

    /// A list of tables in this one.
    pub(super) fn tables<T>(
        &self,
        key: &'static str,
        shape: &'static Shape,
        read: impl Fn(&Reader<'_, 't, 'i>) -> T,
    ) -> Vec<T> {
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, "a list of tables, with double brackets around its header", value);
            return Vec::new();
        };
        let mut list = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => list.push(read(&Reader::open(shape, table, item.span(), self.faults))),
                None => self.wrong_type(key, "a list of tables", item),
            }
        }
        list
    }

    fn one<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        value: &At<DeValue<'i>>,
        read: impl Fn(&DeValue<'i>) -> Option<Result<T, Problem>>,
    ) -> Option<At<T>> {
        match read(value.get_ref()) {
            Some(Ok(read)) => return Some(At::new(value.span(), read)),
            Some(Err(problem)) => self.faults.add(value.span(), problem),
            None => self.wrong_type(key, expected, value),
        }
        None
    }

    fn wrong_type(&self, key: &'static str, expected: &'static str, value: &At<DeValue<'i>>) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.faults.add(value.span(), Problem::WrongType { key, expected, found });
    }
}

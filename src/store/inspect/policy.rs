//! The file `POLICY`, read by who trusts nobody else's reading of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use serde::Deserialize;
use toml::Value;

use super::InspectError;
use crate::domain::time::BucketWidth;
use crate::store::FORMAT;

/// What the store promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) window: Duration,
    pub(super) bucket: BucketWidth,
    pub(super) purge_interval: Duration,
}

/// The file's shape. What it does not know is refused: it might say that something is kept for longer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Shape {
    #[serde(rename = "format")]
    _format: u32,
    window_seconds: Value,
    bucket_seconds: u32,
    purge_interval_seconds: Value,
    #[serde(rename = "class")]
    _class: BTreeMap<String, String>,
}

/// Reads the policy of a state directory.
pub(super) fn read(path: &Path) -> Result<Policy, InspectError> {
    let text = fs::read_to_string(path).map_err(|error| {
        let (path, kind) = (path.to_owned(), error.kind());
        if kind == io::ErrorKind::NotFound {
            InspectError::PolicyMissing(path)
        } else {
            InspectError::PolicyUnreadable { path, kind }
        }
    })?;
    parse(&text)
}

fn parse(text: &str) -> Result<Policy, InspectError> {
    let malformed = |error: toml::de::Error| InspectError::PolicyMalformed(error.message().to_owned());
    // The format first: of another one, the rest may mean something else.
    let table: toml::Table = toml::from_str(text).map_err(malformed)?;
    match table.get("format").and_then(Value::as_integer) {
        Some(found) if found == i64::from(FORMAT) => {}
        Some(found) => return Err(InspectError::PolicyFormat(found)),
        None => return Err(InspectError::PolicyValue("format")),
    }
    let shape: Shape = toml::from_str(text).map_err(malformed)?;
    Ok(Policy {
        window: seconds(&shape.window_seconds).ok_or(InspectError::PolicyValue("window-seconds"))?,
        bucket: BucketWidth::from_secs(shape.bucket_seconds).ok_or(InspectError::PolicyValue("bucket-seconds"))?,
        purge_interval: seconds(&shape.purge_interval_seconds)
            .ok_or(InspectError::PolicyValue("purge-interval-seconds"))?,
    })
}

/// Seconds, whole or with milliseconds; `None` if they are no duration above zero.
fn seconds(value: &Value) -> Option<Duration> {
    let found = match value {
        Value::Integer(whole) => Duration::from_secs(u64::try_from(*whole).ok()?),
        // Rounded, for a decimal fraction is hardly ever a binary one.
        Value::Float(number) => {
            let exact = Duration::try_from_secs_f64(*number).ok()?;
            Duration::from_millis(u64::try_from(exact.as_micros().saturating_add(500).checked_div(1000)?).ok()?)
        }
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => return None,
    };
    (!found.is_zero()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "format = 1\nwindow-seconds = 172800\nbucket-seconds = 600\npurge-interval-seconds = 60\n[class]\nmeta = \"no personal data\"\n";

    #[test]
    fn durations_are_read_to_the_millisecond() {
        let policy = parse(&GOOD.replace("172800", "4.001")).unwrap();
        assert_eq!(policy.window, Duration::from_millis(4_001));
        assert_eq!(policy.bucket.secs(), 600);
        assert_eq!(policy.purge_interval, Duration::from_secs(60));
    }

    #[test]
    fn what_is_missing_unknown_or_out_of_range_is_refused_and_named() {
        use InspectError as E;
        let cases = [
            ("format = 1", "format = 2", E::PolicyFormat(2)),
            ("format = 1\n", "", E::PolicyValue("format")),
            ("172800", "-1", E::PolicyValue("window-seconds")),
            ("172800", "0", E::PolicyValue("window-seconds")),
            ("172800", "\"48h\"", E::PolicyValue("window-seconds")),
            ("600", "0", E::PolicyValue("bucket-seconds")),
            ("= 60\n", "= inf\n", E::PolicyValue("purge-interval-seconds")),
        ];
        for (from, to, error) in cases {
            assert_eq!(parse(&GOOD.replace(from, to)), Err(error), "{to}");
        }
        for (from, to) in [("[class]", "archive-seconds = 9\n[class]"), ("bucket-seconds = 600\n", ""), ("=", "")] {
            let error = parse(&GOOD.replace(from, to));
            assert!(matches!(error, Err(E::PolicyMalformed(_))), "{error:?}");
        }
    }
}

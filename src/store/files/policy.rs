//! The file `POLICY`: what the store keeps and for how long, in the open, for those who check it from outside.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::disk::{self, DiskError};
use crate::domain::retention::Retention;

/// Writes the file if it does not say this already.
pub(in crate::store) fn publish(path: &Path, retention: &Retention) -> Result<(), DiskError> {
    let text = text_of(retention);
    // A file that cannot be read or is no text is replaced.
    if fs::read_to_string(path).is_ok_and(|written| written == text) {
        return Ok(());
    }
    disk::replace_file(path, &text)
}

/// The file's text.
pub(in crate::store) fn text_of(retention: &Retention) -> String {
    format!(
        "\
# What this store keeps, and for how long. Written by lapsed at every start; a change made here changes nothing.
format = {format}
window-seconds = {window}
bucket-seconds = {bucket}
purge-interval-seconds = {purge_interval}

[class]
by_address = \"personal data; hidden when older than the window, its bucket's key then overwritten\"
by_subscriber = \"personal data; as by_address\"
held = \"not in use\"
requests = \"not in use\"
ledger = \"no personal data; append-only\"
meta = \"no personal data\"
",
        format = crate::store::FORMAT,
        window = seconds(retention.window),
        bucket = retention.bucket.secs(),
        purge_interval = seconds(retention.purge_interval),
    )
}

/// Seconds, with milliseconds if there are any.
fn seconds(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => duration.as_secs().to_string(),
        millis => format!("{}.{millis:03}", duration.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_where_they_can_be() {
        assert_eq!(seconds(Duration::from_secs(172_800)), "172800");
        assert_eq!(seconds(Duration::from_millis(1_050)), "1.050");
    }
}

//! Outputs that are compared byte for byte with files under `tests/snapshots/`.
//!
//! Where an output is meant to change, `LAPSED_RENEW_SNAPSHOTS=1 cargo test --release --locked --test NAME` writes the files anew;
//! what changed is then read in `git diff` before it is committed.

use std::fs;
use std::path::Path;

/// Compares a text with the file of this name, or writes the file if snapshots are renewed.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("LAPSED_RENEW_SNAPSHOTS").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{name} has changed; tests/support/snapshot.rs says how it is renewed. Now it is:\n{text}");
}

//! `lapsed openapi`.

use crate::api::openapi;

use super::{Ending, say, tell};

/// Prints the document.
pub(super) fn openapi() -> Ending {
    match openapi::text() {
        Ok(text) if say(&text).is_ok() => Ending::Ok,
        Ok(_) => Ending::Fault,
        Err(error) => {
            tell(&format!("lapsed: cannot write the document: {error}"));
            Ending::Fault
        }
    }
}

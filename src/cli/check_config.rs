//! `lapsed check-config`.

use std::path::Path;

use crate::config::Config;

use super::{Ending, say, tell};

/// Reads a configuration, the secrets it names included, and says what is wrong or surprising.
pub(super) fn check(file: &Path) -> Ending {
    match Config::read(file) {
        Err(error) => {
            tell(&error.to_string());
            Ending::Usage
        }
        Ok(config) => {
            for remark in config.remarks() {
                tell(&format!("remark: {remark}"));
            }
            say(&format!("{} is valid\n", file.display())).map_or(Ending::Fault, |()| Ending::Ok)
        }
    }
}

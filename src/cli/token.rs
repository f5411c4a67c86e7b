//! `lapsed token`.

use std::path::Path;

use crate::config::Config;
use crate::domain::actor::Role;
use crate::tokens::{self, TokenError};

use super::{Ending, say, tell};

/// Mints a token; it is the last word printed, and printed once.
pub(super) fn mint(config: &Path, name: &str, role: Role) -> Ending {
    let config = match Config::read(config) {
        Ok(config) => config,
        Err(error) => {
            tell(&error.to_string());
            return Ending::Usage;
        }
    };
    match tokens::mint(&config, name, role) {
        Ok(token) => say(&format!("{token}\n")).map_or(Ending::Fault, |()| Ending::Ok),
        Err(error) => {
            tell(&format!("lapsed: {error}"));
            match error {
                TokenError::OtherRole { .. } | TokenError::BadName(_) => Ending::Usage,
                TokenError::Io { .. } | TokenError::BadLine { .. } | TokenError::NoRandom(_) => Ending::Nobody,
            }
        }
    }
}

//! What a look at the machine's clocks shows.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::time::{Timestamp, millis_of};

/// One start of the machine, as the kernel names it. CLOCK_BOOTTIME counts from it, so two values of that clock can be
/// compared within one boot only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootId(pub [u8; 16]);

/// The text is not 32 hexadecimal digits, with hyphens or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no boot id: expected 32 hexadecimal digits")]
pub struct BadBootId;

impl FromStr for BootId {
    type Err = BadBootId;

    fn from_str(text: &str) -> Result<Self, BadBootId> {
        let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
        let number = u128::from_str_radix(&digits, 16).map_err(|_| BadBootId)?;
        if digits.len() == 32 { Ok(Self(number.to_be_bytes())) } else { Err(BadBootId) }
    }
}

/// The machine's clocks, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock, which people and programs can set.
    pub wall: Timestamp,
    /// CLOCK_BOOTTIME: time since the machine started, suspended or not. Nobody can set it. It stops while a virtual
    /// machine is paused.
    pub since_boot: Duration,
    /// Since which start.
    pub boot: BootId,
}

impl Reading {
    /// Time by CLOCK_BOOTTIME from `earlier` to this reading of the same boot; zero if `earlier` is later.
    pub fn elapsed_since(&self, earlier: &Self) -> Duration {
        self.since_boot.saturating_sub(earlier.since_boot)
    }

    /// How far the wall clock has moved against CLOCK_BOOTTIME since `earlier`, a reading of the same boot.
    pub fn step_since(&self, earlier: &Self) -> Step {
        Step::between(earlier.wall.plus(self.elapsed_since(earlier)), self.wall)
    }
}

/// How far a wall clock is from where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It shows a later time; by nothing, if it is where it should be.
    Ahead(Duration),
    /// It shows an earlier time.
    Behind(Duration),
}

impl Step {
    /// From where the clock should be to where it is.
    pub fn between(expected: Timestamp, found: Timestamp) -> Self {
        if found < expected { Self::Behind(expected.since(found)) } else { Self::Ahead(found.since(expected)) }
    }

    /// Its size, whichever way.
    pub const fn size(self) -> Duration {
        match self {
            Self::Ahead(by) | Self::Behind(by) => by,
        }
    }

    /// Whole milliseconds; negative if the clock is behind.
    pub fn millis(self) -> i64 {
        let size = i64::try_from(millis_of(self.size())).unwrap_or(i64::MAX);
        match self {
            Self::Ahead(_) => size,
            Self::Behind(_) => size.saturating_neg(),
        }
    }

    /// Whole seconds, cut towards zero; negative if the clock is behind.
    pub fn secs(self) -> i64 {
        self.millis().checked_div(1000).unwrap_or(0)
    }
}

/// Does the kernel say that its clock is kept right by somebody?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Synchronised {
    /// It does, and the error it admits is below 16 s. Whoever sets the clock by hand takes this away until it is true again.
    Yes,
    /// It does not.
    No,
    /// It may not be asked.
    #[default]
    Unknown,
}

impl fmt::Display for Synchronised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_id_is_read_as_the_kernel_writes_it() {
        let id: BootId = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n".parse().unwrap();
        assert_eq!(id.0[..4], [0x0f, 0x1e, 0x2d, 0x3c]);
        for wrong in ["", "0f1e2d3c", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0"] {
            assert_eq!(wrong.parse::<BootId>(), Err(BadBootId));
        }
    }

    #[test]
    fn a_step_has_a_sign_and_whole_seconds() {
        let at = Timestamp::from_millis;
        assert_eq!(Step::between(at(10_000), at(8_100)).secs(), -1);
        assert_eq!(Step::between(at(8_100), at(10_000)), Step::Ahead(Duration::from_millis(1_900)));
        assert_eq!(Step::between(at(5), at(5)).millis(), 0);
    }
}

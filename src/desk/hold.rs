//! A hold with all that became of it, and its bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filed::{Approval, FiledError, read, written};
use crate::domain::process;
use crate::domain::time::Timestamp;

/// A hold. What it preserves is sealed beside it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The request that it was placed for.
    pub request: String,
    /// When it was placed, in milliseconds since 1970.
    pub placed: u64,
    /// By whom: every name that the person goes by, the one they acted under first.
    pub placed_by: Vec<String>,
    /// Who approved it.
    pub approved: Option<Approval>,
    /// How many statements of sources are in it.
    pub records: usize,
    /// The spans `[from, to)` that it answers for, in milliseconds since 1970.
    pub spans: Vec<(u64, u64)>,
    /// For how many days it is kept at first.
    pub days: u16,
    /// How often it may be renewed.
    pub renewals: u16,
    /// For how many days each time.
    pub renewal_days: u16,
    /// How often it was renewed.
    pub renewed: u16,
    /// The requests that may be answered from it, and who confirmed that it is the same matter.
    pub attached: BTreeMap<String, Approval>,
}

/// Kinds of the sealed rows of a hold.
const HOLD: u8 = b'h';

impl Hold {
    /// The kind of the rows of what it preserves.
    pub const EXHIBIT: u8 = b'e';

    /// A hold under these terms, placed now.
    pub fn placed(request: String, by: Vec<String>, now: Timestamp, terms: process::Hold) -> Self {
        Self {
            request,
            placed: now.millis(),
            placed_by: by,
            approved: None,
            records: 0,
            spans: Vec::new(),
            days: terms.days,
            renewals: terms.renewals,
            renewal_days: terms.renewal_days,
            renewed: 0,
            attached: BTreeMap::new(),
        }
    }

    /// From when on it is destroyed, once it is approved.
    pub fn expires(&self) -> Timestamp {
        let days =
            u64::from(self.days).saturating_add(u64::from(self.renewed).saturating_mul(self.renewal_days.into()));
        Timestamp::from_millis(self.placed.saturating_add(days.saturating_mul(86_400_000)))
    }

    /// Its row: kind, number, bytes.
    ///
    /// # Errors
    ///
    /// If it cannot be written as JSON, which is a fault of ours.
    pub fn row(&self) -> Result<(u8, u32, Vec<u8>), FiledError> {
        Ok((HOLD, 0, written(self)?))
    }

    /// The hold that these rows are; the others are what it preserves.
    ///
    /// # Errors
    ///
    /// If its row is missing or is not in the format.
    pub fn of_rows(rows: impl IntoIterator<Item = (u8, u32, Vec<u8>)>) -> Result<Self, FiledError> {
        let row = rows.into_iter().find(|(kind, _, _)| *kind == HOLD);
        row.map_or_else(|| Err(FiledError::missing("the hold")), |(_, _, bytes)| read(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lives_ninety_days_and_once_ninety_more() {
        let terms = process::Hold { days: 90, renewals: 1, renewal_days: 90 };
        let mut hold = Hold::placed("ab".into(), vec!["desk-1".into()], Timestamp::from_millis(1_000), terms);
        assert_eq!(hold.expires().millis(), 1_000 + 90 * 86_400_000);
        hold.renewed = 1;
        assert_eq!(hold.expires().millis(), 1_000 + 180 * 86_400_000);
        assert_eq!(Hold::of_rows([(b'e', 0, vec![1]), hold.row().unwrap()]), Ok(hold));
        assert!(Hold::of_rows([]).is_err());
    }
}

//! A request with all that became of it, and its bytes: JSON, since papers are text and are to be read in ten years.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Item, Papers};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;

/// A request on file.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What was filed, and what was added to it later. Nothing of it is changed or taken out.
    pub papers: Papers,
    /// What it asks for; numbered from 1. Items are added, and none is changed or taken out.
    pub items: Vec<Item>,
    /// What became of it.
    pub state: State,
}

/// What became of a request. Ids are those of sealed cases, in hexadecimal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// When it was opened, in milliseconds since 1970.
    pub opened: u64,
    /// By whom: every name that the person goes by, the one they acted under first.
    pub opened_by: Vec<String>,
    /// The salt of the commitment to its papers, the same in all its entries of the ledger.
    pub salt: [u8; 32],
    /// Where what is captured for it, and what was answered, is sealed.
    pub capture: Option<String>,
    /// The fields that were added to its papers, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Addition>,
    /// Who approved it.
    pub approvals: Vec<Approval>,
    /// The answers that were given last, by item.
    pub given: BTreeMap<u32, Given>,
    /// The items whose answer would be another one today.
    pub changed: BTreeSet<u32>,
    /// The holds that it may be answered from.
    pub holds: BTreeSet<String>,
    /// The legal process that followed, if it is an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
    /// When its answers were last put together for whoever asked, in milliseconds since 1970.
    #[serde(default)]
    pub packaged: Option<u64>,
    /// When it was closed, in milliseconds since 1970.
    pub closed: Option<u64>,
}

impl State {
    /// A request that somebody has opened, and nothing became of it yet. `by` is every name that the person goes by.
    pub fn opened(at: Timestamp, by: Vec<String>, salt: [u8; 32]) -> Self {
        Self {
            opened: at.millis(),
            opened_by: by,
            salt,
            capture: None,
            added: Vec::new(),
            approvals: Vec::new(),
            given: BTreeMap::new(),
            changed: BTreeSet::new(),
            holds: BTreeSet::new(),
            follow_up: None,
            packaged: None,
            closed: None,
        }
    }
}

/// A field was added to the papers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addition {
    /// Its name.
    pub field: String,
    /// Who added it: every name that the person goes by, the one they acted under first.
    pub by: Vec<String>,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// How many approvals there were by then. They do not speak of it.
    pub after: usize,
}

/// A legal process followed an emergency.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// The request that it is.
    pub request: String,
    /// Who said so: every name that the person goes by, the one they acted under first.
    pub by: Vec<String>,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

/// Somebody approved it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who: every name that the person goes by, the one they acted under first.
    pub by: Vec<String>,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

impl Approval {
    /// Is one of these names the person's?
    fn is_by(&self, names: &[String]) -> bool {
        self.by.iter().any(|name| names.contains(name))
    }
}

/// An answer was given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// With what outcome.
    pub verdict: Verdict,
    /// The entry in the access ledger.
    pub ledger: u64,
    /// SHA-256 over the bytes of the answer, in hexadecimal.
    pub digest: String,
}

/// Bytes that this version did not write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request on file is not in the format: {0}")]
pub struct FiledError(String);

impl FiledError {
    /// Something is not there.
    pub(super) fn missing(what: &str) -> Self {
        Self(format!("{what} is missing"))
    }
}

/// Kinds of the sealed rows of a request.
const PAPERS: u8 = b'p';
const ITEM: u8 = b'i';
const STATE: u8 = b's';

impl Request {
    /// The row of the papers: kind, number, bytes.
    ///
    /// # Errors
    ///
    /// If they cannot be written as JSON, which is a fault of ours.
    pub fn papers_row(&self) -> Result<(u8, u32, Vec<u8>), FiledError> {
        Ok((PAPERS, 0, written(&self.papers)?))
    }

    /// The row of the state.
    ///
    /// # Errors
    ///
    /// As [`Request::papers_row`].
    pub fn state_row(&self) -> Result<(u8, u32, Vec<u8>), FiledError> {
        Ok((STATE, 0, written(&self.state)?))
    }

    /// The rows of the items from number `first` on.
    ///
    /// # Errors
    ///
    /// As [`Request::papers_row`].
    pub fn item_rows(&self, first: u32) -> Result<Vec<(u8, u32, Vec<u8>)>, FiledError> {
        let from = self.numbered().filter(|(number, _)| *number >= first);
        from.map(|(number, item)| Ok((ITEM, number, written(item)?))).collect()
    }

    /// The request that these rows are.
    ///
    /// # Errors
    ///
    /// If a row is missing or is not in the format.
    pub fn of_rows(rows: impl IntoIterator<Item = (u8, u32, Vec<u8>)>) -> Result<Self, FiledError> {
        let (mut papers, mut state, mut items) = (None, None, Vec::new());
        for (kind, number, bytes) in rows {
            match kind {
                PAPERS => papers = Some(read(&bytes)?),
                STATE => state = Some(read(&bytes)?),
                ITEM if usize::try_from(number).is_ok_and(|number| number == items.len().saturating_add(1)) => {
                    items.push(read(&bytes)?);
                }
                _ => return Err(FiledError(format!("a row of kind {kind} and number {number}"))),
            }
        }
        match (papers, state) {
            (Some(papers), Some(state)) => Ok(Self { papers, items, state }),
            _ => Err(FiledError("its papers or its state are missing".into())),
        }
    }

    /// The items with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u32, &Item)> {
        (1_u32..).zip(&self.items)
    }

    /// The item of a number.
    pub fn item(&self, number: u32) -> Option<&Item> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.items.get(index)
    }

    /// When it was opened.
    pub const fn opened(&self) -> Timestamp {
        Timestamp::from_millis(self.state.opened)
    }

    /// Did somebody else than who opened it approve it as it is? What is added afterwards, nobody has approved.
    pub fn is_approved(&self) -> bool {
        self.approvals().any(|approval| !approval.is_by(&self.state.opened_by))
    }

    /// The approvals that speak of all that is in the papers.
    pub fn approvals(&self) -> impl Iterator<Item = &Approval> {
        let earlier = self.state.added.last().map_or(0, |added| added.after);
        self.state.approvals.iter().skip(earlier)
    }

    /// Takes papers to which these fields were added.
    pub fn take_added<'a>(
        &mut self,
        papers: Papers,
        fields: impl IntoIterator<Item = &'a String>,
        by: &[String],
        now: Timestamp,
    ) {
        let after = self.state.approvals.len();
        let added = |field: &String| Addition { field: field.clone(), by: by.to_vec(), at: now.millis(), after };
        self.state.added.extend(fields.into_iter().map(added));
        self.papers = papers;
    }
}

pub(super) fn written(value: &impl Serialize) -> Result<Vec<u8>, FiledError> {
    serde_json::to_vec(value).map_err(|error| FiledError(error.to_string()))
}

pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FiledError> {
    serde_json::from_slice(bytes).map_err(|error| FiledError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ItemText;
    use crate::domain::process::ProcessType;

    fn request() -> Request {
        let item = |address: &str| Item {
            written: ItemText { address: address.into(), at: "2026-11-21T21:03:22Z".into(), ..ItemText::default() },
            network: address.into(),
            port: Some(51515),
            at: 1_795_295_002_000,
            uncertainty: None,
            realm: String::new(),
        };
        let papers = Papers {
            process: ProcessType::Subpoena,
            fields: BTreeMap::from([("case".into(), "24-CR-1022".into())]),
            received: 1_795_295_003_000,
            issued: None,
            follow_up_due: None,
        };
        let state = State::opened(Timestamp::from_millis(1_795_295_004_000), vec!["desk-1".into()], [7; 32]);
        Request { papers, items: vec![item("203.0.113.7"), item("203.0.113.8")], state }
    }

    #[test]
    fn a_request_reads_back_from_its_rows() {
        let request = request();
        let mut rows = request.item_rows(1).unwrap();
        rows.extend([request.papers_row().unwrap(), request.state_row().unwrap()]);
        assert_eq!(Request::of_rows(rows.clone()), Ok(request.clone()));
        assert_eq!(request.item_rows(2).unwrap().len(), 1);
        rows.remove(0);
        assert!(Request::of_rows(rows).is_err());
    }

    #[test]
    fn nobody_approves_what_they_opened() {
        let mut request = request();
        request.state.approvals.push(Approval { by: vec!["lead-7".into(), "desk-1".into()], at: 1 });
        assert!(!request.is_approved());
        request.state.approvals.push(Approval { by: vec!["lead-1".into()], at: 2 });
        assert!(request.is_approved());
        // What was added since, nobody has seen.
        let papers = request.papers.clone();
        request.take_added(papers, [&"statute".to_owned()], &["desk-1".to_owned()], Timestamp::from_millis(3));
        assert!(!request.is_approved());
        request.state.approvals.push(Approval { by: vec!["lead-1".into()], at: 4 });
        assert!(request.is_approved());
    }
}

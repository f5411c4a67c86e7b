//! The papers of a request: every field as written, held against what all requests have and what the type needs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::api::Warning;
use crate::domain::process::{Need, ProcessType};
use crate::domain::time::Timestamp;
use crate::written::instant;

/// The longest field, in bytes.
pub const MAX_FIELD: usize = 4000;

/// Fields without which nothing is filed.
const NEEDED: [&str; 5] = ["authority", "agency", "officer", "officer-contact", "case"];
/// Fields that may be there.
const OPTIONAL: [&str; 7] =
    ["issued", "received", "return-by", "jurisdiction", "document-digest", "non-disclosure", "non-disclosure-until"];
/// What only somebody of ours can give, by approving; nobody can write it into the papers.
const GIVEN_BY_APPROVAL: [Need; 2] = [Need::Approver, Need::SecondPerson];

/// The papers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Papers {
    /// The kind of process.
    pub process: ProcessType,
    /// Every field as written.
    pub fields: BTreeMap<String, String>,
    /// When it was received, in milliseconds since 1970.
    pub received: u64,
    /// When it was issued: the last instant that the text can stand for, in milliseconds since 1970. A day without a zone ends with
    /// its last zone.
    pub issued: Option<u64>,
}

/// Why papers cannot be filed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct PaperFault {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Papers {
    /// Reads papers as written, received at `now` if they do not say.
    ///
    /// # Errors
    ///
    /// Every field that is missing, unknown or cannot be understood.
    pub fn read(
        process: Option<&str>,
        fields: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(Self, Vec<Warning>), Vec<PaperFault>> {
        let (mut faults, mut warnings) = (Vec::new(), Vec::new());
        let mut wrong = |field: &str, detail: String| faults.push(PaperFault { field: field.to_owned(), detail });
        let known = || ProcessType::ALL.map(ProcessType::name).join(", ");
        let process = match process.map(str::parse::<ProcessType>) {
            Some(Ok(process)) => Some(process),
            Some(Err(error)) => {
                wrong("type", format!("{error}; there are {}", known()));
                None
            }
            None => {
                wrong("type", format!("it is missing; there are {}", known()));
                None
            }
        };
        for name in NEEDED {
            if fields.get(name).is_none_or(|text| text.trim().is_empty()) {
                wrong(name, "it is missing; nothing is answered without a process on file".into());
            }
        }
        for (name, text) in fields {
            if !is_field(name) {
                wrong(name, "there is no such field".into());
            } else if text.len() > MAX_FIELD {
                wrong(name, format!("it is longer than {MAX_FIELD} bytes"));
            }
        }
        let mut date = |name: &str| match fields.get(name).map(|text| moment(text)) {
            None => None,
            Some(Ok(moment)) => Some(moment),
            Some(Err(detail)) => {
                wrong(name, detail);
                None
            }
        };
        let (issued, received, _) = (date("issued"), date("received"), date("return-by"));
        if let Some(Moment { whole_day: true, .. }) = received {
            let text = "`received` is a day without a time: its first instant in UTC is taken".to_owned();
            warnings.push(Warning { item: None, code: "received-date-only".into(), text });
        }
        let received_at = received.map_or(now, |moment| moment.at);
        if received.is_none() {
            let text = "`received` is not given: the moment of filing is taken".to_owned();
            warnings.push(Warning { item: None, code: "received-missing".into(), text });
        }
        if received_at > now {
            let text = format!("`received` lies in the future: {received_at}");
            warnings.push(Warning { item: None, code: "received-in-future".into(), text });
        }
        if issued.is_some_and(|issued| issued.at > received_at) {
            let text = "it was issued after it was received".to_owned();
            warnings.push(Warning { item: None, code: "issued-after-received".into(), text });
        }
        match process {
            Some(process) if faults.is_empty() => {
                let issued = issued.map(|moment| moment.last().millis());
                let papers = Self { process, fields: fields.clone(), received: received_at.millis(), issued };
                Ok((papers, warnings))
            }
            _ => Err(faults),
        }
    }

    /// A field as written; empty if it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// When it was received.
    pub const fn received(&self) -> Timestamp {
        Timestamp::from_millis(self.received)
    }

    /// What is on file beside the common fields; what an approval gives, only if there is one.
    pub fn given(&self, approved: bool) -> Vec<Need> {
        let is_there = |need: &Need| {
            if GIVEN_BY_APPROVAL.contains(need) { approved } else { !self.field(need.name()).trim().is_empty() }
        };
        Need::ALL.into_iter().filter(is_there).collect()
    }

    /// Does anything of these need somebody who approves?
    pub fn needs_approval(needs: &BTreeSet<Need>) -> bool {
        GIVEN_BY_APPROVAL.iter().any(|need| needs.contains(need))
    }
}

fn is_field(name: &str) -> bool {
    let of_type =
        Need::ALL.into_iter().filter(|need| !GIVEN_BY_APPROVAL.contains(need)).any(|need| need.name() == name);
    of_type || NEEDED.contains(&name) || OPTIONAL.contains(&name)
}

/// A day or an instant.
#[derive(Clone, Copy)]
struct Moment {
    at: Timestamp,
    whole_day: bool,
}

impl Moment {
    /// The last instant that it can be. Clocks at 12 hours west of Greenwich show a day 36 hours after it has begun there.
    fn last(self) -> Timestamp {
        if self.whole_day { self.at.plus(Duration::from_secs(36 * 3600)) } else { self.at }
    }
}

/// Reads a day (`2026-11-20`) or an instant with a zone.
fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(day) = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
        let midnight = day.and_hms_opt(0, 0, 0).map(|midnight| midnight.and_utc().timestamp_millis());
        let at = midnight.and_then(|millis| u64::try_from(millis).ok()).map(Timestamp::from_millis);
        let at = at.ok_or_else(|| format!("`{text}` lies before 1970"))?;
        return Ok(Moment { at, whole_day: true });
    }
    let read = instant::read(text, None).map_err(|error| error.to_string())?;
    Ok(Moment { at: read.at, whole_day: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let common = NEEDED.map(|name| (name.to_owned(), "x".to_owned()));
        common.into_iter().chain(pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))).collect()
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(1_795_300_000_000)
    }

    #[test]
    fn a_day_and_an_instant_are_taken() {
        let given = fields(&[("issued", "2026-11-20"), ("received", "2026-11-21T09:00:00-07:00"), ("statute", "x")]);
        let (papers, warnings) = Papers::read(Some("subpoena"), &given, now()).unwrap();
        assert_eq!(papers.received().to_string(), "2026-11-21T16:00:00.000Z");
        assert_eq!(papers.issued.map(Timestamp::from_millis).unwrap().to_string(), "2026-11-21T12:00:00.000Z");
        assert_eq!((papers.given(false), warnings), (vec![Need::Statute], Vec::new()));
        let (_, warnings) = Papers::read(Some("subpoena"), &fields(&[("received", "2026-11-21")]), now()).unwrap();
        assert_eq!(warnings[0].code, "received-date-only");
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let mut given = fields(&[("recieved", "2026-11-21"), ("issued", "last week"), ("approver", "me")]);
        given.remove("officer");
        let faults = Papers::read(Some("subpena"), &given, now()).unwrap_err();
        let wrong: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(wrong, ["type", "officer", "approver", "recieved", "issued"]);
    }

    #[test]
    fn nobody_writes_an_approval_into_the_papers() {
        let given = fields(&[("incident", "x"), ("reason", "x")]);
        let (papers, _) = Papers::read(Some("provider-protection"), &given, now()).unwrap();
        assert_eq!(papers.given(false), [Need::Incident, Need::Reason]);
        assert!(papers.given(true).contains(&Need::Approver));
    }
}

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
const OPTIONAL: [&str; 8] = [
    "issued",
    "received",
    "return-by",
    "jurisdiction",
    "document-digest",
    "non-disclosure",
    "non-disclosure-until",
    CUSTOMER_ENTITY,
];
/// Whose customer, where several entities are configured.
pub const CUSTOMER_ENTITY: &str = "customer-entity";
/// The field that says when the process that follows an emergency is due.
const FOLLOW_UP_DUE: &str = "follow-up-due";
/// What only somebody of ours can give, by approving; nobody can write it into the papers.
const GIVEN_BY_APPROVAL: [Need; 2] = [Need::Approver, Need::SecondPerson];

/// The papers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Before when the process that follows an emergency is due, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_due: Option<u64>,
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
        let process = kind(process).map_err(|detail| wrong("type", detail)).ok();
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
        let due = fields.get(FOLLOW_UP_DUE).map(|text| due(text, now));
        let due = due.transpose().map_err(|detail| wrong(FOLLOW_UP_DUE, detail)).ok().flatten();
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
                let (fields, received) = (fields.clone(), received_at.millis());
                let papers = Self { process, fields, received, issued, follow_up_due: due.map(Timestamp::millis) };
                Ok((papers, warnings))
            }
            _ => Err(faults),
        }
    }

    /// The papers with fields that came later, at `now`. What is on file stays as it is.
    ///
    /// # Errors
    ///
    /// Every field that is on file already, is unknown or cannot be understood.
    pub fn with(&self, fields: &BTreeMap<String, String>, now: Timestamp) -> Result<Self, Vec<PaperFault>> {
        let mut with = self.clone();
        let mut faults = Vec::new();
        for (name, text) in fields {
            if let Err(detail) = with.add(name, text, now) {
                faults.push(PaperFault { field: name.clone(), detail });
            }
        }
        if fields.is_empty() {
            faults.push(PaperFault { field: "set".into(), detail: "no field is named".into() });
        }
        if faults.is_empty() { Ok(with) } else { Err(faults) }
    }

    fn add(&mut self, name: &str, text: &str, now: Timestamp) -> Result<(), String> {
        if !is_field(name) {
            return Err("there is no such field".into());
        }
        if !self.field(name).trim().is_empty() || name == "received" {
            return Err("it is on file, and what is on file is not changed".into());
        }
        if text.trim().is_empty() {
            return Err("it is empty".into());
        }
        if text.len() > MAX_FIELD {
            return Err(format!("it is longer than {MAX_FIELD} bytes"));
        }
        match name {
            "issued" => self.issued = Some(moment(text)?.at.millis()),
            "return-by" => drop(moment(text)?),
            FOLLOW_UP_DUE => self.follow_up_due = Some(due(text, now)?.millis()),
            _ => {}
        }
        self.fields.insert(name.to_owned(), text.to_owned());
        Ok(())
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

fn kind(process: Option<&str>) -> Result<ProcessType, String> {
    let known = || ProcessType::ALL.map(ProcessType::name).join(", ");
    match process.map(str::parse::<ProcessType>) {
        Some(Ok(process)) => Ok(process),
        Some(Err(error)) => Err(format!("{error}; there are {}", known())),
        None => Err(format!("it is missing; there are {}", known())),
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

/// Before when something is due that must lie in the future; a day lasts until its end in UTC.
fn due(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let Moment { at, whole_day } = moment(text)?;
    let due = if whole_day { at.plus(Duration::from_secs(86_400)) } else { at };
    if due > now { Ok(due) } else { Err(format!("`{text}` does not lie in the future: it is {now}")) }
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
    fn what_comes_later_is_added_and_nothing_on_file_is_changed() {
        let (papers, _) = Papers::read(Some("emergency"), &fields(&[]), now()).unwrap();
        let set = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            papers.with(&pairs.collect(), now())
        };
        let with = set(&[("nature-of-harm", "a child is missing"), ("follow-up-due", "2026-11-24")]).unwrap();
        assert_eq!(with.given(false), [Need::NatureOfHarm, Need::FollowUpDue]);
        // 2026-11-25T00:00:00Z: the day is over then.
        assert_eq!(with.follow_up_due, Some(1_795_564_800_000));
        let faults = set(&[("case", "x"), ("follow-up-due", "2026-11-20"), ("second-person", "me"), ("statute", " ")]);
        let wrong: Vec<String> = faults.unwrap_err().into_iter().map(|fault| fault.field).collect();
        assert_eq!(wrong, ["case", "follow-up-due", "second-person", "statute"]);
        assert!(with.with(&[("nature-of-harm".to_owned(), "y".to_owned())].into(), now()).is_err());
        assert!(set(&[]).is_err() && set(&[("received", "2026-11-20")]).is_err());
        let past = fields(&[("follow-up-due", "2026-11-20T00:00:00Z")]);
        assert!(Papers::read(Some("emergency"), &past, now()).is_err());
    }

    #[test]
    fn nobody_writes_an_approval_into_the_papers() {
        let given = fields(&[("incident", "x"), ("reason", "x")]);
        let (papers, _) = Papers::read(Some("provider-protection"), &given, now()).unwrap();
        assert_eq!(papers.given(false), [Need::Incident, Need::Reason]);
        assert!(papers.given(true).contains(&Need::Approver));
    }
}

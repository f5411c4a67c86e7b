//! A triage as the API gives it.

use crate::api::{AtText, RemarkText, RowFault, TRIAGE_VERSION, TriageAnswer, TriageItem, TriageState};
use crate::desk::remarks::{Context, Remark};
use crate::domain::time::{Cutoff, millis_of};
use crate::written::instant::ZONES_VERSION;
use crate::written::items::{Fault, Sifted, sift};

use super::{Fate, Triaged, triage};

/// Reads a list and says how it stands with each item, and what of it cannot be read.
pub fn answer(list: &str, context: &Context<'_>, cutoff: Cutoff) -> TriageAnswer {
    let Sifted { items, faults } = sift(list);
    TriageAnswer {
        version: TRIAGE_VERSION,
        now: context.now.to_string(),
        horizon: cutoff.horizon().to_string(),
        window_ms: millis_of(context.window),
        items: triage(&items, context, cutoff).iter().map(item).collect(),
        faults: faults.iter().map(fault).collect(),
        zones: ZONES_VERSION.to_owned(),
    }
}

fn item(triaged: &Triaged<'_>) -> TriageItem {
    let item = triaged.item;
    let (state, time) = match triaged.fate {
        Fate::Dies(left) => (TriageState::Alive, Some(left)),
        Fate::Gone(since) => (TriageState::Gone, Some(since)),
        Fate::Future(ahead) => (TriageState::Future, Some(ahead)),
        Fate::NotOurs => (TriageState::NotOurs, None),
    };
    TriageItem {
        file_line: item.file_line,
        line: item.line.clone(),
        state,
        seconds: time.map(|time| time.as_secs()),
        needs_port: triaged.needs_port,
        said: triaged.to_string(),
        written: item.address.raw.clone(),
        address: item.address.network.to_string(),
        port: item.port,
        protocol: item.protocol.map(|protocol| protocol.to_string()),
        realm: item.realm.to_string(),
        at: AtText { written: item.at.raw.clone(), utc: item.at.at.to_string() },
        zone: item.at.zone.to_string(),
        remarks: triaged.remarks.iter().map(remark).collect(),
    }
}

fn remark(remark: &Remark) -> RemarkText {
    RemarkText { code: remark.code().to_owned(), sentence: remark.to_string() }
}

fn fault(fault: &Fault) -> RowFault {
    RowFault {
        file_line: fault.line,
        field: fault.column.map(|column| column.name().to_owned()),
        problem: fault.problem.to_string(),
    }
}

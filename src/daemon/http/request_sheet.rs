//! What is shown of a request on file: its line in the list, and its sheet.

use crate::api::{AddedText, ItemSheet, Problem, RequestLine, RequestSheet, RequestState, Warning};
use crate::desk::{Addition, Papers, Request};
use crate::domain::process::{Group, Need};
use crate::domain::time::Timestamp;
use crate::package::Bill;
use crate::store::CaseId;

use super::App;
use super::on_file::acted;
use super::request_understanding::lacking;

/// What can come of a request by the table as it is now.
struct Prospect {
    releases: Vec<Group>,
    missing: Vec<String>,
    warnings: Vec<Warning>,
}

impl App {
    /// Its line in the list.
    pub(super) fn line(&self, id: CaseId, request: &Request) -> RequestLine {
        let Request { papers, items, state } = request;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let needs = self.config.process_types.rows.get(&papers.process).map(|terms| &terms.needs);
        let waits = needs.is_some_and(Papers::needs_approval) && !request.is_approved();
        let progress = match (state.closed, waits) {
            (Some(_), _) => RequestState::Closed,
            (None, true) => RequestState::AwaitsApproval,
            (None, false) => RequestState::Open,
        };
        let maybe = |name: &str| Some(papers.field(name).to_owned()).filter(|text| !text.is_empty());
        RequestLine {
            id: id.to_string(),
            state: progress,
            process: papers.process.to_string(),
            case: papers.field("case").to_owned(),
            agency: papers.field("agency").to_owned(),
            received: papers.received().to_string(),
            return_by: maybe("return-by"),
            items: count(items.len()),
            answered: count(state.given.len()),
            changed: state.changed.iter().copied().collect(),
        }
    }

    /// Everything of it but the answers.
    pub(super) fn sheet(&self, id: CaseId, request: &Request) -> Result<RequestSheet, Problem> {
        let Request { papers, state, .. } = request;
        let Prospect { releases, missing, warnings } = self.prospect(request);
        let instant = |millis: u64| Timestamp::from_millis(millis).to_string();
        let now = self.time.believed();
        let captured = self.captured(request, now)?;
        let expiry = |id: CaseId| self.store.case(id).map(|case| case.expires.to_string());
        let items = request.numbered().map(|(number, item)| {
            let given = state.given.get(&number);
            ItemSheet {
                item: number,
                written: item.written.clone(),
                address: item.network.clone(),
                port: item.port,
                at: item.at().to_string(),
                captured: captured.contains_key(&number),
                verdict: given.map(|given| given.verdict),
                answered: given.map(|given| instant(given.at)),
                changed: state.changed.contains(&number),
            }
        });
        Ok(RequestSheet {
            line: self.line(id, request),
            fields: papers.fields.clone(),
            added: state.added.iter().map(added).collect(),
            follow_up: state.follow_up.as_ref().map(|follow_up| follow_up.request.clone()),
            opened: instant(state.opened),
            opened_by: acted(&state.opened_by),
            approved_by: state.approvals.iter().map(|approval| acted(&approval.by)).collect(),
            packaged: state.packaged.map(instant),
            closed: state.closed.map(instant),
            expires: expiry(id).unwrap_or_default(),
            captures_expire: self.desk.capture_of(request, now).and_then(expiry),
            releases,
            missing,
            fees: Bill::of(&self.config.fees, papers.process, request.items.len()).lines,
            holds: state.holds.iter().cloned().collect(),
            items: items.collect(),
            warnings,
        })
    }

    /// Whatever the table says by now, the request is shown.
    fn prospect(&self, Request { papers, items, .. }: &Request) -> Prospect {
        let mut prospect = match self.terms_on_file(papers) {
            Ok(terms) => {
                let missing = terms.missing(&papers.given(true));
                let releases = terms.releases.iter().copied().collect();
                Prospect { releases, missing: Need::names(&missing), warnings: lacking(&missing) }
            }
            Err(Problem { detail: text, .. }) => Prospect {
                releases: Vec::new(),
                missing: Vec::new(),
                warnings: vec![Warning { item: None, code: "refused".into(), text }],
            },
        };
        prospect.warnings.extend(self.remarks(papers, items, 1, self.time.believed()));
        prospect
    }
}

fn added(added: &Addition) -> AddedText {
    let at = Timestamp::from_millis(added.at).to_string();
    AddedText { field: added.field.clone(), by: acted(&added.by), at }
}

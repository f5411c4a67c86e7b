//! What all handlers of requests and holds share: who may, whether it is there, and the entry that what is done to it leaves.

use crate::api::Problem;
use crate::audit::{Entry, Papers as Committed, RequestAct, Salt};
use crate::daemon::desk::{DeskError, Filed};
use crate::desk::{Papers, Request};
use crate::domain::actor::Principal;
use crate::domain::process::Terms;
use crate::store::{CaseId, CasesError, SealedRow};

use super::App;
use super::access::Ties;

pub(super) fn may_file(asker: &Principal) -> Result<(), Problem> {
    if asker.role.may_file_requests() {
        return Ok(());
    }
    Err(Problem::forbidden(format!("role {} has nothing to do with requests; analyst and approver have", asker.role)))
}

/// Every name that somebody goes by.
pub(super) fn names(asker: &Principal) -> Vec<String> {
    asker.names().map(str::to_owned).collect()
}

/// The name that somebody acted under.
pub(super) fn acted(names: &[String]) -> String {
    names.first().cloned().unwrap_or_default()
}

pub(super) fn still_open(request: &Request) -> Result<(), Problem> {
    match request.state.closed {
        None => Ok(()),
        Some(_) => Err(Problem::conflict("the request is closed")),
    }
}

pub(super) fn desk_failed(error: DeskError) -> Problem {
    match error {
        DeskError::Cases(CasesError::Full) => Problem::unavailable(error.to_string()),
        DeskError::Cases(_) | DeskError::Format(_) => {
            tracing::error!(%error, "the desk failed");
            Problem::internal(error.to_string())
        }
    }
}

impl App {
    /// The request of this id, if it is on file.
    pub(super) fn filed(&self, id: &str) -> Result<(CaseId, Filed), Problem> {
        let now = self.time.present()?.now;
        let id: CaseId = id.parse().map_err(|error| Problem::bad_field("id", error))?;
        let filed = self.desk.find(id, now);
        filed.map(|filed| (id, filed)).ok_or_else(|| Problem::not_found(format!("no request {id} is on file")))
    }

    /// The terms of what can be put on file: what releases nothing and preserves nothing is refused with its reason.
    pub(super) fn terms_on_file(&self, papers: &Papers) -> Result<&Terms, Problem> {
        let table = &self.config.process_types;
        match (table.rows.get(&papers.process), table.refusal(papers.process)) {
            (Some(terms), Some(_)) if terms.hold.is_some() && terms.refused.is_none() => Ok(terms),
            (Some(terms), None) => Ok(terms),
            (_, reason) => {
                let reason = reason.unwrap_or_else(|| "our policy leaves it out".to_owned());
                Err(Problem::refused(format!("{} is not answered: {reason}", papers.process)))
            }
        }
    }

    /// Ends what was begun and came to nothing.
    pub(super) fn give_up(&self, ids: &[CaseId]) {
        if let Err(error) = self.store.end_cases(ids) {
            tracing::error!(%error, "a request that could not be filed leaves keys, which expire");
        }
    }

    /// Destroys what is captured, at once and not with the next purge.
    pub(super) fn end_now(&self, capture: CaseId) -> Result<(), Problem> {
        let ended = self.store.end_cases(&[capture]).map_err(|error| desk_failed(error.into()))?;
        for (_, error) in ended.failed {
            tracing::error!(%error, "the key of a capture could not be destroyed; it is tried again");
        }
        Ok(())
    }

    /// Seals the state of a request, and makes it durable with its entry.
    pub(super) async fn change(
        &self,
        asker: &Principal,
        id: CaseId,
        request: &Request,
        act: RequestAct,
    ) -> Result<u64, Problem> {
        let sealed = request.state_row().map_err(DeskError::from).and_then(|row| self.desk.seal(id, vec![row]));
        self.note(asker, id, request, (act, 0), sealed.map_err(desk_failed)?).await
    }

    /// An entry of what is done to a request, with what is sealed by that.
    pub(super) async fn note(
        &self,
        asker: &Principal,
        id: CaseId,
        request: &Request,
        (act, captured): (RequestAct, u32),
        sealed: Vec<SealedRow>,
    ) -> Result<u64, Problem> {
        let access = self.access(asker, &committed(&request.papers), &ties(id, request));
        let entry = Entry::Request { access, act, items: request.items.len(), captured };
        self.file(&entry, sealed).await
    }
}

/// What entries of the ledger commit to.
pub(super) fn committed(papers: &Papers) -> Committed {
    let field = |name: &str| papers.field(name).to_owned();
    Committed { process: papers.process, case: field("case"), authority: field("authority") }
}

/// The same in every entry of a request: an auditor can count what belongs together.
pub(super) fn ties(id: CaseId, request: &Request) -> Ties {
    Ties { request: id.0, salt: Salt(request.state.salt) }
}

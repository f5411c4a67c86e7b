//! `POST /v1/requests/{id}/certificate`: that nothing is readable of what was asked, for an approver to sign. Who may not ask learns
//! nothing, and what the ledger says is the same whatever comes of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use sha2::{Digest as _, Sha256};

use crate::api::{AtText, CERTIFICATE_VERSION, Certificate, CertifiedItem, Problem};
use crate::audit::{RequestAct, hex};
use crate::desk::{Item, Request};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::package::{self, Facts, custodians};
use crate::purge::{self, Reach, Report};
use crate::store::Log;

use super::identity::Asker;
use super::on_file::still_open;
use super::packages::{SOFTWARE, all_answered, entity_of};
use super::{App, Refusal};

/// An item that is certified, and how it was answered.
type Certified<'a> = (u32, &'a Item, Verdict);

pub(super) async fn certify(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<Certificate>, Refusal> {
    if !asker.role.may_approve() {
        return Err(Problem::forbidden(format!("role {} may not certify; approver may", asker.role)).into());
    }
    let (id, filed) = app.filed(&id)?;
    // A copy: no request is locked while others are looked at.
    let request = filed.lock().await.clone();
    still_open(&request)?;
    if asker.is_one_of(&request.state.opened_by) {
        return Err(Problem::forbidden("nobody certifies what they opened: another approver must").into());
    }
    all_answered(&request)?;
    let items = certified(&request);
    if items.is_empty() {
        return Err(Problem::conflict("no item was answered purged or not-ours: there is nothing to certify").into());
    }
    // The entry says that it was asked for, in the same words whether it is given or not.
    let ledger = app.note(&asker, id, &request, (RequestAct::Certificate, 0), Vec::new()).await?;
    if app.is_kept(items.iter().map(|(_, item, _)| *item)).await? {
        return Err(Problem::refer_to_counsel().into());
    }
    let (policy, networks) = (app.policy()?.digest, app.networks_digest());
    let reports = app.covering(&items).await?;
    let said = items.iter().zip(reports).map(|((number, item, verdict), report)| {
        let received = request.papers.received();
        let facts = Facts { at: item.at(), received, policy: &policy, report };
        let is_ours = *verdict != Verdict::NotOurs;
        CertifiedItem {
            item: *number,
            written: item.written.clone(),
            address: item.network.clone(),
            port: item.port,
            at: AtText { written: item.written.at.clone(), utc: item.at().to_string() },
            verdict: *verdict,
            report: report.filter(|_| is_ours),
            statement: if is_ours { package::purged(&facts) } else { package::not_ours(&networks) },
        }
    });
    let said: Vec<CertifiedItem> = said.collect();
    Ok(Json(Certificate {
        version: CERTIFICATE_VERSION,
        request: id.to_string(),
        case: request.papers.field("case").to_owned(),
        agency: request.papers.field("agency").to_owned(),
        received: request.papers.received().to_string(),
        made: app.time.present()?.now.to_string(),
        software: SOFTWARE.to_owned(),
        custodians: custodians(&app.config, items.iter().filter_map(|(_, item, _)| entity_of(&app, item))),
        policy,
        networks,
        items: said,
        ledger,
    }))
}

/// What can be certified of a request: that nothing is readable, or that an address is not ours.
fn certified(request: &Request) -> Vec<Certified<'_>> {
    let of_item = |(number, item)| {
        let verdict = request.state.given.get(&number)?.verdict;
        matches!(verdict, Verdict::Purged | Verdict::NotOurs).then_some((number, item, verdict))
    };
    request.numbered().filter_map(of_item).collect()
}

impl App {
    /// SHA-256 over the configured prefixes, sorted as text, a line each.
    fn networks_digest(&self) -> String {
        let mut lines: Vec<String> =
            self.config.networks.iter().map(|network| format!("{}\n", network.prefix)).collect();
        lines.sort_unstable();
        hex(&Sha256::digest(lines.concat()))
    }

    /// The purge reports that cover these items, where some do.
    async fn covering(self: &Arc<Self>, items: &[Certified<'_>]) -> Result<Vec<Option<u64>>, Problem> {
        let app = Arc::clone(self);
        let instants: Vec<Timestamp> = items.iter().map(|(_, item, _)| item.at()).collect();
        let found = self.readers.read(move || {
            let failed = |error: &dyn std::fmt::Display| Problem::internal(format!("the purge reports: {error}"));
            let count = app.store.next_entry(Log::Purge);
            purge::covering(count, &instants, |number| {
                let entries = app.store.entries(Log::Purge, number, 1).map_err(|error| failed(&error))?;
                let (_, bytes) = entries.first().ok_or_else(|| failed(&format!("{number} is not there")))?;
                Report::parse(bytes).map(|report| Reach::of(&report)).map_err(|error| failed(&error))
            })
        });
        found.await.map_err(|_| Problem::internal("reading the purge reports was cut short"))?
    }
}

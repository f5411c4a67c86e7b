//! `POST /v1/requests/{id}/package`: the answers that were given, as files for whoever asked. They are made here, from what was sealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::api::{LookupAnswer, Package, PackageContent, PackageFile, Problem};
use crate::audit::{RequestAct, hex};
use crate::desk::{Item, Request};
use crate::domain::time::Timestamp;
use crate::package::{Answered, Bill, File, Key, Response, custodians};
use crate::store::CaseRow;

use super::identity::Asker;
use super::on_file::{desk_failed, still_open};
use super::{App, Refusal, access};

/// The name and version that packages and certificates have.
pub(super) const SOFTWARE: &str = concat!("lapsed ", env!("CARGO_PKG_VERSION"));

pub(super) async fn package(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<Package>, Refusal> {
    // Who may not ask is told so before anything of the question is judged.
    if !asker.role.may_look_up() {
        let detail = format!("role {} may not package answers; analyst and approver may", asker.role);
        return Err(Problem::forbidden(detail).into());
    }
    let (id, filed) = app.filed(&id)?;
    let mut request = filed.lock().await;
    still_open(&request)?;
    let ruling = app.config.process_types.lookup(request.papers.process, &request.papers.given(request.is_approved()));
    // A kind that is refused was answered so, and that is what is packaged.
    let _refused = access::terms(request.papers.process, ruling).map_err(|lacking| lacking.to_a_request())?;
    all_answered(&request)?;
    let now = app.time.present()?.now;
    let answers = app.sealed_answers(&request, now)?;
    let mut changed = request.clone();
    changed.state.packaged = Some(now.millis());
    let ledger = app.change(&asker, id, &changed, RequestAct::Packaged).await?;
    *request = changed;
    let (app, of) = (Arc::clone(&app), request.clone());
    let made = Arc::clone(&app).readers.read(move || app.files(&id.to_string(), &of, answers, now)).await;
    let files = made.map_err(|_| Problem::internal("making the package was cut short"))??;
    Ok(Json(Package { id: id.to_string(), ledger, files: files.into_iter().map(sent).collect() }))
}

fn sent(File { name, bytes }: File) -> PackageFile {
    let content = String::from_utf8(bytes)
        .map_or_else(|error| PackageContent::Base64(STANDARD.encode(error.as_bytes())), PackageContent::Text);
    PackageFile { name: name.to_owned(), content }
}

/// Has every item an answer, and one that would be given today too?
pub(super) fn all_answered(request: &Request) -> Result<(), Problem> {
    let state = &request.state;
    if request.items.is_empty() {
        return Err(Problem::conflict("the request has no items"));
    }
    let open = request.numbered().map(|(number, _)| number).filter(|number| !state.given.contains_key(number));
    let open: Vec<String> = open.map(|number| number.to_string()).collect();
    if !open.is_empty() {
        return Err(Problem::conflict(format!("not answered yet: item {}", open.join(", "))));
    }
    let changed: Vec<String> = state.changed.iter().map(u32::to_string).collect();
    if !changed.is_empty() {
        let detail = format!(
            "something came late, and the answer would be another one: answer again item {}",
            changed.join(", ")
        );
        return Err(Problem::conflict(detail));
    }
    Ok(())
}

/// Whose subscribers have the address of an item: a matter of the configuration alone.
pub(super) fn entity_of<'a>(app: &'a App, item: &Item) -> Option<&'a str> {
    let network = app.config.network_of(item.address()?.to_canonical())?;
    Some(&network.entity)
}

impl App {
    /// The answers as they were given last, by item.
    fn sealed_answers(&self, request: &Request, now: Timestamp) -> Result<BTreeMap<u32, Vec<u8>>, Problem> {
        let capture = self.desk.capture_of(request, now);
        let rows = capture.map_or(Ok(None), |capture| self.desk.rows_of(capture)).map_err(desk_failed)?;
        let Some(rows) = rows else {
            return Err(Problem::conflict("the answers are destroyed with what was captured: their time was over"));
        };
        let answers = rows.into_iter().filter(|(row, _)| row.kind == CaseRow::ANSWER);
        let answers: BTreeMap<u32, Vec<u8>> = answers.map(|(row, bytes)| (row.number, bytes)).collect();
        for (number, given) in &request.state.given {
            if answers.get(number).is_none_or(|bytes| hex(&Sha256::digest(bytes)) != given.digest) {
                return Err(Problem::internal(format!(
                    "the sealed answer to item {number} is not the one that was given"
                )));
            }
        }
        Ok(answers)
    }

    fn files(
        &self,
        id: &str,
        request: &Request,
        mut answers: BTreeMap<u32, Vec<u8>>,
        now: Timestamp,
    ) -> Result<Vec<File>, Problem> {
        let mut answered = Vec::with_capacity(answers.len());
        for (number, item) in request.numbered() {
            let bytes = answers.remove(&number).unwrap_or_default();
            let answer: LookupAnswer = serde_json::from_slice(&bytes).map_err(|error| {
                Problem::internal(format!("the sealed answer to item {number} cannot be read: {error}"))
            })?;
            answered.push(Answered { number, item, bytes, answer });
        }
        let response = Response {
            request: id.to_owned(),
            papers: &request.papers,
            custodians: custodians(&self.config, request.items.iter().filter_map(|item| entity_of(self, item))),
            answers: answered,
            bill: Bill::of(&self.config.fees, request.papers.process, request.items.len()),
            zone: self.config.disclosure.zone,
            software: SOFTWARE.to_owned(),
            policy: self.policy()?.digest,
            process_types: hex(&self.config.process_types.digest),
        };
        let sign = |bytes: &[u8]| self.package_key.sign(bytes);
        let key = Key { public: self.package_key.public(), pem: self.package_key.public_pem(), sign: &sign };
        response.files(now, &key).map_err(|error| Problem::internal(error.to_string()))
    }
}

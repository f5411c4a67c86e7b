//! Captures: what an item's answer would be is sealed when its request is filed, so that the clock cannot take it from a process
//! that came in time; and it is kept fresh until its instant has passed the horizon.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::api::Problem;
use crate::daemon::desk::DeskError;
use crate::daemon::time::Present;
use crate::desk::{Item, Papers, Request};
use crate::domain::time::Timestamp;
use crate::lookup::{Answer, Question};
use crate::store::{CaseClass, CaseId, SealedRow};

use super::App;
use super::on_file::desk_failed;

/// Kind of the sealed rows of captured answers; their number is the item's.
pub(super) const CAPTURE: u8 = b'c';
/// How often captures are looked at, at least.
const SLOWEST: Duration = Duration::from_secs(60);

/// The question that an item asks.
pub(super) fn question(item: &Item) -> Result<Question, Problem> {
    let address = item.address().ok_or_else(|| Problem::internal("an item on file has no address"))?;
    Ok(Question { address: address.to_canonical(), at: item.at(), port: item.port, realm: item.realm() })
}

/// Keeps what is captured fresh until the daemon stops: what comes late may change it as long as the window is open.
pub(in crate::daemon) async fn keep_fresh(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let interval = app.config.retention.purge_interval.min(SLOWEST);
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            () = tokio::time::sleep(interval) => {}
        }
        let Ok(present) = app.time.present() else { continue };
        for (id, filed) in app.desk.all(present.now) {
            let mut request = filed.lock().await;
            if let Err(problem) = app.freshen(id, &mut request, present).await {
                tracing::error!(request = %id, detail = %problem.detail, "what is captured for a request could not be kept fresh");
            }
        }
    }
}

/// Would somebody who has the one be told something else by the other? What the session did later is not: it goes on speaking.
fn is_another(old: &Answer, new: &Answer) -> bool {
    old.verdict != new.verdict
        || old.holder != new.holder
        || old.inside != new.inside
        || old.since != new.since
        || old.until.is_some() && old.until != new.until
}

/// Says the same, up to the horizon of the day.
fn is_same(old: &Answer, new: &Answer) -> bool {
    Answer { horizon: new.horizon, ..old.clone() } == *new
}

impl App {
    /// What is captured for a request, by item.
    pub(super) fn captured(&self, request: &Request, now: Timestamp) -> Result<BTreeMap<u32, Answer>, Problem> {
        let Some(capture) = self.desk.capture_of(request, now) else { return Ok(BTreeMap::new()) };
        let rows = self.desk.rows_of(capture).map_err(desk_failed)?;
        let captures = rows.into_iter().flatten().filter(|(row, _)| row.kind == CAPTURE);
        captures
            .map(|(row, bytes)| {
                let answer = Answer::from_bytes(&bytes);
                answer.map(|answer| (row.number, answer)).map_err(|error| Problem::internal(error.to_string()))
            })
            .collect()
    }

    /// Where more is sealed for a request: where it was so far; if there is nothing, or its time was over, in a case that begins now
    /// and of which the request knows.
    pub(super) fn capture_for(&self, request: &mut Request, now: Timestamp) -> Result<CaseId, Problem> {
        if let Some(capture) = self.desk.capture_of(request, now) {
            return Ok(capture);
        }
        let disclosure = &self.config.disclosure;
        let needs = self.config.process_types.rows.get(&request.papers.process).map(|terms| &terms.needs);
        let waits = needs.is_some_and(Papers::needs_approval) && !request.is_approved();
        let kept = if waits { disclosure.unapproved_expiry } else { disclosure.capture_expiry };
        let capture = self.store.begin_case(CaseClass::Capture, now.plus(kept));
        let capture = capture.map_err(|error| desk_failed(error.into()))?;
        request.state.capture = Some(capture.to_string());
        Ok(capture)
    }

    /// Captures the items from number `first` on that are readable now; rows to be committed with the request's state, one for each.
    pub(super) async fn capture(
        self: &Arc<Self>,
        request: &mut Request,
        first: u32,
        Present { now, cutoff, .. }: Present,
    ) -> Result<Vec<SealedRow>, Problem> {
        let mut rows = Vec::new();
        for (number, item) in request.numbered() {
            if number < first || cutoff.hides(item.at()) || item.at() > now {
                continue;
            }
            let question = question(item)?;
            let (answer, _) = self.answer(question.clone()).await?;
            // Nobody has others' data kept by naming their addresses.
            rows.push((number, self.told(request, &question, answer)));
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let capture = self.capture_for(request, now)?;
        self.seal_captures(capture, rows)
    }

    fn seal_captures(&self, capture: CaseId, answers: Vec<(u32, Answer)>) -> Result<Vec<SealedRow>, Problem> {
        let rows = answers.into_iter().map(|(number, answer)| {
            let bytes = answer.to_bytes().map_err(|error| Problem::internal(error.to_string()))?;
            Ok((CAPTURE, number, bytes))
        });
        let rows = rows.collect::<Result<_, Problem>>()?;
        self.desk.seal(capture, rows).map_err(desk_failed)
    }

    /// Computes again what is captured and still readable, and seals what has changed.
    async fn freshen(
        self: &Arc<Self>,
        id: CaseId,
        request: &mut Request,
        Present { now, cutoff, .. }: Present,
    ) -> Result<(), Problem> {
        let Some(capture) = self.desk.capture_of(request, now) else { return Ok(()) };
        let readable = |item: &Item| !cutoff.hides(item.at()) && item.at() <= now;
        if request.state.closed.is_some() || !request.items.iter().any(readable) {
            return Ok(());
        }
        let captured = self.captured(request, now)?;
        let (mut fresh, mut changed) = (Vec::new(), request.clone());
        for (number, item) in request.numbered().filter(|(_, item)| readable(item)) {
            let question = question(item)?;
            let (answer, _) = self.answer(question.clone()).await?;
            let answer = self.told(request, &question, answer);
            let old = captured.get(&number);
            // It passed the horizon meanwhile: what is captured is what was last known.
            if self.time.cutoff().hides(item.at()) || old.is_some_and(|old| is_same(old, &answer)) {
                continue;
            }
            if request.state.given.contains_key(&number) && old.is_some_and(|old| is_another(old, &answer)) {
                changed.state.changed.insert(number);
            }
            fresh.push((number, answer));
        }
        // It may have ended meanwhile, and nothing is left to be kept fresh.
        if fresh.is_empty() || self.desk.capture_of(request, now).is_none() {
            return Ok(());
        }
        let mut sealed = self.seal_captures(capture, fresh)?;
        if changed != *request {
            let row = changed.state_row().map_err(DeskError::from);
            sealed.extend(row.and_then(|row| self.desk.seal(id, vec![row])).map_err(desk_failed)?);
        }
        self.seal(sealed).await?;
        *request = changed;
        Ok(())
    }
}

//! `GET /v1/anomalies`: what stands out in how rights are used. It names nobody who was asked about.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::api::{ANOMALIES_VERSION, AnomaliesAnswer, AnomalyDay, AnomalyText, Problem};
use crate::audit::hex;
use crate::domain::actor::Principal;
use crate::domain::identity::{Entity, SubscriberId};
use crate::domain::time::Timestamp;
use crate::lookup::{Answer, Question};
use crate::store::{Log, Store};
use crate::watch::{self, Anomaly, Asked, Glance, Kind, LOOKBACK};

use super::identity::Asker;
use super::{App, Refusal};

/// How many entries of the ledger are read at once.
const PIECE: usize = 1000;

pub(super) async fn anomalies(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
) -> Result<Json<AnomaliesAnswer>, Refusal> {
    if !asker.role.may_read_anomalies() {
        let detail = format!("role {} may not read what stands out; auditor may", asker.role);
        return Err(Problem::forbidden(detail).into());
    }
    let now = app.time.believed();
    let since = now.minus(LOOKBACK);
    let overdue = app.overdue(now).await;
    let reader = Arc::clone(&app);
    let glances = tokio::task::spawn_blocking(move || glances(&reader.store, since)).await;
    let glances = glances.map_err(|_| Problem::internal("the reading was cut short"))??;
    let found = {
        let mut tags = app.watching.tags();
        tags.pass(now);
        watch::anomalies(glances, &tags, &overdue, &app.config.watch)
    };
    let named = |count: &dyn Fn(Kind) -> u64| Kind::ALL.map(|kind| (kind.to_string(), count(kind))).into();
    let hours = |kind: Kind| u64::try_from(found.iter().filter(|one| one.kind == kind).count()).unwrap_or(u64::MAX);
    Ok(Json(AnomaliesAnswer {
        version: ANOMALIES_VERSION,
        since: since.to_string(),
        seen_since: since.max(app.watching.started).to_string(),
        thresholds: named(&|kind| kind.threshold(&app.config.watch)),
        hours: named(&hours),
        days: days(&found),
        anomalies: found.iter().map(text_of).collect(),
    }))
}

/// What the access ledger shows of the time since then. It is read from its end, a piece at a time, until a whole piece is older.
fn glances(store: &Store, since: Timestamp) -> Result<Vec<Glance>, Problem> {
    let failed =
        |error: &dyn std::fmt::Display| Problem::internal(format!("the access ledger cannot be read: {error}"));
    let mut end = store.next_entry(Log::Access);
    let mut glances = Vec::new();
    while end > 0 {
        let begin = end.saturating_sub(PIECE.try_into().unwrap_or(u64::MAX));
        let piece = usize::try_from(end.saturating_sub(begin)).unwrap_or(PIECE);
        let entries = store.entries(Log::Access, begin, piece).map_err(|error| failed(&error))?;
        let seen: Vec<Glance> = entries.iter().filter_map(|(_, bytes)| Glance::of(bytes)).collect();
        let is_older = !seen.is_empty() && seen.iter().all(|glance| glance.at < since);
        glances.extend(seen.into_iter().filter(|glance| glance.at >= since));
        if is_older {
            break;
        }
        end = begin;
    }
    Ok(glances)
}

fn days(found: &[Anomaly]) -> Vec<AnomalyDay> {
    let mut days: BTreeMap<(String, String, Kind), u64> = BTreeMap::new();
    for anomaly in found {
        let day = anomaly.hour.to_utc().format("%Y-%m-%d").to_string();
        let hours = days.entry((day, hex(&anomaly.actor), anomaly.kind)).or_default();
        *hours = hours.saturating_add(1);
    }
    let text = |((day, actor, kind), hours): ((String, String, Kind), u64)| {
        let kind = kind.to_string();
        AnomalyDay { actor, day, kind, hours }
    };
    days.into_iter().rev().map(text).collect()
}

fn text_of(anomaly: &Anomaly) -> AnomalyText {
    AnomalyText {
        actor: hex(&anomaly.actor),
        kind: anomaly.kind.to_string(),
        hour: anomaly.hour.to_string(),
        count: anomaly.count,
        threshold: anomaly.threshold,
    }
}

impl App {
    /// Whom an answer names, for as long as it is noted.
    pub(super) fn whom(&self, question: &Question, answer: &Answer) -> Option<(Entity, SubscriberId)> {
        let subscriber = answer.holder.as_ref()?.subscriber.clone()?;
        Some((self.entity_of(question, answer), subscriber))
    }

    /// Notes who asked about whom, as tags in memory.
    pub(super) fn watch(
        &self,
        asker: &Principal,
        case: &str,
        question: Option<&Question>,
        whom: Option<(Entity, SubscriberId)>,
    ) {
        let actor = self.sealer.actor_pseudonym(&asker.name);
        let address = question.map(|question| (question.address, question.realm.0.as_str()));
        let subscriber = whom.as_ref().map(|(entity, name)| (entity, name));
        let asked = Asked { actor, at: self.time.believed(), case, address, subscriber };
        self.watching.tags().note(&asked);
    }
}

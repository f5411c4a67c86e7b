//! `GET /v1/policy`: for every role. It says what is kept and who may ask, and nothing of anybody.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use sha2::{Digest as _, Sha256};

use crate::api::{
    AskersText, POLICY_VERSION, PolicyAnswer, PolicySource, PolicyText, Problem, ProcessTypeText, RetentionText,
    SourceKind,
};
use crate::audit::hex;
use crate::config::{Config, Source};
use crate::domain::actor::Role;
use crate::domain::process::{ProcessType, ProcessTypes, law};
use crate::domain::retention::Retention;
use crate::domain::selection::Kept;

use super::identity::Asker;
use super::{App, Refusal};

pub(super) async fn policy(State(app): State<Arc<App>>, Asker(_): Asker) -> Result<Json<PolicyAnswer>, Refusal> {
    Ok(Json(app.policy()?))
}

impl App {
    /// The policy in force and its digest.
    pub(super) fn policy(&self) -> Result<PolicyAnswer, Problem> {
        // The window in force is the store's: it may have changed since the start.
        let retention = self.config.retention.under(self.store.window());
        let policy = of(&self.config, &retention);
        let json = serde_json::to_vec(&policy).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(PolicyAnswer { version: POLICY_VERSION, digest: hex(&Sha256::digest(json)), policy })
    }
}

/// The policy of a configuration.
fn of(config: &Config, retention: &Retention) -> PolicyText {
    let may = |may: fn(Role) -> bool| Role::ALL.into_iter().filter(|role| may(*role)).collect();
    PolicyText {
        retention: RetentionText {
            window_ms: millis(retention.window),
            bucket_ms: millis(retention.bucket.duration()),
            purge_interval_ms: millis(retention.purge_interval),
            carry_interval_ms: millis(retention.carry_interval),
            max_silence_ms: retention.max_silence.map(millis),
        },
        sources: sources(config),
        askers: AskersText { address: may(Role::may_look_up), subscriber: may(Role::may_look_up_subscribers) },
        process_types: ProcessType::ALL.into_iter().map(|kind| process_type(&config.process_types, kind)).collect(),
        process_types_digest: hex(&config.process_types.digest),
    }
}

fn sources(config: &Config) -> Vec<PolicySource> {
    let all = Kept::default();
    let clients = config.radius.clients.iter();
    let clients = clients.map(|client| source(&client.source, SourceKind::Radius, client.selection.keep));
    // The two servers of a pair are one source, and its line may be kept by one file of them only: so they are listed apart.
    let leases = config.dhcp.leases.iter().map(|leases| PolicySource {
        name: leases.name.clone(),
        ..source(&leases.source, SourceKind::LeaseFile, leases.keep)
    });
    let streams = config.streams.iter().map(|stream| source(stream, SourceKind::Stream, all));
    let spools = config.spools.iter().map(|spool| source(&spool.source, SourceKind::Spool, all));
    clients.chain(leases).chain(streams).chain(spools).collect()
}

fn source(source: &Source, kind: SourceKind, kept: Kept) -> PolicySource {
    let Kept { mac, circuit_id, remote_id, nas_port } = kept;
    let words = [("mac", mac), ("circuit-id", circuit_id), ("remote-id", remote_id), ("nas-port", nas_port)];
    PolicySource {
        name: source.name.clone(),
        kind,
        keeps: words.into_iter().filter(|(_, kept)| *kept).map(|(word, _)| word.to_owned()).collect(),
        max_silence_ms: source.max_silence.map(millis),
    }
}

fn process_type(table: &ProcessTypes, name: ProcessType) -> ProcessTypeText {
    let row = table.rows.get(&name);
    let refused = table.refusal(name);
    // Of what is refused, nothing else is of interest.
    let answered = row.filter(|_| refused.is_none());
    ProcessTypeText {
        name,
        statute: row.map(|terms| terms.statute.clone()),
        class: table.class(name),
        releases: answered.map(|terms| terms.releases.iter().copied().collect()).unwrap_or_default(),
        reverse: answered.is_some_and(|terms| terms.reverse),
        needs: answered.map(|terms| terms.needs.iter().copied().collect()).unwrap_or_default(),
        counted_in_bands: row.map_or(law::of(name).counted_in_bands, |terms| terms.counted_in_bands),
        refused,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

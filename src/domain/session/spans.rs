//! From settled statements to spans of time.

use std::collections::BTreeMap;

use super::{Edge, Evidence, Held, INFERRED_START_SLACK, Run, Said, Settled, Statement};
use crate::domain::record::Kind;

/// The spans in which the runs held their address, in order of their beginning.
pub fn spans(settled: &[Settled]) -> Vec<Held> {
    let mut spans: Vec<Held> = Vec::new();
    let mut newest_of_run: BTreeMap<usize, usize> = BTreeMap::new();
    for statement in settled {
        let edge = |evidence| Edge { at: statement.at, evidence };
        let newest = newest_of_run.get(&statement.run).and_then(|index| spans.get_mut(*index));
        let open = newest.filter(|held| held.until.is_none());
        let from = match (statement.kind, open) {
            (Kind::Stop | Kind::SessionEnd, Some(held)) => {
                held.until = Some(edge(Evidence::Observed));
                continue;
            }
            (Kind::Lapsed | Kind::Reset | Kind::LeaseEnd, Some(held)) => {
                held.until = Some(edge(Evidence::Inferred));
                continue;
            }
            (Kind::Start, None) => edge(Evidence::Observed),
            (Kind::First | Kind::Resumed | Kind::Update, None) => edge(Evidence::Inferred),
            (Kind::Carry, None) => edge(Evidence::BeyondHorizon),
            (Kind::Start | Kind::First | Kind::Resumed | Kind::Update | Kind::Carry, Some(_))
            | (Kind::Stop | Kind::SessionEnd | Kind::Lapsed | Kind::Reset | Kind::LeaseEnd, None)
            | (Kind::Logon | Kind::InferredStart | Kind::Lone | Kind::Void | Kind::Vacated | Kind::Withdrawn, _) => {
                continue;
            }
        };
        newest_of_run.insert(statement.run, spans.len());
        spans.push(Held { run: statement.run, from, until: None });
    }
    spans
}

/// The spans that rest on a stop's session length alone: from each inferred start to the stop it came with, unless the
/// session made any real statement between shortly before it and that stop.
///
/// They open nothing: where another run holds the address they do not count, and an answer that rests on one is uncertain.
pub fn inferred_spans(runs: &[Run], statements: &[Statement]) -> Vec<Held> {
    let session_of = |run: usize| runs.get(run).map(|run| run.session);
    let mut spans: Vec<Held> = statements
        .iter()
        .filter(|candidate| candidate.said == Said::InferredStart)
        .filter_map(|candidate| {
            let from = candidate.at.minus(INFERRED_START_SLACK);
            let own = statements.iter().filter(|other| {
                other.at >= from && other.said.is_real() && session_of(other.run) == session_of(candidate.run)
            });
            let next = own.min_by_key(|other| (other.at, other.said))?;
            let ends = next.said == Said::Stop && next.at >= candidate.at;
            let edge = |at, evidence| Edge { at, evidence };
            ends.then(|| Held {
                run: candidate.run,
                from: edge(candidate.at, Evidence::Inferred),
                until: Some(edge(next.at, Evidence::Observed)),
            })
        })
        .collect();
    spans.sort_by_key(|held| held.from.at);
    spans
}

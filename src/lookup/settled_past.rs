//! When reading further back cannot change the answer. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::session::{Said, Statement};
use crate::domain::time::Timestamp;

use super::timeline::Statements;

/// The newest instant, not after `from`, before which nothing matters for who was open from `from` on; `None` if what was
/// read does not explain that by itself.
///
/// It is one at which a session started on all the ports in question, if every run that speaks from then on begins with a
/// start of its own. Whoever was open before and has been silent since was ended by that start, and no run that speaks
/// needs an older statement, or the older end of its session, to say what its first one means.
///
/// Inferred starts are outside of this: they count only where nobody else is open.
pub(super) fn explained_since(statements: &Statements, from: Timestamp, port: Option<u16>) -> Option<Timestamp> {
    let mut newest_first: Vec<&Statement> =
        statements.said.iter().filter(|said| matches!(said.said, Said::Start | Said::Update | Said::Stop)).collect();
    newest_first.sort_by_key(|statement| Reverse((statement.at, statement.said)));
    let mut first_word: BTreeMap<usize, Said> = BTreeMap::new();
    for instant in newest_first.chunk_by(|a, b| a.at == b.at) {
        first_word.extend(instant.iter().map(|statement| (statement.run, statement.said)));
        let takes_over = instant.iter().any(|statement| {
            let ports = statements.runs.get(statement.run).map(|run| run.ports);
            let all = ports.is_some_and(|ports| port.map_or(ports.is_all(), |port| ports.contains(port)));
            statement.said == Said::Start && statement.at <= from && all
        });
        if takes_over && first_word.values().all(|said| *said == Said::Start) {
            return instant.first().map(|statement| statement.at);
        }
    }
    None
}

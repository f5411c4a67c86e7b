//! When reading further back cannot change the answer. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::session::{Said, Statement};
use crate::domain::time::Timestamp;

use super::timeline::Statements;

/// Do the statements read so far explain by themselves who was open at every instant from `from` on?
///
/// They do if, at some instant not after `from`, a session started on all the ports in question and every run that
/// speaks from then on begins with a start of its own. Whoever was open before and has been silent since was ended by
/// that start, and no run that speaks needs an older statement to say what its first one means.
///
/// Inferred starts are outside of this: they count only where nobody else is open.
pub(super) fn explains_itself(statements: &Statements, from: Timestamp, port: Option<u16>) -> bool {
    let mut newest_first: Vec<&Statement> =
        statements.said.iter().filter(|statement| statement.said != Said::InferredStart).collect();
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
            return true;
        }
    }
    false
}

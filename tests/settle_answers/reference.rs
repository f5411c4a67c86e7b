//! Who held an address, by everything that was ever heard: nothing is settled beforehand, and nothing forgotten.

use std::collections::BTreeSet;

use lapsed::domain::address::Network;
use lapsed::domain::record::{Kind, Record, Subject};
use lapsed::domain::session::{self, Read, Rules, Run, Said, Statement};
use lapsed::domain::time::{BucketWidth, Timestamp};

use crate::settle_world::{CARRY, WIDTH, instant};

/// Who holds one of the networks at an instant, by everything that was ever heard.
pub(crate) fn holders(heard: &[Record], around: &[Network], port: Option<u16>, at: Timestamp) -> BTreeSet<String> {
    around
        .iter()
        .map(|network| holders_of(heard, *network, port, at))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn holders_of(heard: &[Record], of: Network, port: Option<u16>, at: Timestamp) -> BTreeSet<String> {
    let (mut runs, mut keys, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    let mut own: Vec<(Statement, &Record)> = Vec::new();
    for record in heard.iter().filter(|record| record.at <= at && record.kind != Kind::Vacated) {
        let Subject::Assignment { network, ports, .. } = record.subject else { continue };
        if network != of {
            continue;
        }
        let session = (record.nas.clone(), record.session);
        let number = position(&mut sessions, session);
        let run = position(&mut keys, (number, ports));
        if run == runs.len() {
            runs.push(Run { session: u32::try_from(number).unwrap(), ports, silence: Some(6) });
        }
        let said = Said::of(record.kind).unwrap();
        own.push((
            Statement { at: record.at, said, run, lease_end: record.lease_end, meaning: None, hint: None },
            record,
        ));
    }
    let mut statements: Vec<Statement> = own.iter().map(|(statement, _)| *statement).collect();
    for record in heard.iter().filter(|record| record.at <= at) {
        for (run, of_run) in runs.iter().enumerate() {
            let (nas, session) = &sessions[usize::try_from(of_run.session).unwrap()];
            let said = match (&record.subject, record.kind) {
                (Subject::Session, _) if record.nas == *nas && record.session == *session => Said::SessionEnd,
                (Subject::Nas, _) if record.nas == *nas => Said::Reset,
                (Subject::Assignment { network, .. }, Kind::Vacated) if *network == of && record.nas == *nas => {
                    Said::Reset
                }
                _ => continue,
            };
            statements.push(Statement { at: record.at, said, run, lease_end: None, meaning: None, hint: None });
        }
    }
    let rules = Rules { width: BucketWidth::from_secs(WIDTH).unwrap(), carry_buckets: CARRY };
    let read = Read { from: instant(0), settled_through: None, hinted_through: None, through: at };
    let spans = session::spans(&session::settle_read(&runs, &statements, rules, read).settled);
    let holds = |run: usize| port.is_none_or(|port| runs[run].ports.contains(port));
    let open = spans.iter().filter(|held| held.covers(at) && holds(held.run));
    open.map(|held| {
        let mut of_run: Vec<&Record> =
            own.iter().filter(|(said, _)| said.run == held.run).map(|(_, record)| *record).collect();
        of_run.sort_by_key(|record| record.at);
        // What a session was called before it began anew does not count.
        of_run.retain(|record| record.at >= held.from.at);
        let named = of_run.iter().rev().find_map(|record| record.subscriber.clone());
        named.map_or_else(|| format!("{:?}", sessions[usize::try_from(runs[held.run].session).unwrap()]), |name| name.0)
    })
    .collect()
}

fn position<T: PartialEq>(all: &mut Vec<T>, one: T) -> usize {
    all.iter().position(|known| *known == one).unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    })
}

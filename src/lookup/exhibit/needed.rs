//! Which names, lines and sessions an answer at an instant of the spans can show. Pure.
//!
//! An answer reads a session's statements as far back as it must, and shows of each field the newest value at or before the
//! instant, else the first after it. How far back depends on what else it meets: to the beginning of what was held, or
//! further. So a value counts as shown if it is for either.

use std::collections::BTreeSet;

use crate::domain::identity::SubscriberId;
use crate::domain::nat::Inside;
use crate::domain::record::Record;
use crate::domain::session::Held;
use crate::domain::time::Timestamp;

use crate::lookup::timeline::{SessionKey, Timeline, named, nearest};

/// What must stay as it is in an exhibit.
#[derive(Default)]
pub(super) struct Needed {
    pub(super) sessions: BTreeSet<SessionKey>,
    pub(super) names: BTreeSet<SubscriberId>,
    pub(super) insides: BTreeSet<Inside>,
    /// Those of `insides` by which an answer goes on to the inside of a NAT: of holders without a name.
    pub(super) joined: BTreeSet<Inside>,
    /// The instants of the statements of a session whose line is shown.
    pub(super) lines: BTreeSet<(SessionKey, Timestamp)>,
}

impl Needed {
    /// Takes all who held a prefix at any instant of the spans.
    pub(super) fn take(&mut self, timeline: &Timeline, spans: &[(Timestamp, Timestamp)]) {
        for held in timeline.spans.iter().chain(&timeline.inferred) {
            for (from, to) in spans {
                let first = held.from.at.max(*from);
                let end = held.until.map_or(*to, |until| until.at.min(*to));
                if first < end {
                    self.take_holder(timeline, held, first, end);
                }
            }
        }
    }

    /// Takes what is shown of a holder at any instant of `[first, end)`.
    fn take_holder(&mut self, timeline: &Timeline, held: &Held, first: Timestamp, end: Timestamp) {
        let Some(session) = timeline.session_of(held.run) else { return };
        self.sessions.insert(session.clone());
        let records = timeline.records_of(held);
        let within: Vec<&Record> = records.iter().copied().filter(|record| record.at >= held.from.at).collect();
        let changes = records.iter().map(|record| record.at).filter(|at| first < *at && *at < end);
        let instants: BTreeSet<Timestamp> = changes.chain([first]).collect();
        for read in [&records, &within] {
            for at in &instants {
                self.take_shown(session, read, *at);
            }
        }
    }

    fn take_shown(&mut self, session: &SessionKey, read: &[&Record], at: Timestamp) {
        let told = nearest(read, at, |record| record.subscriber.clone());
        let inside = nearest(read, at, |record| record.inside.clone());
        if told.is_none() {
            self.joined.extend(inside.clone());
        }
        self.names.extend(named(read, at).into_iter().chain(told));
        self.insides.extend(inside);
        let told_at = |has: fn(&Record) -> bool| nearest(read, at, |record| has(record).then_some(record.at));
        let lines = [
            told_at(|record| record.line.mac.is_some()),
            told_at(|record| record.line.circuit_id.is_some()),
            told_at(|record| record.line.remote_id.is_some()),
            told_at(|record| record.line.nas_port.is_some()),
        ];
        self.lines.extend(lines.into_iter().flatten().map(|at| (session.clone(), at)));
    }
}

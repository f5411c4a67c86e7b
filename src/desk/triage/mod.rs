//! What dies first: which items of a list can still be answered, and for how long.
//!
//! No process is needed for it and no record is read: the clock and the configuration say it all. So it can be asked at
//! once, before anybody has judged the paper.

mod answer;

use std::fmt;
use std::time::Duration;

use super::remarks::{Context, Remark, Rough, is_foreign, needs_port, remarks};
use crate::domain::time::Cutoff;
use crate::written::items::Item;
pub use answer::answer;

/// How it stands with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It can be answered, for so long.
    Dies(Duration),
    /// It passed the horizon so long ago.
    Gone(Duration),
    /// It comes in so long.
    Future(Duration),
    /// The address lies in none of the configured networks, whatever the time.
    NotOurs,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dies(left) => write!(f, "dies in {}", Rough(*left)),
            Self::Gone(since) => write!(f, "gone {} ago", Rough(*since)),
            Self::Future(ahead) => write!(f, "future: comes in {}", Rough(*ahead)),
            Self::NotOurs => f.write_str("not ours"),
        }
    }
}

/// An item and what can be said of it. Prints its fate, and whether it needs a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triaged<'i> {
    /// The item.
    pub item: &'i Item,
    /// How it stands.
    pub fate: Fate,
    /// Do several share the address, so that it needs a port and has none?
    pub needs_port: bool,
    /// What looks like a mistake.
    pub remarks: Vec<Remark>,
}

impl fmt::Display for Triaged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fate.fmt(f)?;
        if self.needs_port { f.write_str("; shared network: needs a port") } else { Ok(()) }
    }
}

impl Triaged<'_> {
    /// What can be answered comes first, and of that what dies first; then what is gone, the latest first; then what has not
    /// come yet; then what is not ours; then by the line.
    fn place(&self) -> (u8, Duration, usize) {
        let (group, time) = match self.fate {
            Fate::Dies(left) => (0, left),
            Fate::Gone(since) => (1, since),
            Fate::Future(ahead) => (2, ahead),
            Fate::NotOurs => (3, Duration::ZERO),
        };
        (group, time, self.item.file_line)
    }
}

/// The items, what dies first before the others. `cutoff` is the published one.
pub fn triage<'i>(items: &'i [Item], context: &Context<'_>, cutoff: Cutoff) -> Vec<Triaged<'i>> {
    let of = |(item, remarks): (&'i Item, Vec<Remark>)| Triaged {
        item,
        fate: fate(item, context, cutoff),
        needs_port: needs_port(item, context.config),
        remarks,
    };
    let mut triaged: Vec<_> = items.iter().zip(remarks(items, context)).map(of).collect();
    triaged.sort_by_key(Triaged::place);
    triaged
}

fn fate(item: &Item, context: &Context<'_>, cutoff: Cutoff) -> Fate {
    let at = item.at.at;
    if is_foreign(item, context.config) {
        Fate::NotOurs
    } else if cutoff.hides(at) {
        Fate::Gone(cutoff.horizon().since(at))
    } else if at > context.now {
        Fate::Future(at.since(context.now))
    } else {
        Fate::Dies(at.since(cutoff.horizon()))
    }
}

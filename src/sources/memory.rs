//! What a lease file said of each address before: it tells a new grant from a renewal, and when a release can have been.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

use super::{Client, Lease, Naming, Said};
use crate::domain::address::Network;
use crate::domain::event::{Event, EventKind};
use crate::domain::identity::SessionId;
use crate::domain::time::Timestamp;

/// Rows count in seconds. What is this little older than the row before it came after it all the same.
const SECONDS: Duration = Duration::from_secs(2);

/// One step of time: what comes after an instant is later than it.
const STEP: Duration = Duration::from_millis(1);

/// The last that one server's file said of each address.
#[derive(Debug, Default)]
pub struct Memory {
    known: HashMap<Network, Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// Whose lease it is, as a hash; it tells two clients apart and names neither.
    holder: u64,
    /// Is it leased, until its end?
    open: bool,
    end: Option<Timestamp>,
    /// The instant of the last statement.
    last: Timestamp,
}

impl Memory {
    /// Forgets everything: the file begins anew, and may begin earlier than what is known.
    pub fn clear(&mut self) {
        self.known.clear();
    }

    /// The event that a row means after those before it; `None` if it says nothing new.
    ///
    /// `latest` is when the row was written at the latest: a row that says that a lease was given back does not say when.
    ///
    /// A row with a lifetime is an update, unless the file itself shows that the client did not have the address just
    /// before: then it is a start. An update after the same client's release would else look like a straggler.
    pub fn event(&mut self, lease: Lease, latest: Timestamp, naming: &Naming) -> Option<Event> {
        let Lease { network, client, said } = lease;
        let holder = hash(&client);
        let known = self.known.get(&network).copied();
        let held_before = known.filter(|known| known.open);
        let (kind, at, known) = match said {
            Said::Held { at, end } => {
                let goes_on = held_before.is_some_and(|known| known.holder == holder && known.end >= Some(at))
                    || held_before.is_some_and(|known| known.holder == holder && known.end.is_none());
                let kind = if known.is_none() || goes_on { EventKind::Update } else { EventKind::Start };
                let at = if goes_on { at } else { after(known, at) };
                (kind, at, Known { holder, open: true, end, last: at })
            }
            Said::Released(_) if known.is_some_and(|known| !known.open) => return None,
            Said::Released(when) => {
                let end = known.and_then(|known| known.end).unwrap_or(Timestamp::MAX);
                let at = when.unwrap_or(latest).min(latest).min(end);
                let at = known.map_or(at, |known| at.max(known.last));
                // The server has one lease of an address. Where it names another client now, nobody has it either way.
                let same = held_before.is_none_or(|known| known.holder == holder) && !client.is_nobody();
                let kind = if same { EventKind::Stop } else { EventKind::Vacated };
                (kind, at, Known { holder, open: false, end: None, last: at })
            }
            Said::Declined(_) if known.is_some_and(|known| !known.open && known.holder == NOBODY) => return None,
            Said::Declined(when) => {
                let at = after(known, when.unwrap_or(latest).min(latest));
                (EventKind::Vacated, at, Known { holder: NOBODY, open: false, end: None, last: at })
            }
            Said::Expired => {
                self.known.entry(network).and_modify(|known| known.open = false);
                return None;
            }
        };
        self.known.insert(network, known);
        let lease_end = if known.open { known.end } else { None };
        let session = (kind != EventKind::Vacated).then(|| session(&client, network));
        Some(naming.event(kind, at, network, client, session, lease_end))
    }
}

/// The holder of an address that was declined.
const NOBODY: u64 = 0;

fn after(known: Option<Known>, at: Timestamp) -> Timestamp {
    match known {
        Some(known) if at <= known.last && known.last.since(at) < SECONDS => known.last.plus(STEP),
        _ => at,
    }
}

fn hash(client: &Client) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity(client).hash(&mut hasher);
    hasher.finish().max(1)
}

/// What tells a client from another: its identifier, with the IAID where there is one, else its MAC.
fn identity(client: &Client) -> Vec<u8> {
    let mut bytes = match (&client.id, client.mac) {
        (Some(id), _) => [b"i", id.as_slice()].concat(),
        (None, Some(mac)) => [b"m", mac.0.as_slice()].concat(),
        (None, None) => Vec::new(),
    };
    bytes.extend(client.iaid.into_iter().flat_map(u32::to_be_bytes));
    bytes
}

/// A lease is of one address: a client that has several and gives one back keeps the others, so the address is part of it.
fn session(client: &Client, network: Network) -> SessionId {
    let mut bytes = identity(client);
    bytes.extend(network.to_string().into_bytes());
    SessionId(bytes)
}

impl Client {
    /// Does nothing tell whose lease it is?
    pub(super) fn is_nobody(&self) -> bool {
        self.id.is_none() && self.mac.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Mac;

    fn at(secs: u32) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn row(client: u8, said: Said) -> Lease {
        let mac = Some(Mac([2, 0, 0, 0, 0, client]));
        let network = Network::single("192.0.2.7".parse().unwrap());
        Lease { network, client: Client { mac, ..Client::default() }, said }
    }

    fn held(client: u8, from: u32, until: u32) -> Lease {
        row(client, Said::Held { at: at(from), end: Some(at(until)) })
    }

    /// What rows mean, each read at the instant beside it.
    fn meanings(rows: impl IntoIterator<Item = (Lease, u32)>) -> Vec<Option<(EventKind, u64)>> {
        let (mut memory, naming) = (Memory::default(), Naming::plain("kea"));
        let event = |(row, read)| memory.event(row, at(read), &naming).map(|event| (event.kind, stamp(&event)));
        rows.into_iter().map(event).collect()
    }

    fn stamp(event: &Event) -> u64 {
        event.time.stamp.unwrap().millis()
    }

    #[test]
    fn a_row_with_a_lifetime_is_an_update_until_the_file_shows_a_new_grant() {
        use EventKind::{Start, Update};
        let rows =
            [(held(1, 100, 200), 300), (held(1, 150, 250), 300), (held(2, 260, 300), 300), (held(1, 290, 390), 300)];
        let expected = [(Update, 100_000), (Update, 150_000), (Start, 260_000), (Start, 290_000)];
        assert_eq!(meanings(rows), expected.map(Some));
        let rows = [(held(1, 100, 200), 300), (held(1, 201, 300), 300)];
        assert_eq!(meanings(rows)[1], Some((Start, 201_000)), "it had run out");
    }

    #[test]
    fn a_release_is_at_the_earlier_of_its_reading_and_the_lease_s_end() {
        use EventKind::{Start, Stop, Update};
        let release = |client| row(client, Said::Released(None));
        assert_eq!(meanings([(held(1, 100, 200), 101), (release(1), 150)])[1], Some((Stop, 150_000)));
        assert_eq!(meanings([(held(1, 100, 200), 101), (release(1), 900)])[1], Some((Stop, 200_000)));
        assert_eq!(meanings([(release(1), 900)]), [Some((Stop, 900_000))], "of an unknown lease: now");
        // Granted again within the second of the release: later than it, whatever the seconds say.
        let again = meanings([(held(1, 100, 200), 101), (release(1), 150), (held(1, 150, 250), 151)]);
        assert_eq!(again, [Some((Update, 100_000)), Some((Stop, 150_000)), Some((Start, 150_001))]);
        assert_eq!(meanings([(held(1, 100, 200), 101), (release(1), 150), (release(1), 160)])[2], None);
    }

    #[test]
    fn a_lease_that_is_given_back_in_another_s_name_is_nobody_s() {
        let rows = [(held(1, 100, 200), 101), (row(2, Said::Released(None)), 150)];
        assert_eq!(meanings(rows)[1], Some((EventKind::Vacated, 150_000)));
    }

    #[test]
    fn a_decline_is_said_once_and_comes_after_the_grant_it_declines() {
        let declined = || row(1, Said::Declined(Some(at(100))));
        let meant = meanings([(held(1, 100, 200), 101), (declined(), 101), (declined(), 102)]);
        assert_eq!(meant[1..], [Some((EventKind::Vacated, 100_001)), None]);
    }

    #[test]
    fn what_has_run_out_says_nothing_and_its_removal_neither() {
        let rows = [(held(1, 100, 200), 101), (row(1, Said::Expired), 201), (row(1, Said::Released(None)), 900)];
        assert_eq!(meanings(rows)[1..], [None, None]);
    }
}

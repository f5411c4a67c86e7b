//! Whom a lease names: the operator's choice of identity, and a list that turns identities into accounts.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Client, LONGEST_IDENTITY};
use crate::domain::address::Network;
use crate::domain::event::{Assigned, Event, EventKind, EventTime};
use crate::domain::identity::{CircuitId, Line, NasId, RemoteId, SessionId, SubscriberId, text_of};
use crate::domain::lease::LeaseIdentity;
use crate::domain::selection::Kept;
use crate::domain::time::Timestamp;

/// How a source's leases become events.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The server, or the pair of servers that share their leases.
    pub nas: NasId,
    /// What names the subscriber: of these the first that a lease has.
    pub subscriber: Vec<LeaseIdentity>,
    /// What is kept of the line.
    pub keep: Kept,
    /// Whose each identity is.
    pub accounts: Arc<Accounts>,
}

impl Naming {
    /// Every identity in its default order, everything kept, no list.
    pub fn plain(nas: &str) -> Self {
        let accounts = Arc::new(Accounts::default());
        Self { nas: NasId(nas.to_owned()), subscriber: LeaseIdentity::ALL.to_vec(), keep: Kept::default(), accounts }
    }

    pub(super) fn event(
        &self,
        kind: EventKind,
        at: Timestamp,
        network: Network,
        client: Client,
        session: Option<SessionId>,
        lease_end: Option<Timestamp>,
    ) -> Event {
        // A decline is about the address: whoever is named in its row is not who was seen to use it.
        let subscriber = if kind == EventKind::Vacated { None } else { self.subscriber(&client) };
        let line = Line {
            mac: client.mac.filter(|_| self.keep.mac),
            circuit_id: client.circuit_id.as_deref().filter(|_| self.keep.circuit_id).map(CircuitId::from_bytes),
            remote_id: client.remote_id.as_deref().filter(|_| self.keep.remote_id).map(RemoteId::from_bytes),
            nas_port: None,
        };
        Event {
            kind,
            time: EventTime { stamp: Some(at), delay: None },
            nas: self.nas.clone(),
            session,
            session_time: None,
            assigned: vec![Assigned::whole(network)],
            subscriber,
            line: if kind == EventKind::Vacated { Line::default() } else { line },
            terminate_cause: None,
            lease_end,
        }
    }

    fn subscriber(&self, client: &Client) -> Option<SubscriberId> {
        let of = |identity: &LeaseIdentity| match identity {
            LeaseIdentity::RemoteId => client.remote_id.as_deref().map(text_of),
            LeaseIdentity::CircuitId => client.circuit_id.as_deref().map(text_of),
            LeaseIdentity::ClientId => client.id.as_deref().map(text_of),
            LeaseIdentity::Mac => client.mac.map(|mac| mac.to_string()),
        };
        let identity = self.subscriber.iter().find_map(of)?;
        Some(SubscriberId(self.accounts.0.get(&identity).cloned().unwrap_or(identity)))
    }
}

/// Whose each identity is. An identity that is not listed stands for itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Accounts(HashMap<String, String>);

impl Accounts {
    /// Reads a list of two columns, the identity as answers show it and the account, separated by a comma or by white space;
    /// lines that begin with `#` are comments. Returns how many lines had not two columns, too: those are passed over. Of
    /// an identity that stands there twice the last line counts.
    pub fn parse(text: &str) -> (Self, u64) {
        let (mut accounts, mut bad) = (HashMap::new(), 0_u64);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let two = line.split_once(',').or_else(|| line.split_once(char::is_whitespace));
            match two.map(|(identity, account)| (identity.trim(), account.trim())) {
                Some((identity, account)) if is_name(identity) && is_name(account) => {
                    accounts.insert(canonical(identity), account.to_owned());
                }
                _ => bad = bad.saturating_add(1),
            }
        }
        (Self(accounts), bad)
    }

    /// How many identities are listed.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is none listed?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_name(text: &str) -> bool {
    // In hex an identity is twice as long, with two characters in front.
    let longest = LONGEST_IDENTITY.saturating_mul(2).saturating_add(2);
    (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Hex is shown in lower case.
fn canonical(identity: &str) -> String {
    if identity.starts_with("0x") { identity.to_ascii_lowercase() } else { identity.to_owned() }
}

/// Shows how long the list is and nobody in it.
impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Accounts({} identities)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_commas_or_spaces_and_bad_lines_are_counted() {
        let text = "# who is who\ncm-1, acct-1\n0x0004FF\tacct 2\n\nalone\ncm-1,acct-3\n,\n";
        let (accounts, bad) = Accounts::parse(text);
        assert_eq!(bad, 2);
        assert_eq!(accounts.0.get("cm-1").map(String::as_str), Some("acct-3"));
        assert_eq!(accounts.0.get("0x0004ff").map(String::as_str), Some("acct 2"));
        assert_eq!(format!("{accounts:?}"), "Accounts(2 identities)");
    }

    #[test]
    fn the_first_identity_that_is_there_names_the_subscriber() {
        let client = Client { id: Some(vec![1, 2]), circuit_id: Some(b"olt-7/3".to_vec()), ..Client::default() };
        let mut naming = Naming::plain("kea");
        assert_eq!(naming.subscriber(&client), Some(SubscriberId("olt-7/3".into())));
        naming.subscriber = vec![LeaseIdentity::RemoteId, LeaseIdentity::ClientId];
        assert_eq!(naming.subscriber(&client), Some(SubscriberId("0x0102".into())));
        naming.accounts = Arc::new(Accounts::parse("0x0102 acct-9").0);
        assert_eq!(naming.subscriber(&client), Some(SubscriberId("acct-9".into())));
        assert_eq!(naming.subscriber(&Client::default()), None);
    }
}

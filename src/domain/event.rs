//! What a source said, before it is decided when that was and whether it is kept.

use std::time::Duration;

use super::address::{Network, Ports};
use super::identity::{Line, NasId, SessionId, SubscriberId};
use super::time::Timestamp;

/// One protocol statement, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What was said.
    pub kind: EventKind,
    /// When, in the source's own words.
    pub time: EventTime,
    /// Which NAS said it.
    pub nas: NasId,
    /// The session it was said of; some servers send none.
    pub session: Option<SessionId>,
    /// Acct-Session-Time (RFC 2866, section 5.7): how long the session has lasted.
    pub session_time: Option<Duration>,
    /// The addresses and prefixes named, in the order of the packet, each once.
    pub assigned: Vec<Assigned>,
    /// Whom the session belongs to. An absent name erases none that was given earlier.
    pub subscriber: Option<SubscriberId>,
    /// Where the session entered the network.
    pub line: Line,
    /// Acct-Terminate-Cause (RFC 2866, section 5.10).
    pub terminate_cause: Option<u32>,
    /// When the lease runs out, for sources that lease for a time.
    pub lease_end: Option<Timestamp>,
}

/// The kinds of statement a source can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The session began.
    Start,
    /// The session goes on.
    Update,
    /// The session ended.
    Stop,
    /// A modem logged on; no address is named yet.
    Logon,
    /// Nobody whom this NAS or server knows of holds the address any more, whoever did: a DHCP decline (RFC 2131, section 4.3.3).
    Vacated,
    /// The NAS lost or closed all its sessions: Accounting-On or -Off (RFC 2866, section 5.1).
    NasReset,
}

/// The source's own account of when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct EventTime {
    /// Event-Timestamp (RFC 2869, section 5.3).
    pub stamp: Option<Timestamp>,
    /// Acct-Delay-Time (RFC 2866, section 5.2). Ignored where there is a stamp: forwarders count it twice.
    pub delay: Option<Duration>,
}

/// One address or prefix that a statement names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Assigned {
    /// The address or prefix.
    pub network: Network,
    /// The ports of it.
    pub ports: Ports,
    /// For a block of ports on the outside of a NAT, which lies in the outside realm of its source, what is said of it
    /// besides; `None` for what the session itself has, in its source's realm.
    pub outside: Option<Outside>,
}

impl Assigned {
    /// A whole address or prefix that the session itself has.
    pub const fn whole(network: Network) -> Self {
        Self { network, ports: Ports::ALL, outside: None }
    }
}

/// What a statement says of one block of ports on the outside of a NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outside {
    /// Has it just changed hands?
    pub change: BlockChange,
    /// What is translated to it, in the realm of the source, where the statement names no subscriber.
    pub inside: Option<Network>,
}

/// Whether a block of ports has just changed hands, whatever becomes of its session. That an update leaves a block out does not
/// end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockChange {
    /// Nothing is said but that the session has it.
    Listed,
    /// The session gets it.
    Allocated,
    /// The session gives it back, and goes on.
    Freed,
}

/// Why an event that arrived whole is acknowledged and not kept. A spool reader retries a refused event for ever and
/// blocks all behind it, so what is of no use to us is taken, counted under its reason and forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quarantine {
    /// No Acct-Status-Type, or one of no length.
    NoStatusType,
    /// An Acct-Status-Type that is no statement about a session: Tunnel-Start, Failed and the like.
    OtherStatusType,
    /// Neither a session id nor a subscriber nor a MAC: nothing to tell this session from another.
    NoSession,
    /// A statement that names no address, where one is needed.
    NoAddress,
    /// A logon that names no subscriber.
    NoSubscriber,
    /// An address in none of the configured networks.
    NotOurs,
    /// An address in a network that names other sources.
    ForeignSource,
    /// The source says it happened longer ago than its `max-delay` allows.
    TooLate,
}

impl Quarantine {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::NoStatusType,
        Self::OtherStatusType,
        Self::NoSession,
        Self::NoAddress,
        Self::NoSubscriber,
        Self::NotOurs,
        Self::ForeignSource,
        Self::TooLate,
    ];

    /// The name under which it is counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoStatusType => "no-status-type",
            Self::OtherStatusType => "other-status-type",
            Self::NoSession => "no-session",
            Self::NoAddress => "no-address",
            Self::NoSubscriber => "no-subscriber",
            Self::NotOurs => "not-ours",
            Self::ForeignSource => "foreign-source",
            Self::TooLate => "too-late",
        }
    }
}

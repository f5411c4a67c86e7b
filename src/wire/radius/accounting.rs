//! What an Accounting-Request states (RFC 2866), as an [`Event`].
//!
//! A value that cannot be read is passed over and counted; the rest of the statement stands. Whether the event is kept,
//! and at which instant it happened, is decided elsewhere.

use std::net::IpAddr;

use super::attribute::Attributes;
use super::statement::Statement;
use crate::domain::event::{Event, EventKind, Quarantine};
use crate::domain::selection::Selection;

/// The values of Acct-Status-Type that are statements about sessions (RFC 2866, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusType {
    /// Start.
    Start,
    /// Stop.
    Stop,
    /// Interim-Update.
    InterimUpdate,
    /// Accounting-On: the NAS has come up.
    AccountingOn,
    /// Accounting-Off: the NAS is about to go down.
    AccountingOff,
}

impl StatusType {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Start, Self::Stop, Self::InterimUpdate, Self::AccountingOn, Self::AccountingOff];

    /// The value on the wire.
    pub const fn number(self) -> u32 {
        match self {
            Self::Start => 1,
            Self::Stop => 2,
            Self::InterimUpdate => 3,
            Self::AccountingOn => 7,
            Self::AccountingOff => 8,
        }
    }

    /// The status type of a value on the wire; `None` for one that states nothing about a session.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    const fn kind(self) -> EventKind {
        match self {
            Self::Start => EventKind::Start,
            Self::Stop => EventKind::Stop,
            Self::InterimUpdate => EventKind::Update,
            Self::AccountingOn | Self::AccountingOff => EventKind::NasReset,
        }
    }
}

/// How many attributes of a packet were passed over because their values are malformed. There are at most 2038.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flaws(u16);

impl Flaws {
    /// The number of malformed attributes.
    pub const fn count(self) -> u16 {
        self.0
    }

    /// Were all attributes that are read well formed?
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    const fn add_one(&mut self) {
        self.0 = self.0.saturating_add(1);
    }
}

/// The event that `attributes` state. `peer` is the NAS where the packet names none.
pub(super) fn event(
    attributes: Attributes<'_>,
    peer: IpAddr,
    selection: &Selection,
) -> Result<(Event, Flaws), Quarantine> {
    let mut statement = Statement::default();
    let mut flaws = Flaws::default();
    for attribute in attributes {
        if statement.take(attribute).is_err() {
            flaws.add_one();
        }
    }
    if statement.put_together().is_err() {
        flaws.add_one();
    }
    let status = statement.status.ok_or(Quarantine::NoStatusType)?;
    let status = StatusType::from_number(status).ok_or(Quarantine::OtherStatusType)?;
    statement.into_event(status.kind(), peer, selection).map(|event| (event, flaws))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::attribute::framed;
    use super::*;
    use crate::domain::identity::Mac;
    use crate::domain::selection::Kept;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    fn event_of(attributes: &[(u8, &[u8])], selection: &Selection) -> Result<(Event, Flaws), Quarantine> {
        event(Attributes::parse(&framed(attributes)).unwrap(), PEER, selection)
    }

    fn read(attributes: &[(u8, &[u8])]) -> (Event, Flaws) {
        event_of(attributes, &Selection::default()).unwrap()
    }

    const START: (u8, &[u8]) = (40, &[0, 0, 0, 1]);
    const SESSION: (u8, &[u8]) = (44, b"s1");

    #[test]
    fn status_types_read_back() {
        for status in StatusType::ALL {
            assert_eq!(StatusType::from_number(status.number()), Some(status));
        }
        assert_eq!(StatusType::from_number(9), None);
    }

    #[test]
    fn what_is_no_statement_about_a_session_is_quarantined() {
        let reason = |attributes: &[(u8, &[u8])]| event_of(attributes, &Selection::default()).unwrap_err();
        assert_eq!(reason(&[SESSION]), Quarantine::NoStatusType);
        assert_eq!(reason(&[SESSION, (40, &[1])]), Quarantine::NoStatusType);
        assert_eq!(reason(&[SESSION, (40, &[0, 0, 0, 15])]), Quarantine::OtherStatusType);
        assert_eq!(reason(&[START]), Quarantine::NoSession);
        assert_eq!(reason(&[START, (44, b""), (1, b""), (31, b"+49 30 1234567")]), Quarantine::NoSession);
    }

    #[test]
    fn a_subscriber_or_a_mac_stands_in_for_a_session_id() {
        assert_eq!(read(&[START, (1, b"alice")]).0.session, None);
        let mac = (31, b"02-00-5E-10-00-01".as_slice());
        assert_eq!(read(&[START, mac]).0.line.mac, Some(Mac([2, 0, 0x5e, 0x10, 0, 1])));

        // A MAC that is not kept cannot tell sessions apart either.
        let blind = Selection { keep: Kept { mac: false, ..Kept::default() }, ..Selection::default() };
        assert_eq!(event_of(&[START, mac], &blind), Err(Quarantine::NoSession));
    }

    #[test]
    fn a_reset_speaks_of_the_nas_alone() {
        for status in [7, 8] {
            let (event, _) = read(&[(40, &[0, 0, 0, status]), (44, b"00000000"), (8, &[192, 0, 2, 7]), (41, &[0; 4])]);
            assert_eq!((event.kind, event.session, event.assigned), (EventKind::NasReset, None, vec![]));
            assert_eq!(event.time.delay, Some(Duration::ZERO));
        }
    }
}

//! Which attributes of an Accounting-Request matter, and what they say together.

use std::net::IpAddr;
use std::time::Duration;

use super::address::{self, PrefixError};
use super::attribute::{
    AGENT_CIRCUIT_ID, AGENT_REMOTE_ID, Attribute, AttributeType, Attributes, BROADBAND_FORUM, FramingError,
};
use super::nat::{self, BlockError, Blocks, HUAWEI, NOKIA};
use crate::domain::address::Network;
use crate::domain::event::{Assigned, Event, EventKind, EventTime, Quarantine};
use crate::domain::identity::{CircuitId, Line, Mac, NasId, NasPort, RemoteId, SessionId, SubscriberId, text_of};
use crate::domain::selection::{Kept, Selection, SubscriberFrom};
use crate::domain::time::Timestamp;
use crate::wire::reader::ReadError;

/// Why the value of an attribute was passed over. Nobody is told which: a NAS repeats its mistake in every packet.
#[derive(Debug)]
pub(super) struct Malformed;

impl From<ReadError> for Malformed {
    fn from(_: ReadError) -> Self {
        Self
    }
}

impl From<PrefixError> for Malformed {
    fn from(_: PrefixError) -> Self {
        Self
    }
}

impl From<BlockError> for Malformed {
    fn from(_: BlockError) -> Self {
        Self
    }
}

impl From<FramingError> for Malformed {
    fn from(_: FramingError) -> Self {
        Self
    }
}

/// The attributes that matter, each still where it lies in the packet. Of a repeated one the first counts, except of
/// addresses, which all count.
#[derive(Default)]
pub(super) struct Statement<'a> {
    pub(super) status: Option<u32>,
    session: Option<&'a [u8]>,
    session_time: Option<u32>,
    terminate_cause: Option<u32>,
    stamp: Option<u32>,
    delay: Option<u32>,
    user_name: Option<&'a [u8]>,
    class: Option<&'a [u8]>,
    calling_station_id: Option<&'a [u8]>,
    circuit_id: Option<&'a [u8]>,
    remote_id: Option<&'a [u8]>,
    nas_identifier: Option<&'a [u8]>,
    nas_ip: Option<IpAddr>,
    nas_ipv6: Option<IpAddr>,
    nas_port: Option<u32>,
    nas_port_id: Option<&'a [u8]>,
    assigned: Vec<Assigned>,
    blocks: Blocks,
}

impl<'a> Statement<'a> {
    pub(super) fn take(&mut self, attribute: Attribute<'a>) -> Result<(), Malformed> {
        match attribute.kind {
            AttributeType::ACCT_STATUS_TYPE => first(&mut self.status, Some(attribute.integer()?)),
            AttributeType::ACCT_SESSION_ID => first(&mut self.session, attribute.text()),
            AttributeType::ACCT_SESSION_TIME => first(&mut self.session_time, Some(attribute.integer()?)),
            AttributeType::ACCT_TERMINATE_CAUSE => first(&mut self.terminate_cause, Some(attribute.integer()?)),
            AttributeType::EVENT_TIMESTAMP => first(&mut self.stamp, Some(attribute.integer()?)),
            AttributeType::ACCT_DELAY_TIME => first(&mut self.delay, Some(attribute.integer()?)),
            AttributeType::USER_NAME => first(&mut self.user_name, attribute.text()),
            AttributeType::CLASS => first(&mut self.class, attribute.text()),
            AttributeType::CALLING_STATION_ID => first(&mut self.calling_station_id, attribute.text()),
            AttributeType::VENDOR_SPECIFIC => self.take_vendor_specific(attribute)?,
            AttributeType::EXTENDED_1 => self.blocks.take_extended(attribute.value)?,
            AttributeType::NAS_IDENTIFIER => first(&mut self.nas_identifier, attribute.text()),
            AttributeType::NAS_IP_ADDRESS => first(&mut self.nas_ip, specified(attribute.ipv4()?.into())),
            AttributeType::NAS_IPV6_ADDRESS => first(&mut self.nas_ipv6, specified(attribute.ipv6()?.into())),
            AttributeType::NAS_PORT => first(&mut self.nas_port, Some(attribute.integer()?)),
            AttributeType::NAS_PORT_ID => first(&mut self.nas_port_id, attribute.text()),
            AttributeType::FRAMED_IP_ADDRESS => self.assign(address::of_ipv4(attribute.ipv4()?)),
            AttributeType::FRAMED_IPV6_ADDRESS => self.assign(address::of_ipv6(attribute.ipv6()?)),
            AttributeType::FRAMED_IPV6_PREFIX | AttributeType::DELEGATED_IPV6_PREFIX => {
                self.assign(address::of_prefix(attribute.value)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The Broadband Forum packs one or several sub-attributes into one Vendor-Specific, framed like attributes.
    fn take_vendor_specific(&mut self, attribute: Attribute<'a>) -> Result<(), Malformed> {
        let (vendor, rest) = attribute.vendor()?;
        if matches!(vendor, NOKIA | HUAWEI) {
            return Ok(self.blocks.take_vendor_specific(vendor, rest)?);
        }
        if vendor != BROADBAND_FORUM {
            return Ok(());
        }
        for inner in Attributes::parse(rest)? {
            match inner.kind {
                AGENT_CIRCUIT_ID => first(&mut self.circuit_id, inner.text()),
                AGENT_REMOTE_ID => first(&mut self.remote_id, inner.text()),
                _ => {}
            }
        }
        Ok(())
    }

    fn assign(&mut self, network: Option<Network>) {
        let assigned = network.map(Assigned::whole);
        if let Some(assigned) = assigned.filter(|assigned| !self.assigned.contains(assigned)) {
            self.assigned.push(assigned);
        }
    }

    /// What can be said only when all attributes have been taken: whether the parts of port blocks make blocks.
    pub(super) fn put_together(&mut self) -> Result<(), Malformed> {
        Ok(self.blocks.put_together()?)
    }

    /// All that is assigned. A NAT that names no subscriber translates an address that somebody else has assigned: that
    /// address stands beside its blocks, and is no assignment of its own, which would end the true one.
    fn all_assigned(&mut self, has_subscriber: bool) -> Vec<Assigned> {
        let named = self.user_name.and_then(nat::inside_named);
        let mut assigned = std::mem::take(&mut self.assigned);
        let translates = !has_subscriber && (!self.blocks.is_empty() || named.is_some());
        let inside = if translates { nat::inside_of(&assigned, named) } else { None };
        assigned.retain(|held| inside != Some(held.network));
        assigned.append(&mut self.blocks.assigned(inside));
        assigned
    }

    pub(super) fn into_event(
        mut self,
        kind: EventKind,
        peer: IpAddr,
        selection: &Selection,
    ) -> Result<Event, Quarantine> {
        let nas = self.nas(peer);
        let seconds = |count: u32| Duration::from_secs(count.into());
        let time = EventTime { stamp: self.stamp.map(Timestamp::from_secs), delay: self.delay.map(seconds) };
        if kind == EventKind::NasReset {
            // It speaks of the NAS alone; some send it with a session id of zeros.
            return Ok(Event {
                kind,
                time,
                nas,
                session: None,
                session_time: None,
                assigned: Vec::new(),
                subscriber: None,
                line: Line::default(),
                terminate_cause: None,
                lease_end: None,
            });
        }
        let session = self.session.map(|id| SessionId(id.to_vec()));
        let subscriber = self.subscriber(&selection.subscriber);
        let line = self.line(selection.keep);
        if session.is_none() && subscriber.is_none() && line.mac.is_none() {
            return Err(Quarantine::NoSession);
        }
        Ok(Event {
            kind,
            time,
            nas,
            session,
            session_time: self.session_time.map(seconds),
            assigned: self.all_assigned(subscriber.is_some()),
            subscriber,
            line,
            terminate_cause: self.terminate_cause,
            lease_end: None,
        })
    }

    /// What the NAS calls itself, else its address, else where the packet came from.
    fn nas(&self, peer: IpAddr) -> NasId {
        match self.nas_identifier {
            Some(name) => NasId(text_of(name)),
            None => NasId(self.nas_ip.or(self.nas_ipv6).unwrap_or(peer).to_canonical().to_string()),
        }
    }

    fn subscriber(&self, preference: &[SubscriberFrom]) -> Option<SubscriberId> {
        preference.iter().find_map(|from| self.named_by(*from)).map(SubscriberId::from_bytes)
    }

    fn named_by(&self, from: SubscriberFrom) -> Option<&'a [u8]> {
        match from {
            // Where a NAT knows nobody, it may make up a name from the inside address.
            SubscriberFrom::UserName => match self.user_name {
                Some(name) if nat::inside_named(name).is_some() => None,
                name => name,
            },
            SubscriberFrom::CallingStationId => self.calling_station_id,
            SubscriberFrom::CircuitId => self.circuit_id,
            SubscriberFrom::RemoteId => self.remote_id,
            SubscriberFrom::Class => self.class,
            SubscriberFrom::NasPortId => self.nas_port_id,
        }
    }

    fn line(&self, keep: Kept) -> Line {
        let port = || match self.nas_port_id {
            Some(text) => Some(NasPort::from_bytes(text)),
            None => self.nas_port.map(|number| NasPort(number.to_string())),
        };
        Line {
            mac: self.calling_station_id.filter(|_| keep.mac).and_then(mac_of),
            circuit_id: self.circuit_id.filter(|_| keep.circuit_id).map(CircuitId::from_bytes),
            remote_id: self.remote_id.filter(|_| keep.remote_id).map(RemoteId::from_bytes),
            nas_port: if keep.nas_port { port() } else { None },
        }
    }
}

fn first<T>(place: &mut Option<T>, value: Option<T>) {
    if place.is_none() {
        *place = value;
    }
}

/// Where the NAS does not know its own address it writes all zeros.
fn specified(address: IpAddr) -> Option<IpAddr> {
    (!address.is_unspecified()).then_some(address)
}

/// The MAC in a Calling-Station-Id; what else may stand there, such as a telephone number, is none.
fn mac_of(text: &[u8]) -> Option<Mac> {
    std::str::from_utf8(text).ok().and_then(Mac::parse)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::accounting::{self, Flaws};
    use super::super::attribute::framed;
    use super::*;

    const PEER: IpAddr = IpAddr::V6(Ipv4Addr::new(203, 0, 113, 9).to_ipv6_mapped());

    fn event_of(attributes: &[(u8, &[u8])], selection: &Selection) -> Result<(Event, Flaws), Quarantine> {
        accounting::event(Attributes::parse(&framed(attributes)).unwrap(), PEER, selection)
    }

    fn read(attributes: &[(u8, &[u8])]) -> (Event, Flaws) {
        event_of(attributes, &Selection::default()).unwrap()
    }

    const START: (u8, &[u8]) = (40, &[0, 0, 0, 1]);
    const SESSION: (u8, &[u8]) = (44, b"s1");

    #[test]
    fn the_nas_is_its_name_else_its_address_else_the_peer() {
        let nas = |attributes: &[(u8, &[u8])]| read(&[&[START, SESSION], attributes].concat()).0.nas.0;
        let v6: &[u8] = &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(nas(&[(95, v6), (4, &[192, 0, 2, 1]), (32, b"bng-1")]), "bng-1");
        assert_eq!(nas(&[(95, v6), (4, &[192, 0, 2, 1]), (32, b"")]), "192.0.2.1");
        assert_eq!(nas(&[(95, v6), (4, &[0, 0, 0, 0])]), "2001:db8::1");
        assert_eq!(nas(&[]), "203.0.113.9");
    }

    #[test]
    fn a_malformed_attribute_is_counted_and_the_next_of_its_kind_counts() {
        let (event, flaws) = read(&[
            START,
            SESSION,
            (8, &[192, 0, 2]),
            (8, &[192, 0, 2, 7]),
            (49, b"gone"),
            (49, &[0, 0, 0, 1]),
            (97, &[0, 200]),
            (26, &[0, 0]),
            (26, &[0, 0, 0x0d, 0xe9, 1, 9, b'x']),
            (41, &[]),
        ]);
        assert_eq!(event.assigned.len(), 1);
        assert_eq!(event.terminate_cause, Some(u32::from_be_bytes(*b"gone")));
        assert_eq!(event.line.circuit_id, None);
        assert_eq!((flaws.count(), flaws.is_none()), (5, false));
    }

    #[test]
    fn addresses_come_in_order_and_once() {
        let (event, flaws) = read(&[
            START,
            SESSION,
            (97, &[0, 64, 0x20, 1, 0xd, 0xb8, 0, 7, 0, 0]),
            (8, &[192, 0, 2, 7]),
            (8, &[0, 0, 0, 0]),
            (97, &[0, 64, 0x20, 1, 0xd, 0xb8, 0, 7, 0, 0, 9]),
            (8, &[192, 0, 2, 7]),
            (8, &[192, 0, 2, 8]),
        ]);
        let networks: Vec<String> = event.assigned.iter().map(|assigned| assigned.network.to_string()).collect();
        assert_eq!(networks, ["2001:db8:7::/64", "192.0.2.7", "192.0.2.8"]);
        assert!(flaws.is_none());
    }

    #[test]
    fn the_first_attribute_of_the_preference_names_the_subscriber() {
        use SubscriberFrom::*;
        let vendor: &[u8] = &[0, 0, 0x0d, 0xe9, 1, 4, 0, 4, 2, 5, b'r', b'-', b'1'];
        let packet = [START, (1, b"alice"), (25, b"\x01\x02"), (26, vendor), (31, b"caller"), (87, b"slot 1")];
        let named = |subscriber: &[SubscriberFrom]| {
            let selection = Selection { subscriber: subscriber.to_vec(), keep: Kept::default() };
            event_of(&[packet.as_slice(), &[SESSION]].concat(), &selection).unwrap().0.subscriber
        };
        let expected = ["alice", "caller", "0x0004", "r-1", "0x0102", "slot 1"];
        for (from, name) in SubscriberFrom::ALL.into_iter().zip(expected) {
            assert_eq!(named(&[from, UserName]), Some(SubscriberId(name.into())), "{from}");
        }
        assert_eq!(named(&[]), None);

        let without = [START, SESSION, (1, b""), (31, b"caller")];
        let selection = Selection { subscriber: vec![Class, UserName, CallingStationId], keep: Kept::default() };
        assert_eq!(event_of(&without, &selection).unwrap().0.subscriber, Some(SubscriberId("caller".into())));
    }

    #[test]
    fn the_line_keeps_what_is_allowed() {
        let vendor: &[u8] = &[0, 0, 0x0d, 0xe9, 1, 3, b'c', 2, 3, b'r'];
        let packet = [START, SESSION, (5, &[0, 0, 1, 0]), (26, vendor), (31, b"0200.5e10.0001")];
        let all = read(&packet).0.line;
        assert_eq!(all.circuit_id, Some(CircuitId("c".into())));
        assert_eq!(all.remote_id, Some(RemoteId("r".into())));
        assert_eq!(all.nas_port, Some(NasPort("256".into())));
        assert!(all.mac.is_some());

        let with_id = [packet.as_slice(), &[(87, b"eth 1/1")]].concat();
        assert_eq!(read(&with_id).0.line.nas_port, Some(NasPort("eth 1/1".into())));

        let keep = Kept { mac: false, circuit_id: false, remote_id: false, nas_port: false };
        let selection = Selection { keep, ..Selection::default() };
        assert_eq!(event_of(&with_id, &selection).unwrap().0.line, Line::default());
    }

    #[test]
    fn another_vendors_attributes_are_passed_over_whatever_their_layout() {
        let (event, flaws) = read(&[START, SESSION, (26, &[0, 0, 0, 9, 1, 200]), (26, &[0, 0, 0, 9])]);
        assert_eq!(event.line, Line::default());
        assert!(flaws.is_none());
    }
}

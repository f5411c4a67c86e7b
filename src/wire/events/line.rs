//! One line of the stream becomes one event, or one reason why it is none.

use std::net::IpAddr;

use ipnet::IpNet;

use super::error::{Field, LineError};
use super::json::{Object, Value};
use crate::domain::address::{Network, Ports};
use crate::domain::event::{Assigned, Event, EventKind, EventTime};
use crate::domain::identity::{CircuitId, Line, Mac, NasId, RemoteId, SessionId, SubscriberId};
use crate::domain::rfc3339;
use crate::domain::time::Timestamp;

/// The longest text of a field, in bytes: that of a RADIUS attribute (RFC 2865, section 5).
pub const MAX_TEXT: usize = 253;

/// The kinds by the words that stand for them.
const KINDS: [(&str, EventKind); 6] = [
    ("start", EventKind::Start),
    ("update", EventKind::Update),
    ("stop", EventKind::Stop),
    ("logon", EventKind::Logon),
    ("reset", EventKind::NasReset),
    ("decline", EventKind::Vacated),
];

/// Reads a line. Where it names no NAS, `nas` said it. An event without a time has no stamp, and so happened when it
/// arrived.
///
/// # Errors
///
/// The first thing that is wrong, with the field.
pub fn read(line: &[u8], nas: &NasId) -> Result<Event, LineError> {
    let text =
        std::str::from_utf8(line).map_err(|error| LineError::NotUtf8 { at: error.valid_up_to().saturating_add(1) })?;
    if text.trim_ascii().is_empty() {
        return Err(LineError::Empty);
    }
    let mut fields = Fields(Object::read(text)?);
    let written = fields.text(Field::Kind)?.ok_or(LineError::NoKind)?;
    let (word, kind) = KINDS.into_iter().find(|(word, _)| *word == written).ok_or(LineError::UnknownKind)?;
    let event = Event {
        kind,
        time: EventTime { stamp: fields.time(Field::Time)?, delay: None },
        assigned: fields.assigned()?.into_iter().collect(),
        subscriber: fields.text(Field::Subscriber)?.map(SubscriberId),
        session: fields.text(Field::Session)?.map(|id| SessionId(id.into_bytes())),
        nas: match fields.text(Field::Nas)? {
            Some(named) => NasId(named),
            None if kind == EventKind::NasReset => return Err(LineError::Missing { field: Field::Nas, kind: word }),
            None => nas.clone(),
        },
        line: Line {
            mac: fields.mac()?,
            circuit_id: fields.text(Field::CircuitId)?.map(CircuitId),
            remote_id: fields.text(Field::RemoteId)?.map(RemoteId),
            nas_port: None,
        },
        lease_end: fields.time(Field::LeaseUntil)?,
        session_time: None,
        terminate_cause: None,
    };
    demand(&event, word)?;
    Ok(event)
}

/// What a kind cannot do without, and what it has no place for.
fn demand(event: &Event, kind: &'static str) -> Result<(), LineError> {
    let (subscriber, address) = match event.kind {
        EventKind::Start | EventKind::Update | EventKind::Stop => (true, true),
        EventKind::Logon => (true, false),
        EventKind::Vacated => (false, true),
        EventKind::NasReset => (false, false),
    };
    if subscriber && event.subscriber.is_none() {
        return Err(LineError::Missing { field: Field::Subscriber, kind });
    }
    match (address, event.assigned.is_empty()) {
        (true, true) => Err(LineError::Missing { field: Field::Address, kind }),
        (false, false) => Err(LineError::Unwelcome { field: Field::Address, kind }),
        (true, false) | (false, true) => Ok(()),
    }
}

/// The fields that are left, read by what they should be.
struct Fields(Object);

impl Fields {
    fn text(&mut self, field: Field) -> Result<Option<String>, LineError> {
        let text = match self.0.take(field) {
            None => return Ok(None),
            Some(Value::Text(text)) => text,
            Some(other @ (Value::Pair(..) | Value::Other(_))) => {
                return Err(LineError::WrongType { field, expected: "a text", found: other.name() });
            }
        };
        if text.is_empty() {
            return Err(LineError::EmptyText { field });
        }
        if text.len() > MAX_TEXT {
            return Err(LineError::TextTooLong { field });
        }
        if text.chars().any(char::is_control) {
            return Err(LineError::ControlCharacter { field });
        }
        Ok(Some(text))
    }

    fn time(&mut self, field: Field) -> Result<Option<Timestamp>, LineError> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        rfc3339::parse(&text).map(Some).map_err(|_| LineError::BadTime { field })
    }

    fn mac(&mut self) -> Result<Option<Mac>, LineError> {
        let Some(text) = self.text(Field::Mac)? else { return Ok(None) };
        Mac::parse(&text).map(Some).ok_or(LineError::BadMac)
    }

    fn assigned(&mut self) -> Result<Option<Assigned>, LineError> {
        let ports = self.ports()?;
        match (self.text(Field::Address)?, ports) {
            (Some(text), ports) => {
                Ok(Some(Assigned { ports: ports.unwrap_or(Ports::ALL), ..Assigned::whole(network(&text)?) }))
            }
            (None, Some(_)) => Err(LineError::PortsOfNothing),
            (None, None) => Ok(None),
        }
    }

    fn ports(&mut self) -> Result<Option<Ports>, LineError> {
        match self.0.take(Field::Ports) {
            None => Ok(None),
            Some(Value::Pair(first, last)) => {
                let ports = u16::try_from(first).ok().zip(u16::try_from(last).ok());
                ports.and_then(|(first, last)| Ports::new(first, last)).map(Some).ok_or(LineError::BadPorts)
            }
            Some(Value::Other("a list")) => Err(LineError::BadPorts),
            Some(other @ (Value::Text(_) | Value::Other(_))) => {
                let expected = "a list of two numbers";
                Err(LineError::WrongType { field: Field::Ports, expected, found: other.name() })
            }
        }
    }
}

/// What a text assigns. A prefix is written without host bits: with them, nobody can say which of the two is meant.
fn network(text: &str) -> Result<Network, LineError> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => Network::single(address),
        Err(_) => {
            let net: IpNet = text.parse().map_err(|_| LineError::BadAddress)?;
            if net.trunc() != net {
                return Err(LineError::HostBits);
            }
            Network::new(net)
        }
    };
    let address = network.address();
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    if address.is_unspecified() || address.is_multicast() || address.is_loopback() || broadcast {
        return Err(LineError::NotAssignable);
    }
    Ok(network)
}

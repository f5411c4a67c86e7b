//! What relays said of a client, as Kea keeps it beside a lease (`store-extended-info`): JSON in the user context.

use serde_json::Value;

use super::{LONGEST_IDENTITY, hex};

/// Where a client is attached.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) circuit_id: Option<Vec<u8>>,
    pub(super) remote_id: Option<Vec<u8>>,
}

/// Agent Circuit ID and Agent Remote ID (RFC 3046, sections 3.1 and 3.2).
const V4: (u16, u16) = (1, 2);
/// Interface-Id (RFC 8415, section 21.18) and Remote-ID (RFC 4649, section 3).
const V6: (u16, u16) = (18, 37);
/// A Remote-ID of DHCPv6 begins with an enterprise number.
const ENTERPRISE: usize = 4;

/// From the context of a DHCPv4 lease: a text of hex in Kea 2.2, a map with that text in it since.
pub(super) fn v4(context: &str) -> Attached {
    let Some(isc) = isc(context) else { return Attached::default() };
    let Some(info) = isc.get("relay-agent-info") else { return Attached::default() };
    let text = info.as_str().or_else(|| info.get("sub-options")?.as_str());
    let bytes = text.and_then(hex::digits).unwrap_or_default();
    attached(V4, |code| option(&bytes, 1, code))
}

/// From the context of a DHCPv6 lease: of the relays, the nearest to the client that names something.
pub(super) fn v6(context: &str) -> Attached {
    let Some(isc) = isc(context) else { return Attached::default() };
    // Renamed in Kea 2.4.
    let relays = isc.get("relay-info").or_else(|| isc.get("relays"));
    let mut relays: Vec<&Value> = relays.and_then(Value::as_array).into_iter().flatten().collect();
    // The relay next to the client counts 0 hops (RFC 8415, section 9).
    relays.sort_by_key(|relay| relay.get("hop").and_then(Value::as_u64).unwrap_or(u64::MAX));
    let options: Vec<Vec<u8>> =
        relays.iter().filter_map(|relay| hex::digits(relay.get("options")?.as_str()?)).collect();
    let mut found = attached(V6, |code| options.iter().find_map(|bytes| option(bytes, 2, code)));
    found.remote_id =
        found.remote_id.and_then(|id| id.get(ENTERPRISE..).map(<[u8]>::to_vec)).filter(|id| !id.is_empty());
    found
}

fn isc(context: &str) -> Option<Value> {
    if context.is_empty() {
        return None;
    }
    serde_json::from_str::<Value>(context).ok()?.get_mut("ISC").map(Value::take)
}

fn attached((circuit, remote): (u16, u16), find: impl Fn(u16) -> Option<Vec<u8>>) -> Attached {
    let usable = |id: &Vec<u8>| (1..=LONGEST_IDENTITY).contains(&id.len());
    Attached { circuit_id: find(circuit).filter(usable), remote_id: find(remote).filter(usable) }
}

/// The first option of this code, where code and length have `width` bytes each.
fn option(bytes: &[u8], width: usize, wanted: u16) -> Option<Vec<u8>> {
    let mut rest = bytes;
    loop {
        let (code, after) = rest.split_at_checked(width)?;
        let (length, after) = after.split_at_checked(width)?;
        let (value, after) = after.split_at_checked(usize::from(number(length)))?;
        if number(code) == wanted {
            return Some(value.to_vec());
        }
        rest = after;
    }
}

fn number(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u16::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_option_82_are_read() {
        let expected = Attached { circuit_id: Some(b"p7".to_vec()), remote_id: Some(vec![2, 0, 1]) };
        assert_eq!(v4(r#"{ "ISC": { "relay-agent-info": "0x010270370203020001" } }"#), expected);
        assert_eq!(
            v4(r#"{"ISC":{"relay-agent-info":{"remote-id":"020001","sub-options":"0x010270370203020001"}}}"#),
            expected
        );
    }

    #[test]
    fn the_relay_next_to_the_client_is_asked_first() {
        let far = r#"{ "hop": 1, "options": "0x00120001AA", "link": "2001:db8::1" }"#;
        let near = r#"{ "hop": 0, "options": "0x0012000170002500060000000a6d31", "peer": "fe80::1" }"#;
        let expected = Attached { circuit_id: Some(b"p".to_vec()), remote_id: Some(b"m1".to_vec()) };
        for name in ["relays", "relay-info"] {
            assert_eq!(v6(&format!(r#"{{ "ISC": {{ "{name}": [ {far}, {near} ] }} }}"#)), expected);
        }
    }

    #[test]
    fn what_is_damaged_names_nothing() {
        for context in ["", "{", "{}", r#"{"ISC":{"relay-agent-info":"0x01"}}"#, r#"{"ISC":{"relay-agent-info":7}}"#] {
            assert_eq!(v4(context), Attached::default(), "{context}");
            assert_eq!(v6(context), Attached::default(), "{context}");
        }
    }
}

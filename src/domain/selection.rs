//! Which of the many attributes of an event are taken: the one that names the subscriber, and those of the line.

use std::fmt;
use std::str::FromStr;

/// What a source's events are read for. What is not selected never reaches an event, and so no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where the subscriber's name is looked for, in order of preference: the first that is there names them.
    pub subscriber: Vec<SubscriberFrom>,
    /// Which attributes of the line are kept.
    pub keep: Kept,
}

/// The subscriber is the User-Name; the whole line is kept.
impl Default for Selection {
    fn default() -> Self {
        Self { subscriber: vec![SubscriberFrom::UserName], keep: Kept::default() }
    }
}

/// An attribute that can name the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SubscriberFrom {
    /// User-Name (RFC 2865, section 5.1).
    UserName,
    /// Calling-Station-Id (RFC 2865, section 5.31).
    CallingStationId,
    /// Agent Circuit ID (RFC 4679, section 3.3.1).
    CircuitId,
    /// Agent Remote ID (RFC 4679, section 3.3.2).
    RemoteId,
    /// Class (RFC 2865, section 5.25): what the authentication server said of the customer.
    Class,
    /// NAS-Port-Id (RFC 2869, section 5.17).
    NasPortId,
}

impl SubscriberFrom {
    /// Every attribute that can.
    pub const ALL: [Self; 6] =
        [Self::UserName, Self::CallingStationId, Self::CircuitId, Self::RemoteId, Self::Class, Self::NasPortId];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserName => "user-name",
            Self::CallingStationId => "calling-station-id",
            Self::CircuitId => "circuit-id",
            Self::RemoteId => "remote-id",
            Self::Class => "class",
            Self::NasPortId => "nas-port-id",
        }
    }
}

impl fmt::Display for SubscriberFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No attribute that can name a subscriber is called this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown attribute `{0}`: expected user-name, calling-station-id, circuit-id, remote-id, class or nas-port-id")]
pub struct UnknownSubscriberFrom(pub String);

impl FromStr for SubscriberFrom {
    type Err = UnknownSubscriberFrom;

    fn from_str(text: &str) -> Result<Self, UnknownSubscriberFrom> {
        Self::ALL.into_iter().find(|from| from.name() == text).ok_or_else(|| UnknownSubscriberFrom(text.to_owned()))
    }
}

/// The allow-list of what is kept about the line. It is independent of what names the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// MAC address of the customer's equipment.
    pub mac: bool,
    /// Port of the access node.
    pub circuit_id: bool,
    /// Line or modem, as the access node names it.
    pub remote_id: bool,
    /// Port of the NAS.
    pub nas_port: bool,
}

/// All of them: they are what tells two subscribers of one account apart.
impl Default for Kept {
    fn default() -> Self {
        Self { mac: true, circuit_id: true, remote_id: true, nas_port: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_are_those_of_serde() {
        for from in SubscriberFrom::ALL {
            assert_eq!(from.to_string().parse(), Ok(from));
            assert_eq!(serde_json::to_value(from).unwrap(), from.name());
        }
        assert_eq!("User-Name".parse::<SubscriberFrom>(), Err(UnknownSubscriberFrom("User-Name".into())));
    }
}

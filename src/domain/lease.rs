//! What there is to choose about the lease files of DHCP servers.

use std::str::FromStr;

/// How a DHCP server writes its leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseFormat {
    /// Kea's memfile of the DHCPv4 server.
    Kea4,
    /// Kea's memfile of the DHCPv6 server.
    Kea6,
    /// `dhcpd.leases` of ISC dhcpd for DHCPv4 (dhcpd.leases(5)).
    Dhcpd,
}

impl LeaseFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Kea4, Self::Kea6, Self::Dhcpd];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kea4 => "kea4",
            Self::Kea6 => "kea6",
            Self::Dhcpd => "dhcpd",
        }
    }
}

/// No lease file is written like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected kea4, kea6 or dhcpd")]
pub struct UnknownLeaseFormat;

impl FromStr for LeaseFormat {
    type Err = UnknownLeaseFormat;

    fn from_str(text: &str) -> Result<Self, UnknownLeaseFormat> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or(UnknownLeaseFormat)
    }
}

/// What of a lease can name the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseIdentity {
    /// Agent Remote ID (RFC 3046, section 3.2; RFC 4649 without its enterprise number).
    RemoteId,
    /// Agent Circuit ID (RFC 3046, section 3.1), in DHCPv6 the Interface-Id (RFC 8415, section 21.18).
    CircuitId,
    /// Client identifier (RFC 2132, section 9.14), in DHCPv6 the DUID (RFC 8415, section 11).
    ClientId,
    /// The MAC address.
    Mac,
}

impl LeaseIdentity {
    /// Every identity, in the order of preference that is the default: what the operator's own equipment says comes before
    /// what the customer's says.
    pub const ALL: [Self; 4] = [Self::RemoteId, Self::CircuitId, Self::ClientId, Self::Mac];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RemoteId => "remote-id",
            Self::CircuitId => "circuit-id",
            Self::ClientId => "client-id",
            Self::Mac => "mac",
        }
    }
}

/// Nothing of a lease that can name a subscriber is called this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected remote-id, circuit-id, client-id or mac")]
pub struct UnknownLeaseIdentity;

impl FromStr for LeaseIdentity {
    type Err = UnknownLeaseIdentity;

    fn from_str(text: &str) -> Result<Self, UnknownLeaseIdentity> {
        Self::ALL.into_iter().find(|identity| identity.name() == text).ok_or(UnknownLeaseIdentity)
    }
}

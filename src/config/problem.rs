//! What can be wrong with a configuration: one variant per way, each a phrase that says what to write instead.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::duration::{DurationError, Written};
use super::fault::ConfigError;
use super::secret::SecretError;
use super::shape::Hint;
use crate::domain::money::Money;
use crate::domain::process::{Breach, ProcessType};

/// One way to be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is not TOML here. The message is the TOML reader's.
    #[error("{message}")]
    Syntax {
        /// The message.
        message: String,
    },
    /// No setting has this name. Unknown keys are refused, so that a misspelt window is not the default one.
    #[error("unknown key `{key}`{hint}")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// What may have been meant.
        hint: Hint,
    },
    /// No table has this name.
    #[error("unknown table `{key}`{hint}")]
    UnknownTable {
        /// The key as written.
        key: String,
        /// What may have been meant.
        hint: Hint,
    },
    /// The configuration is printed, backed up and shown to colleagues; a secret is not.
    #[error("a secret does not belong into this file: write it into a file of its own and name that in `secret-file`")]
    SecretInFile,
    /// The value has another type.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// What belongs there, with its article.
        expected: &'static str,
        /// What is there, with its article.
        found: &'static str,
    },
    /// The version is not written.
    #[error("missing key `version`: write `version = 1` above the first table")]
    MissingVersion,
    /// The file was written for another program.
    #[error("version {found} is unknown: this program reads version 1")]
    UnknownVersion {
        /// The number as written.
        found: String,
    },
    /// A table cannot do without this key.
    #[error("missing key `{key}` in {heading}")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// The table's header.
        heading: &'static str,
    },
    /// Nothing stands between the quotation marks.
    #[error("`{key}` must not be empty")]
    Empty {
        /// The key.
        key: &'static str,
    },
    /// A control character, such as a NUL in a path.
    #[error("`{key}` must not contain control characters")]
    ControlCharacter {
        /// The key.
        key: &'static str,
    },
    /// A text that has no use that long.
    #[error("`{key}` is {found} bytes long: at most {most} are allowed")]
    TooLong {
        /// The key.
        key: &'static str,
        /// Its length in bytes.
        found: usize,
        /// The greatest length in bytes.
        most: usize,
    },
    /// A name that could not be told apart in a log line or a metric.
    #[error("`{text}` is no name: use 1 to 64 letters, digits, `-`, `.` and `_`")]
    Name {
        /// The name as written.
        text: String,
    },
    /// An amount of money that could be read in two ways, or in none.
    #[error("`{text}` is no amount: write it as \"25.00 USD\", or \"none\"")]
    Money {
        /// The amount as written.
        text: String,
    },
    /// Amounts of one bill that cannot be added.
    #[error("{found} is of another currency than the {other} in line {line}: one bill has one currency")]
    OtherCurrency {
        /// This amount.
        found: Money,
        /// The first.
        other: Money,
        /// The line of the first.
        line: usize,
    },
    /// Two fees of one kind of process.
    #[error("the fees of `{process}` are configured already: see line {line}")]
    FeeTwice {
        /// The kind.
        process: ProcessType,
        /// The line of the first.
        line: usize,
    },
    /// A zone that nobody knows.
    #[error("`{text}` is no zone of the IANA database: write one such as \"America/Denver\"")]
    Zone {
        /// The zone as written.
        text: String,
    },
    /// A value that is none of a fixed few.
    #[error("`{text}` is no `{key}`: use {}", .choices.join(", "))]
    Choice {
        /// The key.
        key: &'static str,
        /// The value as written.
        text: String,
        /// What may stand there.
        choices: Vec<&'static str>,
    },
    /// A list without an item, where that means nothing.
    #[error("`{key}` must name at least one")]
    EmptyList {
        /// The key.
        key: &'static str,
    },
    /// An item that the list already has.
    #[error("`{key}` names this twice")]
    Repeated {
        /// The key.
        key: &'static str,
    },
    /// No duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// A duration outside its range.
    #[error("`{key}` must be from {} to {}, not {}", Written(*.least), Written(*.most), Written(*.found))]
    DurationRange {
        /// The key.
        key: &'static str,
        /// The least.
        least: Duration,
        /// The most.
        most: Duration,
        /// What is written.
        found: Duration,
    },
    /// A number outside its range.
    #[error("`{key}` must be from {least} to {most}, not {found}")]
    NumberRange {
        /// The key.
        key: &'static str,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
        /// What is written.
        found: String,
    },
    /// No number of bytes.
    #[error("`{text}` is no size: write a whole number of bytes, KiB, MiB or GiB, such as \"8MiB\"")]
    Size {
        /// The size as written.
        text: String,
    },
    /// Permission bits that are none, or more than those for reading, writing and running.
    #[error("`{text}` is no mode: write three octal digits after a 0, such as \"0660\"")]
    Mode {
        /// The mode as written.
        text: String,
    },
    /// A bucket that no key can be named after.
    #[error("`bucket` must be whole seconds, not {}", Written(*.found))]
    BucketFraction {
        /// What is written.
        found: Duration,
    },
    /// Too few buckets to purge in steps, or more keys than a keyring should hold.
    #[error(
        "a `window` of {} has {count} whole buckets of {}: choose `bucket` so that there are 4 to 4096",
        Written(*.window), Written(*.bucket)
    )]
    BucketCount {
        /// The window.
        window: Duration,
        /// The bucket.
        bucket: Duration,
        /// How many fit.
        count: u128,
    },
    /// A statement would speak for longer than it is kept.
    #[error(
        "`carry-interval` must be shorter than the `window` of {}, and is {} in whole buckets",
        Written(*.window), Written(*.carry)
    )]
    CarryBeyondWindow {
        /// The window.
        window: Duration,
        /// The interval, rounded up.
        carry: Duration,
    },
    /// No address with a port.
    #[error("`{text}` is no address with a port, such as 127.0.0.1:1813 or [2001:db8::1]:1813")]
    SocketAddress {
        /// The address as written.
        text: String,
    },
    /// One directory, two spools: nobody could say whose events lie in it.
    #[error("{} is a spool already: see line {line}", .path.display())]
    PathTwice {
        /// The directory.
        path: PathBuf,
        /// The line of the first.
        line: usize,
    },
    /// Someone who is no source goes by a stream's or a spool's name.
    #[error("`{name}` is the name of a source: see line {line}")]
    NameOfSource {
        /// The name.
        name: String,
        /// The source's line.
        line: usize,
    },
    /// The same socket twice.
    #[error("{address} is listened on already: see line {line}")]
    ListenTwice {
        /// The address.
        address: SocketAddr,
        /// The line of the first.
        line: usize,
    },
    /// The kernel holds no longer name for a socket (unix(7)).
    #[error("`api-socket` is {found} bytes long: a socket's path has at most {most}")]
    SocketPath {
        /// Its length in bytes, with the directory it is relative to.
        found: usize,
        /// The greatest length in bytes.
        most: usize,
    },
    /// No prefix and no address.
    #[error("`{text}` is no network, such as 192.0.2.0/24 or 2001:db8::/32")]
    Network {
        /// The network as written.
        text: String,
    },
    /// A prefix with host bits: it may mean one address or all of them.
    #[error("`{text}` has host bits: write `{whole}` for the network or `{single}` for the one address")]
    HostBits {
        /// The network as written.
        text: String,
        /// The same with host bits cleared.
        whole: IpNet,
        /// The address alone.
        single: IpNet,
    },
    /// An IPv4 network in IPv6 clothes (RFC 4291, section 2.5.5.2) would match nobody: peers are compared as IPv4.
    #[error("`{text}` is an IPv4-mapped network: write `{plain}`")]
    MappedNetwork {
        /// The network as written.
        text: String,
        /// The IPv4 network it maps.
        plain: IpNet,
    },
    /// Two tables with one network: which of them is meant?
    #[error("the network {network} is configured already: see line {line}")]
    NetworkTwice {
        /// The network.
        network: IpNet,
        /// The line of the first.
        line: usize,
    },
    /// Translation from and to IPv4 only.
    #[error("`{key}` must be an IPv4 network")]
    NatFamily {
        /// The key.
        key: &'static str,
    },
    /// Ports that do not hold one block.
    #[error("not one block of {ports} ports fits between `first-port` {first} and `last-port` {last}")]
    NatNoBlock {
        /// Ports of a block.
        ports: u16,
        /// The first port.
        first: u16,
        /// The last port.
        last: u16,
    },
    /// Some inside addresses would have no ports.
    #[error("`outside` has room for {capacity} blocks, and `inside` has {count} addresses")]
    NatPoolTooSmall {
        /// Blocks of all outside addresses.
        capacity: u64,
        /// Inside addresses.
        count: u64,
    },
    /// An address of two rules, or of both sides of one: which translation is meant?
    #[error("`{key}` overlaps the network {other} of the same realm: see line {line}")]
    NatOverlap {
        /// The key.
        key: &'static str,
        /// The other network.
        other: IpNet,
        /// The line of the other network.
        line: usize,
    },
    /// Two tables with one name.
    #[error("the name `{name}` is taken already: see line {line}")]
    NameTwice {
        /// The name.
        name: String,
        /// The line of the first.
        line: usize,
    },
    /// A RADIUS client is a source, and a name has one role.
    #[error("`{name}` is a RADIUS client, and so a source: see line {line}")]
    NameOfClient {
        /// The name.
        name: String,
        /// The line of the client's name.
        line: usize,
    },
    /// A lease file is a source, and a name has one role.
    #[error("`{name}` is a lease file or a pair of them, and so a source: see line {line}")]
    NameOfLeases {
        /// The name.
        name: String,
        /// The line of the first.
        line: usize,
    },
    /// Two files of one source that mean different things.
    #[error(
        "`{pair}` is one source: format, realm, interims, max-delay and max-silence must be the same for both its files; \
         see line {line}"
    )]
    PairDiffers {
        /// The pair.
        pair: String,
        /// The line of the first.
        line: usize,
    },
    /// One file, followed twice.
    #[error("{} is followed already: see line {line}", .path.display())]
    LeaseFileTwice {
        /// The file.
        path: PathBuf,
        /// The line of the first.
        line: usize,
    },
    /// A principal whom nobody can be.
    #[error("this [[principal]] needs a `uid`, a `group` or a `certificate`")]
    PrincipalOfNobody,
    /// A principal known by two marks, which may not agree.
    #[error("a [[principal]] has a `uid` or a `group`, not both")]
    PrincipalOfBoth,
    /// One user, two principals.
    #[error("the uid {uid} is a principal already: see line {line}")]
    UidTwice {
        /// The uid.
        uid: u64,
        /// The line of the first.
        line: usize,
    },
    /// One group, two principals.
    #[error("the group `{group}` is a principal already: see line {line}")]
    GroupTwice {
        /// The group.
        group: String,
        /// The line of the first.
        line: usize,
    },
    /// One certificate, two principals.
    #[error("the certificate `{name}` is a principal already: see line {line}")]
    CertificateTwice {
        /// The name in it.
        name: String,
        /// The line of the first.
        line: usize,
    },
    /// A certificate that nobody is asked for.
    #[error("nobody is asked for a certificate: `tls-client-ca` in [api] says who signs them")]
    NoClientCa,
    /// A file of a listener that there is not.
    #[error("there is no `tls-listen` in [api] that this is for")]
    NoTlsListen,
    /// TLS cannot be without a certificate and its key.
    #[error("`tls-listen` needs a `{key}` beside it")]
    TlsNeeds {
        /// What is missing.
        key: &'static str,
    },
    /// The file of process types cannot be read.
    #[error("{error}")]
    ProcessTypes {
        /// Why.
        error: Box<ConfigError>,
    },
    /// A process type that stands below the law's minimum, or contradicts itself.
    #[error("`{name}` {breach}")]
    ProcessType {
        /// The type.
        name: ProcessType,
        /// In which way.
        breach: Breach,
    },
    /// The secret of a client cannot be used.
    #[error("cannot use the secret in {}: {error}", .path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why.
        error: SecretError,
    },
}

impl Problem {
    pub(super) fn is_syntax(&self) -> bool {
        matches!(self, Self::Syntax { .. })
    }

    pub(super) fn is_version(&self) -> bool {
        matches!(self, Self::UnknownVersion { .. })
    }

    /// Is something missing? Where the TOML is broken, it may have been lost with the break.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::MissingVersion | Self::MissingKey { .. } | Self::PrincipalOfNobody | Self::TlsNeeds { .. })
    }
}

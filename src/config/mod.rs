//! The configuration: one TOML file, read once at the start.
//!
//! The file becomes a plain struct of what was typed (`file`), and that a checked one ([`Config`]) of what is meant
//! (`check`). Unknown keys are refused, and all faults are listed at once, each with its line. Nothing here opens a
//! socket, makes a directory or asks whether one exists; only the files of shared secrets and the table of process types are
//! read. Settings come from the file alone: the environment has no say.

mod api;
mod check;
mod dhcp;
pub mod duration;
mod fault;
mod fees;
mod file;
mod names;
mod nat;
mod principals;
mod problem;
mod process_types;
mod radius;
mod reader;
mod remark;
mod secret;
mod shape;
mod source;
mod streams;
mod value;
mod watch;

use std::fs;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;

use crate::domain::actor::Role;
use crate::domain::address;
use crate::domain::erasure::ErasureClass;
use crate::domain::lease::{LeaseFormat, LeaseIdentity};
use crate::domain::nat::Deterministic;
use crate::domain::process::ProcessTypes;
use crate::domain::retention::Retention;
use crate::domain::selection::{Kept, Selection};

pub use duration::{DurationError, Written};
pub use fault::{ConfigError, Fault};
pub use fees::{Entity, Fee, Fees};
pub use problem::Problem;
pub use remark::Remark;
pub use secret::{Secret, SecretError, SecretFile};
pub use shape::{Hint, SHAPES, Shape};
pub use source::Source;
pub use watch::Watch;

/// The most that is read of a file: room for some hundred thousand networks.
const LARGEST_FILE: u64 = 16 << 20;

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the daemon keeps what it keeps.
    pub state_dir: PathBuf,
    /// Where the keys of the buckets are: apart from the store, if it can be, so that no backup takes both.
    pub keyring_dir: PathBuf,
    /// Holds the keys that sign the ledgers and packages; made at the first start if they are not there.
    pub ledger_keys_dir: PathBuf,
    /// The room that the store keeps for itself.
    pub store: Store,
    /// What is kept for how long.
    pub retention: Retention,
    /// What overwriting a key must at least mean where the keyring lies.
    pub require_erasure_class: ErasureClass,
    /// When an answer is called uncertain.
    pub lookup: Lookup,
    /// What is released under each kind of process, and what it needs: `[disclosure] process-types`.
    pub process_types: ProcessTypes,
    /// How long what belongs to requests is kept.
    pub disclosure: Disclosure,
    /// Where the API is served.
    pub listen: Listen,
    /// The API for desks elsewhere, and how much one principal may ask.
    pub api: Api,
    /// RADIUS accounting.
    pub radius: Radius,
    /// Lease files of DHCP servers.
    pub dhcp: Dhcp,
    /// Sources of the event stream of which more than the name is known.
    pub streams: Vec<Source>,
    /// Directories that events are left in.
    pub spools: Vec<Spool>,
    /// The networks whose assignments are recorded. None: all.
    pub networks: Vec<Network>,
    /// The NATs that compute what they translate. No two share an outside address, or an inside one, of a realm.
    pub deterministic_nats: Vec<Deterministic>,
    /// In whose name the subscribers of a network are answered for. No two have the same name.
    pub entities: Vec<Entity>,
    /// What an answer costs.
    pub fees: Fees,
    /// Who may do what.
    pub principals: Vec<Principal>,
    /// How much is taken in at once.
    pub ingest: Ingest,
    /// When the wall clock is in doubt.
    pub clock: Clock,
    /// From which counts on the use of rights stands out.
    pub watch: Watch,
}

/// `[store]`: the room that the store keeps for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// Bytes that are held back for opening and purging when the disk is full; 0 for none.
    pub ballast: u64,
}

/// `[lookup]`: how close to a change of holder an answer may be without being uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// For an address that one subscriber has at a time.
    pub margin: Duration,
    /// For an address that several share by ports.
    pub shared_margin: Duration,
}

/// `[disclosure]`: how long what belongs to requests is kept, and in which zone what is handed out shows local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// What is captured for a request, and the answers to it, at the longest: from its filing on.
    pub capture_expiry: Duration,
    /// The same while an approval is missing that its kind of process needs.
    pub unapproved_expiry: Duration,
    /// The papers of a request that nobody closes: from its filing on.
    pub keep_open: Duration,
    /// The papers of a request that is closed: from then on.
    pub keep_closed: Duration,
    /// The local zone of what is handed out.
    pub zone: Tz,
}

impl Default for Disclosure {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days.saturating_mul(86_400));
        Self {
            capture_expiry: days(14),
            unapproved_expiry: days(1),
            keep_open: days(365),
            keep_closed: days(90),
            zone: Tz::UTC,
        }
    }
}

/// `[listen]`: where the API is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The Unix socket.
    pub api_socket: PathBuf,
    /// Its permission bits.
    pub api_socket_mode: u32,
}

/// `[api]`: the API for desks elsewhere, and how much one principal may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// TLS; `None`: the Unix socket alone.
    pub tls: Option<Tls>,
    /// How many requests one principal may make in a second, over a while.
    pub requests_per_second: u32,
}

/// Where the API is served over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The TCP socket.
    pub listen: SocketAddr,
    /// The file of the daemon's certificate and those above it, in PEM.
    pub certificate: PathBuf,
    /// The file of its private key, in PEM.
    pub key: PathBuf,
    /// The file of those who sign certificates of clients, in PEM; `None`: tokens alone say who asks.
    pub client_ca: Option<PathBuf>,
}

/// `[radius]`: accounting by RADIUS (RFC 2866).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Radius {
    /// The UDP sockets.
    pub listen: Vec<SocketAddr>,
    /// What the kernel may hold for each of them while the daemon is busy, in bytes.
    pub receive_buffer: usize,
    /// Who is listened to. No two have the same network or the same name.
    pub clients: Vec<RadiusClient>,
}

/// `[[radius.client]]`: servers that share a secret with us and are one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RadiusClient {
    /// The addresses its packets come from; no host bits.
    pub network: IpNet,
    /// What it has in common with every source.
    pub source: Source,
    /// The shared secret (RFC 2866, section 3).
    pub secret: Secret,
    /// The file the secret came from.
    pub secret_file: PathBuf,
    /// Could that file's group or everybody read it?
    pub secret_exposed: bool,
    /// What is taken from its packets. Names at least one attribute for the subscriber.
    pub selection: Selection,
}

/// `[dhcp]`: leases as DHCP servers write them to files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dhcp {
    /// The files. No two have the same name.
    pub leases: Vec<LeaseFile>,
}

/// `[[dhcp.leases]]`: one file that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseFile {
    /// Its name: where it was read to is kept under it. The source's name too, unless it is one of a pair.
    pub name: String,
    /// The source: one for each file, or one for both servers of a pair, which tell each other of their leases.
    pub source: Source,
    /// How it is written.
    pub format: LeaseFormat,
    /// Where it is.
    pub path: PathBuf,
    /// What names the subscriber, the first that a lease has. At least one.
    pub subscriber: Vec<LeaseIdentity>,
    /// A list of identities and the accounts they belong to.
    pub mapping: Option<PathBuf>,
    /// What is kept of the line.
    pub keep: Kept,
}

/// `[[spool]]`: a directory in which programs leave events for the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spool {
    /// The directory. No two spools have the same.
    pub path: PathBuf,
    /// What it has in common with every source.
    pub source: Source,
}

/// What an Accounting-On or -Off (RFC 2866, section 5.1) means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Resets {
    /// All sessions of the NAS are over.
    #[default]
    Honour,
    /// Nothing: the cards of a chassis send their own, and the others go on.
    Ignore,
}

/// `[[network]]`: addresses of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The prefix; no host bits, and no two networks have the same.
    pub prefix: IpNet,
    /// Which legal entity's subscribers they are. Empty: the only one.
    pub entity: String,
    /// Which sources may speak of them. None: all.
    pub sources: Vec<String>,
    /// Do several subscribers share each address by ports?
    pub shared: bool,
}

/// `[[principal]]`: someone who is known by how they connect. Has a uid, a group or a certificate; never a uid and a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name in ledgers, before it is made a pseudonym.
    pub name: String,
    /// The user.
    pub uid: Option<u32>,
    /// The group whose members it is.
    pub group: Option<String>,
    /// The common name or an alternative name in its certificate.
    pub certificate: Option<String>,
    /// What it may do.
    pub role: Role,
}

/// `[ingest]`: how much is taken in at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ingest {
    /// How many events wait for the writer at most.
    pub queue: usize,
    /// How many events are committed together at most.
    pub batch: usize,
}

/// `[clock]`: when the wall clock is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// How far it may move against the time since the machine started.
    pub max_step: Duration,
}

impl Config {
    /// Reads the file, the files of the secrets it names and its table of process types. Paths in it that are not absolute start from its directory.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path)?;
        let base = path.parent().unwrap_or(Path::new(""));
        let named = check::Named { secret: &mut Secret::read, text: &mut read_text };
        Self::parse_with(&text, &path.display().to_string(), base, named)
    }

    /// Reads a text without touching the file system: `name` stands in the faults, `base` is where relative paths start,
    /// and `read_secret` knows the secrets. A table of process types that is not the built-in one is not found.
    pub fn parse(
        text: &str,
        name: &str,
        base: &Path,
        mut read_secret: impl FnMut(&Path) -> Result<SecretFile, SecretError>,
    ) -> Result<Self, ConfigError> {
        let mut not_found = |path: &Path| {
            Err(ConfigError::Unreadable { file: path.display().to_string(), reason: io::ErrorKind::NotFound })
        };
        Self::parse_with(text, name, base, check::Named { secret: &mut read_secret, text: &mut not_found })
    }

    fn parse_with(text: &str, name: &str, base: &Path, named: check::Named<'_>) -> Result<Self, ConfigError> {
        let faults = fault::Faults::new(name, text);
        let typed = file::File::read(text, &faults);
        let config = check::check(typed, base, named, &faults);
        let faults = faults.finish();
        if faults.is_empty() { Ok(config) } else { Err(ConfigError::Faulty { file: name.to_owned(), faults }) }
    }

    /// The client that a packet from `peer` is from: of the networks that hold the address, the smallest. An IPv4-mapped
    /// IPv6 address (RFC 4291, section 2.5.5.2) is the IPv4 address it maps.
    pub fn source_for(&self, peer: IpAddr) -> Option<&RadiusClient> {
        let peer = peer.to_canonical();
        let around = self.radius.clients.iter().filter(|client| client.network.contains(&peer));
        around.max_by_key(|client| client.network.prefix_len())
    }

    /// Every configured source, in the order of the file; the two servers of a pair are one.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let clients = self.radius.clients.iter().map(|client| &client.source);
        let leases = self.dhcp.leases.iter().enumerate();
        let first =
            |at: usize, source: &Source| self.dhcp.leases.iter().take(at).all(|file| file.source.name != source.name);
        let leases = leases.filter(move |(at, file)| first(*at, &file.source)).map(|(_, file)| &file.source);
        clients.chain(leases).chain(&self.streams).chain(self.spools.iter().map(|spool| &spool.source))
    }

    /// The source of this name; where none is configured, one of which nothing but the name is known.
    pub fn source_named(&self, name: &str) -> Source {
        let known = self.sources().find(|source| source.name == name);
        known.cloned().unwrap_or_else(|| Source::named(name, &self.retention))
    }

    /// The configured network that an address lies in: of those that hold it, the smallest.
    pub fn network_of(&self, address: IpAddr) -> Option<&Network> {
        self.network_around(address::Network::single(address))
    }

    /// The configured network that all of an assigned prefix lies in: of those that hold it, the smallest.
    pub fn network_around(&self, assigned: address::Network) -> Option<&Network> {
        let around = self.networks.iter().filter(|network| network.prefix.contains(&assigned.as_net()));
        around.max_by_key(|network| network.prefix.prefix_len())
    }

    /// What speaks against this window, with the buckets of this configuration; nothing if `[retention]` could say so.
    pub fn window_problem(&self, window: Duration) -> Option<Problem> {
        check::window_problem(window, self.retention.bucket)
    }

    /// Another window than the configured one is in force. What is measured by it and does not fit is cut to it.
    pub fn follow_window(&mut self, window: Duration) {
        self.retention = self.retention.under(window);
        for client in &mut self.radius.clients {
            client.source.follow_window(window);
        }
        for file in &mut self.dhcp.leases {
            file.source.follow_window(window);
        }
        self.streams.iter_mut().for_each(|stream| stream.follow_window(window));
        self.spools.iter_mut().for_each(|spool| spool.source.follow_window(window));
    }

    /// What works and yet may surprise whoever wrote this.
    pub fn remarks(&self) -> Vec<Remark> {
        remark::remarks(self)
    }
}

/// The text of a file of a size that somebody may have written.
fn read_text(path: &Path) -> Result<String, ConfigError> {
    let file = path.display().to_string();
    let unreadable = |error: io::Error| ConfigError::Unreadable { file: file.clone(), reason: error.kind() };
    let mut bytes = Vec::new();
    let opened = fs::File::open(path).map_err(unreadable)?;
    let length = opened.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(length).is_ok_and(|length| length > LARGEST_FILE) {
        return Err(ConfigError::TooLarge { file, most: LARGEST_FILE });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = good.filter(|byte| **byte == b'\n').count().saturating_add(1);
        ConfigError::NotUtf8 { file, line }
    })
}

/// What a file with `version = 1` alone means.
impl Default for Config {
    fn default() -> Self {
        Self {
            state_dir: PathBuf::from("/var/lib/lapsed"),
            keyring_dir: PathBuf::from("/var/lib/lapsed"),
            ledger_keys_dir: PathBuf::from("/var/lib/lapsed/ledger-keys"),
            store: Store::default(),
            retention: check::default_retention(),
            require_erasure_class: ErasureClass::Degraded,
            lookup: Lookup::default(),
            process_types: process_types::built_in(),
            disclosure: Disclosure::default(),
            listen: Listen::default(),
            api: Api::default(),
            radius: Radius::default(),
            dhcp: Dhcp::default(),
            streams: Vec::new(),
            spools: Vec::new(),
            networks: Vec::new(),
            deterministic_nats: Vec::new(),
            entities: Vec::new(),
            fees: Fees::default(),
            principals: Vec::new(),
            ingest: Ingest::default(),
            clock: Clock::default(),
            watch: Watch::default(),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { ballast: 256 << 20 }
    }
}

impl Default for Lookup {
    fn default() -> Self {
        Self { margin: Duration::from_secs(60), shared_margin: Duration::from_secs(300) }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { api_socket: PathBuf::from("/run/lapsed/api.sock"), api_socket_mode: 0o660 }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self { tls: None, requests_per_second: 400 }
    }
}

impl Default for Radius {
    fn default() -> Self {
        Self { listen: Vec::new(), receive_buffer: 8 << 20, clients: Vec::new() }
    }
}

impl Default for Ingest {
    fn default() -> Self {
        Self { queue: 8192, batch: 1000 }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { max_step: Duration::from_secs(300) }
    }
}

impl Resets {
    /// Both ways.
    pub const ALL: [Self; 2] = [Self::Honour, Self::Ignore];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Honour => "honour",
            Self::Ignore => "ignore",
        }
    }
}

/// `resets` is neither `honour` nor `ignore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected honour or ignore")]
pub struct UnknownResets;

impl FromStr for Resets {
    type Err = UnknownResets;

    fn from_str(text: &str) -> Result<Self, UnknownResets> {
        Self::ALL.into_iter().find(|resets| resets.name() == text).ok_or(UnknownResets)
    }
}

//! The shape on disk: what was typed, with its places, before it is decided what it means.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;
use toml::de::DeTable;

use super::Resets;
use super::api::ApiTable;
use super::fault::Faults;
use super::fees::{EntityTable, FeeTable};
use super::nat::DeterministicTable;
use super::problem::Problem;
use super::reader::{At, Reader};
use super::shape::{
    API, CLOCK, DHCP, DHCP_LEASES, DISCLOSURE, ENTITY, FEE, FEES, INGEST, LISTEN, LOOKUP, NAT, NAT_DETERMINISTIC,
    NETWORK, PRINCIPAL, RADIUS, RADIUS_CLIENT, RADIUS_LISTEN, RETENTION, ROOT, SPOOL, STORE, STREAM, WATCH,
};
use super::streams::{SourceTable, SpoolTable};
use super::value;
use super::watch::WatchTable;
use crate::domain::actor::Role;
use crate::domain::erasure::ErasureClass;
use crate::domain::lease::{LeaseFormat, LeaseIdentity};
use crate::domain::selection::SubscriberFrom;

/// What a duration's key expects, in the words of a fault.
const A_DURATION: &str = "a duration in quotation marks, such as \"90s\"";

/// What a text's key expects.
pub(super) const A_TEXT: &str = "a text in quotation marks";

/// The names of what can be kept of a line, in the order of [`crate::domain::selection::Kept`].
pub(super) const KEPT: [&str; 4] = ["mac", "circuit-id", "remote-id", "nas-port"];

/// The whole file.
pub(super) struct File {
    pub(super) state_dir: Option<At<PathBuf>>,
    pub(super) keyring_dir: Option<At<PathBuf>>,
    pub(super) ledger_keys_dir: Option<At<PathBuf>>,
    pub(super) store: StoreTable,
    pub(super) retention: RetentionTable,
    pub(super) lookup: LookupTable,
    pub(super) disclosure: DisclosureTable,
    pub(super) listen: ListenTable,
    pub(super) api: ApiTable,
    pub(super) radius: RadiusTable,
    pub(super) leases: Vec<LeasesTable>,
    pub(super) streams: Vec<SourceTable>,
    pub(super) spools: Vec<SpoolTable>,
    pub(super) ingest: IngestTable,
    pub(super) clock: ClockTable,
    pub(super) watch: WatchTable,
    pub(super) networks: Vec<NetworkTable>,
    pub(super) deterministic_nats: Vec<DeterministicTable>,
    pub(super) entities: Vec<EntityTable>,
    pub(super) fees: FeeTable,
    pub(super) fees_of_types: Vec<FeeTable>,
    pub(super) principals: Vec<PrincipalTable>,
}

/// `[disclosure]`.
pub(super) struct DisclosureTable {
    pub(super) process_types: Option<At<PathBuf>>,
    pub(super) capture_expiry: Option<At<Duration>>,
    pub(super) unapproved_expiry: Option<At<Duration>>,
    pub(super) keep_open: Option<At<Duration>>,
    pub(super) keep_closed: Option<At<Duration>>,
    pub(super) zone: Option<At<Tz>>,
}

impl DisclosureTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self {
            process_types: path(table, "process-types"),
            capture_expiry: duration(table, "capture-expiry"),
            unapproved_expiry: duration(table, "unapproved-expiry"),
            keep_open: duration(table, "keep-open"),
            keep_closed: duration(table, "keep-closed"),
            zone: table.text("zone", A_TEXT, value::zone),
        }
    }
}

/// `[store]`.
pub(super) struct StoreTable {
    pub(super) ballast: Option<At<u64>>,
}

/// `[retention]`.
pub(super) struct RetentionTable {
    pub(super) place: Range<usize>,
    pub(super) window: Option<At<Duration>>,
    pub(super) bucket: Option<At<Duration>>,
    pub(super) purge_interval: Option<At<Duration>>,
    pub(super) carry_interval: Option<At<Duration>>,
    pub(super) max_silence: Option<At<Option<Duration>>>,
    pub(super) require_erasure_class: Option<At<ErasureClass>>,
}

/// `[lookup]`.
pub(super) struct LookupTable {
    pub(super) margin: Option<At<Duration>>,
    pub(super) shared_margin: Option<At<Duration>>,
}

/// `[listen]`.
pub(super) struct ListenTable {
    pub(super) place: Range<usize>,
    pub(super) api_socket: Option<At<PathBuf>>,
    pub(super) api_socket_mode: Option<At<u32>>,
}

/// `[radius]`.
pub(super) struct RadiusTable {
    pub(super) receive_buffer: Option<At<u64>>,
    pub(super) listen: Vec<Option<At<SocketAddr>>>,
    pub(super) clients: Vec<ClientTable>,
}

/// `[[radius.client]]`.
pub(super) struct ClientTable {
    pub(super) network: Option<At<IpNet>>,
    pub(super) name: Option<At<String>>,
    pub(super) secret_file: Option<At<PathBuf>>,
    pub(super) realm: Option<At<String>>,
    pub(super) outside_realm: Option<At<String>>,
    pub(super) subscriber: Option<At<Vec<At<SubscriberFrom>>>>,
    pub(super) keep: Option<At<Vec<At<&'static str>>>>,
    pub(super) interims: Option<At<bool>>,
    pub(super) max_delay: Option<At<Duration>>,
    pub(super) max_silence: Option<At<Option<Duration>>>,
    pub(super) resets: Option<At<Resets>>,
}

/// `[[dhcp.leases]]`.
pub(super) struct LeasesTable {
    pub(super) place: Range<usize>,
    pub(super) name: Option<At<String>>,
    pub(super) pair: Option<At<String>>,
    pub(super) format: Option<At<LeaseFormat>>,
    pub(super) path: Option<At<PathBuf>>,
    pub(super) realm: Option<At<String>>,
    pub(super) subscriber: Option<At<Vec<At<LeaseIdentity>>>>,
    pub(super) mapping: Option<At<PathBuf>>,
    pub(super) keep: Option<At<Vec<At<&'static str>>>>,
    pub(super) interims: Option<At<bool>>,
    pub(super) max_delay: Option<At<Duration>>,
    pub(super) max_silence: Option<At<Option<Duration>>>,
}

/// `[ingest]`.
pub(super) struct IngestTable {
    pub(super) queue: Option<At<u64>>,
    pub(super) batch: Option<At<u64>>,
}

/// `[clock]`.
pub(super) struct ClockTable {
    pub(super) max_step: Option<At<Duration>>,
}

/// `[[network]]`.
pub(super) struct NetworkTable {
    pub(super) prefix: Option<At<IpNet>>,
    pub(super) entity: Option<At<String>>,
    pub(super) sources: Option<At<Vec<At<String>>>>,
    pub(super) shared: Option<At<bool>>,
}

/// `[[principal]]`.
pub(super) struct PrincipalTable {
    pub(super) place: Range<usize>,
    pub(super) name: Option<At<String>>,
    /// Is there a `uid`, a `group` or a `certificate` at all, also a wrong one?
    pub(super) has_mark: bool,
    pub(super) uid: Option<At<u64>>,
    pub(super) group: Option<At<String>>,
    pub(super) certificate: Option<At<String>>,
    pub(super) role: Option<At<Role>>,
}

impl File {
    /// Reads the text; whatever does not fit the shape is left out and becomes a fault.
    pub(super) fn read(text: &str, faults: &Faults<'_>) -> Self {
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            faults.add(span, Problem::Syntax { message: error.message().to_owned() });
        }
        let root = Reader::open(&ROOT, document.get_ref(), 0..0, faults);
        version(&root, faults);
        Self {
            state_dir: path(&root, "state-dir"),
            keyring_dir: path(&root, "keyring-dir"),
            ledger_keys_dir: path(&root, "ledger-keys-dir"),
            store: root.table("store", &STORE, StoreTable::read),
            retention: root.table("retention", &RETENTION, RetentionTable::read),
            lookup: root.table("lookup", &LOOKUP, LookupTable::read),
            disclosure: root.table("disclosure", &DISCLOSURE, DisclosureTable::read),
            listen: root.table("listen", &LISTEN, ListenTable::read),
            api: root.table("api", &API, ApiTable::read),
            radius: root.table("radius", &RADIUS, RadiusTable::read),
            leases: root.table("dhcp", &DHCP, |table| table.tables("leases", &DHCP_LEASES, LeasesTable::read)),
            streams: root.tables("stream", &STREAM, SourceTable::read),
            spools: root.tables("spool", &SPOOL, SpoolTable::read),
            ingest: root.table("ingest", &INGEST, IngestTable::read),
            clock: root.table("clock", &CLOCK, ClockTable::read),
            watch: root.table("watch", &WATCH, WatchTable::read),
            networks: root.tables("network", &NETWORK, NetworkTable::read),
            deterministic_nats: root.table("nat", &NAT, |table| {
                table.tables("deterministic", &NAT_DETERMINISTIC, DeterministicTable::read)
            }),
            entities: root.tables("entity", &ENTITY, EntityTable::read),
            fees: root.table("fees", &FEES, FeeTable::read),
            fees_of_types: root.tables("fee", &FEE, FeeTable::of_type),
            principals: root.tables("principal", &PRINCIPAL, PrincipalTable::read),
        }
    }
}

/// The version comes first in every sense: what another version means by a key, nobody here knows.
pub(super) fn version(root: &Reader<'_, '_, '_>, faults: &Faults<'_>) {
    if !root.has("version") {
        faults.add(root.place(), Problem::MissingVersion);
    }
    root.value("version", "a whole number", |value| {
        let found = value.as_integer()?.to_string();
        Some(if found == "1" { Ok(()) } else { Err(Problem::UnknownVersion { found }) })
    });
}

impl StoreTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self { ballast: size(table, "ballast") }
    }
}

impl RetentionTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self {
            place: table.place(),
            window: duration(table, "window"),
            bucket: duration(table, "bucket"),
            purge_interval: duration(table, "purge-interval"),
            carry_interval: duration(table, "carry-interval"),
            max_silence: silence(table),
            require_erasure_class: table.text("require-erasure-class", A_TEXT, |text| {
                value::choice("require-erasure-class", text, ErasureClass::ALL.map(ErasureClass::name))
            }),
        }
    }
}

impl LookupTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self { margin: duration(table, "margin"), shared_margin: duration(table, "shared-margin") }
    }
}

impl ListenTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self {
            place: table.place(),
            api_socket: path(table, "api-socket"),
            api_socket_mode: table.text("api-socket-mode", "a mode in quotation marks, such as \"0660\"", value::mode),
        }
    }
}

impl RadiusTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self {
            receive_buffer: size(table, "receive-buffer"),
            listen: table.tables("listen", &RADIUS_LISTEN, |table| {
                table.required("address", table.text("address", A_TEXT, value::socket_address))
            }),
            clients: table.tables("client", &RADIUS_CLIENT, ClientTable::read),
        }
    }
}

impl ClientTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        let names = || SubscriberFrom::ALL.map(SubscriberFrom::name);
        Self {
            network: table.required("network", table.text("network", A_TEXT, value::network)),
            name: table.required("name", table.text("name", A_TEXT, value::name)),
            secret_file: table.required("secret-file", path(table, "secret-file")),
            realm: table.text("realm", A_TEXT, value::name_or_empty),
            outside_realm: table.text("outside-realm", A_TEXT, value::name_or_empty),
            subscriber: table.texts("subscriber", "a list of texts", |text| value::choice("subscriber", text, names())),
            keep: table.texts("keep", "a list of texts", kept),
            interims: table.flag("interims"),
            max_delay: duration(table, "max-delay"),
            max_silence: silence(table),
            resets: table.text("resets", A_TEXT, |text| value::choice("resets", text, Resets::ALL.map(Resets::name))),
        }
    }
}

impl LeasesTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        let formats = || LeaseFormat::ALL.map(LeaseFormat::name);
        let identities = || LeaseIdentity::ALL.map(LeaseIdentity::name);
        Self {
            place: table.place(),
            name: table.required("name", table.text("name", A_TEXT, value::name)),
            pair: table.text("pair", A_TEXT, value::name),
            format: table
                .required("format", table.text("format", A_TEXT, |text| value::choice("format", text, formats()))),
            path: table.required("path", path(table, "path")),
            realm: table.text("realm", A_TEXT, value::name_or_empty),
            subscriber: table
                .texts("subscriber", "a list of texts", |text| value::choice("subscriber", text, identities())),
            mapping: path(table, "mapping"),
            keep: table.texts("keep", "a list of texts", kept),
            interims: table.flag("interims"),
            max_delay: duration(table, "max-delay"),
            max_silence: silence(table),
        }
    }
}

impl IngestTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self { queue: table.number("queue", 1, 1 << 20), batch: table.number("batch", 1, 10_000) }
    }
}

impl ClockTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self { max_step: duration(table, "max-step") }
    }
}

impl NetworkTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self {
            prefix: table.required("prefix", table.text("prefix", A_TEXT, value::network)),
            entity: table.text("entity", A_TEXT, |text| value::line("entity", text)),
            sources: table.texts("sources", "a list of texts", value::name),
            shared: table.flag("shared"),
        }
    }
}

impl PrincipalTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self {
            place: table.place(),
            name: table.required("name", table.text("name", A_TEXT, value::name)),
            has_mark: ["uid", "group", "certificate"].into_iter().any(|mark| table.has(mark)),
            // chown(2) takes the greatest number for "unchanged"; no user has it.
            uid: table.number("uid", 0, u64::from(u32::MAX) - 1),
            group: table.text("group", A_TEXT, value::name),
            certificate: table.text("certificate", A_TEXT, |text| match text {
                "" => Err(Problem::Empty { key: "certificate" }),
                name => value::line("certificate", name),
            }),
            role: table.required(
                "role",
                table.text("role", A_TEXT, |text| value::choice("role", text, Role::ALL.map(Role::name))),
            ),
        }
    }
}

fn kept(text: &str) -> Result<&'static str, Problem> {
    let known = KEPT.into_iter().find(|name| *name == text);
    known.ok_or_else(|| Problem::Choice { key: "keep", text: text.to_owned(), choices: KEPT.to_vec() })
}

pub(super) fn duration(table: &Reader<'_, '_, '_>, key: &'static str) -> Option<At<Duration>> {
    table.text(key, A_DURATION, value::duration)
}

fn size(table: &Reader<'_, '_, '_>, key: &'static str) -> Option<At<u64>> {
    table.value(key, "a number of bytes, such as \"8MiB\"", |written| {
        let plain = || written.as_integer().map(ToString::to_string);
        written.as_str().map(str::to_owned).or_else(plain).map(|text| value::size(&text))
    })
}

pub(super) fn silence(table: &Reader<'_, '_, '_>) -> Option<At<Option<Duration>>> {
    table.text("max-silence", "a duration or \"none\", in quotation marks", value::duration_or_none)
}

pub(super) fn path(table: &Reader<'_, '_, '_>, key: &'static str) -> Option<At<PathBuf>> {
    table.text(key, A_TEXT, |text| value::path(key, text))
}

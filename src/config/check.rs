//! What was typed becomes what is meant: defaults, ranges, and what must agree with what.
//!
//! A value that is missing or wrong is replaced by its default, so that the rest can be checked too; as every wrong one
//! has left a fault, no such configuration is ever handed out.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Duration;

use super::Disclosure;
use super::fault::Faults;
use super::file::{
    ClockTable, DisclosureTable, File, IngestTable, ListenTable, LookupTable, NetworkTable, RetentionTable,
};
use super::problem::Problem;
use super::reader::At;
use super::secret::SecretError;
use super::{
    Clock, Config, ConfigError, Ingest, Listen, Lookup, Network, SecretFile, Store, api, dhcp, fees, names, nat,
    principals, process_types, radius, streams, watch,
};
use crate::domain::erasure::ErasureClass;
use crate::domain::retention::Retention;
use crate::domain::time::BucketWidth;

/// The shortest window that still has a useful bucket, and a year.
const WINDOWS: RangeInclusive<Duration> = Duration::from_secs(4)..=Duration::from_secs(366 * 24 * 3600);

/// Purging costs a flush and a compaction, and the promise of destruction names the interval.
const PURGE_INTERVALS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);

/// A margin of a day makes every answer uncertain; more says nothing new.
const MARGINS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 3600);

/// Clocks that are kept right are slewed by less than a second; a step of more than an hour is nobody's correction.
const MAX_STEPS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// Fewer buckets cannot be settled before they expire; more make too many keys.
const BUCKETS: RangeInclusive<u128> = 4..=4096;

/// Decided when this is compiled.
const TEN_MINUTES: BucketWidth = match BucketWidth::from_secs(600) {
    Some(width) => width,
    None => unreachable!(),
};

/// A socket's path without the NUL at its end: unix(7).
const LONGEST_SOCKET_PATH: usize = 107;

/// How the secret of a client is found.
pub(super) type ReadSecret<'a> = dyn FnMut(&Path) -> Result<SecretFile, SecretError> + 'a;

/// How the text of another file is had.
pub(super) type ReadText<'a> = dyn FnMut(&Path) -> Result<String, ConfigError> + 'a;

/// The files that a configuration names and that are read with it.
pub(super) struct Named<'a> {
    pub(super) secret: &'a mut ReadSecret<'a>,
    pub(super) text: &'a mut ReadText<'a>,
}

fn disclosure(table: &DisclosureTable) -> Disclosure {
    let or = |found: &Option<At<Duration>>, default: Duration| found.as_ref().map_or(default, |found| *found.get_ref());
    let default = Disclosure::default();
    Disclosure {
        capture_expiry: or(&table.capture_expiry, default.capture_expiry),
        unapproved_expiry: or(&table.unapproved_expiry, default.unapproved_expiry),
        keep_open: or(&table.keep_open, default.keep_open),
        keep_closed: or(&table.keep_closed, default.keep_closed),
        zone: table.zone.as_ref().map_or(default.zone, |zone| *zone.get_ref()),
    }
}

/// What a file means. Paths that are not absolute start from `base`.
pub(super) fn check(file: File, base: &Path, named: Named<'_>, faults: &Faults<'_>) -> Config {
    names::told_apart(&file, faults);
    let retention = retention(&file.retention, faults);
    let require_erasure_class =
        file.retention.require_erasure_class.as_ref().map_or(ErasureClass::Degraded, |class| *class.get_ref());
    let state_dir = base.join(inner(file.state_dir).unwrap_or_else(|| "/var/lib/lapsed".into()));
    let known = retention.as_ref();
    Config {
        keyring_dir: inner(file.keyring_dir).map_or_else(|| state_dir.clone(), |dir| base.join(dir)),
        ledger_keys_dir: inner(file.ledger_keys_dir)
            .map_or_else(|| state_dir.join("ledger-keys"), |dir| base.join(dir)),
        state_dir,
        store: Store { ballast: inner(file.store.ballast).unwrap_or(Store::default().ballast) },
        require_erasure_class,
        lookup: lookup(&file.lookup, faults),
        disclosure: disclosure(&file.disclosure),
        process_types: process_types::check(file.disclosure.process_types, base, named.text, faults),
        listen: listen(file.listen, base, faults),
        api: api::check(file.api, &file.principals, base, faults),
        principals: principals::check(file.principals, &file.radius.clients, &file.leases, faults),
        dhcp: dhcp::check(file.leases, known, base, faults),
        radius: radius::check(file.radius, known, base, named.secret, faults),
        streams: streams::streams(file.streams, known, faults),
        spools: streams::spools(file.spools, known, base, faults),
        networks: networks(file.networks, faults),
        deterministic_nats: nat::check(file.deterministic_nats, faults),
        entities: fees::entities(file.entities, faults),
        fees: fees::check(file.fees, file.fees_of_types, faults),
        ingest: ingest(&file.ingest),
        clock: clock(&file.clock, faults),
        watch: watch::check(file.watch),
        retention: retention.unwrap_or_else(default_retention),
    }
}

/// The value without its place.
pub(super) fn inner<T>(value: Option<At<T>>) -> Option<T> {
    value.map(At::into_inner)
}

/// A duration if it lies within its range; a fault if it does not.
pub(super) fn within(
    key: &'static str,
    value: Option<&At<Duration>>,
    range: RangeInclusive<Duration>,
    faults: &Faults<'_>,
) -> Option<Duration> {
    let value = value?;
    let found = *value.get_ref();
    if range.contains(&found) {
        return Some(found);
    }
    let (least, most) = (*range.start(), *range.end());
    faults.add(value.span(), Problem::DurationRange { key, least, most, found });
    None
}

/// How long an open session may be silent: at least a second, or for ever.
pub(super) fn max_silence(value: Option<&At<Option<Duration>>>, faults: &Faults<'_>) -> Option<Option<Duration>> {
    let value = value?;
    let Some(limit) = value.get_ref() else { return Some(None) };
    let limit = At::new(value.span(), *limit);
    within("max-silence", Some(&limit), Duration::from_secs(1)..=*WINDOWS.end(), faults).map(Some)
}

/// Leaves a fault at every value that was written before; `problem` gets the value and the line of the first.
pub(super) fn unique<'a, T: Clone + Eq + Hash + 'a>(
    values: impl IntoIterator<Item = &'a At<T>>,
    problem: impl Fn(T, usize) -> Problem,
    faults: &Faults<'_>,
) {
    let mut first: HashMap<&T, Range<usize>> = HashMap::new();
    for value in values {
        match first.entry(value.get_ref()) {
            Entry::Vacant(entry) => drop(entry.insert(value.span())),
            Entry::Occupied(entry) => {
                faults.add(value.span(), problem(value.get_ref().clone(), faults.line_of(entry.get())));
            }
        }
    }
}

/// 48 h in steps of ten minutes.
pub(super) fn default_retention() -> Retention {
    with_defaults(Duration::from_secs(48 * 3600), TEN_MINUTES)
}

fn with_defaults(window: Duration, bucket: BucketWidth) -> Retention {
    Retention {
        window,
        bucket,
        purge_interval: Duration::from_secs(60),
        carry_interval: Retention::default_carry_interval(window, bucket),
        max_silence: Some(Retention::default_max_silence(window)),
    }
}

/// The policy; `None` if its window or its bucket is not to be had, so that nothing else is measured by them.
fn retention(table: &RetentionTable, faults: &Faults<'_>) -> Option<Retention> {
    let default = default_retention();
    let purge_interval = within("purge-interval", table.purge_interval.as_ref(), PURGE_INTERVALS, faults);
    let silence = max_silence(table.max_silence.as_ref(), faults);

    let window = match &table.window {
        Some(written) => within("window", Some(written), WINDOWS, faults)?,
        None => default.window,
    };
    let width = match &table.bucket {
        Some(written) => bucket(written, faults)?,
        None => default.bucket,
    };
    let count = window.as_millis().checked_div(width.duration().as_millis()).unwrap_or(0);
    if !BUCKETS.contains(&count) {
        let written = table.bucket.as_ref().or(table.window.as_ref());
        let span = written.map_or(table.place.clone(), At::span);
        faults.add(span, Problem::BucketCount { window, bucket: width.duration(), count });
        return None;
    }

    let mut retention = with_defaults(window, width);
    retention.purge_interval = purge_interval.unwrap_or(retention.purge_interval);
    retention.max_silence = silence.unwrap_or(retention.max_silence);
    if let Some(written) = &table.carry_interval {
        retention.carry_interval = carry_interval(written, &retention, faults)?;
    }
    Some(retention)
}

/// What speaks against a window with buckets of this width.
pub(super) fn window_problem(window: Duration, width: BucketWidth) -> Option<Problem> {
    let (least, most) = (*WINDOWS.start(), *WINDOWS.end());
    if !WINDOWS.contains(&window) {
        return Some(Problem::DurationRange { key: "window", least, most, found: window });
    }
    let count = window.as_millis().checked_div(width.duration().as_millis()).unwrap_or(0);
    (!BUCKETS.contains(&count)).then(|| Problem::BucketCount { window, bucket: width.duration(), count })
}

fn bucket(written: &At<Duration>, faults: &Faults<'_>) -> Option<BucketWidth> {
    let found = *written.get_ref();
    if found.subsec_nanos() != 0 {
        faults.add(written.span(), Problem::BucketFraction { found });
        return None;
    }
    let found = within("bucket", Some(written), Duration::from_secs(1)..=*WINDOWS.end(), faults)?;
    u32::try_from(found.as_secs()).ok().and_then(BucketWidth::from_secs)
}

/// In whole buckets, for a statement speaks until a bucket begins.
fn carry_interval(written: &At<Duration>, retention: &Retention, faults: &Faults<'_>) -> Option<Duration> {
    let least = Duration::from_secs(1);
    let found = within("carry-interval", Some(written), least..=retention.window, faults)?;
    let carry = retention.bucket.duration().saturating_mul(retention.bucket.buckets_in(found));
    if carry < retention.window {
        return Some(carry);
    }
    faults.add(written.span(), Problem::CarryBeyondWindow { window: retention.window, carry });
    None
}

fn lookup(table: &LookupTable, faults: &Faults<'_>) -> Lookup {
    let default = Lookup::default();
    let margin = within("margin", table.margin.as_ref(), MARGINS, faults);
    let shared = within("shared-margin", table.shared_margin.as_ref(), MARGINS, faults);
    Lookup { margin: margin.unwrap_or(default.margin), shared_margin: shared.unwrap_or(default.shared_margin) }
}

fn listen(table: ListenTable, base: &Path, faults: &Faults<'_>) -> Listen {
    let default = Listen::default();
    let span = table.api_socket.as_ref().map_or(table.place, At::span);
    let api_socket = inner(table.api_socket).map_or(default.api_socket, |path| base.join(path));
    let found = api_socket.as_os_str().len();
    if found > LONGEST_SOCKET_PATH {
        faults.add(span, Problem::SocketPath { found, most: LONGEST_SOCKET_PATH });
    }
    Listen { api_socket, api_socket_mode: inner(table.api_socket_mode).unwrap_or(default.api_socket_mode) }
}

fn ingest(table: &IngestTable) -> Ingest {
    let default = Ingest::default();
    let size = |value: &Option<At<u64>>| value.as_ref().and_then(|value| usize::try_from(*value.get_ref()).ok());
    Ingest { queue: size(&table.queue).unwrap_or(default.queue), batch: size(&table.batch).unwrap_or(default.batch) }
}

fn clock(table: &ClockTable, faults: &Faults<'_>) -> Clock {
    let max_step = within("max-step", table.max_step.as_ref(), MAX_STEPS, faults);
    Clock { max_step: max_step.unwrap_or(Clock::default().max_step) }
}

fn networks(tables: Vec<NetworkTable>, faults: &Faults<'_>) -> Vec<Network> {
    let prefixes = tables.iter().filter_map(|table| table.prefix.as_ref());
    unique(prefixes, |network, line| Problem::NetworkTwice { network, line }, faults);
    let checked = |table: NetworkTable| {
        Some(Network {
            prefix: inner(table.prefix)?,
            entity: inner(table.entity).unwrap_or_default(),
            sources: inner(table.sources).unwrap_or_default().into_iter().map(At::into_inner).collect(),
            shared: inner(table.shared).unwrap_or(false),
        })
    };
    tables.into_iter().filter_map(checked).collect()
}

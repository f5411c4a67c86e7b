//! The RADIUS part of the file: sockets and clients, with their secrets.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::check::{self, ReadSecret, inner, unique, within};
use super::fault::Faults;
use super::file::{ClientTable, RadiusTable};
use super::problem::Problem;
use super::reader::At;
use super::{Radius, RadiusClient, Source};
use crate::domain::retention::Retention;
use crate::domain::selection::{Kept, Selection, SubscriberFrom};

/// Less holds no packet, and the kernel takes no more (socket(7), SO_RCVBUF).
const RECEIVE_BUFFERS: RangeInclusive<u64> = 4096..=1 << 30;

/// What `[radius]` means; `retention` is `None` where the policy itself is wrong.
pub(super) fn check(
    table: RadiusTable,
    retention: Option<&Retention>,
    base: &Path,
    read_secret: &mut ReadSecret<'_>,
    faults: &Faults<'_>,
) -> Radius {
    let addresses = table.listen.iter().flatten().filter(|address| address.get_ref().port() != 0);
    unique(addresses, |address, line| Problem::ListenTwice { address, line }, faults);
    // A packet's source address chooses one client.
    let networks = table.clients.iter().filter_map(|client| client.network.as_ref());
    unique(networks, |network, line| Problem::NetworkTwice { network, line }, faults);
    Radius {
        receive_buffer: receive_buffer(table.receive_buffer, faults),
        listen: table.listen.into_iter().filter_map(inner).collect(),
        clients: table
            .clients
            .into_iter()
            .filter_map(|table| client(table, retention, base, read_secret, faults))
            .collect(),
    }
}

fn receive_buffer(value: Option<At<u64>>, faults: &Faults<'_>) -> usize {
    let default = Radius::default().receive_buffer;
    let Some(value) = value else { return default };
    let bytes = *value.get_ref();
    if !RECEIVE_BUFFERS.contains(&bytes) {
        let (least, most) = (*RECEIVE_BUFFERS.start(), *RECEIVE_BUFFERS.end());
        let found = bytes.to_string();
        faults.add(value.span(), Problem::NumberRange { key: "receive-buffer", least, most, found });
    }
    usize::try_from(bytes).unwrap_or(default)
}

/// One client; `None` if something it cannot do without is missing or wrong, which has left its fault.
fn client(
    table: ClientTable,
    retention: Option<&Retention>,
    base: &Path,
    read_secret: &mut ReadSecret<'_>,
    faults: &Faults<'_>,
) -> Option<RadiusClient> {
    let default = check::default_retention();
    let policy = retention.unwrap_or(&default);
    let longest = retention.map_or(Duration::MAX, |retention| retention.window);
    let max_delay = within("max-delay", table.max_delay.as_ref(), Duration::from_secs(1)..=longest, faults);
    let max_silence = check::max_silence(table.max_silence.as_ref(), faults);
    let selection = Selection {
        subscriber: subscriber(table.subscriber, faults),
        keep: table.keep.as_ref().map_or_else(Kept::default, |keep| kept(keep.get_ref())),
    };
    let secret_file = table.secret_file?;
    let path = base.join(secret_file.get_ref());
    let secret = match read_secret(&path) {
        Ok(secret) => secret,
        Err(error) => {
            faults.add(secret_file.span(), Problem::Secret { path, error });
            return None;
        }
    };
    Some(RadiusClient {
        network: inner(table.network)?,
        source: Source {
            name: inner(table.name)?,
            realm: inner(table.realm).unwrap_or_default(),
            outside_realm: inner(table.outside_realm).unwrap_or_default(),
            interims: inner(table.interims).unwrap_or(false),
            max_delay: max_delay.unwrap_or(policy.window),
            max_silence: max_silence.unwrap_or(policy.max_silence),
            resets: inner(table.resets).unwrap_or_default(),
        },
        secret: secret.secret,
        secret_file: path,
        secret_exposed: secret.exposed,
        selection,
    })
}

/// In the order of preference. An empty list would make every record one of nobody.
fn subscriber(value: Option<At<Vec<At<SubscriberFrom>>>>, faults: &Faults<'_>) -> Vec<SubscriberFrom> {
    let Some(list) = value else { return Selection::default().subscriber };
    let span = list.span();
    if !faults.any_within(&span) && list.get_ref().is_empty() {
        faults.add(span, Problem::EmptyList { key: "subscriber" });
    }
    list.into_inner().into_iter().map(At::into_inner).collect()
}

pub(super) fn kept(list: &[At<&'static str>]) -> Kept {
    let has = |name: &str| list.iter().any(|item| *item.get_ref() == name);
    Kept { mac: has("mac"), circuit_id: has("circuit-id"), remote_id: has("remote-id"), nas_port: has("nas-port") }
}

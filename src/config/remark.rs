//! What works and yet may surprise: said when the daemon starts and by `check-config`, never a reason to refuse.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net};

use super::{Config, Radius};
use crate::domain::actor::Role;

/// One thing worth knowing about a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    /// Nothing listens for RADIUS.
    #[error("there is no [[radius.listen]]: no RADIUS source can reach this daemon")]
    NoListener,
    /// Nobody is listened to.
    #[error("there is no [[radius.client]]: packets from everybody are dropped unanswered")]
    NoClient,
    /// Nobody is known by uid or group.
    #[error("there is no [[principal]]: only bearer tokens give access")]
    NoPrincipal,
    /// Others than the owner may read a secret.
    #[error("the secret of `{client}` in {} can be read by its group or by everybody", .file.display())]
    ExposedSecret {
        /// The client's name.
        client: String,
        /// The file.
        file: PathBuf,
    },
    /// Every local user may connect to the API.
    #[error("api-socket-mode {mode:04o} lets every local user connect")]
    OpenSocket {
        /// The permission bits.
        mode: u32,
    },
    /// A port that nobody can be told beforehand.
    #[error("{address} listens on a port that the kernel chooses anew each time")]
    AnyPort {
        /// The address.
        address: SocketAddr,
    },
    /// A network that waits for a source which the file does not know.
    #[error(
        "the network {network} names the source `{source_name}`, which is no configured source and no [[principal]] with \
         the role source: only a token of that name can speak for it"
    )]
    UnknownSource {
        /// The network.
        network: IpNet,
        /// The source it names.
        source_name: String,
    },
    /// An entity whose subscribers have no address, most likely by a misspelt name.
    #[error("no [[network]] has the entity `{entity}`: nothing is ever answered in its name")]
    UnknownEntity {
        /// The entity.
        entity: String,
    },
    /// A translation that leads to where nobody is known, most likely by a misspelt realm.
    #[error("no source speaks of the realm `{realm}`: what is translated from {inside} leads to nobody")]
    UnknownRealm {
        /// The inside addresses.
        inside: Ipv4Net,
        /// Their realm.
        realm: String,
    },
}

/// All remarks, in the order of the file.
pub(super) fn remarks(config: &Config) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mode = config.listen.api_socket_mode;
    if mode & 0o002 != 0 {
        remarks.push(Remark::OpenSocket { mode });
    }
    // Who has other sources alone knows that there is no RADIUS.
    let radius = config.sources().next().is_none() || config.radius != Radius::default();
    if radius && config.radius.listen.is_empty() {
        remarks.push(Remark::NoListener);
    }
    let any_port = config.radius.listen.iter().filter(|address| address.port() == 0);
    remarks.extend(any_port.map(|address| Remark::AnyPort { address: *address }));
    if radius && config.radius.clients.is_empty() {
        remarks.push(Remark::NoClient);
    }
    let exposed = config.radius.clients.iter().filter(|client| client.secret_exposed);
    remarks.extend(
        exposed.map(|client| Remark::ExposedSecret {
            client: client.source.name.clone(),
            file: client.secret_file.clone(),
        }),
    );
    for network in &config.networks {
        let unknown = network.sources.iter().filter(|name| !is_source(config, name));
        remarks
            .extend(unknown.map(|name| Remark::UnknownSource { network: network.prefix, source_name: name.clone() }));
    }
    let spoken_of = |realm: &str| config.sources().any(|source| source.realm == realm);
    let into_nowhere = config.deterministic_nats.iter().filter(|rule| !spoken_of(&rule.inside_realm.0));
    remarks.extend(
        into_nowhere.map(|rule| Remark::UnknownRealm { inside: rule.inside, realm: rule.inside_realm.0.clone() }),
    );
    let has_network = |name: &str| config.networks.iter().any(|network| network.entity == name);
    let idle = config.entities.iter().filter(|entity| !entity.name.is_empty() && !has_network(&entity.name));
    remarks.extend(idle.map(|entity| Remark::UnknownEntity { entity: entity.name.clone() }));
    if config.principals.is_empty() {
        remarks.push(Remark::NoPrincipal);
    }
    remarks
}

fn is_source(config: &Config, name: &str) -> bool {
    config.sources().any(|source| source.name == name)
        || config.principals.iter().any(|principal| principal.name == name && principal.role == Role::Source)
}

//! `[api]`: the API for desks that are not on this machine, and how much one principal may ask.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::check::inner;
use super::fault::Faults;
use super::file::{A_TEXT, PrincipalTable, path};
use super::problem::Problem;
use super::reader::{At, Reader};
use super::{Api, Tls, value};

/// `[api]` as it was typed.
pub(super) struct ApiTable {
    tls_listen: Option<At<SocketAddr>>,
    tls_certificate: Option<At<PathBuf>>,
    tls_key: Option<At<PathBuf>>,
    tls_client_ca: Option<At<PathBuf>>,
    requests_per_second: Option<At<u64>>,
    /// Is there a `tls-listen` at all, also a wrong one?
    has_listen: bool,
}

impl ApiTable {
    pub(super) fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self {
            has_listen: table.has("tls-listen"),
            tls_listen: table.text("tls-listen", A_TEXT, value::socket_address),
            tls_certificate: path(table, "tls-certificate"),
            tls_key: path(table, "tls-key"),
            tls_client_ca: path(table, "tls-client-ca"),
            requests_per_second: table.number("requests-per-second", 1, 1_000_000),
        }
    }
}

/// What the table means. Nobody is known by a certificate where none is asked for.
pub(super) fn check(table: ApiTable, principals: &[PrincipalTable], base: &Path, faults: &Faults<'_>) -> Api {
    if !table.has_listen {
        let files = [&table.tls_certificate, &table.tls_key, &table.tls_client_ca].into_iter().flatten();
        files.for_each(|file| faults.add(file.span(), Problem::NoTlsListen));
    }
    if table.tls_client_ca.is_none() {
        let certificates = principals.iter().filter_map(|principal| principal.certificate.as_ref());
        certificates.for_each(|certificate| faults.add(certificate.span(), Problem::NoClientCa));
    }
    let requests_per_second = table.requests_per_second.and_then(|number| u32::try_from(*number.get_ref()).ok());
    let requests_per_second = requests_per_second.unwrap_or(Api::default().requests_per_second);
    Api {
        tls: tls(table.tls_listen, table.tls_certificate, table.tls_key, table.tls_client_ca, base, faults),
        requests_per_second,
    }
}

fn tls(
    listen: Option<At<SocketAddr>>,
    certificate: Option<At<PathBuf>>,
    key: Option<At<PathBuf>>,
    client_ca: Option<At<PathBuf>>,
    base: &Path,
    faults: &Faults<'_>,
) -> Option<Tls> {
    let listen = listen?;
    for (name, file) in [("tls-certificate", &certificate), ("tls-key", &key)] {
        if file.is_none() {
            faults.add(listen.span(), Problem::TlsNeeds { key: name });
        }
    }
    Some(Tls {
        listen: listen.into_inner(),
        certificate: base.join(inner(certificate)?),
        key: base.join(inner(key)?),
        client_ca: inner(client_ca).map(|file| base.join(file)),
    })
}

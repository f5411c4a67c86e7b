//! A connection to the daemon: over its Unix socket, or over TLS to another machine.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Connection, Ending};

/// How long the connection to another machine may take, with its handshake.
const PATIENCE: Duration = Duration::from_secs(15);

/// Bytes to the daemon and back.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(
        "cannot reach the daemon on {path}: {source}; is it running? --socket or LAPSE_SOCKET names another socket"
    )]
    Socket { path: String, source: io::Error },
    #[error("cannot reach the daemon at {host}:{port}: {source}")]
    Tls { host: String, port: u16, source: io::Error },
    #[error("`{0}` is no host's name: {1}")]
    Host(String, InvalidDnsNameError),
    #[error("cannot read {path}: {source}")]
    Pem { path: PathBuf, source: pem::Error },
    #[error("cannot use {path}: {source}")]
    File { path: PathBuf, source: rustls::Error },
}

impl ConnectError {
    /// May it be gone after a while?
    pub(super) fn passes(&self) -> bool {
        matches!(self, Self::Socket { .. } | Self::Tls { .. })
    }

    pub(super) fn ending(&self) -> Ending {
        if self.passes() { Ending::Unreachable } else { Ending::Usage }
    }
}

impl Connection {
    /// Connects; needs a runtime with time.
    pub(super) async fn open(&self) -> Result<Box<dyn Stream>, ConnectError> {
        match self {
            Self::Socket(socket) => {
                let failed = |source| ConnectError::Socket { path: socket.display().to_string(), source };
                Ok(Box::new(UnixStream::connect(socket).await.map_err(failed)?))
            }
            Self::Tls { host, port, ca, pair } => {
                let connector = TlsConnector::from(Arc::new(client_config(ca, pair.as_ref())?));
                let name = ServerName::try_from(host.clone());
                let name = name.map_err(|error| ConnectError::Host(host.clone(), error))?;
                let connecting = async {
                    let stream = TcpStream::connect((host.as_str(), *port)).await?;
                    connector.connect(name, stream).await
                };
                let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
                let stream = timeout(PATIENCE, connecting).await.unwrap_or_else(late);
                Ok(Box::new(stream.map_err(|source| ConnectError::Tls { host: host.clone(), port: *port, source })?))
            }
        }
    }
}

fn client_config(ca: &PathBuf, pair: Option<&(PathBuf, PathBuf)>) -> Result<ClientConfig, ConnectError> {
    let unread = |path: &PathBuf| {
        let path = path.clone();
        move |source| ConnectError::Pem { path, source }
    };
    let unfit = |path: &PathBuf| {
        let path = path.clone();
        move |source| ConnectError::File { path, source }
    };
    let certificates = |path: &PathBuf| -> Result<Vec<CertificateDer<'static>>, ConnectError> {
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(unread(path))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(unfit(ca))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(unfit(ca))?.with_root_certificates(roots);
    match pair {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let secret = PrivateKeyDer::from_pem_file(key).map_err(unread(key))?;
            builder.with_client_auth_cert(chain, secret).map_err(unfit(certificate))
        }
    }
}

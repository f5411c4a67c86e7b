//! The daemon's certificate and those who sign certificates of desks: read at the start, and again when the files change.
//!
//! A connection keeps what it began with. Files that cannot be used cost nothing but a line in the log: those read before
//! go on being used until the files are right.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::TlsAcceptor;
use x509_cert::Certificate;
use x509_cert::der::asn1::{PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::{Decode as _, Tagged as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::config;

/// Why the files of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, may not be read, or has nothing of its kind in it.
    #[error("cannot read {path}: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A file of certificates without one.
    #[error("{0} has no certificate")]
    NoCertificate(PathBuf),
    /// The certificate and the key do not belong together, or are of no known kind.
    #[error("the certificate in {certificate} cannot be used with the key in {key}: {source}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A certificate of those who sign cannot be used.
    #[error("cannot use {path}: {source}")]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// Nobody can be verified with those who sign.
    #[error("cannot use {path}: {source}")]
    Verifier {
        /// The file.
        path: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
}

/// Inode, length and times of change of the files; equal as long as nobody has touched them.
type Stamp = Vec<Option<(u64, u64, i64, i64)>>;

struct Held {
    stamp: Stamp,
    acceptor: TlsAcceptor,
}

/// What the files say, as it is now.
pub(in crate::daemon) struct Keys {
    files: config::Tls,
    held: Mutex<Held>,
}

impl Keys {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// If they cannot be used.
    pub(in crate::daemon) fn read(files: &config::Tls) -> Result<Self, TlsError> {
        // Before they are read: what changes meanwhile is read once more.
        let stamp = stamp(files);
        let acceptor = acceptor(files)?;
        Ok(Self { files: files.clone(), held: Mutex::new(Held { stamp, acceptor }) })
    }

    /// What a new connection begins with. Looks whether the files have changed.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.files);
        if stamp != held.stamp {
            self.renew(&mut held, stamp);
        }
        held.acceptor.clone()
    }

    /// Reads the files, whether they have changed or not.
    pub(in crate::daemon) fn read_again(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.renew(&mut held, stamp(&self.files));
    }

    fn renew(&self, held: &mut Held, stamp: Stamp) {
        match acceptor(&self.files) {
            Ok(acceptor) => {
                held.acceptor = acceptor;
                tracing::info!("the files of TLS were read again");
            }
            Err(error) => {
                tracing::error!(%error, "the files of TLS were changed and cannot be used; going on as before")
            }
        }
        // Wrong files are not read again for every connection, but once they change.
        held.stamp = stamp;
    }
}

fn stamp(files: &config::Tls) -> Stamp {
    let one = |path: &Path| {
        let found: io::Result<fs::Metadata> = fs::metadata(path);
        found.ok().map(|found| (found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
    };
    [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()]
        .into_iter()
        .flatten()
        .map(|path| one(path))
        .collect()
}

fn acceptor(files: &config::Tls) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pair = |source| TlsError::Pair { certificate: files.certificate.clone(), key: files.key.clone(), source };
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key);
    let key = key.map_err(|source| TlsError::Pem { path: files.key.clone(), source })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(pair)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|source| TlsError::ClientCa { path: path.clone(), source })?;
            }
            // A desk without a certificate shows a token instead.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = verifier.allow_unauthenticated().build();
            builder.with_client_cert_verifier(
                verifier.map_err(|source| TlsError::Verifier { path: path.clone(), source })?,
            )
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unread = |source| TlsError::Pem { path: path.to_owned(), source };
    let found = CertificateDer::pem_file_iter(path).map_err(unread)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(unread)?;
    if found.is_empty() { Err(TlsError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

/// The common name, DNS names and mail addresses in a certificate that was verified (RFC 5280, sections 4.1.2.6 and
/// 4.2.1.6); none if it cannot be read.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = Certificate::from_der(certificate) else { return Vec::new() };
    let subject = certificate.tbs_certificate.subject.0.iter().flat_map(|relative| relative.0.iter());
    let common = subject.filter(|part| part.oid == COMMON_NAME).filter_map(|part| match part.value.tag() {
        x509_cert::der::Tag::Utf8String => {
            part.value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.to_string())
        }
        x509_cert::der::Tag::PrintableString => {
            part.value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.to_string())
        }
        _ => None,
    });
    let alternative = certificate.tbs_certificate.get::<SubjectAltName>().ok().flatten();
    let alternative = alternative.map(|(_, names)| names.0).unwrap_or_default();
    let alternative = alternative.into_iter().filter_map(|name| match name {
        GeneralName::DnsName(name) | GeneralName::Rfc822Name(name) => Some(name.to_string()),
        _ => None,
    });
    common.chain(alternative).collect()
}

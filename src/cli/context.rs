//! Where the daemon is: what flags say, else the environment, else the context file; and `lapse context`.
//!
//! The file remembers places and names of files. A bearer token is never in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hyper::Uri;
use serde::{Deserialize, Serialize};

use super::{Connection, Ending, say, tell};

/// Where a daemon on this machine listens.
const SOCKET: &str = "/run/lapsed/api.sock";

/// How the daemon is reached, as one of the three says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// The daemon's API socket, on this machine [env: LAPSE_SOCKET] [default: /run/lapsed/api.sock].
    #[arg(long, value_name = "PATH", global = true, conflicts_with = "url")]
    #[serde(skip_serializing_if = "Option::is_none")]
    socket: Option<PathBuf>,
    /// A daemon elsewhere, such as https://lapsed.example.net:8443 [env: LAPSE_URL].
    #[arg(long, value_name = "URL", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Who signed its certificate: a file in PEM [env: LAPSE_CA].
    #[arg(long, value_name = "FILE", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<PathBuf>,
    /// The certificate to show it: a file in PEM [env: LAPSE_CERTIFICATE].
    #[arg(long, value_name = "FILE", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<PathBuf>,
    /// That certificate's private key: a file in PEM [env: LAPSE_KEY].
    #[arg(long, value_name = "FILE", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<PathBuf>,
}

/// `lapse context`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Remember what the flags say: --socket, or --url with --ca, --certificate and --key.
    Set,
    /// Show what is remembered.
    Show,
    /// Forget it.
    Clear,
}

/// Why it is not known where the daemon is.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContextError {
    #[error("`{0}` is no address of a daemon, such as https://lapsed.example.net:8443")]
    Url(String),
    #[error("--url needs --ca: the file of those who signed the daemon's certificate")]
    NoCa,
    #[error("--certificate and --key belong together")]
    HalfPair,
    #[error("{0} names a socket and a URL: one of them")]
    Both(String),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: toml::de::Error },
    #[error("cannot use {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("neither XDG_CONFIG_HOME nor HOME says where to remember it")]
    NoHome,
    #[error("nothing is said that could be remembered: give --socket, or --url with --ca")]
    Nothing,
}

/// The connection that the three make together. The first that names a socket or a URL says where; the files of TLS are
/// each taken from the first that names one.
pub(super) fn resolve(flags: &Place) -> Result<Connection, ContextError> {
    let kept = match file() {
        Some(path) => read(&path)?,
        None => Place::default(),
    };
    merge([("the command line", flags), ("the environment", &environment()), ("the context file", &kept)])
}

fn merge(layers: [(&str, &Place); 3]) -> Result<Connection, ContextError> {
    if let Some((name, _)) = layers.iter().find(|(_, place)| place.socket.is_some() && place.url.is_some()) {
        return Err(ContextError::Both((*name).to_owned()));
    }
    let first = |of: fn(&Place) -> Option<&PathBuf>| layers.iter().find_map(|(_, place)| of(place)).cloned();
    let mut places = layers.iter().map(|(_, place)| *place);
    match places.find(|place| place.socket.is_some() || place.url.is_some()) {
        None => Ok(Connection::Socket(SOCKET.into())),
        Some(Place { url: Some(url), .. }) => {
            let (host, port) = host_and_port(url).ok_or_else(|| ContextError::Url(url.clone()))?;
            let ca = first(|place| place.ca.as_ref()).ok_or(ContextError::NoCa)?;
            let pair = match (first(|place| place.certificate.as_ref()), first(|place| place.key.as_ref())) {
                (Some(certificate), Some(key)) => Some((certificate, key)),
                (None, None) => None,
                (Some(_), None) | (None, Some(_)) => return Err(ContextError::HalfPair),
            };
            Ok(Connection::Tls { host, port, ca, pair })
        }
        Some(Place { socket, .. }) => Ok(Connection::Socket(socket.clone().unwrap_or_else(|| SOCKET.into()))),
    }
}

/// `https`, a host and perhaps a port, and nothing behind them.
fn host_and_port(url: &str) -> Option<(String, u16)> {
    let parsed: Uri = url.parse().ok()?;
    let is_bare = matches!(parsed.path(), "" | "/") && parsed.query().is_none() && !url.contains('@');
    let host = parsed.host().filter(|host| !host.is_empty())?.trim_matches(['[', ']']).to_owned();
    (parsed.scheme_str() == Some("https") && is_bare).then(|| (host, parsed.port_u16().unwrap_or(443)))
}

#[expect(clippy::disallowed_methods, reason = "where the daemon is may stand in the environment, as the help says")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn environment() -> Place {
    let path = |name| variable(name).map(PathBuf::from);
    Place {
        socket: path("LAPSE_SOCKET"),
        url: variable("LAPSE_URL"),
        ca: path("LAPSE_CA"),
        certificate: path("LAPSE_CERTIFICATE"),
        key: path("LAPSE_KEY"),
    }
}

/// Where the context is remembered (XDG Base Directory Specification): only absolute paths count.
fn file() -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(base.join("lapse").join("context.toml"))
}

/// What is remembered; nothing where there is no file.
fn read(path: &Path) -> Result<Place, ContextError> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| ContextError::File { path: path.to_owned(), error }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::default()),
        Err(source) => Err(ContextError::Io { path: path.to_owned(), source }),
    }
}

/// Runs `lapse context`.
pub(super) fn context(flags: &Place, args: &Args) -> Ending {
    let done = file().ok_or(ContextError::NoHome).and_then(|path| match args.command {
        Command::Set => set(flags, &path),
        Command::Show => show(&path),
        Command::Clear => clear(&path),
    });
    match done {
        Ok(text) => say(&text).map_or(Ending::Fault, |()| Ending::Ok),
        Err(error) => {
            tell(&format!("lapse: {error}"));
            Ending::Usage
        }
    }
}

/// What is not good for a connection is not remembered either.
fn set(flags: &Place, path: &Path) -> Result<String, ContextError> {
    if *flags == Place::default() {
        return Err(ContextError::Nothing);
    }
    let none = Place::default();
    merge([("the command line", flags), ("", &none), ("", &none)])?;
    let failed = |source| ContextError::Io { path: path.to_owned(), source };
    // It is used from other directories than this.
    let whole = |path: &Option<PathBuf>| path.as_ref().map(std::path::absolute).transpose().map_err(failed);
    let place = Place {
        socket: whole(&flags.socket)?,
        url: flags.url.clone(),
        ca: whole(&flags.ca)?,
        certificate: whole(&flags.certificate)?,
        key: whole(&flags.key)?,
    };
    let text = toml::to_string(&place).unwrap_or_default();
    let dir = path.parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    // Written beside it and renamed, so that a command that runs meanwhile reads the one or the other.
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)?;
    Ok(text)
}

fn show(path: &Path) -> Result<String, ContextError> {
    let text = toml::to_string(&read(path)?).unwrap_or_default();
    if text.is_empty() {
        tell(&format!("lapse: nothing is remembered in {}", path.display()));
    }
    Ok(text)
}

fn clear(path: &Path) -> Result<String, ContextError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ContextError::Io { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(path: &str) -> Place {
        Place { socket: Some(path.into()), ..Place::default() }
    }

    fn url(url: &str) -> Place {
        Place { url: Some(url.to_owned()), ca: Some("/ca".into()), ..Place::default() }
    }

    fn merged(layers: [&Place; 3]) -> Result<Connection, ContextError> {
        let [flags, environment, file] = layers;
        merge([("flags", flags), ("environment", environment), ("file", file)])
    }

    #[test]
    fn flags_come_before_the_environment_and_that_before_the_file() {
        let (none, here, there) = (Place::default(), socket("/here"), url("https://[2001:db8::1]:8443/"));
        let tls = |pair| Connection::Tls { host: "2001:db8::1".into(), port: 8443, ca: "/ca".into(), pair };
        assert_eq!(merged([&none, &none, &none]).unwrap(), Connection::Socket(SOCKET.into()));
        assert_eq!(merged([&here, &there, &none]).unwrap(), Connection::Socket("/here".into()));
        assert_eq!(merged([&there, &here, &here]).unwrap(), tls(None));
        let files = Place { certificate: Some("/c".into()), key: Some("/k".into()), ..Place::default() };
        assert_eq!(merged([&files, &none, &there]).unwrap(), tls(Some(("/c".into(), "/k".into()))));
    }

    #[test]
    fn what_is_half_said_is_refused() {
        let none = Place::default();
        let half = Place { key: Some("/k".into()), ..url("https://lapsed.example.net") };
        assert!(matches!(merged([&half, &none, &none]), Err(ContextError::HalfPair)));
        let both = Place { socket: Some("/here".into()), ..url("https://lapsed.example.net") };
        assert!(matches!(merged([&none, &both, &none]), Err(ContextError::Both(_))));
        let no_ca = Place { ca: None, ..url("https://lapsed.example.net") };
        assert!(matches!(merged([&no_ca, &none, &none]), Err(ContextError::NoCa)));
        for bad in ["http://lapsed.example.net", "https://", "lapsed.example.net", "https://h/v1", "https://a:b@h"] {
            assert!(matches!(merged([&url(bad), &none, &none]), Err(ContextError::Url(_))), "{bad}");
        }
    }
}

//! A checkpoint that contradicts the one that was kept: the proof that somebody signed two histories, which must not be lost.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::{escape, tell};
use crate::ledger::durable;

use super::failed::Failed;
use super::signed::Signed;

/// Keeps the new checkpoint beside the directory, which holds what belongs to one history, and says what was found. What cannot be
/// written is said on stderr.
pub(super) fn fork(dir: &Path, name: &str, kept: &Signed, new: &Signed) -> Failed {
    let size = kept.checkpoint.size;
    let (path, written) = keep(&stem(dir, name), &new.note);
    match written {
        Ok(()) => Failed::Fork { size, path },
        Err(source) => {
            let lines = String::from_utf8_lossy(&new.note);
            lines.lines().for_each(|line| tell(&escape::escape(line)));
            Failed::ForkUnwritten { size, path, source }
        }
    }
}

/// `DIR-NAME`, where `dir` is `DIR/NAME`.
fn stem(dir: &Path, name: &str) -> String {
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    whole.parent().map_or_else(|| name.to_owned(), |above| format!("{}-{name}", above.display()))
}

/// Writes to the first name that is free: `STEM.contradicting`, `STEM-2.contradicting` and so on. The same note is kept once.
fn keep(stem: &str, note: &[u8]) -> (PathBuf, io::Result<()>) {
    let mut number = 1_u32;
    loop {
        let path = match number {
            1 => PathBuf::from(format!("{stem}.contradicting")),
            later => PathBuf::from(format!("{stem}-{later}.contradicting")),
        };
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < u32::MAX => {
                if fs::read(&path).is_ok_and(|earlier| earlier == note) {
                    return (path, Ok(()));
                }
                number = number.saturating_add(1);
            }
            Err(error) => return (path, Err(error)),
            Ok(mut file) => {
                let written = file.write_all(note).and_then(|()| file.sync_all());
                let written = written.and_then(|()| durable::sync_parent(&path));
                return (path, written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proof_takes_the_place_of_another_and_none_is_kept_twice() {
        let dir = tempfile::tempdir().unwrap();
        let stem = dir.path().join("audit-purge").display().to_string();
        let names = [b"one".as_slice(), b"two", b"one", b"two", b"three"].map(|note| {
            let (path, written) = keep(&stem, note);
            written.unwrap();
            assert_eq!(fs::read(&path).unwrap(), note);
            path.display().to_string().replace(&stem, "")
        });
        let (first, second) = (".contradicting", "-2.contradicting");
        assert_eq!(names, [first, second, first, second, "-3.contradicting"]);
        let nowhere = keep("/nowhere/at/all", b"one").1;
        assert_eq!(nowhere.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

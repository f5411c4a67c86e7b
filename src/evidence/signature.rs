//! Whether the checkpoint of a ledger is signed by its key.

use super::fetched::{CHECKPOINT, Files};
use super::found::Found;
use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::note::{Note, NoteError, VerifierKey};

/// A checkpoint as it was found.
pub(super) struct Signed {
    /// What the key signed; none if it did not.
    pub(super) opened: Option<Checkpoint>,
    /// What is said, whoever said it: by that the files are looked at, so that each rule is judged by itself.
    pub(super) claimed: Option<Checkpoint>,
}

/// Looks at the checkpoint.
pub(super) fn look(files: &Files, key: &VerifierKey, found: &mut Found) -> Signed {
    let Some(note) = files.present.get(CHECKPOINT) else {
        found.unknown("the checkpoint is missing".to_owned());
        return Signed { opened: None, claimed: None };
    };
    let claimed = Note::parse(note).ok().and_then(|note| Checkpoint::parse(&note.text).ok());
    match Checkpoint::open(note, key) {
        Ok(opened) => Signed { opened: Some(opened.clone()), claimed: Some(opened) },
        Err(error) => {
            found.fail(said(note, &error));
            Signed { opened: None, claimed }
        }
    }
}

/// Why it is refused, and who signed it instead, as far as it says.
fn said(note: &[u8], error: &CheckpointError) -> String {
    let CheckpointError::Note(NoteError::NotSigned { .. }) = error else { return error.to_string() };
    let signers = Note::parse(note).map(|note| note.signatures).unwrap_or_default();
    let signers: Vec<String> = signers.iter().map(|by| format!("{} with the key {}", by.name, by.id)).collect();
    format!("{error}; it says that it is signed by {}", signers.join(" and "))
}

//! A checkpoint as it was fetched or kept, and who says that he signed it. No key is at hand here: `lapse audit verify` has it.

use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::Note;

use super::failed::Failed;

pub(super) struct Signed {
    pub(super) checkpoint: Checkpoint,
    /// The signed note, as it was read.
    pub(super) note: Vec<u8>,
    /// The keys that signed under the checkpoint's own name, as `NAME (ID)`.
    pub(super) signer: String,
}

impl Signed {
    /// Reads a signed checkpoint. `path` is where it came from.
    pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Self, Failed> {
        let note = Note::parse(bytes).map_err(|source| Failed::Note { path: path.to_owned(), source })?;
        let checkpoint = Checkpoint::parse(&note.text);
        let checkpoint = checkpoint.map_err(|source| Failed::Checkpoint { path: path.to_owned(), source })?;
        let own = note.signatures.iter().filter(|signature| signature.name == checkpoint.origin);
        let mut ids: Vec<String> = own.map(|signature| signature.id.to_string()).collect();
        ids.sort();
        if ids.is_empty() {
            return Err(Failed::Unsigned { path: path.to_owned(), origin: checkpoint.origin });
        }
        let signer = format!("{} ({})", checkpoint.origin, ids.join(", "));
        Ok(Self { checkpoint, note: bytes.to_vec(), signer })
    }
}

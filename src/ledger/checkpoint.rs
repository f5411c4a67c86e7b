//! What a ledger says of itself at some size, in the layout of C2SP tlog-checkpoint (<https://c2sp.org/tlog-checkpoint>).
//!
//! The text of a note of three lines: origin, size, root. Extension lines are neither written nor read.

use super::keys::Signer;
use super::merkle::Hash;
use super::note::{Note, NoteError, VerifierKey};
use super::text;

/// Why a checkpoint is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It is no note, or not one that the key signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// There are not exactly three lines, each of them ended.
    #[error("a checkpoint has three lines, and this has not")]
    Lines,
    /// The first line says no origin.
    #[error("line 1 of the checkpoint is no origin")]
    Origin,
    /// The second line is no size.
    #[error("line 2 of the checkpoint is not a number without leading zeros")]
    Size,
    /// The third line is no hash.
    #[error("line 3 of the checkpoint is not the base64 of 32 bytes")]
    Root,
    /// The key that signed it signs for another ledger.
    #[error("the checkpoint is of `{found}`, and the key is that of `{expected}`")]
    OtherOrigin {
        /// What the checkpoint says.
        found: String,
        /// The name of the key.
        expected: String,
    },
}

/// A ledger at some size.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Which ledger. It must be the name of the key that signs.
    pub origin: String,
    /// How many entries there are.
    pub size: u64,
    /// The root over them (RFC 6962, section 2.1).
    pub root: Hash,
}

impl Checkpoint {
    /// The three lines.
    pub fn to_text(&self) -> String {
        let Self { origin, size, root } = self;
        format!("{origin}\n{size}\n{root}\n")
    }

    /// Reads the three lines. [`to_text`](Self::to_text) of what was read are the same bytes.
    ///
    /// # Errors
    ///
    /// If there are fewer or more lines, or one is not in its one form.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<_> = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?.split('\n').collect();
        let [origin, size, root] = lines[..] else { return Err(CheckpointError::Lines) };
        if origin.is_empty() || origin.bytes().any(|byte| byte < b' ') {
            return Err(CheckpointError::Origin);
        }
        let size = text::decimal(size).ok_or(CheckpointError::Size)?;
        let root = text::hash(root).ok_or(CheckpointError::Root)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The signed checkpoint: the whole note. Nobody [opens](Self::open) it unless the origin is the signer's name.
    pub fn sign(&self, signer: &Signer) -> String {
        signer.noted(&self.to_text())
    }

    /// Reads a signed checkpoint of the ledger that this key signs for.
    ///
    /// # Errors
    ///
    /// If it is no note, is not signed by the key, is no checkpoint, or is one of another ledger.
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        note.verify(key)?;
        let checkpoint = Self::parse(&note.text)?;
        if checkpoint.origin != key.name() {
            let expected = key.name().to_owned();
            return Err(CheckpointError::OtherOrigin { found: checkpoint.origin, expected });
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    fn signer(origin: &str) -> Signer {
        let dir = tempfile::tempdir().unwrap();
        crate::ledger::keys::make_if_missing(dir.path(), "purge", origin).unwrap();
        Signer::read(dir.path(), "purge", origin).unwrap()
    }

    #[test]
    fn the_three_lines_are_read_and_written() {
        let text = format!("example.com/behind-the-sofa\n20852163\n{ROOT}\n");
        let checkpoint = Checkpoint::parse(&text).unwrap();
        assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
        assert_eq!(checkpoint.root.to_string(), ROOT);
        assert_eq!(checkpoint.to_text(), text);
    }

    #[test]
    fn what_is_wrong_with_the_lines_is_named() {
        let wrong = [
            (String::new(), CheckpointError::Lines),
            (format!("a\n1\n{ROOT}"), CheckpointError::Lines),
            ("a\n1\n".to_owned(), CheckpointError::Lines),
            (format!("a\n1\n{ROOT}\nextension\n"), CheckpointError::Lines),
            (format!("a\n1\n{ROOT}\n\n"), CheckpointError::Lines),
            (format!("\n1\n{ROOT}\n"), CheckpointError::Origin),
            (format!("a\r\n1\n{ROOT}\n"), CheckpointError::Origin),
            (format!("a\n01\n{ROOT}\n"), CheckpointError::Size),
            (format!("a\n18446744073709551616\n{ROOT}\n"), CheckpointError::Size),
            ("a\n1\nCsUY\n".to_owned(), CheckpointError::Root),
            (format!("a\n1\n{}\n", ROOT.replace("2I=", "2J=")), CheckpointError::Root),
        ];
        for (text, error) in wrong {
            assert_eq!(Checkpoint::parse(&text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_checkpoint_is_opened_by_the_key_of_its_ledger_alone() {
        let (purge, access) = (signer("lapsed/purge"), signer("lapsed/access"));
        let checkpoint = Checkpoint { origin: "lapsed/purge".to_owned(), size: 0, root: Hash::of_nothing() };
        let note = checkpoint.sign(&purge);
        assert_eq!(Checkpoint::open(note.as_bytes(), purge.vkey()), Ok(checkpoint.clone()));
        let unsigned = NoteError::NotSigned { name: "lapsed/access".to_owned(), id: access.vkey().id() };
        assert_eq!(Checkpoint::open(note.as_bytes(), access.vkey()), Err(CheckpointError::Note(unsigned)));
        let larger = note.replacen("\n0\n", "\n1\n", 1);
        let wrong = NoteError::WrongSignature { name: "lapsed/purge".to_owned(), id: purge.vkey().id() };
        assert_eq!(Checkpoint::open(larger.as_bytes(), purge.vkey()), Err(CheckpointError::Note(wrong)));
        let foreign = CheckpointError::OtherOrigin { found: "lapsed/purge".into(), expected: "lapsed/access".into() };
        assert_eq!(Checkpoint::open(checkpoint.sign(&access).as_bytes(), access.vkey()), Err(foreign));
    }
}

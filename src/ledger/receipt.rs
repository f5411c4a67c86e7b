//! A proof, to be checked without the ledger, that an entry is in it: C2SP tlog-proof (<https://c2sp.org/tlog-proof>).
//!
//! A line that says what it is, a line of extra data, which there need not be, the entry's index, the hashes that lead from the entry to
//! the root, an empty line, and the signed checkpoint. Nothing signs the extra data as such: an entry that travels as that is proven by
//! the hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::merkle::{Hash, inclusion_holds};
use super::note::{Note, VerifierKey};
use super::text;

const FIRST: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes that lead to a root: one for each bit of a size.
pub const MAX_HASHES: usize = 64;

/// Why a receipt is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It is not UTF-8.
    #[error("the receipt is not UTF-8 from byte {at}")]
    NotUtf8 {
        /// How many bytes before are.
        at: usize,
    },
    /// The first line says something else.
    #[error("line 1 of the receipt is not {FIRST}")]
    First,
    /// The line of extra data is none.
    #[error("line 2 of the receipt is not `extra` and base64")]
    Extra,
    /// The line of the index is none.
    #[error("line {line} of the receipt is not `index` and a number without leading zeros")]
    Index {
        /// Where, counted from 1.
        line: usize,
    },
    /// A hash is none.
    #[error("line {line} of the receipt is not the base64 of 32 bytes")]
    Hash {
        /// Where, counted from 1.
        line: usize,
    },
    /// There are more than [`MAX_HASHES`].
    #[error("the receipt has more than {MAX_HASHES} hashes")]
    TooManyHashes,
    /// No empty line divides it from a checkpoint.
    #[error("the receipt has no empty line before its checkpoint")]
    NoCheckpoint,
    /// The checkpoint is none, or not signed by the key.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The hashes do not lead from this entry to that root.
    #[error("the receipt does not prove that this is entry {index} of {size}")]
    NotIncluded {
        /// Where the entry should be.
        index: u64,
        /// The size of the ledger.
        size: u64,
    },
}

/// A receipt as it was read or made. Unverified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Extra data: the entry itself, if it travels with its receipt.
    pub extra: Option<Vec<u8>>,
    /// Which entry, counted from 0.
    pub index: u64,
    /// From the entry's sibling up to the root's child.
    pub proof: Vec<Hash>,
    /// The signed checkpoint: the whole note.
    pub checkpoint: String,
}

impl Receipt {
    /// The receipt's bytes.
    pub fn to_text(&self) -> String {
        let hashes: String = self.proof.iter().map(|hash| format!("{hash}\n")).collect();
        let extra = self.extra.as_ref().map(|extra| format!("extra {}\n", STANDARD.encode(extra))).unwrap_or_default();
        format!("{FIRST}\n{extra}index {}\n{hashes}\n{}", self.index, self.checkpoint)
    }

    /// Reads a receipt. [`to_text`](Self::to_text) of what was read are the same bytes.
    ///
    /// # Errors
    ///
    /// If it is not exactly of the form of a receipt, or what it holds is no checkpoint. Whether that is signed is not looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let text = std::str::from_utf8(bytes).map_err(|error| ReceiptError::NotUtf8 { at: error.valid_up_to() })?;
        let rest = text.strip_prefix(FIRST).and_then(|rest| rest.strip_prefix('\n')).ok_or(ReceiptError::First)?;
        let (head, checkpoint) = rest.split_once("\n\n").ok_or(ReceiptError::NoCheckpoint)?;
        let mut lines = (2..).zip(head.split('\n')).peekable();
        let extra = lines.next_if(|(_, line)| line.starts_with("extra")).map(|(_, line)| line.strip_prefix("extra "));
        let extra = extra.map(|extra| extra.and_then(text::base64).ok_or(ReceiptError::Extra)).transpose()?;
        let (line, index) = lines.next().ok_or(ReceiptError::NoCheckpoint)?;
        let index = index.strip_prefix("index ").and_then(text::decimal).ok_or(ReceiptError::Index { line })?;
        let hash = |(line, text)| text::hash(text).ok_or(ReceiptError::Hash { line });
        // One more than there may be, so that a long text costs no more than a line too many.
        let proof: Vec<_> = lines.take(MAX_HASHES.saturating_add(1)).map(hash).collect::<Result<_, _>>()?;
        if proof.len() > MAX_HASHES {
            return Err(ReceiptError::TooManyHashes);
        }
        let note = Note::parse(checkpoint.as_bytes()).map_err(CheckpointError::from)?;
        Checkpoint::parse(&note.text)?;
        Ok(Self { extra, index, proof, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that this key signed the checkpoint, and that the entry is in the ledger that it speaks of. Gives the checkpoint.
    ///
    /// # Errors
    ///
    /// If the checkpoint cannot be [opened](Checkpoint::open), or the entry is not proven to be in it.
    pub fn verify(&self, key: &VerifierKey, entry: &[u8]) -> Result<Checkpoint, ReceiptError> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), key)?;
        let (index, size) = (self.index, checkpoint.size);
        if inclusion_holds(Hash::of_leaf(entry), index, size, &self.proof, checkpoint.root) {
            Ok(checkpoint)
        } else {
            Err(ReceiptError::NotIncluded { index, size })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::keys::{self, Signer};
    use crate::ledger::note::NoteError;

    const ZERO: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    fn signer() -> Signer {
        let dir = tempfile::tempdir().unwrap();
        keys::make_if_missing(dir.path(), "access", "lapsed/access").unwrap();
        Signer::read(dir.path(), "access", "lapsed/access").unwrap()
    }

    /// Of the second of two entries.
    fn receipt(signer: &Signer) -> Receipt {
        let leaves = [Hash::of_leaf(b"first"), Hash::of_leaf(b"second")];
        let root = Hash::of_node(&leaves[0], &leaves[1]);
        let checkpoint = Checkpoint { origin: "lapsed/access".to_owned(), size: 2, root }.sign(signer);
        Receipt { extra: None, index: 1, proof: vec![leaves[0]], checkpoint }
    }

    #[test]
    fn an_entry_is_proven_by_its_receipt() {
        let signer = signer();
        let made = receipt(&signer);
        let text = made.to_text();
        let hash = Hash::of_leaf(b"first");
        assert!(text.starts_with(&format!("c2sp.org/tlog-proof@v1\nindex 1\n{hash}\n\nlapsed/access\n2\n")), "{text}");
        let read = Receipt::parse(text.as_bytes()).unwrap();
        assert_eq!(read, made);
        assert_eq!(read.verify(signer.vkey(), b"second").map(|checkpoint| checkpoint.size), Ok(2));
        let refused = ReceiptError::NotIncluded { index: 1, size: 2 };
        assert_eq!(read.verify(signer.vkey(), b"first"), Err(refused.clone()));
        assert_eq!(
            Receipt { index: 0, ..read.clone() }.verify(signer.vkey(), b"second").unwrap_err().to_string(),
            "the receipt does not prove that this is entry 0 of 2"
        );
        assert_eq!(Receipt { proof: vec![], ..read.clone() }.verify(signer.vkey(), b"second"), Err(refused.clone()));
        assert_eq!(Receipt { proof: vec![hash; 2], ..read }.verify(signer.vkey(), b"second"), Err(refused));
    }

    #[test]
    fn the_checkpoint_of_a_receipt_must_be_signed() {
        let signer = signer();
        let mut made = receipt(&signer);
        made.checkpoint = made.checkpoint.replacen("\n2\n", "\n3\n", 1);
        let read = Receipt::parse(made.to_text().as_bytes()).unwrap();
        let wrong = NoteError::WrongSignature { name: "lapsed/access".to_owned(), id: signer.vkey().id() };
        assert_eq!(read.verify(signer.vkey(), b"second"), Err(ReceiptError::Checkpoint(CheckpointError::Note(wrong))));
    }

    #[test]
    fn what_is_wrong_with_a_receipt_is_named() {
        let note = format!("a\n1\n{ZERO}\n\n— a AAAAAAA=\n");
        let with = |head: &str| format!("{FIRST}\n{head}\n\n{note}");
        assert!(Receipt::parse(with("index 0").as_bytes()).is_ok());
        assert_eq!(Receipt::parse(with("extra AQ==\nindex 0").as_bytes()).unwrap().extra, Some(vec![1]));
        let hashes = |count: usize| with(&format!("index 0{}", format!("\n{ZERO}").repeat(count)));
        assert_eq!(Receipt::parse(hashes(64).as_bytes()).unwrap().proof.len(), 64);
        let wrong = [
            (String::new(), ReceiptError::First),
            (with("index 0").replace("v1", "v2"), ReceiptError::First),
            (with("extra AQ\nindex 0"), ReceiptError::Extra),
            (with("extra\nindex 0"), ReceiptError::Extra),
            (with("extraAQ==\nindex 0"), ReceiptError::Extra),
            (with("extra AQ==\nindex x"), ReceiptError::Index { line: 3 }),
            (with("index"), ReceiptError::Index { line: 2 }),
            (with("index 00"), ReceiptError::Index { line: 2 }),
            (with(&format!("{ZERO}\nindex 0")), ReceiptError::Index { line: 2 }),
            (with("index 0\nAAAA"), ReceiptError::Hash { line: 3 }),
            (with(&format!("index 0\n{ZERO}\n{ZERO}\r")), ReceiptError::Hash { line: 4 }),
            (hashes(65), ReceiptError::TooManyHashes),
            (format!("{FIRST}\nindex 0\n{ZERO}\n"), ReceiptError::NoCheckpoint),
            (with("index 0").replace("\na\n", "\n\na\n"), CheckpointError::Lines.into()),
            (format!("{FIRST}\nindex 0\n\na\n1\n"), CheckpointError::Note(NoteError::NoSignatures).into()),
        ];
        for (text, error) in wrong {
            assert_eq!(Receipt::parse(text.as_bytes()), Err(error), "{text:?}");
        }
        assert_eq!(Receipt::parse(b"c2sp\xff"), Err(ReceiptError::NotUtf8 { at: 4 }));
    }
}

//! Every text and file of a ledger has one form: whatever is read is written again as the same bytes.
//!
//! `LAPSED_PROPTEST_CASES` sets how many changed texts each test makes.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::LazyLock;

use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::keys::{self, Signer};
use lapsed::ledger::merkle::Hash;
use lapsed::ledger::note::{Note, VerifierKey};
use lapsed::ledger::receipt::Receipt;
use lapsed::ledger::tile::{Bundle, Tile, TilePath};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
fn config() -> ProptestConfig {
    let cases = std::env::var("LAPSED_PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(4000);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    keys::make_if_missing(dir.path(), "purge", "lapsed/purge").unwrap();
    Signer::read(dir.path(), "purge", "lapsed/purge").unwrap()
});

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "lapsed/purge".to_owned(), size: 70_000, root: Hash::of_leaf(b"made up") }
}

fn receipt() -> Receipt {
    let proof = vec![Hash::of_nothing(), Hash([0; 32]), Hash::of_leaf(b"made up")];
    Receipt { extra: None, index: 100, proof, checkpoint: checkpoint().sign(&SIGNER) }
}

/// A change of a text: where, how many bytes go, and what comes.
type Change = (Index, usize, Vec<u8>);

/// Changes that keep a text near its form.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    let pieces: Vec<&[u8]> = vec![
        b"\n",
        b"\n\n",
        b" ",
        b"0",
        b"1",
        b"+",
        b"=",
        b"==",
        b"A",
        b"/",
        b"x000/",
        b".p/",
        b"\r",
        b"\xe2\x80\x94 ",
        b"\0\0",
    ];
    let piece = prop_oneof![Just(Vec::new()), select(pieces).prop_map(<[u8]>::to_vec), vec(any::<u8>(), 1..4)];
    vec((any::<Index>(), 0_usize..4, piece), 0..3)
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, gone, comes) in changes {
        let at = at.index(bytes.len() + 1);
        let end = bytes.len().min(at + gone);
        bytes.splice(at..end, comes.iter().copied());
    }
    bytes
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn notes_have_one_form(changes in changes()) {
        let bytes = changed(checkpoint().sign(&SIGNER).as_bytes(), &changes);
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_text().into_bytes(), bytes);
        }
    }

    #[test]
    fn a_checkpoint_that_was_changed_is_not_opened(changes in changes()) {
        let signed = checkpoint().sign(&SIGNER);
        let bytes = changed(signed.as_bytes(), &changes);
        match Checkpoint::open(&bytes, SIGNER.vkey()) {
            // What follows the key's signature may be those of others, and is not signed.
            Ok(opened) => prop_assert_eq!(opened, checkpoint()),
            Err(_) => prop_assert_ne!(bytes, signed.into_bytes()),
        }
    }

    #[test]
    fn checkpoints_have_one_form(changes in changes()) {
        let bytes = changed(checkpoint().to_text().as_bytes(), &changes);
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        if let Ok(read) = Checkpoint::parse(&text) {
            prop_assert_eq!(read.to_text(), text);
        }
    }

    #[test]
    fn receipts_have_one_form(changes in changes()) {
        let bytes = changed(receipt().to_text().as_bytes(), &changes);
        if let Ok(read) = Receipt::parse(&bytes) {
            prop_assert_eq!(read.to_text().into_bytes(), bytes);
        }
    }

    #[test]
    fn keys_have_one_form(changes in changes()) {
        let bytes = changed(SIGNER.vkey().to_string().as_bytes(), &changes);
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        if let Ok(read) = VerifierKey::parse(&text) {
            prop_assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn names_of_tiles_have_one_form(
        name in select(vec!["tile/0/x001/x234/067", "tile/7/000.p/17", "tile/entries/x001/000.p/255", "tile/entries/999"]),
        changes in changes(),
    ) {
        let Ok(text) = String::from_utf8(changed(name.as_bytes(), &changes)) else { return Ok(()) };
        if let Ok(read) = text.parse::<TilePath>() {
            prop_assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn bundles_and_tiles_have_one_form(entries in vec(vec(any::<u8>(), 0..20), 1..9), changes in changes()) {
        let bytes = changed(&Bundle { entries }.encode().unwrap(), &changes);
        if let Ok(read) = Bundle::decode(&bytes) {
            prop_assert_eq!(read.encode().unwrap(), bytes.clone());
        }
        let width = u16::try_from(bytes.len() / 32).unwrap();
        if let Ok(read) = Tile::decode(&bytes, width) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = (Note::parse(&bytes), Receipt::parse(&bytes), Bundle::decode(&bytes), Tile::decode(&bytes, 9));
        let text = String::from_utf8_lossy(&bytes);
        let _ = (Checkpoint::parse(&text), VerifierKey::parse(&text), text.parse::<TilePath>());
    }
}

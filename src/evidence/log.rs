//! One ledger: its signature, its files, its tree and the grammar of its entries.

use std::collections::{BTreeMap, BTreeSet};

use super::fetched::{CHECKPOINT, Files};
use super::found::Found;
use super::signature::{self, Signed};
use super::tree::{self, Tree};
use super::{Check, Read};
use crate::canonical::ParseError;
use crate::ledger::merkle::Hash;
use crate::ledger::note::VerifierKey;
use crate::ledger::tile::{TilePath, paths_of};

/// The names of the four checks.
pub(super) struct Names {
    pub(super) signature: &'static str,
    pub(super) files: &'static str,
    pub(super) root: &'static str,
    pub(super) entries: &'static str,
}

/// A ledger that was looked at.
pub(super) struct Log<E> {
    pub(super) read: Read<E>,
    /// How many entries its checkpoint speaks of, whoever signed it; none if there is no such text.
    pub(super) size: Option<u64>,
    /// The roots that its entries gave at the sizes that were asked for.
    pub(super) roots: BTreeMap<u64, Hash>,
    /// The four checks.
    pub(super) checks: Vec<Check>,
}

impl<E> Log<E> {
    /// The findings of a rule about entries: where they cannot all be read, none can hold for all.
    pub(super) fn rule(&self) -> Found {
        let mut found = Found::default();
        let read = self.read.entries.len();
        if u64::try_from(read).ok() != self.size {
            found.unknown(match self.size {
                Some(size) => format!("of {size} entries the first {read} can be read"),
                None => "without a checkpoint it is not known which entries there are".to_owned(),
            });
        }
        found
    }
}

/// Looks at a ledger.
pub(super) fn look<E>(
    names: &Names,
    files: &Files,
    key: &VerifierKey,
    sizes: &BTreeSet<u64>,
    parse: impl Fn(&[u8]) -> Result<E, ParseError>,
) -> Log<E> {
    let mut signed_by = Found::default();
    let (mut belonging, mut same_root, mut grammar) = (Found::default(), Found::default(), Found::default());
    let Signed { opened, claimed } = signature::look(files, key, &mut signed_by);
    let size = claimed.as_ref().map(|checkpoint| checkpoint.size);
    look_at_names(files, size, &mut belonging);
    let bytes = match size {
        Some(size) => tree::entries(files, size, &mut grammar),
        None => {
            grammar.unknown("without a checkpoint it is not known which entries there are".to_owned());
            Vec::new()
        }
    };
    let tree = Tree::of(&bytes, sizes);
    match &claimed {
        Some(checkpoint) => tree.look(checkpoint, files, &mut same_root),
        None => same_root.unknown("there is no checkpoint to say a root".to_owned()),
    }
    let entries = read_all(&bytes, parse, &mut grammar);
    let count = entries.len();
    let checks = vec![
        signed_by.check(names.signature, format!("signed by {} with the key {}", key.name(), key.id())),
        belonging.check(names.files, format!("all {} files are there, and no other", files.present.len())),
        same_root.check(names.root, format!("the root over {count} entries, and every tile")),
        grammar.check(names.entries, format!("{count} entries")),
    ];
    Log { read: Read { checkpoint: opened, entries }, size, roots: tree.roots, checks }
}

/// Nothing is missing, and nothing is there that does not belong.
fn look_at_names(files: &Files, size: Option<u64>, found: &mut Found) {
    for name in &files.strange {
        found.fail(format!("{name} does not belong there"));
    }
    let Some(size) = size else {
        return found.unknown("without a checkpoint it is not known which files belong there".to_owned());
    };
    let tiles = files.present.keys().filter(|name| *name != CHECKPOINT);
    for name in tiles.filter(|name| !name.parse().is_ok_and(|path: TilePath| tree::belongs(&path, size))) {
        found.fail(format!("{name} does not belong to a ledger of {size} entries"));
    }
    // A size that is made up has more files than can be counted. Among as many as there are and one more, one is missing.
    let looked_at = files.present.len().saturating_add(1);
    for path in paths_of(size).take(looked_at).map(|path| path.to_string()) {
        if !files.present.contains_key(&path) {
            found.unknown(format!("{path} is missing"));
        }
    }
}

/// The entries up to the first that is none.
fn read_all<E>(bytes: &[Vec<u8>], parse: impl Fn(&[u8]) -> Result<E, ParseError>, found: &mut Found) -> Vec<E> {
    let mut entries = Vec::with_capacity(bytes.len());
    let mut broken = false;
    for (index, bytes) in bytes.iter().enumerate() {
        match parse(bytes) {
            Ok(entry) if !broken => entries.push(entry),
            Ok(_) => {}
            Err(error) => {
                broken = true;
                found.fail(format!("entry {index}: {error}"));
            }
        }
    }
    entries
}

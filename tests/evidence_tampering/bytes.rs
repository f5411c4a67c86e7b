//! Changes by somebody who has no key.

use lapsed::evidence::Outcome;
use lapsed::ledger::tile::{Bundle, TilePath};

use super::{Expected, Tampered, place};
use crate::evidence_rig::Files;
use crate::random::Random;

/// The name of a random file that this is true of.
fn some_file(files: &Files, random: &mut Random, which: impl Fn(&str) -> bool) -> Option<String> {
    let names: Vec<&String> = files.keys().filter(|name| which(name)).collect();
    (!names.is_empty()).then(|| names[place(random, names.len())].clone())
}

/// The check of this family for the ledger that the file is of.
fn of(name: &str, purge: &'static str, access: &'static str) -> &'static str {
    if name.starts_with("purge/") { purge } else { access }
}

/// The number of the first entry of a bundle, and the name below its ledger's directory.
fn bundle_of(name: &str) -> (usize, &str) {
    let (_, below) = name.split_once('/').unwrap();
    let path: TilePath = below.parse().unwrap();
    (usize::try_from(path.index).unwrap() * 256, below)
}

pub(super) fn flip_bit(mut files: Files, random: &mut Random) -> Option<Tampered> {
    let name = some_file(&files, random, |_| true)?;
    let whole = files[&name].clone();
    let at = place(random, whole.len());
    let bytes = files.get_mut(&name).unwrap();
    bytes[at] ^= 1 << random.below(8);
    let expected = if name.ends_with("/checkpoint") {
        Expected::fails(of(&name, "purge-signature", "access-signature"), "")
    } else if name.contains("/entries/") {
        let (first, below) = bundle_of(&name);
        let mut begin = 0;
        let mut entries = Bundle::decode(&whole).unwrap().entries.into_iter().enumerate();
        let (index, entry) = entries
            .find(|(_, entry)| {
                begin += 2 + entry.len();
                at < begin
            })
            .unwrap();
        let in_length = at < begin - entry.len();
        match Bundle::decode(bytes) {
            // A length that is another puts entries together, or asunder.
            Ok(read) if !in_length || read.entries.len() == whole_len(&whole) => Expected::fails(
                of(&name, "purge-root", "access-root"),
                format!("entry {} is not the one whose hash is in", first + index),
            ),
            Ok(_) | Err(_) => Expected::fails(of(&name, "purge-entries", "access-entries"), below),
        }
    } else {
        let (_, below) = name.split_once('/').unwrap();
        Expected::fails(of(&name, "purge-root", "access-root"), below)
    };
    Some((files, Vec::new(), expected))
}

fn whole_len(bundle: &[u8]) -> usize {
    Bundle::decode(bundle).unwrap().entries.len()
}

/// Changes the entries of a random bundle that has enough of them.
fn in_bundle(
    files: &mut Files,
    random: &mut Random,
    change: impl FnOnce(&mut Vec<Vec<u8>>, usize),
) -> Option<(String, usize)> {
    let several = |name: &str| name.contains("/entries/") && whole_len(&files[name]) > 2;
    let name = some_file(files, random, several)?;
    let mut bundle = Bundle::decode(&files[&name]).unwrap();
    let at = place(random, bundle.entries.len() - 1);
    change(&mut bundle.entries, at);
    files.insert(name.clone(), bundle.encode().unwrap());
    Some((name, at))
}

pub(super) fn drop_entry(mut files: Files, random: &mut Random) -> Option<Tampered> {
    let (name, _) = in_bundle(&mut files, random, |entries, at| drop(entries.remove(at)))?;
    let check = of(&name, "purge-entries", "access-entries");
    let expected = Expected::fails(check, format!("{} has", bundle_of(&name).1));
    Some((files, Vec::new(), expected))
}

pub(super) fn reorder(mut files: Files, random: &mut Random) -> Option<Tampered> {
    let (name, at) = in_bundle(&mut files, random, |entries, at| entries.swap(at, at + 1))?;
    let index = bundle_of(&name).0 + at;
    let check = of(&name, "purge-root", "access-root");
    Some((files, Vec::new(), Expected::fails(check, format!("entry {index} is not the one whose hash is in"))))
}

pub(super) fn cut_short(mut files: Files, random: &mut Random) -> Option<Tampered> {
    let name = some_file(&files, random, |_| true)?;
    let bytes = files.get_mut(&name).unwrap();
    bytes.truncate(place(random, bytes.len()));
    let expected = if name.ends_with("/checkpoint") {
        Expected::fails(of(&name, "purge-signature", "access-signature"), "")
    } else if name.contains("/entries/") {
        Expected::fails(of(&name, "purge-entries", "access-entries"), bundle_of(&name).1)
    } else {
        Expected::fails(of(&name, "purge-root", "access-root"), name.split_once('/').unwrap().1)
    };
    Some((files, Vec::new(), expected))
}

pub(super) fn delete(mut files: Files, random: &mut Random) -> Option<Tampered> {
    let name = some_file(&files, random, |_| true)?;
    files.remove(&name);
    let (_, below) = name.split_once('/').unwrap();
    let check = match below {
        "checkpoint" => of(&name, "purge-signature", "access-signature"),
        _ => of(&name, "purge-files", "access-files"),
    };
    let detail = format!("{below} is missing");
    Some((files, Vec::new(), Expected { valid: None, check, result: Outcome::Unknown, detail }))
}

pub(super) fn add(mut files: Files, random: &mut Random) -> Option<Tampered> {
    let (name, check, told) = match random.below(6) {
        0 => ("notes.txt", "directory", "notes.txt"),
        1 => ("purge/notes.txt", "purge-files", "notes.txt"),
        2 => ("access/tile/0/x001/000", "access-files", "tile/0/x001/000"),
        3 => ("access/tile/entries/0", "access-files", "tile/entries/0"),
        4 => ("purge/tile/9/000.p/1", "purge-files", "tile/9/000.p/1"),
        _ => ("purge/checkpoint.old", "purge-files", "checkpoint.old"),
    };
    files.insert(name.to_owned(), vec![1; 32]);
    Some((files, Vec::new(), Expected::fails(check, format!("{told} does not belong"))))
}

pub(super) fn stale(mut files: Files) -> Option<Tampered> {
    let (_, bytes) = files.iter().find(|(name, _)| name.starts_with("purge/tile/entries/000"))?;
    let mut bundle = Bundle::decode(bytes).unwrap();
    bundle.entries.truncate(1);
    let below = "tile/entries/000.p/1";
    files.insert(format!("purge/{below}"), bundle.encode().unwrap());
    Some((files, Vec::new(), Expected::fails("purge-files", format!("{below} does not belong to a ledger of"))))
}

pub(super) fn swap(mut files: Files) -> Option<Tampered> {
    let find = |dir: &str| files.keys().find(|name| name.starts_with(dir)).cloned();
    let (purge, access) = (find("purge/tile/entries/")?, find("access/tile/entries/")?);
    let (one, other) = (files.remove(&purge).unwrap(), files.remove(&access).unwrap());
    files.insert(purge, other);
    files.insert(access, one);
    Some((files, Vec::new(), Expected::fails("purge-entries", "entry 0")))
}

/// The last digit before the padding has two bits that stand for nothing.
pub(super) fn other_base64(mut files: Files) -> Option<Tampered> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = files.get_mut("access/checkpoint").unwrap();
    let padding = bytes.iter().position(|byte| *byte == b'=')?;
    let digit = DIGITS.iter().position(|digit| *digit == bytes[padding - 1])?;
    bytes[padding - 1] = DIGITS[digit ^ 1];
    Some((files, Vec::new(), Expected::fails("access-signature", "")))
}

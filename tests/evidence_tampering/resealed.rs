//! Changes by the host, who has the keys: everything is signed again.

use std::time::Duration;

use lapsed::audit::Entry;
use lapsed::domain::time::Bucket;
use lapsed::purge::{Kind, Report};

use super::{Expected, Honest, Tampered, place};
use crate::evidence_rig::{Files, Signers, laid_out};
use crate::random::Random;

/// The files with other entries in the purge ledger.
fn with_entries(honest: &Honest<'_>, entries: &[Vec<u8>]) -> Files {
    let mut files = honest.files.clone();
    files.retain(|name, _| !name.starts_with("purge/"));
    files.extend(laid_out("purge", entries, &honest.signers.purge));
    files
}

/// The files with other reports.
fn with_reports(honest: &Honest<'_>, reports: &[Report]) -> Files {
    let entries: Vec<Vec<u8>> = reports.iter().map(Report::to_bytes).collect();
    with_entries(honest, &entries)
}

/// The signed checkpoints of the honest files.
fn kept(honest: &Honest<'_>) -> Vec<Vec<u8>> {
    vec![honest.files["access/checkpoint"].clone(), honest.files["purge/checkpoint"].clone()]
}

/// Changes the reports at a random place, which is not the first, and signs them.
fn changed(
    honest: &Honest<'_>,
    random: &mut Random,
    change: impl FnOnce(&mut Vec<Report>, usize) -> Expected,
) -> Option<Tampered> {
    let mut reports = honest.ledgers.purge.clone();
    let at = 1 + place(random, reports.len() - 3);
    let expected = change(&mut reports, at);
    Some((with_reports(honest, &reports), Vec::new(), expected))
}

fn renumber(reports: &mut [Report]) {
    for (sequence, report) in (0..).zip(reports) {
        report.sequence = sequence;
    }
}

pub(super) fn other_key(honest: &Honest<'_>) -> Option<Tampered> {
    let other = Signers::fresh();
    let mut files = honest.files.clone();
    files.extend(laid_out("access", &honest.ledgers.access_bytes(), &other.access));
    let id = other.access.vkey().id();
    let expected = Expected::fails("access-signature", format!("it is signed by lapsed/access with the key {id}"));
    Some((files, Vec::new(), expected))
}

/// The files as they were after some reports, and after how many.
fn earlier(honest: &Honest<'_>, random: &mut Random) -> (Files, usize) {
    let size = 2 + place(random, honest.ledgers.purge.len() - 3);
    (with_reports(honest, &honest.ledgers.purge[..size]), size)
}

pub(super) fn older_checkpoint(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    let (older, _) = earlier(honest, random);
    let mut files = honest.files.clone();
    files.insert("purge/checkpoint".to_owned(), older["purge/checkpoint"].clone());
    Some((files, Vec::new(), Expected::fails("purge-files", "does not belong to a ledger of")))
}

pub(super) fn older(honest: &Honest<'_>, random: &mut Random, seen: bool) -> Option<Tampered> {
    let (older, size) = earlier(honest, random);
    let newest = honest.ledgers.purge.len();
    let (known, expected) = if seen {
        let detail = format!("the purge ledger shrank: it has {size} entries, and {newest}");
        (kept(honest), Expected::fails("history-fixed", detail))
    } else {
        (Vec::new(), Expected::unseen("history-fixed", "no checkpoint was kept"))
    };
    Some((older, known, expected))
}

pub(super) fn drop_one(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    changed(honest, random, |reports, at| {
        reports.remove(at);
        Expected::fails("purge-sequence", format!("entry {at} says that it is entry {}", at + 1))
    })
}

pub(super) fn drop_two(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    let mut reports = honest.ledgers.purge.clone();
    // Periods of no length leave no gap.
    let lasts = |at: &usize| reports[*at].from < reports[*at + 1].to;
    let places: Vec<usize> = (1..reports.len() - 2).filter(lasts).collect();
    let at = *places.get(place(random, places.len().max(1)))?;
    reports.drain(at..at + 2);
    renumber(&mut reports);
    let expected = Expected::fails("periods", format!("entry {at} begins at"));
    Some((with_reports(honest, &reports), Vec::new(), expected))
}

/// Of two ordinary buckets in a row the first is left out, with its keys given to the second.
pub(super) fn omit(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    let mut reports = honest.ledgers.purge.clone();
    let ordinary = |report: &Report| {
        let lasted = report.to.since(report.from);
        report.kind == Kind::Bucket && report.exceptions.is_empty() && lasted > Duration::from_secs(500)
    };
    let all = |at: &usize| ordinary(&reports[*at]) && ordinary(&reports[*at + 1]) && reports[*at + 2].runs.late == 0;
    let places: Vec<usize> = (1..reports.len() - 2).filter(all).collect();
    let at = *places.get(place(random, places.len().max(1)))?;
    let omitted = reports.remove(at);
    let next = &mut reports[at];
    next.from = omitted.from;
    next.keys.opened.splice(0..0, omitted.keys.opened);
    next.keys.destroyed.splice(0..0, omitted.keys.destroyed);
    renumber(&mut reports);
    let expected = Expected::fails("heartbeats", format!("entry {at} is a period of"));
    Some((with_reports(honest, &reports), Vec::new(), expected))
}

pub(super) fn drop_access(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    let mut accesses = honest.ledgers.access.clone();
    accesses.remove(place(random, accesses.len()));
    let entries: Vec<Vec<u8>> = accesses.iter().map(Entry::to_bytes).collect();
    let mut files = honest.files.clone();
    files.retain(|name, _| !name.starts_with("access/"));
    files.extend(laid_out("access", &entries, &honest.signers.access));
    let size = entries.len();
    let detail = format!("counts {} accesses, and the access ledger has {size} entries", size + 1);
    Some((files, Vec::new(), Expected::fails("access-covered", detail)))
}

pub(super) fn alter(honest: &Honest<'_>, random: &mut Random, seen: bool) -> Option<Tampered> {
    let last = honest.ledgers.purge.len() - 1;
    let (files, _, expected) = changed(honest, random, |reports, at| {
        reports[at].standing.taken += 1;
        if seen {
            Expected::fails("history-fixed", format!("the purge ledger was rewritten at or before entry {last}"))
        } else {
            Expected::unseen("history-fixed", "no checkpoint was kept")
        }
    })?;
    Some((files, if seen { kept(honest) } else { Vec::new() }, expected))
}

pub(super) fn fork(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    let size = 2 + place(random, honest.ledgers.purge.len() - 3);
    let mut other = honest.ledgers.purge[..size].to_vec();
    other[place(random, size)].standing.holds += 1;
    let known = vec![with_reports(honest, &other)["purge/checkpoint"].clone()];
    let detail = format!("the purge ledger was rewritten at or before entry {}", size - 1);
    Some((honest.files.clone(), known, Expected::fails("history-fixed", detail)))
}

pub(super) fn lower_cutoff(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    changed(honest, random, |reports, at| {
        reports[at].cutoff = reports[at - 1].cutoff.map(|cutoff| cutoff.minus(Duration::from_secs(1)));
        Expected::fails("cutoff", format!("entry {at} has the cutoff"))
    })
}

pub(super) fn miscount(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    changed(honest, random, |reports, at| {
        let keys = &mut reports[at].keys;
        keys.live += 1 + keys.unreadable;
        Expected::fails("keys", format!("entry {at} says that"))
    })
}

pub(super) fn open_twice(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    changed(honest, random, |reports, at| {
        let (bucket, commitment): (Bucket, [u8; 32]) = reports[0].keys.opened[0];
        reports[at].keys.opened.push((bucket, commitment));
        Expected::fails("keys", format!("entry {at} opens the key of bucket {} a second time", bucket.0))
    })
}

pub(super) fn other_store(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    changed(honest, random, |reports, at| {
        reports[at].system = [0x5f; 16];
        Expected::fails("system", format!("entry {at} is of another store"))
    })
}

pub(super) fn garble(honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
    let mut entries = honest.ledgers.purge_bytes();
    let at = place(random, entries.len());
    let text = String::from_utf8(entries[at].clone()).unwrap();
    entries[at] = text.replacen("result ", "result not-", 1).into_bytes();
    let expected = Expected::fails("purge-entries", format!("entry {at}: line"));
    Some((with_entries(honest, &entries), Vec::new(), expected))
}

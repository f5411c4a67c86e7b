//! Which accesses an auditor compares with the papers in the cabinet.
//!
//! The ledger shows that an access was recorded, not that a court stood behind it. A sample that nobody here could foresee, drawn by
//! a seed of the auditor's, is compared with what is on paper.

use sha2::{Digest as _, Sha256};

use crate::audit::Entry;

/// An access of the sample, with its number in the ledger.
pub type Drawn<'a> = (u64, &'a Entry);

/// Draws about `percent` in a hundred of the accesses to personal data, and at least one if there are any. The same entries and the same seed
/// draw the same.
///
/// An access is drawn if the first eight bytes of SHA-256 over seed and index, each as u64 with its highest byte first, taken modulo
/// a hundred are less than `percent`: anybody can draw again.
pub fn sample(entries: &[Entry], percent: u64, seed: u64) -> Vec<Drawn<'_>> {
    let accesses = || (0..).zip(entries).filter(|(_, entry)| entry.access().is_some());
    let drawn: Vec<Drawn<'_>> = accesses().filter(|(index, _)| lot(seed, *index) % 100 < percent).collect();
    if drawn.is_empty() && percent > 0 {
        return accesses().min_by_key(|(index, _)| lot(seed, *index)).into_iter().collect();
    }
    drawn
}

fn lot(seed: u64, index: u64) -> u64 {
    let hash: [u8; 32] =
        Sha256::new().chain_update(seed.to_be_bytes()).chain_update(index.to_be_bytes()).finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = hash;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The worksheet: a line of CSV (RFC 4180) for each access, with room for what is found on paper. Names nobody.
pub fn worksheet(drawn: &[Drawn<'_>]) -> String {
    let mut text =
        "entry,time,kind,act,role,class,request,papers,paper-found,paper-date,authority-agrees,remarks\r\n".to_owned();
    for (index, entry) in drawn {
        let Some(access) = entry.access() else { continue };
        let (kind, act) = match entry {
            Entry::Lookup { verdict, .. } => ("lookup", verdict.name()),
            Entry::Subscriber { finding, .. } => ("subscriber", finding.name()),
            Entry::Request { act, .. } => ("request", act.name()),
            Entry::Hold { act, .. } => ("hold", act.name()),
            Entry::ClockAccepted { .. }
            | Entry::TokenMinted { .. }
            | Entry::LockedOut { .. }
            | Entry::TokenRevoked { .. } => continue,
        };
        let (request, papers) = (crate::audit::hex(&access.request), crate::audit::hex(&access.papers));
        let line = [&index.to_string(), &access.at.to_string(), kind, act, access.role.name(), access.class.name()];
        text.push_str(&line.map(str::to_owned).join(","));
        text.push_str(&format!(",{request},{papers},,,,\r\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Access, HoldAct};
    use crate::domain::actor::Role;
    use crate::domain::process::Class;
    use crate::domain::time::Timestamp;
    use crate::domain::verdict::Verdict;

    fn entries(count: u64) -> Vec<Entry> {
        let access = |number: u64| Access {
            at: Timestamp::from_millis(1_800_000_000_000 + number),
            actor: [7; 8],
            role: Role::Analyst,
            request: [9; 16],
            class: Class::Compelled,
            process_types: [1; 32],
            papers: [2; 32],
        };
        let entry = |number: u64| match number % 3 {
            0 => Entry::TokenMinted { at: Timestamp::from_millis(1), actor: [7; 8], role: Role::Analyst },
            1 => Entry::Hold { access: access(number), act: HoldAct::Placed, hold: [3; 16], records: 2 },
            _ => Entry::Lookup { access: access(number), verdict: Verdict::Attributed },
        };
        (0..count).map(entry).collect()
    }

    #[test]
    fn a_sample_is_of_the_size_that_was_asked_for_and_comes_again() {
        let entries = entries(3000);
        let drawn = sample(&entries, 20, 7);
        assert!((330..470).contains(&drawn.len()), "{} of 2000", drawn.len());
        assert_eq!(sample(&entries, 20, 7), drawn);
        assert_ne!(sample(&entries, 20, 8), drawn);
        assert!(drawn.iter().all(|(_, entry)| entry.access().is_some()));
        assert_eq!((sample(&entries, 0, 7).len(), sample(&entries, 100, 7).len()), (0, 2000));
        // What comes later does not change what was drawn.
        assert_eq!(sample(&entries[..1500], 20, 7), drawn[..sample(&entries[..1500], 20, 7).len()]);
        assert_eq!(sample(&entries[..2], 1, 7).len(), 1, "at least one");
        assert_eq!(sample(&entries[..1], 100, 7), []);
    }

    #[test]
    fn a_worksheet_has_a_line_for_each_and_room_to_write() {
        let entries = entries(3);
        let text = worksheet(&sample(&entries, 100, 0));
        let lines: Vec<_> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[1].starts_with("1,2027-01-15T08:00:00.001Z,hold,placed,analyst,compelled,0909"), "{text}");
        assert!(lines[2].starts_with("2,2027-01-15T08:00:00.002Z,lookup,attributed,") && lines[2].ends_with(",,,,"));
        assert!(lines[..3].iter().all(|line| line.matches(',').count() == 11), "{text}");
        assert!(!text.contains("0707"), "no pseudonym");
    }
}

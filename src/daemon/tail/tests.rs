//! One follower on files that are renamed, digested, cut off and half-written.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use super::*;
use crate::config::Source;
use crate::domain::event::EventKind;
use crate::domain::lease::{LeaseFormat, LeaseIdentity};
use crate::domain::selection::Kept;

const HEADER: &str =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";

/// The instant at which tests read: later than every row.
const NOW: u32 = 2_000_000_000;

fn secs(secs: u32) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// A row of a lease that client `n` of 192.0.2.`n` got at this second, for an hour.
fn row(n: u8, at: u32) -> String {
    format!("192.0.2.{n},02:00:00:00:00:{n:02x},,3600,{},1,0,0,,0,\n", at + 3600)
}

fn release(n: u8, at: u32) -> String {
    format!("192.0.2.{n},02:00:00:00:00:{n:02x},,0,{at},1,0,0,,0,\n")
}

/// A directory with a lease file in it.
struct Files(tempfile::TempDir);

type Following = Follower<fn(&[u8]) -> [u8; 8]>;

/// What was read: which client, what kind, when.
type Heard = Vec<(String, EventKind, u64)>;

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.0.path().join(format!("leases.csv{ending}"))
    }

    fn append(&self, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.path("")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// What Kea's cleanup leaves: a digest with these rows, and no `.1`.
    fn digest(&self, rows: &str) {
        fs::write(self.path(".completed"), format!("{HEADER}{rows}")).unwrap();
        fs::remove_file(self.path(".1")).unwrap();
        self.rename(".completed", ".2");
    }

    fn start_as(&self, format: LeaseFormat, place: Option<Place>) -> (Following, Option<Lost>) {
        let file = LeaseFile {
            name: "kea-1".into(),
            source: Source::named("kea-1", &crate::config::Config::default().retention),
            format,
            path: self.path(""),
            subscriber: LeaseIdentity::ALL.to_vec(),
            mapping: None,
            keep: Kept::default(),
        };
        let hash: fn(&[u8]) -> [u8; 8] = |head| {
            head.iter().fold([0; 8], |mut sum: [u8; 8], byte| {
                sum.rotate_left(1);
                sum[0] = sum[0].wrapping_mul(31).wrapping_add(*byte);
                sum
            })
        };
        Follower::start(&file, place, hash, &Naming::plain("kea-1"), secs(NOW)).unwrap()
    }

    fn start(&self, place: Option<Place>) -> (Following, Option<Lost>) {
        self.start_as(LeaseFormat::Kea4, place)
    }
}

/// Looks and takes until there is nothing more. Returns what was heard, and the last place.
fn read(follower: &mut Following) -> (Heard, Option<Place>) {
    let (mut heard, mut place) = (Vec::new(), None);
    assert_eq!(follower.watch(secs(NOW)).unwrap(), None);
    while let Some(taken) = follower.take(secs(NOW), &Naming::plain("kea-1")).unwrap() {
        assert!(taken.events.len() <= 32);
        for event in taken.events {
            let who = event.assigned[0].network.to_string();
            heard.push((who, event.kind, event.time.stamp.unwrap().millis() / 1000));
        }
        place = Some(taken.place);
    }
    (heard, place)
}

fn updates(of: &[(u8, u32)]) -> Heard {
    of.iter().map(|(n, at)| (format!("192.0.2.{n}"), EventKind::Update, u64::from(*at))).collect()
}

#[test]
fn a_file_that_grows_is_read_line_by_line_and_half_a_line_waits() {
    let files = Files::new();
    let (mut follower, lost) = files.start(None);
    assert!(lost.is_none() && read(&mut follower).0.is_empty(), "it need not be there");
    files.append(HEADER);
    let (first, second) = (row(1, 1000), row(2, 1001));
    files.append(&first);
    files.append(&second[..20]);
    let (heard, place) = read(&mut follower);
    assert_eq!(heard, updates(&[(1, 1000)]));
    assert_eq!(place.unwrap().offset, u64::try_from(HEADER.len() + first.len()).unwrap());
    files.append(&second[20..]);
    assert_eq!(read(&mut follower).0, updates(&[(2, 1001)]));
    assert_eq!(read(&mut follower), (vec![], None), "nothing is said twice");
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_next() {
    let files = Files::new();
    files.append(&format!("{HEADER}{}", row(1, 1000)));
    let (mut follower, _) = files.start(None);
    assert_eq!(read(&mut follower).0.len(), 1);
    files.append(&row(2, 1001));
    files.rename("", ".1");
    files.append(&format!("{HEADER}{}", row(3, 1002)));
    // The digest drops the file while it is still being read.
    files.digest(&[row(1, 1000), row(2, 1001)].concat());
    assert_eq!(read(&mut follower).0, updates(&[(2, 1001), (3, 1002)]));
    // Renamed twice between two looks.
    files.append(&row(4, 1003));
    files.rename("", ".2");
    files.append(&format!("{HEADER}{}", row(5, 1004)));
    files.rename("", ".1");
    files.append(&format!("{HEADER}{}", row(6, 1005)));
    assert_eq!(read(&mut follower).0, updates(&[(4, 1003), (5, 1004), (6, 1005)]));
}

#[test]
fn rows_wait_in_generations_that_are_held_open() {
    let files = Files::new();
    files.append(&format!("{HEADER}{}", row(1, 1000)));
    let (mut follower, _) = files.start(None);
    // Nothing can be taken for a while, and the file is renamed and digested twice.
    for n in 2..4 {
        assert_eq!(follower.watch(secs(NOW)).unwrap(), None);
        files.rename("", ".1");
        files.append(&format!("{HEADER}{}", row(n, 1000 + u32::from(n))));
        assert_eq!(follower.watch(secs(NOW)).unwrap(), None);
        files.digest("");
    }
    assert_eq!(read(&mut follower).0, updates(&[(1, 1000), (2, 1002), (3, 1003)]));
}

#[test]
fn a_restart_goes_on_where_it_was_and_remembers_what_was_before() {
    let files = Files::new();
    files.append(&format!("{HEADER}{}{}", row(1, 1000), row(2, 1000)));
    let (mut follower, _) = files.start(None);
    let (_, place) = read(&mut follower);
    let place = Place::from_bytes(&place.unwrap().to_bytes());
    files.append(&format!("{}{}{}", row(2, 1800), release(1, 1000), row(1, 1900)));
    files.rename("", ".1");
    files.append(&format!("{HEADER}{}", row(3, 1901)));
    let (mut follower, lost) = files.start(place);
    assert_eq!(lost, None);
    // Given back between the rows around it, at the latest when the next client spoke; then granted anew.
    let named = |n: u8, kind, at| (format!("192.0.2.{n}"), kind, at);
    let expected = [
        named(2, EventKind::Update, 1800),
        named(1, EventKind::Stop, 1900),
        named(1, EventKind::Start, 1900),
        named(3, EventKind::Update, 1901),
    ];
    assert_eq!(read(&mut follower).0, expected);
}

#[test]
fn rows_that_were_digested_meanwhile_are_a_gap_and_the_digest_is_read() {
    let files = Files::new();
    files.append(&format!("{HEADER}{}", row(1, 1000)));
    let (mut follower, _) = files.start(None);
    let (_, place) = read(&mut follower);
    drop(follower);
    files.append(&format!("{}{}", row(2, 1100), release(2, 1100)));
    files.rename("", ".1");
    files.append(&format!("{HEADER}{}", row(3, 1200)));
    files.digest(&row(1, 1000));
    let (mut follower, lost) = files.start(place);
    let lost = lost.unwrap();
    assert_eq!(lost.from, secs(1000));
    assert!(lost.until > secs(1200) && lost.until < secs(NOW), "when the digest was written: {lost:?}");
    assert_eq!(read(&mut follower).0, updates(&[(1, 1000), (3, 1200)]));
}

#[test]
fn a_file_that_was_cut_off_is_a_gap_and_begins_again() {
    let files = Files::new();
    files.append(&format!("{HEADER}{}{}", row(1, 1000), row(2, 1001)));
    let (mut follower, _) = files.start(None);
    assert_eq!(read(&mut follower).0.len(), 2);
    fs::write(files.path(""), format!("{HEADER}{}", row(1, 1500))).unwrap();
    assert_eq!(follower.watch(secs(NOW)).unwrap(), Some(Lost { from: secs(1001), until: secs(NOW) }));
    assert_eq!(read(&mut follower).0, updates(&[(1, 1500)]));
}

#[test]
fn another_file_with_the_same_inode_is_another_file() {
    let files = Files::new();
    files.append(&format!("{HEADER}{}", row(1, 1000)));
    let (mut follower, _) = files.start(None);
    let place = read(&mut follower).1.unwrap();
    drop(follower);
    fs::write(files.path(""), format!("{HEADER}{}{}", row(7, 1600), row(8, 1601))).unwrap();
    let (mut follower, lost) = files.start(Some(place));
    assert!(lost.is_some());
    assert_eq!(read(&mut follower).0, updates(&[(7, 1600), (8, 1601)]));
}

#[test]
fn a_line_without_end_is_passed_over_and_what_is_behind_it_is_read() {
    let files = Files::new();
    files.append(&format!("{HEADER}{}\n{}", "x".repeat(200_000), row(1, 1000)));
    let (mut follower, _) = files.start(None);
    let taken = follower.take(secs(NOW), &Naming::plain("kea-1")).unwrap().unwrap();
    assert_eq!((taken.flaws, taken.events.len()), (vec![crate::sources::Flaw::LongLine], 1));
}

#[test]
fn a_block_of_dhcpd_counts_once_it_is_closed_and_a_rewritten_file_is_read_again() {
    let files = Files::new();
    let block = |state: &str, from: &str, until: &str| {
        format!(
            "lease 192.0.2.1 {{\n  starts {from};\n  ends {until};\n  cltt {from};\n  binding state {state};\n  \
             hardware ethernet 02:00:00:00:00:01;\n}}\n"
        )
    };
    let active = block("active", "4 1970/01/01 00:16:40", "4 1970/01/01 01:16:40");
    files.append(&active[..40]);
    let (mut follower, _) = files.start_as(LeaseFormat::Dhcpd, None);
    assert_eq!(read(&mut follower).0, vec![]);
    files.append(&active[40..]);
    assert_eq!(read(&mut follower).0, updates(&[(1, 1000)]));
    files.rename("", "~");
    files.append(&active);
    files.append(&block("free", "4 1970/01/01 00:16:40", "4 1970/01/01 00:20:00"));
    let (heard, place) = read(&mut follower);
    assert_eq!(heard[1..], [("192.0.2.1".to_owned(), EventKind::Stop, 1200)]);
    let (mut follower, lost) = files.start_as(LeaseFormat::Dhcpd, place);
    assert_eq!((lost, read(&mut follower).0), (None, vec![]));
}

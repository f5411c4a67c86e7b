//! `lapsed verify-store` finds what should have gone, wherever it stands, and nothing else.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::old_store::{BUCKET, LIMIT, NOW, flush, key, newest, store_with};
use support::radius::{Nas, request, signed};
use support::{Site, TWO_NAS, ago, code, lapsed, talk_of, text};

/// What `verify-store` said.
struct Said {
    code: i32,
    json: Value,
}

impl Said {
    /// Kinds and places, with every table, log and MANIFEST under its extension.
    fn list(&self, of: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = self.json[of].as_array().unwrap().iter();
        let mut list: Vec<_> = list.map(|one| format!("{} {}", text(&one["kind"]), text(&one["place"]))).collect();
        list.sort();
        list
    }

    fn findings(&self) -> Vec<String> {
        self.list("findings")
    }

    fn finding(&self, kind: &str, place: &str) -> &Value {
        let list = self.json["findings"].as_array().unwrap();
        list.iter().find(|one| one["kind"] == kind && one["place"] == place).unwrap()
    }
}

fn verify(dir: &Path, at: Timestamp) -> Said {
    let output = lapsed(&["verify-store", "-o", "json", "--at", &at.to_string()]).arg(dir).output().unwrap();
    let json = serde_json::from_slice(&output.stdout);
    Said { code: code(&output), json: json.unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(&output))) }
}

#[track_caller]
fn assert_clean(said: &Said) {
    let (findings, incomplete) = (&said.json["findings"], &said.json["incomplete"]);
    assert_eq!((said.code, &said.json["verdict"]), (0, &Value::from("clean")), "{findings:#} {incomplete:#}");
}

fn copy_dir(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Opens the database as RocksDB knows it, to do to it what the store never does.
fn with_rocksdb(state: &Path, act: impl FnOnce(&rocksdb::DB)) {
    let (path, mut options) = (state.join("db"), rocksdb::Options::default());
    // As the store sets it: the MANIFEST forgets what is gone, and small buffers make it go soon.
    options.set_max_manifest_file_size(1);
    let columns = rocksdb::DB::list_cf(&options, &path).unwrap().into_iter().map(|name| {
        let mut column = rocksdb::Options::default();
        column.set_write_buffer_size(64 << 10);
        rocksdb::ColumnFamilyDescriptor::new(name, column)
    });
    act(&rocksdb::DB::open_cf_descriptors(&options, &path, columns).unwrap());
}

#[test]
fn a_young_store_is_clean_and_is_left_as_it_was() {
    for flushed in [false, true] {
        let (_dir, state) = store_with(&[100, 50, 0]);
        if flushed {
            flush(&state, 100);
        }
        let listing =
            || Command::new("ls").args(["-lAR", "--time-style=full-iso"]).arg(&state).output().unwrap().stdout;
        let before = listing();
        let said = verify(&state, NOW);
        assert_clean(&said);
        assert_eq!((said.findings(), said.list("remarks")), (vec![], vec![]));
        assert_eq!(said.json["rows"], 6);
        assert_eq!(said.json["oldest"], NOW.minus(Duration::from_secs(100)).to_string());
        assert_eq!(said.json["expired-before"], NOW.minus(Duration::from_secs(LIMIT)).to_string());
        assert_eq!(said.json["in-use"], false);
        assert_eq!(text(&listing()), text(&before));
    }
}

#[test]
fn what_is_as_old_as_is_tolerated_is_clean_and_a_millisecond_later_it_is_not() {
    let (_dir, state) = store_with(&[LIMIT]);
    assert_clean(&verify(&state, NOW));
    let said = verify(&state, NOW.plus(Duration::from_millis(1)));
    assert_eq!(said.code, 1);
}

#[test]
fn expired_rows_in_the_log_alone_are_found_as_rows_and_as_bytes() {
    let (_dir, state) = store_with(&[LIMIT + 100, LIMIT + 50, 3500]);
    let said = verify(&state, NOW);
    assert_eq!((said.code, &said.json["verdict"]), (1, &Value::from("expired-data-found")));
    let log = format!("db/{}", newest(&state, ".log"));
    assert_eq!(
        said.findings(),
        [
            format!("expired-bytes {log}"),
            "expired-row rows of by_address".into(),
            "expired-row rows of by_subscriber".into()
        ]
    );
    let oldest = NOW.minus(Duration::from_secs(LIMIT + 100)).to_string();
    for (kind, place, count) in [("expired-bytes", log.as_str(), 4), ("expired-row", "rows of by_address", 2)] {
        let finding = said.finding(kind, place);
        assert_eq!((&finding["count"], &finding["oldest"]), (&Value::from(count), &Value::from(oldest.clone())));
    }
}

#[test]
fn expired_rows_in_tables_are_found_by_each_of_the_three_means_also_in_a_copy() {
    let (dir, state) = store_with(&[LIMIT + 100, LIMIT + 50]);
    flush(&state, LIMIT + 100);
    let copy = dir.path().join("copy");
    copy_dir(&state, &copy);
    let said = verify(&state, NOW);
    assert_eq!(said.code, 1);
    let findings = said.findings();
    let with =
        |begin: &str, end: &str| findings.iter().filter(|one| one.starts_with(begin) && one.ends_with(end)).count();
    assert_eq!(with("expired-bound db/", ".sst"), 2, "{findings:?}");
    assert_eq!(with("expired-bytes db/", ".sst"), 2);
    assert_eq!(with("expired-bytes db/MANIFEST-", ""), 1);
    assert_eq!(with("expired-row rows of by_", ""), 2);
    assert_eq!(findings.len(), 7);
    assert_eq!(verify(&copy, NOW).findings(), findings);
    // Measured by the time at which they were young, both are clean.
    assert_clean(&verify(&copy, NOW.minus(Duration::from_secs(100))));
}

#[test]
fn a_table_a_log_or_a_manifest_that_nothing_uses_is_found_with_what_is_in_it() {
    let (_old, old) = store_with(&[LIMIT + 100]);
    let old_log = old.join("db").join(newest(&old, ".log"));
    let log = fs::read(old_log).unwrap();
    flush(&old, LIMIT + 100);
    let read = |name: &str| fs::read(old.join("db").join(newest(&old, name))).unwrap();
    // The newest table is one of `meta`: any of the record families has an expired key in it.
    let tables = fs::read_dir(old.join("db")).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let needle = key(LIMIT + 100, 0)[..4].to_vec();
    let table =
        tables.filter(|bytes| bytes.len() < 4000).find(|bytes| bytes.windows(4).any(|at| at == needle)).unwrap();
    for (name, bytes) in [
        ("db/000999.sst", table.clone()),
        ("db/MANIFEST-000001", read("MANIFEST")),
        ("db/000001.log", log.clone()),
        ("db/archive/000001.log", log),
        ("db/000005.sst.trash", table.clone()),
        ("db.before/000012.sst", table),
    ] {
        let (_dir, state) = store_with(&[100]);
        // Opened again, so that what it holds is in tables and its oldest log is a young one.
        flush(&state, 100);
        let path = state.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let said = verify(&state, NOW);
        assert_eq!(said.code, 1);
        assert_eq!(said.findings(), [format!("expired-bytes {name}"), format!("unexpected-file {name}")]);
    }
}

#[test]
fn a_young_file_that_nothing_uses_is_found_all_the_same() {
    let (_dir, state) = store_with(&[100]);
    flush(&state, 100);
    fs::copy(state.join("db").join(newest(&state, ".sst")), state.join("db/000999.sst")).unwrap();
    let said = verify(&state, NOW);
    assert_eq!((said.code, said.findings()), (1, vec!["unexpected-file db/000999.sst".into()]));
}

#[test]
fn keys_in_hexadecimal_digits_are_found_in_a_log_of_rocksdbs() {
    for (digits, name) in
        [(hex(&key(LIMIT + 1, 9)), "db/LOG"), (hex(&key(LIMIT + 1, 9)).to_lowercase(), "db/LOG.old.17")]
    {
        let (_dir, state) = store_with(&[100]);
        let line = format!("2026/11/21-19:00:00 [by_address] Manual compaction from '{digits}' seq:7, type:1\n");
        fs::write(state.join(name), &line).unwrap();
        let said = verify(&state, NOW);
        assert_eq!((said.code, said.findings()), (1, vec![format!("expired-hex {name}")]));
        assert_eq!(said.finding("expired-hex", name)["offset"], line.find(&digits).unwrap());
        // One that has a second left is nobody's business.
        fs::write(state.join(name), line.replace(&digits, &hex(&key(LIMIT - 1, 9)))).unwrap();
        assert_clean(&verify(&state, NOW));
    }
}

#[test]
fn what_is_not_of_the_store_is_named_and_searched() {
    let (_dir, state) = store_with(&[100]);
    fs::write(state.join("notes.txt"), "buy more disks\n").unwrap();
    fs::create_dir(state.join("db/lost")).unwrap();
    fs::write(state.join("db/lost/what"), [7; 100_000]).unwrap();
    assert!(Command::new("mkfifo").arg(state.join("pipe")).status().unwrap().success());
    let said = verify(&state, NOW);
    assert_clean(&said);
    assert_eq!(said.list("remarks"), ["not-a-file pipe", "unknown-name db/lost", "unknown-name notes.txt"]);

    let mut bytes = vec![7; 70_000];
    bytes.extend(key(LIMIT + 1, 3));
    fs::write(state.join("db/lost/what"), bytes).unwrap();
    let said = verify(&state, NOW);
    assert_eq!((said.code, said.findings()), (1, vec!["expired-bytes db/lost/what".into()]));
    assert_eq!(said.finding("expired-bytes", "db/lost/what")["offset"], 70_000);
}

#[test]
fn without_a_policy_or_a_database_nobody_can_tell() {
    let cannot = |dir: &Path, why: &str| {
        let said = verify(dir, NOW);
        assert_eq!((said.code, &said.json["verdict"]), (2, &Value::from("cannot-tell")));
        assert!(said.json["why"].as_str().unwrap().contains(why), "{}", said.json["why"]);
    };
    let (dir, state) = store_with(&[LIMIT + 100]);
    cannot(&dir.path().join("nowhere"), "there is no directory");
    cannot(dir.path(), "POLICY is missing");
    let policy = fs::read_to_string(state.join("POLICY")).unwrap();
    fs::write(state.join("POLICY"), policy.replace("window-seconds", "window")).unwrap();
    cannot(&state, "POLICY is malformed");
    fs::write(state.join("POLICY"), policy.replace("format = 1", "format = 2")).unwrap();
    cannot(&state, "POLICY is of format 2");
    fs::write(state.join("POLICY"), policy).unwrap();
    fs::remove_dir_all(state.join("db")).unwrap();
    cannot(&state, "there is no database");
    assert_eq!(code(&lapsed(&["verify-store", "--at", "yesterday"]).arg(&state).output().unwrap()), 2);
}

#[test]
fn what_cannot_be_read_is_never_called_clean() {
    let told = |said: &Said| said.json["incomplete"].as_array().unwrap()[0].as_str().unwrap().to_owned();
    // A link that leads to itself cannot be read by root either.
    let (_dir, state) = store_with(&[100]);
    symlink("circle", state.join("db/circle")).unwrap();
    let said = verify(&state, NOW);
    assert_eq!(said.code, 2);
    assert!(told(&said).starts_with("db/circle cannot be read"), "{}", told(&said));

    let (_dir, state) = store_with(&[100]);
    symlink("..", state.join("db/up")).unwrap();
    let said = verify(&state, NOW);
    assert!(said.code != 0 && told(&said).ends_with("lies too deep to be looked at"), "{}", told(&said));

    // A table that is damaged, and one that is gone.
    let (_dir, state) = store_with(&[100]);
    flush(&state, 100);
    let table = state.join("db").join(newest(&state, ".sst"));
    let length = fs::metadata(&table).unwrap().len();
    fs::File::options().write(true).open(&table).unwrap().set_len(length - 10).unwrap();
    let said = verify(&state, NOW);
    assert_eq!(said.code, 2);
    assert!(told(&said).starts_with("the database cannot be opened"), "{}", told(&said));
    fs::remove_file(&table).unwrap();
    assert_eq!(verify(&state, NOW).code, 2);
}

#[test]
fn rows_that_are_no_keys_and_deletions_leave_it_open() {
    let (_dir, state) = store_with(&[100]);
    let mut misfiled = key(100, 1);
    misfiled[3] ^= 1;
    with_rocksdb(&state, |db| {
        let by_address = db.cf_handle("by_address").unwrap();
        db.put_cf(by_address, &key(100, 1)[..25], "").unwrap();
        db.put_cf(by_address, &misfiled, "").unwrap();
    });
    let said = verify(&state, NOW);
    assert_eq!((said.code, &said.json["verdict"]), (2, &Value::from("cannot-tell")));
    assert_eq!(said.findings(), ["misfiled rows of by_address", "not-a-key rows of by_address"]);

    // A deletion beside a row in the bucket that the limit cuts; its key lies before the limit and is in no row and no bound.
    let (_dir, state) = store_with(&[100]);
    let (first, last) = (key(LIMIT - 1, 1), key(LIMIT - 1, 9));
    with_rocksdb(&state, |db| {
        let by_address = db.cf_handle("by_address").unwrap();
        db.put_cf(by_address, &first, "").unwrap();
        db.delete_cf(by_address, key(LIMIT + 1, 5)).unwrap();
        db.put_cf(by_address, &last, "").unwrap();
        db.flush_cf(by_address).unwrap();
    });
    let said = verify(&state, NOW);
    let findings = said.findings();
    assert!(findings.iter().any(|one| one.starts_with("deletions db/")), "{findings:?}");
    assert_ne!(said.code, 0);
}

#[test]
fn the_sheet_says_in_its_first_line_what_came_of_it() {
    let (_dir, state) = store_with(&[LIMIT + 100]);
    let sheet = |at: Timestamp| {
        let output = lapsed(&["verify-store", "--at", &at.to_string()]).arg(&state).output().unwrap();
        assert_eq!(talk_of(&output), "", "nobody watches");
        (code(&output), text(&output.stdout).to_owned())
    };
    let (code, clean) = sheet(NOW.minus(Duration::from_secs(200)));
    assert_eq!(code, 0);
    assert!(clean.starts_with("CLEAN: nothing in "), "{clean}");
    let (code, found) = sheet(NOW);
    assert_eq!(code, 1);
    assert!(
        found.starts_with("EXPIRED DATA FOUND: 3 places, the oldest dated 2026-11-21T19:58:05.000Z, 100 s before"),
        "{found}"
    );
    assert!(
        found.contains("rows of by_address: 1 expired rows, the oldest dated 2026-11-21T19:58:05.000Z\n"),
        "{found}"
    );
    fs::remove_file(state.join("POLICY")).unwrap();
    let (code, cannot) = sheet(NOW);
    assert_eq!(code, 2);
    assert!(cannot.starts_with("CANNOT TELL: "), "{cannot}");
}

#[test]
fn the_directory_of_a_daemon_that_takes_events_is_clean_and_what_is_put_there_is_found() {
    let site = Site::new(TWO_NAS);
    let daemon = site.start();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    for number in 0..30_u8 {
        let start = request(number, StatusType::Start, &format!("65A0-{number}"), ago(600));
        nas.ask(&signed(start.user_name("alice@isp.example").framed_ip([192, 0, 2, number].into())));
        if number % 10 == 0 {
            let said = verify(&site.path("state"), SystemClock.now());
            assert_clean(&said);
            assert_eq!(said.json["in-use"], true);
        }
    }
    let at = SystemClock.now().millis() - 2 * LIMIT * 1000;
    let bucket = u32::try_from(at / (BUCKET * 1000)).unwrap().to_be_bytes();
    let key = [bucket.as_slice(), &[9; 12], &at.to_be_bytes()[2..], &[0, 0, 0, 1]].concat();
    fs::write(site.path("state/db/000001.log"), key).unwrap();
    let said = verify(&site.path("state"), SystemClock.now());
    assert_eq!(said.code, 1);
    assert_eq!(said.finding("expired-bytes", "db/000001.log")["offset"], 0);

    // A table that no list has may be one that is just being written. It may not be that for ever.
    let table = site.path("state/db/000999.sst");
    fs::write(&table, "no key").unwrap();
    assert_eq!(verify(&site.path("state"), SystemClock.now()).list("remarks"), ["young-table db/000999.sst"]);
    fs::File::options().write(true).open(&table).unwrap().set_modified(UNIX_EPOCH).unwrap();
    let findings = verify(&site.path("state"), SystemClock.now()).findings();
    assert!(findings.contains(&"unexpected-file db/000999.sst".to_owned()), "{findings:?}");
    let (ended, talk) = daemon.stop();
    assert!(ended.success(), "{talk}");
}

#[test]
fn expired_rows_in_a_database_in_use_are_seen_twice_and_found() {
    let (_dir, state) = store_with(&[LIMIT + 100]);
    with_rocksdb(&state, |_| {
        let said = verify(&state, NOW);
        assert_eq!((said.code, &said.json["in-use"]), (1, &Value::from(true)));
        let findings = said.findings();
        let kinds: BTreeSet<_> = findings.iter().map(|one| one.split(' ').next().unwrap()).collect();
        assert_eq!(kinds, BTreeSet::from(["expired-bound", "expired-bytes", "expired-row"]), "{findings:?}");
    });
}

#[test]
fn a_database_whose_files_come_and_go_meanwhile_is_clean() {
    // The story: a file was listed, and had been compacted away when it was opened; or was being written, and in no list yet.
    let (_dir, state) = store_with(&[100]);
    with_rocksdb(&state, |db| {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0_u64.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    for family in ["by_address", "by_subscriber"] {
                        let tag = u8::try_from(round % 251).unwrap();
                        db.put_cf(db.cf_handle(family).unwrap(), key(round % 3000, tag), [0; 500]).unwrap();
                    }
                    if round % 1000 == 999 {
                        db.compact_range_cf(db.cf_handle("by_address").unwrap(), None::<&[u8]>, None::<&[u8]>);
                    }
                }
            });
            for _ in 0..15 {
                let said = verify(&state, NOW);
                if said.code != 0 {
                    done.store(true, Ordering::Relaxed);
                }
                assert_clean(&said);
                assert_eq!(said.json["in-use"], true);
            }
            done.store(true, Ordering::Relaxed);
        });
    });
}

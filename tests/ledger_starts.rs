//! A key never signs two histories: what the daemon makes of ledgers whose checkpoints or keys are not there, and how it goes on.
//!
//! The real daemon on a directory of its own, and where keys are given, one that it cannot write to.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use lapsed::clock::{Clock as _, SystemClock};
use lapsed::config::Config;
use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::note::Note;
use lapsed::purge::{Exception, Report};
use lapsed::store::{Log, Opening, Store};

use support::{Site, TWO_NAS, code, files_below, talk_of};

/// A site with its keyring, its signing keys and its store in directories of their own.
fn site() -> Site {
    let site = Site::new(TWO_NAS);
    let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
    let places = "keyring-dir = \"keyring\"\nledger-keys-dir = \"signing\"\n[store]";
    site.write("lapsed.toml", &config.replacen("[store]", places, 1));
    site
}

/// Starts it and stops it.
fn pass(site: &Site, arguments: &[&str]) {
    let (status, talk) = site.start_as(arguments).stop();
    assert!(status.success(), "{talk}");
}

/// Starts it, which must fail. What it said.
fn refused(site: &Site, arguments: &[&str]) -> String {
    let (status, talk) = Site::spawned(site.command(arguments)).ended();
    assert!(!status.success(), "{talk}");
    talk
}

/// The newest checkpoint that was handed out.
fn handed_out(site: &Site, log: Log) -> Checkpoint {
    let note = fs::read(site.path(&format!("keyring/{}.checkpoint", log.name()))).unwrap();
    Checkpoint::parse(&Note::parse(&note).unwrap().text).unwrap()
}

fn origins(site: &Site) -> [String; 2] {
    Log::ALL.map(|log| handed_out(site, log).origin)
}

/// What is out of the ordinary in any report.
fn exceptions(site: &Site) -> Vec<Exception> {
    let config = Config::read(&site.path("lapsed.toml")).unwrap();
    let opening = Opening::at(SystemClock.now(), &config.retention);
    let store = Store::open(&config.state_dir, &config.keyring_dir, &config.retention, opening).unwrap();
    let entries = store.entries(Log::Purge, 0, 10_000).unwrap().into_iter();
    entries.flat_map(|(_, entry)| Report::parse(&entry).unwrap().exceptions).collect()
}

/// A restore of the database and the signing keys without the directory of the keyring went on signing: with the same keys, and
/// another history than the one that auditors had.
#[test]
fn a_ledger_with_entries_and_no_checkpoint_has_lost_it() {
    let site = site();
    // A checkpoint is there as soon as the store is, however short its life.
    site.start().kill();
    Log::ALL.iter().for_each(|log| assert_eq!(handed_out(&site, *log).origin, format!("lapsed/{}", log.name())));
    pass(&site, &["run"]);
    let kept = fs::read(site.path("keyring/purge.checkpoint")).unwrap();
    fs::remove_file(site.path("keyring/purge.checkpoint")).unwrap();
    let talk = refused(&site, &["run"]);
    assert!(talk.contains("keyring/purge.checkpoint is missing") && talk.contains("--after-restore"), "{talk}");
    assert!(!site.path("keyring/purge.checkpoint").exists());
    // It can be put back.
    fs::write(site.path("keyring/purge.checkpoint"), kept).unwrap();
    pass(&site, &["run"]);
    fs::remove_file(site.path("keyring/purge.checkpoint")).unwrap();
    pass(&site, &["run", "--after-restore"]);
    assert_eq!(origins(&site), ["lapsed/access/2", "lapsed/purge/2"]);
    pass(&site, &["run"]);
    // Where everything is lost again, no key that may have signed is used.
    Log::ALL.iter().for_each(|log| fs::remove_file(site.path(&format!("keyring/{}.checkpoint", log.name()))).unwrap());
    pass(&site, &["run", "--after-restore"]);
    assert_eq!(origins(&site), ["lapsed/access/3", "lapsed/purge/3"]);
    let restored = exceptions(&site).iter().filter(|found| matches!(found, Exception::Restored { .. })).count();
    assert_eq!(restored, 2);
}

/// The keyring is made anew by the start that is refused, and the one after it finds it whole.
#[test]
fn a_lost_keyring_is_reported_even_if_the_start_that_replaced_it_was_refused() {
    let site = site();
    pass(&site, &["run"]);
    fs::remove_dir_all(site.path("keyring")).unwrap();
    assert!(refused(&site, &["run"]).contains("--new-keyring"));
    assert!(refused(&site, &["run", "--new-keyring"]).contains("--after-restore"));
    pass(&site, &["run", "--after-restore"]);
    let exceptions = exceptions(&site);
    let count = |which: fn(&Exception) -> bool| exceptions.iter().filter(|exception| which(exception)).count();
    assert_eq!(count(|exception| matches!(exception, Exception::KeyringLost { .. })), 1, "{exceptions:?}");
    assert_eq!(count(|exception| matches!(exception, Exception::Restored { .. })), 1, "{exceptions:?}");
}

#[test]
fn a_lost_keyring_with_its_checkpoints_is_gone_on_from_in_one_start() {
    let site = site();
    pass(&site, &["run"]);
    fs::remove_dir_all(site.path("keyring")).unwrap();
    pass(&site, &["run", "--new-keyring", "--after-restore"]);
    assert_eq!(origins(&site), ["lapsed/access/2", "lapsed/purge/2"]);
    pass(&site, &["run"]);
}

/// A crash or a full disk between the two first signatures of a new generation left one ledger in the second and one in the first: the
/// next start held a note of the first generation against a key of the second, and ended.
#[test]
fn a_crash_between_the_first_signatures_of_a_generation_is_gone_on_from() {
    for log in Log::ALL {
        let site = site();
        pass(&site, &["run"]);
        let path = site.path(&format!("keyring/{}.checkpoint", log.name()));
        let before = fs::read(&path).unwrap();
        fs::write(site.path("keyring/access.checkpoint"), "put back wrongly\n").unwrap();
        pass(&site, &["run", "--after-restore"]);
        fs::write(&path, before).unwrap();
        pass(&site, &["run"]);
        assert_eq!(origins(&site), ["lapsed/access/2", "lapsed/purge/2"]);
    }
}

/// With another directory of keys, or a lost file, a new key took the place of the one that auditors know.
#[test]
fn a_key_that_signed_is_never_made_anew() {
    let site = site();
    pass(&site, &["run"]);
    let (key, public) = (site.path("signing/access.key"), site.path("signing/access.vkey"));
    let published = fs::read(&public).unwrap();
    let moved = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let talk = refused(&site, &["run"]);
    assert!(
        talk.contains("the key of the access ledger is missing: ") && talk.contains("signing/access.key"),
        "{talk}"
    );
    assert!(!key.exists() && fs::read(&public).unwrap() == published);
    fs::write(&key, moved).unwrap();
    pass(&site, &["run"]);
    // Another directory.
    fs::rename(site.path("signing"), site.path("elsewhere")).unwrap();
    assert!(refused(&site, &["run"]).contains("the key of the access ledger is missing: "));
    assert!(files_below(&site.path("signing")).is_empty());
    pass(&site, &["run", "--after-restore"]);
    assert_eq!(origins(&site), ["lapsed/access/2", "lapsed/purge/2"]);
}

#[test]
fn keys_of_a_new_generation_can_be_given_where_none_can_be_made() {
    let site = site();
    let given = site.path("signing");
    let init = |generation: &str| {
        let dir = given.to_str().unwrap();
        let output = support::lapsed(&["init", "--generation", generation, "--dir", dir]).output().unwrap();
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(init("1").lines().count(), 3);
    // As systemd does it: the daemon can read the directory and not write to it.
    let run = |arguments: &[&str]| {
        let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && shift && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(&given);
        let daemon = site.command(arguments);
        command.arg(daemon.get_program()).args(daemon.get_args());
        Site::spawned(command)
    };
    assert!(Site::ready(run(&["run"])).stop().0.success());
    fs::remove_file(site.path("keyring/purge.checkpoint")).unwrap();
    for _ in 0..2 {
        let (status, talk) = run(&["run", "--after-restore"]).ended();
        assert!(!status.success(), "{talk}");
        assert!(talk.contains("signing/access-2.key and ") && talk.contains("signing/purge-2.key"), "{talk}");
        assert!(talk.contains("lapsed init --generation 2 --dir"), "{talk}");
    }
    let made = init("2");
    assert!(made.starts_with("purge-2  lapsed/purge/2+") && made.contains("\naccess-2 lapsed/access/2+"), "{made}");
    assert_eq!(fs::metadata(given.join("access-2.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let (status, talk) = Site::ready(run(&["run", "--after-restore"])).stop();
    assert!(status.success(), "{talk}");
    assert_eq!(origins(&site), ["lapsed/access/2", "lapsed/purge/2"]);
    assert!(Site::ready(run(&["run"])).stop().0.success());
    // For good: nothing of this was made by the daemon.
    assert_eq!(files_below(&given).len(), 10);
}

//! `lapse audit verify`: how it ends, what it prints, and what it needs: neither daemon nor token.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod evidence_rig;
mod random;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use evidence_rig::{Event, Signers, World, write};
use serde_json::Value;
use tempfile::TempDir;

/// Ledgers that were fetched, and the auditor's own files beside them.
struct Site {
    dir: TempDir,
    signers: Signers,
}

impl Site {
    fn new() -> Self {
        let (dir, signers) = (tempfile::tempdir().unwrap(), Signers::fresh());
        let mut world = World::new(11);
        world.go_on_until(12, 0);
        world.meet(Event::FailedRun);
        world.make_good();
        write(&dir.path().join("fetched"), &world.ledgers().files(&signers));
        fs::write(dir.path().join("access.vkey"), format!("{}\n", signers.access.vkey())).unwrap();
        Self { dir, signers }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// One key is given as text, the other in a file.
    fn verify(&self, more: &[&str]) -> Output {
        let (purge, access) = (self.signers.purge.vkey().to_string(), self.path("access.vkey"));
        verify(&self.path("fetched"), &purge, access.to_str().unwrap(), more)
    }
}

fn verify(dir: &Path, purge: &str, access: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapse"));
    command.args(["--socket", "/nowhere/api.sock", "audit", "verify"]).arg(dir);
    command.args(["--purge-vkey", purge, "--access-vkey", access]).args(more);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn honest_ledgers_are_valid_and_what_is_only_told_is_marked() {
    let site = Site::new();
    let known = site.path("fetched/purge/checkpoint");
    let output = site.verify(&["--known", known.to_str().unwrap()]);
    let sheet = text(&output.stdout);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{sheet}");
    assert!(sheet.starts_with("VALID: "), "{sheet}");
    for line in ["  pass     purge-root          the root over", "  FAIL     reported-breaches*  entry "] {
        assert!(sheet.contains(line), "{line} in {sheet}");
    }
    let history = sheet.lines().find(|line| line.contains("history-fixed")).unwrap();
    assert!(history.ends_with("entries of the purge ledger are those signed for"), "{history}");
}

#[test]
fn json_has_every_check_and_the_exit_code_says_the_verdict() {
    let site = Site::new();
    let ends = |valid: Value, code: i32| {
        let output = site.verify(&["-o", "json"]);
        let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &verdict["valid"]), (Some(code), &valid), "{verdict:#}");
        assert!(verdict["checks"].as_array().unwrap().iter().all(|check| check["detail"].is_string()));
    };
    ends(true.into(), 0);
    let bundle = fs::read_dir(site.path("fetched/purge/tile/entries/000.p")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&bundle).unwrap();
    fs::remove_file(&bundle).unwrap();
    ends(Value::Null, 2);
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&bundle, bytes).unwrap();
    ends(false.into(), 1);
}

#[test]
fn what_cannot_be_read_is_no_verdict() {
    let site = Site::new();
    let key = site.signers.purge.vkey().to_string();
    for (dir, purge, more, said) in [
        ("fetched", "no-key", &[][..], "--purge-vkey: no file of this name can be read"),
        ("nothing", &key, &[], "nothing: No such file"),
        ("fetched", &key, &["--known", "/nowhere/checkpoint"], "--known /nowhere/checkpoint: No such file"),
    ] {
        let output = verify(&site.path(dir), purge, site.path("access.vkey").to_str().unwrap(), more);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{output:?}");
        assert!(text(&output.stderr).contains(said), "{output:?}");
    }
    // The wrong way round: each ledger is signed by another key than the one given for it.
    let access = site.signers.access.vkey().to_string();
    let output = verify(&site.path("fetched"), &access, &key, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("it says that it is signed by lapsed/purge with the key"), "{output:?}");
}

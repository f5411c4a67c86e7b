//! The commands of `docs/verify-without-us.md`, each run as it stands there: they find what is there, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::old_store::{LIMIT, NOW, flush, newest, store_with};
use support::text;

/// The page's commands, by the words of the heading they stand under; in their order.
fn commands() -> Vec<(String, String)> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify-without-us.md")).unwrap();
    let mut blocks: Vec<(String, String)> = Vec::new();
    let (mut heading, mut inside) = (String::new(), false);
    for line in page.lines() {
        match line {
            "```sh" => {
                inside = true;
                blocks.push((heading.clone(), String::new()));
            }
            "```" => inside = false,
            _ if inside => blocks.last_mut().unwrap().1.push_str(&format!("{line}\n")),
            _ => heading = line.strip_prefix('#').map_or(heading, |rest| rest.trim_matches(['#', ' ']).to_owned()),
        }
    }
    blocks
}

/// What each block prints for a state directory, in a shell of its own; nothing may go wrong in any.
fn by_hand(state: &Path) -> Vec<(String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    for (heading, block) in commands() {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &block]).current_dir(dir.path()).env("STATE", state);
        let output = bash.env("AT", (NOW.millis() / 1000).to_string()).output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && talk.is_empty(), "{heading}: {talk}\n{block}");
        said.push((heading, text(&output.stdout).to_owned()));
    }
    // The last one removes the copy.
    assert!(!dir.path().join("copy").exists());
    said
}

/// The lines of what was found, by heading; what was seen besides is left out.
fn found(said: &[(String, String)], heading: &str) -> Vec<String> {
    let of = said.iter().filter(|(of, _)| of == heading).flat_map(|(_, text)| text.lines());
    of.filter(|line| ["EXPIRED", "NOT IN USE", "OLD LOG", "not a key"].iter().any(|mark| line.starts_with(mark)))
        .map(str::to_owned)
        .collect()
}

const BOUNDS: &str = "The tables' bounds, as the MANIFEST has them";
const ROWS: &str = "The rows";
const FILES: &str = "Files that should not be there";
const BYTES: &str = "Every byte of every file";

#[test]
fn of_a_young_store_nothing_is_found_and_all_of_it_is_seen() {
    for flushed in [false, true] {
        let (_dir, state) = store_with(&[100, 50, 0]);
        if flushed {
            flush(&state, 100);
        }
        let said = by_hand(&state);
        for heading in [BOUNDS, ROWS, FILES, BYTES] {
            assert_eq!(found(&said, heading), Vec::<String>::new(), "{said:?}");
        }
        let seen: Vec<_> =
            said.iter().flat_map(|(_, text)| text.lines()).filter(|line| line.contains("keys seen")).collect();
        // Bounds (each table twice: added, and in the list); rows of two families; tables; logs.
        let counts: Vec<_> = seen.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(counts, if flushed { ["8", "3", "3", "6", "0"] } else { ["0", "3", "3", "0", "6"] }, "{seen:?}");
    }
}

#[test]
fn an_expired_row_is_found_in_the_log_and_after_that_in_the_tables_and_the_manifest() {
    let (_dir, state) = store_with(&[LIMIT + 100, LIMIT]);
    let row = "EXPIRED 2026-11-21T19:58:05.000Z bucket 29921518".to_owned();
    let said = by_hand(&state);
    assert_eq!(found(&said, BOUNDS), Vec::<String>::new());
    assert_eq!(found(&said, ROWS), vec![row.clone(); 3], "by the two families and by the log");
    let log = newest(&state, ".log");
    let bytes = found(&said, BYTES);
    assert_eq!(bytes.len(), 2);
    assert!(bytes.iter().all(|line| line.starts_with(&format!("EXPIRED copy/db/{log} byte"))), "{bytes:?}");

    flush(&state, LIMIT + 100);
    let said = by_hand(&state);
    assert_eq!(found(&said, BOUNDS), std::slice::from_ref(&row));
    assert_eq!(found(&said, ROWS), vec![row; 3], "by the two families and by the tables");
    assert_eq!(found(&said, FILES), Vec::<String>::new());
    let bytes = found(&said, BYTES);
    assert!(bytes.iter().any(|line| line.contains("/MANIFEST-")) && bytes.iter().any(|line| line.contains(".sst ")));
    assert!(bytes.iter().all(|line| line.ends_with(" 2026-11-21T19:58:05.000Z")), "{bytes:?}");
}

#[test]
fn files_that_nothing_uses_are_named_and_their_rows_are_found() {
    let (_old, old) = store_with(&[LIMIT + 100]);
    let log = fs::read(old.join("db").join(newest(&old, ".log"))).unwrap();
    flush(&old, LIMIT + 100);
    let (_dir, state) = store_with(&[100]);
    flush(&state, 100);
    let tables = fs::read_dir(old.join("db")).unwrap().map(|entry| entry.unwrap().path());
    for (number, table) in tables.filter(|path| path.extension().is_some_and(|of| of == "sst")).enumerate() {
        fs::copy(table, state.join(format!("db/00099{number}.sst"))).unwrap();
    }
    fs::copy(old.join("db").join(newest(&old, "MANIFEST")), state.join("db/MANIFEST-000001")).unwrap();
    fs::write(state.join("db/000001.log"), log).unwrap();
    fs::write(state.join("db/notes"), "").unwrap();
    let said = by_hand(&state);
    let files = found(&said, FILES);
    for name in ["OLD LOG 000001.log", "NOT IN USE 000990.sst", "NOT IN USE MANIFEST-000001", "NOT IN USE notes"] {
        assert!(files.iter().any(|line| line == name), "{name}: {files:?}");
    }
    assert_eq!(files.len(), 7, "four tables, a log, a MANIFEST and the notes: {files:?}");
    // The database knows of none of them; the tables and the log, each read by itself, say what they hold.
    assert_eq!(found(&said, ROWS).len(), 2);
    let bytes = found(&said, BYTES);
    for name in ["000001.log", "MANIFEST-000001", ".sst"] {
        assert!(bytes.iter().any(|line| line.contains(name)), "{name}: {bytes:?}");
    }
}

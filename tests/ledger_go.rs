//! A ledger is verified by programs that are not ours: Go's `sumdb`, `openssl` and Python, each of which refuses a changed one.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::keys::{self, Signer};
use lapsed::ledger::merkle::{Frontier, Hash, Subtrees, consistency_proof, inclusion_proof};
use lapsed::ledger::receipt::Receipt;
use lapsed::ledger::tile::{Bundle, Tile, TileKind, paths_of};
use tempfile::TempDir;

const ORIGIN: &str = "lapsed/access";
const PAGE: &str = include_str!("../docs/ledger.md");

/// A ledger in a directory, and all of its hashes.
struct Ledger {
    dir: TempDir,
    signer: Signer,
    entries: Vec<Vec<u8>>,
    /// The root at every size.
    roots: Vec<Hash>,
    hashes: BTreeMap<(u8, u64), Hash>,
}

impl Subtrees for Ledger {
    type Error = (u8, u64);

    fn hash(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        self.hashes.get(&(level, index)).copied().ok_or((level, index))
    }
}

impl Ledger {
    fn of(size: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        keys::make_if_missing(dir.path(), "access", ORIGIN).unwrap();
        let signer = Signer::read(dir.path(), "access", ORIGIN).unwrap();
        let entries: Vec<_> = (0..size).map(|number| format!("entry {number}\n").into_bytes()).collect();
        let mut frontier = Frontier::empty();
        let (mut roots, mut hashes) = (vec![frontier.root()], BTreeMap::new());
        for entry in &entries {
            let completed = frontier.append(Hash::of_leaf(entry));
            hashes.extend(completed.into_iter().map(|(level, index, hash)| ((level, index), hash)));
            roots.push(frontier.root());
        }
        fs::rename(dir.path().join("access.vkey"), dir.path().join("vkey")).unwrap();
        Self { dir, signer, entries, roots, hashes }
    }

    fn checkpoint(&self, size: usize) -> String {
        let root = self.roots[size];
        Checkpoint { origin: ORIGIN.to_owned(), size: size as u64, root }.sign(&self.signer)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes what Go's program reads: of the ledger as it was, as it is, and of one entry.
    fn write_proofs(&self, old: usize, index: usize) {
        let size = self.entries.len() as u64;
        let consistency = consistency_proof(self, old as u64, size).unwrap();
        let proof = inclusion_proof(self, index as u64, size).unwrap();
        let checkpoint = self.checkpoint(self.entries.len());
        fs::write(self.path("older"), self.checkpoint(old)).unwrap();
        fs::write(self.path("checkpoint"), &checkpoint).unwrap();
        fs::write(self.path("proof"), consistency.iter().map(|hash| format!("{hash}\n")).collect::<String>()).unwrap();
        fs::write(self.path("receipt"), Receipt { extra: None, index: index as u64, proof, checkpoint }.to_text())
            .unwrap();
        fs::write(self.path("entry"), &self.entries[index]).unwrap();
    }

    /// Writes all of it as files of C2SP tlog-tiles.
    fn write_tiles(&self) {
        for path in paths_of(self.entries.len() as u64) {
            let from = usize::try_from(path.index * 256).unwrap();
            let bytes = match path.kind {
                TileKind::Entries => {
                    let entries = self.entries[from..from + usize::from(path.width)].to_vec();
                    Bundle { entries }.encode().unwrap()
                }
                TileKind::Hashes { level } => {
                    let places = path.index * 256..path.index * 256 + u64::from(path.width);
                    Tile { hashes: places.map(|at| self.hashes[&(8 * level, at)]).collect() }.encode()
                }
            };
            let file = self.path(&path.to_string());
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        fs::write(self.path("checkpoint"), self.checkpoint(self.entries.len())).unwrap();
    }
}

/// Go's program, compiled into a directory from Debian's sources; nothing is fetched.
fn go_program(dir: &Path) -> PathBuf {
    let program = dir.join("ledger-by-go");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg("main.go");
    go.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go/ledger"));
    go.envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOPROXY", "off"), ("CGO_ENABLED", "0")]);
    let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/go-cache");
    let output = go.env("GOFLAGS", "").env("GOCACHE", cache).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

fn by_go(program: &Path, ledger: &Ledger) -> Output {
    let files = ["vkey", "older", "checkpoint", "proof", "receipt", "entry"];
    Command::new(program).args(files).current_dir(ledger.dir.path()).output().unwrap()
}

/// Changes a file and says what it was.
fn change(file: &Path, to: impl Fn(&str) -> String) -> String {
    let text = fs::read_to_string(file).unwrap();
    let changed = to(&text);
    assert_ne!(changed, text, "{} is as it was", file.display());
    fs::write(file, changed).unwrap();
    text
}

/// Another base64 letter where the first hash of a text begins.
fn other_hash(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    format!("{}{rest}", if first == "A" { "B" } else { "A" })
}

#[test]
fn go_verifies_checkpoints_receipts_and_growth() {
    let dir = tempfile::tempdir().unwrap();
    let program = go_program(dir.path());
    for (size, old, index) in [(1, 1, 0), (2, 1, 1), (7, 3, 4), (256, 255, 0), (257, 256, 256), (700, 513, 699)] {
        let ledger = Ledger::of(size);
        ledger.write_proofs(old, index);
        let output = by_go(&program, &ledger);
        assert_eq!(output.stdout, b"verified\n", "{size}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn go_refuses_what_was_changed() {
    let ledger = Ledger::of(700);
    let program = go_program(ledger.dir.path());
    ledger.write_proofs(513, 698);
    let size = |text: &str| text.replacen("\n700\n", "\n701\n", 1);
    let hash = |text: &str| {
        let at = text.find("index 698\n").unwrap() + "index 698\n".len();
        format!("{}{}", &text[..at], other_hash(&text[at..]))
    };
    type Change<'a> = (&'a str, &'a dyn Fn(&str) -> String);
    let changes: [Change<'_>; 6] = [
        ("entry", &|text| format!("{text} ")),
        ("receipt", &hash),
        ("receipt", &|text| text.replacen("index 698", "index 699", 1)),
        ("proof", &other_hash),
        ("checkpoint", &size),
        ("older", &|text| text.replacen("\n513\n", "\n512\n", 1)),
    ];
    for (file, to) in changes {
        let text = change(&ledger.path(file), to);
        let output = by_go(&program, &ledger);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{file} was changed");
        fs::write(ledger.path(file), text).unwrap();
    }
    assert!(by_go(&program, &ledger).status.success());
}

/// The commands that the page has under a heading, in a directory.
fn by_hand(heading: &str, dir: &Path) -> Output {
    let (_, section) = PAGE.split_once(&format!("## {heading}\n")).unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/go-cache");
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", block]).current_dir(dir).env("GOCACHE", cache).env("GOFLAGS", "");
    shell.output().unwrap()
}

#[test]
fn go_verifies_every_entry_of_a_fetched_ledger_as_the_page_says_and_refuses_a_changed_one() {
    let ledger = Ledger::of(700);
    ledger.write_tiles();
    fs::write(ledger.path("kept"), ledger.checkpoint(513)).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ledger_check.go"), ledger.path("ledger_check.go")).unwrap();
    let checked = || by_hand("Every entry, with Go", ledger.dir.path());
    let output = checked();
    let said = format!("700 entries are those that {ORIGIN} signed for\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), said, "{}", String::from_utf8_lossy(&output.stderr));
    let text = change(&ledger.path("tile/entries/002.p/188"), |text| text.replacen("entry 699", "entry 698", 1));
    assert!(!checked().status.success());
    fs::write(ledger.path("tile/entries/002.p/188"), text).unwrap();
    // A fork: the same key, and another beginning.
    let root = ledger.roots[512];
    let fork = Checkpoint { origin: ORIGIN.to_owned(), size: 513, root }.sign(&ledger.signer);
    fs::write(ledger.path("kept"), fork).unwrap();
    assert!(!checked().status.success());
}

#[test]
fn openssl_verifies_a_checkpoint_as_the_page_says_and_refuses_a_changed_one() {
    let ledger = Ledger::of(7);
    let heading = "The signature, with `openssl`";
    fs::write(ledger.path("checkpoint"), ledger.checkpoint(7)).unwrap();
    let output = by_hand(heading, ledger.dir.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Signature Verified Successfully\n");
    change(&ledger.path("checkpoint"), |text| text.replacen("\n7\n", "\n6\n", 1));
    assert!(!by_hand(heading, ledger.dir.path()).status.success());
}

#[test]
fn python_recomputes_the_root_from_the_bundles_and_sees_a_changed_entry() {
    for size in [0, 1, 2, 255, 256, 257, 700] {
        let ledger = Ledger::of(size);
        ledger.write_tiles();
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ledger_root.py"), ledger.path("ledger_root.py")).unwrap();
        let root = || by_hand("The root, with Python", ledger.dir.path());
        let (output, expected) = (root(), ledger.roots.last().unwrap());
        let said = format!("{size} {expected} is the root of the checkpoint of {ORIGIN}\n");
        assert_eq!(String::from_utf8_lossy(&output.stdout), said, "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success());
        let last = paths_of(size).filter(|path| path.kind == TileKind::Entries).last();
        let Some(last) = last.map(|path| ledger.path(&path.to_string())) else { continue };
        let text = change(&last, |text| text.replacen("entry", "ENTRY", 1));
        assert_eq!(root().status.code(), Some(1));
        fs::write(&last, &text[..text.len() - 1]).unwrap();
        assert_eq!(root().status.code(), Some(1), "a bundle that was cut short");
    }
}

//! `lapse audit fetch` from a host that lies, or whose answers are cut short: the auditor's checkpoint stays, and so does the proof.
//!
//! The real `lapse`; what stands for the host hands out files, since no honest daemon would hand out these.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at what it did not expect"
)]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::keys::{Signer, make_if_missing};
use lapsed::ledger::merkle::{Frontier, Hash};
use lapsed::ledger::tile::{Bundle, TileKind, paths_of};

use support::{Site, code, files_below, talk_of};

/// What a host hands out, by the path in the API.
type Files = BTreeMap<String, Vec<u8>>;

/// A ledger of a host: its files, and the root over them.
#[derive(Clone)]
struct Made {
    files: Files,
    size: u64,
    root: Hash,
}

/// The entries of an honest ledger: the longer one continues the shorter one.
fn entries(size: u64) -> Vec<Vec<u8>> {
    (0..size).map(|index| format!("entry {index}\n").into_bytes()).collect()
}

/// Another history of the same length: its sixth entry was rewritten.
fn rewritten(size: u64) -> Vec<Vec<u8>> {
    let mut entries = entries(size);
    entries[5] = b"another\n".to_vec();
    entries
}

/// All files of a ledger without its checkpoint.
fn ledger(entries: &[Vec<u8>]) -> Made {
    let (mut tree, mut hashes) = (Frontier::empty(), BTreeMap::new());
    for entry in entries {
        let completed = tree.append(Hash::of_leaf(entry)).into_iter();
        hashes.extend(completed.map(|(level, index, hash)| ((level, index), hash)));
    }
    let file = |kind: TileKind, begin: u64, width: u64| match kind {
        TileKind::Entries => {
            let [begin, end] = [begin, begin + width].map(|at| usize::try_from(at).unwrap());
            Bundle { entries: entries[begin..end].to_vec() }.encode().unwrap()
        }
        TileKind::Hashes { level } => (begin..begin + width).flat_map(|index| hashes[&(level * 8, index)].0).collect(),
    };
    let files =
        paths_of(tree.size()).map(|path| (path.to_string(), file(path.kind, path.index * 256, path.width.into())));
    Made { files: files.collect(), size: tree.size(), root: tree.root() }
}

/// An auditor, and a host that hands out what it is told.
struct Audit {
    site: Site,
    token: String,
    files: Arc<Mutex<Files>>,
}

impl Audit {
    fn new() -> Self {
        let site = Site::new("");
        let token = site.token("audit-1", "auditor");
        let (listener, files) = (UnixListener::bind(site.path("api.sock")).unwrap(), Arc::default());
        let handed_out = Arc::clone(&files);
        thread::spawn(move || listener.incoming().try_for_each(|stream| answer(stream?, &handed_out)));
        Self { site, token, files }
    }

    /// The signed checkpoint of a ledger: that of the purge ledger unless its name says more.
    fn sign(&self, origin: &str, size: u64, root: Hash) -> String {
        let (keys, name) = (self.site.path("keys"), origin.replace('/', "-"));
        make_if_missing(&keys, &name, origin).unwrap();
        let signer = Signer::read(&keys, &name, origin).unwrap();
        Checkpoint { origin: origin.to_owned(), size, root }.sign(&signer)
    }

    /// From now on the host hands out this purge ledger, with this checkpoint, beside an access ledger without entries.
    fn host(&self, made: &Made, checkpoint: &str) {
        let mut files: Files = BTreeMap::new();
        files.extend(made.files.iter().map(|(path, bytes)| (format!("/v1/ledgers/purge/{path}"), bytes.clone())));
        files.insert("/v1/ledgers/purge/checkpoint".to_owned(), checkpoint.as_bytes().to_vec());
        let nothing = self.sign("lapsed/access", 0, Hash::of_nothing());
        files.insert("/v1/ledgers/access/checkpoint".to_owned(), nothing.into_bytes());
        *self.files.lock().unwrap() = files;
    }

    fn host_signed(&self, made: &Made) {
        self.host(made, &self.sign("lapsed/purge", made.size, made.root));
    }

    fn fetch_to(&self, dir: &Path) -> (i32, String) {
        let output = self.site.lapse(Some(&self.token), &["audit", "fetch", dir.to_str().unwrap()]);
        (code(&output), talk_of(&output).to_owned())
    }

    fn fetch(&self) -> (i32, String) {
        self.fetch_to(&self.site.path("audit"))
    }

    /// What the auditor has of the purge ledger.
    fn kept(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = files_below(&self.site.path("audit/purge"));
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// Fetches an honest ledger. What the auditor has of it.
    fn fetched(&self, size: u64) -> BTreeMap<PathBuf, Vec<u8>> {
        self.host_signed(&ledger(&entries(size)));
        let (ended, talk) = self.fetch();
        assert_eq!(ended, 0, "{talk}");
        let kept = self.kept();
        assert_eq!(kept.len(), paths_of(size).count() + 1);
        kept
    }
}

/// Answers one request: with the file, or with 404.
fn answer(stream: UnixStream, files: &Mutex<Files>) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    lines.map_while(Result::ok).find(String::is_empty);
    let file = files.lock().unwrap().get(first.split(' ').nth(1).unwrap_or_default()).cloned();
    let status = if file.is_some() { "200 OK" } else { "404 Not Found" };
    let body = file.unwrap_or_default();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // A client that has gone is no reason to hand out nothing any more.
    let _ = (&stream).write_all(head.as_bytes()).and_then(|()| (&stream).write_all(&body));
    Ok(())
}

/// The tiles of the old size gave the old root, and nobody looked at the new one: so the checkpoint of another history took the place
/// of the auditor's, and the command ended with 0.
#[test]
fn a_checkpoint_that_contradicts_the_kept_one_never_takes_its_place() {
    let audit = Audit::new();
    let kept = audit.fetched(300);
    // Longer, of the same size, and shorter.
    let forks = [310, 300, 290].map(|size| ledger(&rewritten(size)));
    for (fork, number) in forks.iter().zip(["", "-2", "-3"]) {
        audit.host_signed(fork);
        // As often as it is tried, one proof is kept of each.
        for _ in 0..2 {
            let (ended, talk) = audit.fetch();
            assert_eq!(ended, 1, "{talk}");
            assert!(talk.contains("not the ledger that was fetched before"), "{talk}");
            assert!(talk.contains(&format!("audit-purge{number}.contradicting")), "{talk}");
            assert_eq!(audit.kept(), kept, "everything stays as it was");
        }
        let proof = fs::read_to_string(audit.site.path(&format!("audit-purge{number}.contradicting"))).unwrap();
        assert_eq!(proof, audit.sign("lapsed/purge", fork.size, fork.root));
    }
    assert!(!audit.site.path("audit-purge-4.contradicting").exists());
    // What is honest goes on.
    audit.fetched(310);
}

#[test]
fn a_proof_that_cannot_be_written_is_printed() {
    let audit = Audit::new();
    // The name of the proof would be longer than a name can be.
    let dir = audit.site.path(&"a".repeat(250));
    audit.host_signed(&ledger(&entries(6)));
    assert_eq!(audit.fetch_to(&dir).0, 0);
    let fork = ledger(&rewritten(8));
    audit.host_signed(&fork);
    let (ended, talk) = audit.fetch_to(&dir);
    assert_eq!(ended, 1, "{talk}");
    assert!(talk.starts_with(&audit.sign("lapsed/purge", 8, fork.root)), "{talk}");
    assert!(talk.contains("stands above"), "{talk}");
}

#[test]
fn a_ledger_under_another_key_is_fetched_into_another_directory() {
    let audit = Audit::new();
    let kept = audit.fetched(300);
    let longer = ledger(&entries(310));
    audit.host(&longer, &audit.sign("lapsed/purge/2", longer.size, longer.root));
    let (ended, talk) = audit.fetch();
    assert_eq!(ended, 1, "{talk}");
    assert!(talk.contains("signed by lapsed/purge (") && talk.contains("by lapsed/purge/2 ("), "{talk}");
    assert_eq!(audit.kept(), kept);
    assert_eq!(audit.fetch_to(&audit.site.path("after")).0, 0);
}

#[test]
fn a_size_that_nobody_can_have_ends_at_the_first_tile_that_is_not_there() {
    let audit = Audit::new();
    let made = ledger(&entries(300));
    audit.host(&made, &audit.sign("lapsed/purge", u64::MAX, made.root));
    assert_ne!(audit.fetch().0, 0);
    let kept = audit.fetched(300);
    audit.host(&made, &audit.sign("lapsed/purge", u64::MAX, made.root));
    assert_ne!(audit.fetch().0, 0);
    assert_eq!(audit.kept(), kept);
}

/// Tiles that a run left when it was cut short were taken for those of the honest host by every run after it.
#[test]
fn tiles_of_another_history_do_not_outlive_the_run_that_fetched_them() {
    let audit = Audit::new();
    // A first fetch that is cut short after a bundle and a tile of another history.
    let mut other = ledger(&rewritten(300));
    other.files.remove("tile/1/000.p/1").unwrap();
    audit.host_signed(&other);
    assert_ne!(audit.fetch().0, 0);
    assert!(!audit.kept().is_empty(), "it is there to go on from");
    let kept = audit.fetched(300);
    // One that is killed leaves them where a checkpoint is kept, too.
    let longer = ledger(&rewritten(700));
    for (path, bytes) in &longer.files {
        let path = audit.site.path("audit/purge").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if !path.exists() {
            fs::write(path, bytes).unwrap();
        }
    }
    // The same size as the one it was killed at, or another.
    assert_ne!(audit.kept(), kept);
    audit.fetched(700);
    // One that is cut short where a checkpoint is kept leaves nothing, so that what is there can be verified.
    let kept = audit.kept();
    let mut short = ledger(&entries(1100));
    short.files.remove("tile/0/003").unwrap();
    audit.host_signed(&short);
    assert_ne!(audit.fetch().0, 0);
    assert_eq!(audit.kept(), kept);
    audit.fetched(1100);
}

#[test]
fn files_that_do_not_hang_from_the_root_are_not_kept() {
    let audit = Audit::new();
    let (honest, other) = (ledger(&entries(600)), ledger(&rewritten(600)));
    let nothing = BTreeMap::new();
    for path in ["tile/entries/000", "tile/0/000", "tile/1/000.p/2"] {
        let mut made = honest.clone();
        made.files.insert(path.to_owned(), other.files[path].clone());
        audit.host_signed(&made);
        let (ended, talk) = audit.fetch();
        assert_eq!(ended, 70, "{talk}");
        assert_eq!(audit.kept(), nothing, "{path}");
    }
    // Where a checkpoint is kept, that is no fork: it proves nothing against the key.
    let kept = audit.fetched(300);
    let mut made = honest.clone();
    made.files.insert("tile/0/001".to_owned(), vec![7; 32 * 256]);
    audit.host_signed(&made);
    let (ended, talk) = audit.fetch();
    assert_eq!(ended, 70, "{talk}");
    assert_eq!(audit.kept(), kept);
    assert!(!audit.site.path("audit-purge.contradicting").exists());
}

#[test]
fn what_was_damaged_here_is_fetched_anew_and_not_held_against_the_host() {
    let audit = Audit::new();
    audit.fetched(300);
    fs::write(audit.site.path("audit/purge/tile/1/000.p/1"), [7; 32]).unwrap();
    let kept = audit.fetched(310);
    assert_eq!(kept[&audit.site.path("audit/purge/tile/1/000.p/1")], ledger(&entries(310)).files["tile/1/000.p/1"]);
}

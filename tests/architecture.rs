//! Arrows point down only, one module alone names RocksDB, and files stay short.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file there may be, in lines.
const LONGEST: usize = 600;

/// Every module at the top, with those that it may use; the lowest first.
const MAY_USE: [(&str, &[&str]); 23] = [
    ("domain", &[]),
    ("clock", &["domain"]),
    ("wire", &["domain"]),
    ("sources", &["domain"]),
    ("config", &["domain"]),
    ("written", &["domain", "config"]),
    ("api", &["domain"]),
    ("desk", &["domain", "config", "written", "api"]),
    ("shown", &["domain", "api"]),
    ("ledger", &[]),
    ("store", &["domain", "ledger"]),
    ("tokens", &["domain", "config"]),
    ("canonical", &["domain"]),
    ("audit", &["domain", "canonical"]),
    ("watch", &["domain", "config", "audit"]),
    ("package", &["domain", "config", "api", "desk", "shown", "audit"]),
    ("ingest", &["domain", "wire", "config", "store"]),
    ("settle", &["domain", "config", "store"]),
    ("lookup", &["domain", "config", "store"]),
    ("purge", &["domain", "canonical", "config", "store"]),
    ("evidence", &["domain", "canonical", "config", "shown", "ledger", "audit", "purge"]),
    (
        "daemon",
        &[
            "domain", "clock", "wire", "sources", "config", "written", "api", "desk", "ledger", "store", "tokens",
            "audit", "watch", "ingest", "lookup", "purge", "settle", "shown", "package",
        ],
    ),
    (
        "cli",
        &[
            "domain", "clock", "wire", "sources", "config", "written", "api", "ledger", "store", "tokens", "audit",
            "ingest", "lookup", "purge", "shown", "evidence", "daemon",
        ],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a directory of the repository; none if it is not there.
fn rust_files(below: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut left = vec![root().join(below)];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// A file's code, without the lines that are comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The module at the top that a file of `src` belongs to; the library's root and the binaries belong to none.
fn module_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let name = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
    (name != "lib" && name != "bin").then(|| name.to_owned())
}

/// The modules at the top that code names: in `crate::a::b`, and in `crate::{a::b, c::{d, e}}`.
fn named_in(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.trim_start().strip_prefix('{') {
            None => drop(named.insert(first_word(rest))),
            Some(group) => named.extend(members(group)),
        }
    }
    named
}

/// The first words of a group's members, where the group's opening brace has been taken off.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut members, mut begin) = (0_usize, Vec::new(), 0);
    for (place, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members.push(first_word(&group[begin..place]));
                begin = place + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members.into_iter().filter(|word| !word.is_empty()).collect()
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn the_reader_of_paths_sees_groups_and_passes_over_comments() {
    let code = "use crate::domain::time::Timestamp;\nuse crate::{\n    store::{A, B},\n    wire,\n};\nlet x = crate::api::new();";
    let named: Vec<String> = named_in(code).into_iter().collect();
    assert_eq!(named, ["api", "domain", "store", "wire"]);
}

#[test]
fn the_table_is_of_all_modules_and_has_no_cycle() {
    let lib = code(&root().join("src/lib.rs"));
    let declared: BTreeSet<_> = lib.lines().filter_map(|line| line.strip_suffix(';')?.split("mod ").nth(1)).collect();
    let placed: BTreeSet<_> = MAY_USE.iter().map(|(module, _)| *module).collect();
    assert_eq!(declared, placed);
    for (place, (module, below)) in MAY_USE.iter().enumerate() {
        let lower: Vec<_> = MAY_USE.iter().take(place).map(|(lower, _)| lower).collect();
        assert!(below.iter().all(|used| lower.contains(&used)), "{module} uses what does not lie below it");
    }
}

#[test]
fn arrows_point_down_only() {
    let mut wrong = Vec::new();
    for file in rust_files("src") {
        let Some(module) = module_of(&file) else { continue };
        let (_, may_use) = MAY_USE.iter().find(|(name, _)| *name == module).unwrap();
        for used in named_in(&code(&file)) {
            if used != module && !may_use.contains(&used.as_str()) {
                wrong.push(format!("{}: {module} uses {used}", file.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_binaries_know_the_command_line_alone() {
    for file in rust_files("src/bin") {
        let code = code(&file);
        assert!(code.lines().count() <= 40, "{}", file.display());
        let used: BTreeSet<_> = code.split("lapsed::").skip(1).map(first_word).collect();
        assert_eq!(used, BTreeSet::from(["cli".to_owned()]), "{}", file.display());
    }
}

#[test]
fn only_the_store_names_rocksdb() {
    let outside = rust_files("src").into_iter().filter(|file| module_of(file).as_deref() != Some("store"));
    let naming: Vec<_> = outside.filter(|file| code(file).contains("rocksdb")).collect();
    assert_eq!(naming, Vec::<PathBuf>::new());
    assert!(rust_files("src/store").iter().any(|file| code(file).contains("rocksdb")));
}

#[test]
fn no_file_is_too_long_and_most_are_short() {
    for folder in ["src", "tests", "examples", "benches"] {
        for file in rust_files(folder) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= LONGEST, "{} has {lines} lines", file.display());
        }
    }
    let mut lengths: Vec<_> =
        rust_files("src").iter().map(|file| fs::read_to_string(file).unwrap().lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied();
    assert!(median < Some(150), "the median is {median:?} lines");
}

//! The manual and the completions can be made, and the programs that read them take them.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::process::{Command, Stdio};

use support::{Site, code, lapsed, talk_of, text};

#[test]
fn every_command_has_a_page_that_man_shows() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("man");
    assert_eq!(code(&lapsed(&["man"]).arg(&to).output().unwrap()), 0);
    let pages: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().path()).collect();
    for named in ["lapsed.1", "lapsed-run.1", "lapse.1", "lapse-lookup.1", "lapse-request-open.1"] {
        assert!(pages.iter().any(|page| page.ends_with(named)), "{named} of {pages:?}");
    }
    for page in pages {
        let mut man = Command::new("man");
        let shown =
            man.args(["-l", "--encoding=ascii"]).arg(&page).env("MANWIDTH", "100").stdin(Stdio::null()).output();
        let shown = shown.unwrap();
        assert!(shown.status.success(), "{}: {}", page.display(), talk_of(&shown));
        assert!(text(&shown.stdout).contains("SYNOPSIS"), "{}", page.display());
    }
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let failed = lapsed(&["man"]).arg(&file).output().unwrap();
    assert!(code(&failed) == 1 && talk_of(&failed).contains("cannot write the manual to"), "{failed:?}");
}

#[test]
fn completions_are_scripts_of_their_shells() {
    let site = Site::new("");
    let of_lapse = site.lapse(None, &["completions", "bash"]);
    let of_lapsed = lapsed(&["completions", "bash"]).output().unwrap();
    for (output, command) in [(of_lapse, "lapse"), (of_lapsed, "lapsed")] {
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        site.write("completions", text(&output.stdout));
        let checked = Command::new("bash").arg("-n").arg(site.path("completions")).output().unwrap();
        assert!(checked.status.success(), "{}", talk_of(&checked));
        assert!(text(&output.stdout).contains(&format!("complete -F _{command} ")), "{command}");
    }
    for shell in ["zsh", "fish"] {
        assert!(!site.lapse(None, &["completions", shell]).stdout.is_empty());
    }
    assert_eq!(code(&site.lapse(None, &["completions", "cmd"])), 2);
}

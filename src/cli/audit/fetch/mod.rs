//! `lapse audit fetch`: both ledgers as files, named and laid out as C2SP tlog-tiles does.
//!
//! What is there is not fetched again, so that it goes on where it was cut short. The checkpoint comes last. Before it takes the place of
//! an older one, the files must give its root, the older one must be its beginning, and the same key must have signed it: a host that
//! shows another history is found out here.

mod contradiction;
mod failed;
mod files;
mod signed;

use std::fs;
use std::path::Path;

use crate::api::routes::{LEDGER_CHECKPOINT, LEDGER_TILE};
use crate::cli::progress::Progress;
use crate::cli::{Connection, Ending, client, escape, say, tell};
use crate::ledger::tile::{TilePath, count_of, paths_of};

use failed::Failed;
use files::Files;
use signed::Signed;

/// The ledgers, by their names in the directory and in the API.
const LEDGERS: [&str; 2] = ["purge", "access"];
/// Where everything is fetched once more if what is there does not fit together. Gone when the command ends.
const ANEW: &str = ".anew";

pub(super) fn fetch(connection: &Connection, dir: &Path) -> Ending {
    let mut text = String::new();
    for name in LEDGERS {
        let ledger = Fetching { connection, name, files: Files { dir: dir.join(name) } };
        match ledger.fetch() {
            Ok(size) => text.push_str(&format!("{name}: {size} entries\n")),
            Err(failed) => {
                tell(&format!("lapse: the {name} ledger: {}", escape::escape(&failed.to_string())));
                return failed.ending();
            }
        }
    }
    say(&text).map_or(Ending::Fault, |()| Ending::Ok)
}

/// One ledger and its files.
struct Fetching<'a> {
    connection: &'a Connection,
    name: &'static str,
    files: Files,
}

impl Fetching<'_> {
    /// How many entries it has. Whatever fails, nothing stays that is not of the checkpoint that was kept. Only a first fetch that was cut
    /// short stays, to go on from: there is no checkpoint yet that its files would be too many for.
    fn fetch(&self) -> Result<u64, Failed> {
        fs::create_dir_all(&self.files.dir).map_err(Failed::at(&self.files.dir))?;
        self.anew().remove()?;
        let kept = self.files.kept()?;
        let fetched = self.fetch_after(kept.as_ref());
        let is_begun = kept.is_none() && matches!(fetched, Err(Failed::Asking(_)));
        match (&fetched, self.clean_up(is_begun)) {
            // What was found out comes first.
            (Err(_), Err(left)) => tell(&format!("lapse: {}", escape::escape(&left.to_string()))),
            (_, cleaned) => cleaned?,
        }
        fetched
    }

    fn clean_up(&self, is_begun: bool) -> Result<(), Failed> {
        self.anew().remove()?;
        if is_begun {
            return Ok(());
        }
        let size = self.files.kept()?.map_or(0, |kept| kept.checkpoint.size);
        self.files.keep_only(size)
    }

    fn fetch_after(&self, kept: Option<&Signed>) -> Result<u64, Failed> {
        let path = LEDGER_CHECKPOINT.replace("{log}", self.name);
        let new = client::fetch_patiently(self.connection, &path).map_err(Failed::Asking)?;
        let new = Signed::read(&path, &new)?;
        if let Some(kept) = kept {
            self.compare(kept, &new)?;
        }
        self.fetch_files(&new, kept).map_err(|failed| match (failed, kept) {
            (Failed::OtherBeginning { .. }, Some(kept)) => self.fork(kept, &new),
            (failed, _) => failed,
        })?;
        self.files.write_checkpoint(&new.note)?;
        Ok(new.checkpoint.size)
    }

    fn anew(&self) -> Files {
        Files { dir: self.files.dir.join(ANEW) }
    }

    /// What the two checkpoints say without a tile.
    fn compare(&self, kept: &Signed, new: &Signed) -> Result<(), Failed> {
        if kept.signer != new.signer {
            return Err(Failed::OtherSigner { kept: kept.signer.clone(), new: new.signer.clone() });
        }
        let (old, latest) = (&kept.checkpoint, &new.checkpoint);
        if latest.size < old.size || latest.size == old.size && latest.root != old.root {
            return Err(self.fork(kept, new));
        }
        Ok(())
    }

    /// Fetches what is missing, and holds everything against both checkpoints. If that fails, then what an earlier run left, or what
    /// was damaged here since, may be the reason: so all is fetched anew, once, to a place of its own. Only that speaks against the host.
    fn fetch_files(&self, new: &Signed, kept: Option<&Signed>) -> Result<(), Failed> {
        let (size, kept) = (new.checkpoint.size, kept.map(|kept| &kept.checkpoint));
        let are_all_new = self.fetch_missing(&self.files, size)?;
        let seen = if are_all_new { 0 } else { kept.map_or(0, |kept| kept.size) };
        match self.files.check(&new.checkpoint, kept, seen) {
            Err(failed) if failed.is_misfit() && !are_all_new => {}
            checked => return checked,
        }
        let anew = self.anew();
        fs::create_dir_all(&anew.dir).map_err(Failed::at(&anew.dir))?;
        self.fetch_missing(&anew, size)?;
        anew.check(&new.checkpoint, kept, 0)?;
        self.files.take_tiles(&anew)
    }

    /// Whether no file was there. The size is what the host says: nothing is prepared for it, and the first tile that is not there ends this.
    fn fetch_missing(&self, files: &Files, size: u64) -> Result<bool, Failed> {
        let progress = Progress::over(count_of(size), "tiles");
        let mut are_all_new = true;
        let fetched = paths_of(size).try_for_each(|tile| {
            if files.path(tile).is_file() {
                are_all_new = false;
            } else {
                files.write_tile(tile, &self.ask_tile(tile)?)?;
            }
            progress.step();
            Ok(())
        });
        progress.finish();
        fetched.map(|()| are_all_new)
    }

    fn ask_tile(&self, tile: TilePath) -> Result<Vec<u8>, Failed> {
        let asked = LEDGER_TILE.replace("{log}", self.name).replace("tile/{*tile}", &tile.to_string());
        client::fetch_patiently(self.connection, &asked).map(Vec::from).map_err(Failed::Asking)
    }

    fn fork(&self, kept: &Signed, new: &Signed) -> Failed {
        contradiction::fork(&self.files.dir, self.name, kept, new)
    }
}

//! `lapsed man DIR`: the manual (section 1), from the command lines themselves.

use std::path::Path;
use std::{fs, io};

use clap::CommandFactory as _;

use super::{Ending, LapseArgs, LapsedArgs, tell};

/// Writes every page.
pub(super) fn man(dir: &Path) -> Ending {
    match write(dir) {
        Ok(()) => Ending::Ok,
        Err(error) => {
            tell(&format!("lapsed: cannot write the manual to {}: {error}", dir.display()));
            Ending::Nobody
        }
    }
}

fn write(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for command in [LapsedArgs::command(), LapseArgs::command()] {
        // `help` is no command worth a page.
        clap_mangen::generate_to(command.disable_help_subcommand(true), dir)?;
    }
    Ok(())
}

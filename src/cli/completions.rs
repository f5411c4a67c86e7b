//! `lapse completions SHELL` and `lapsed completions SHELL`.

use clap::Command;
use clap_complete::Shell;

use super::{Ending, say};

/// Prints what makes a shell complete a command.
pub(super) fn completions(mut command: Command, shell: Shell) -> Ending {
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    match say(&String::from_utf8_lossy(&text)) {
        Ok(()) => Ending::Ok,
        Err(_) => Ending::Fault,
    }
}

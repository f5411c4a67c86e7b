//! The daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    lapsed::cli::lapsed(std::env::args_os()).into()
}

//! The client.

use std::process::ExitCode;

fn main() -> ExitCode {
    lapsed::cli::lapse(std::env::args_os()).into()
}

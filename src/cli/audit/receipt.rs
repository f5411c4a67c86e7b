//! `lapse audit receipt`.

use std::fs;
use std::path::Path;

use crate::api::ReceiptAnswer;
use crate::api::routes::RECEIPT;
use crate::cli::{Connection, Ending, client, tell};

pub(in crate::cli) fn receipt(connection: &Connection, index: u64, file: &Path) -> Ending {
    let path = RECEIPT.replace("{index}", &index.to_string());
    let answer: ReceiptAnswer = match client::ask(connection, &path, None::<&()>) {
        Ok(answer) => answer,
        Err(ending) => return ending,
    };
    match fs::write(file, answer.receipt) {
        Ok(()) => Ending::Ok,
        Err(error) => {
            tell(&format!("lapse: cannot write {}: {error}", file.display()));
            Ending::Usage
        }
    }
}

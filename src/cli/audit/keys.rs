//! `lapse audit keys`.

use crate::api::{LEDGER_KEYS, LedgerKeys};
use crate::cli::{Connection, Ending, Output, client, request, say};

pub(super) fn keys(connection: &Connection, output: Output) -> Ending {
    let keys: LedgerKeys = match client::ask(connection, LEDGER_KEYS, None::<&()>) {
        Ok(keys) => keys,
        Err(ending) => return ending,
    };
    let text = match output {
        Output::Table => Ok(format!("purge   {}\naccess  {}\n", keys.purge, keys.access)),
        Output::Json => request::json(&keys),
    };
    match text.map(|text| say(&text)) {
        Ok(Ok(())) => Ending::Ok,
        Ok(Err(_)) => Ending::Fault,
        Err(ending) => ending,
    }
}

//! Opens the store, and says what the keyring is like and what became of it.

use crate::config::Config;
use crate::domain::erasure::ErasureClass;
use crate::store::{KeyringFound, Loss, Opening, Store};

use super::DaemonError;
use super::time::Time;
use super::upkeep::{report_destruction, report_making};

/// Opens the store, and refuses one whose keyring lies where the configuration will not have it.
pub(super) fn open_store(config: &Config, time: &Time, new_keyring: bool) -> Result<Store, DaemonError> {
    let present = time.present().ok();
    let opening = Opening {
        now: time.believed(),
        destroy: present.map(|present| present.cutoff),
        make_keys: present.is_some(),
        new_keyring,
    };
    let store = Store::open(&config.state_dir, &config.keyring_dir, &config.retention, opening)?;
    let erasure = store.erasure();
    let required = config.require_erasure_class;
    if erasure.class < required {
        return Err(DaemonError::Erasure { required, found: erasure.clone() });
    }
    if erasure.class <= ErasureClass::Memory {
        tracing::warn!(%erasure, "what overwriting a key means here");
    } else {
        tracing::info!(%erasure, "what overwriting a key means here");
    }
    match store.keyring_history().found {
        KeyringFound::Whole | KeyringFound::New => {}
        KeyringFound::Mended => tracing::warn!("a header of the keyring was damaged or out of date, and is mended"),
        KeyringFound::Lost(loss) => {
            let loss = match loss {
                Loss::Missing => "missing",
                Loss::Unfinished => "unfinished",
                Loss::Damaged => "damaged beyond mending",
            };
            tracing::error!("the keyring was {loss}: there is a new one, and what the old one opened is lost");
        }
    }
    report_destruction(&store.keyring_history().destroyed);
    store.keyring_history().made.iter().for_each(report_making);
    let (window, configured) = (store.window().as_secs(), store.configured_window().as_secs());
    if window != configured {
        tracing::warn!(
            window,
            configured,
            "the configuration has another window than the store: the store's is in force"
        );
    }
    Ok(store)
}
